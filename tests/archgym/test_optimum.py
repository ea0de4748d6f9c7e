"""Certified optima and fronts: right, found again, complete, and hidden from agents."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import archgym
from archgym.certificates import identity_of, stored_certificates
from archgym.fronts import Front, certified_front, find_front
from archgym.optimum import Optimum, certified_optimum, find_optimum
from archgym.pareto import hypervolume
from archgym.problem import ProblemSpec
from archgym.tasks import Task, tasks
from archgym.testing import toys
from archgym_simulators import InputError
from archgym_simulators.dram.simulator import DramSimulator

BOWL, HUGE, NEVER = (f"{toys.__file__}:{name}" for name in ("Bowl", "HugeSpace", "AlwaysInvalid"))
TRACES = Path(__file__).parents[3] / "shared" / "refs" / "dram" / "traces"
# What a trial model found by enumeration and DRAMSys itself confirmed (ArchGym's rules, no refresh).
KNOWN_BEST_NS = {"stream": 50_025.0, "random": 79_572.5, "cloud-1": 64_955.0, "cloud-2": 64_143.75}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))


def everything(spec):
    problem = spec.bind()
    rows = np.concatenate(list(problem.space.chunks(canonical=True)))
    return rows, problem, problem.evaluate(rows)


@pytest.mark.parametrize(
    ("workload", "objective", "constraints"),
    [
        ("default", "time", []),
        ("default + large", "energy_pj * time_ns", []),
        ("large", "energy", ["time_ns<=600"]),
        ("default", "max:slack_ns", []),
    ],
)
def test_an_optimum_is_the_best_of_all_designs(workload, objective, constraints):
    spec = ProblemSpec.create(BOWL, workload=workload, objective=objective, constraints=constraints)
    found = find_optimum(spec)
    rows, problem, scored = everything(spec)
    feasible = scored.reward[scored.feasible]
    assert found.reward == feasible.max()
    assert found.median_reward == np.median(feasible)
    assert found.ties == (feasible == feasible.max()).sum()
    assert (found.designs, found.feasible) == (len(rows), len(feasible))
    again = problem.evaluate(problem.space.canonical(problem.space.encode_row(found.design)[None]))
    assert (again.reward[0], bool(again.feasible[0])) == (found.reward, True)
    assert list(found.metrics.values()) == again.values[0].tolist()


def test_a_front_is_that_of_all_designs():
    task = Task(
        name="toy", description="", env_id=BOWL, workload="default", judge_workload="large",
        objectives=("time", "energy_pj"), reference_point=(-1.0, -1.0),
    )  # fmt: skip
    found = find_front(task)
    _, _, scored = everything(task.spec())
    rewards = scored.rewards[scored.feasible]
    assert found.hypervolume == pytest.approx(hypervolume(rewards, (-1.0, -1.0)), rel=1e-12)
    assert found.hypervolume > 0.0
    assert found.best == tuple(rewards.max(axis=0))
    assert found.size <= found.ties <= found.feasible == len(rewards)
    assert Front(**asdict(found)).key == found.key


@pytest.mark.parametrize(
    ("env_id", "how", "part"),
    [
        (HUGE, {}, "cannot be enumerated"),
        (NEVER, {}, "no design of .* meets its rules"),
        (BOWL, {"objective": "time", "constraints": ["time_ns<=1e-9"]}, "no design of .* meets time_ns<=1e-9"),
        (BOWL, {"objective": ["time", "energy_pj"]}, "an optimum belongs to one objective, not to 2"),
    ],
)
def test_what_has_no_optimum_is_refused_in_one_line(env_id, how, part):
    with pytest.raises(InputError, match=part) as caught:
        find_optimum(ProblemSpec.create(env_id, **how))
    assert "\n" not in str(caught.value)


def test_a_front_needs_several_objectives():
    task = Task(name="toy", description="", env_id=BOWL, workload="default", judge_workload="", objectives=("time",))
    with pytest.raises(InputError, match="has one objective"):
        find_front(task)


def test_a_table_is_compared_design_by_design_without_an_enumeration(tmp_path):
    found = find_optimum(ProblemSpec.create("archgym/Table-v0"))
    assert found.designs == 615
    assert not (tmp_path / "cache").exists()


# ---- what is stored --------------------------------------------------------------------------------------------------


def stored():
    certificates = stored_certificates()
    return [*certificates["optima"], *certificates["fronts"]]


def enumerable_tasks():
    """The tasks on the standard DRAM space; larger spaces carry best known designs."""
    return [one for one in tasks().values() if one.env_id == "archgym/DRAM-v0" and "space" not in one.options]


def test_every_task_has_a_certificate_as_searched_and_as_judged():
    for task in enumerable_tasks():
        judged = replace(task, workload=task.judge_workload, constraints=task.judge_constraints)
        lenient = replace(task, options={"rules": "archgym"})
        for one in (task, judged, lenient):
            found = certified_front(one) if len(one.objectives) > 1 else certified_optimum(one.spec())
            assert found is not None, f"{one.name}: {one.workload}"


def test_stored_certificates_are_of_this_version_and_name_their_command():
    for one in stored():
        spec = ProblemSpec(
            one["env_id"], one["workload"], tuple(one["objectives"]), tuple(one["constraints"]), one["options"]
        )
        now = json.loads(json.dumps(identity_of(spec, spec.bind())))
        assert now == {name: one[name] for name in now}
        assert one["command"].startswith("archgym optimum ")
        assert one["seconds"] > 0
        assert one["peak_mib"] > 0


def test_the_stored_design_has_the_stored_metrics_and_reward():
    for fields in stored_certificates()["optima"]:
        found = Optimum(**{**fields, "objectives": tuple(fields["objectives"])})
        spec = ProblemSpec(found.env_id, found.workload, found.objectives, tuple(found.constraints), found.options)
        problem = spec.bind()
        outcome = problem.evaluate(problem.space.canonical(problem.space.encode_row(found.design)[None]))
        assert outcome.feasible[0]
        np.testing.assert_allclose(outcome.values[0], list(found.metrics.values()), rtol=1e-12)
        assert outcome.reward[0] == pytest.approx(found.reward, abs=1e-12)


def test_no_random_design_beats_a_stored_optimum():
    for task in enumerable_tasks():
        if len(task.objectives) > 1:
            continue
        problem, found = task.spec().bind(), certified_optimum(task.spec())
        rows = problem.space.canonical(problem.space.sample(150, np.random.default_rng(5)))
        scored = problem.evaluate(rows)
        assert (scored.reward[scored.feasible] <= found.reward).all()


def test_another_version_has_no_certificate(monkeypatch):
    task = tasks()["dram-mixed-time"]
    assert certified_optimum(task.spec()) is not None
    monkeypatch.setattr(DramSimulator, "version", "next")
    assert certified_optimum(task.spec()) is None
    assert certified_front(tasks()["dram-mixed-front"]) is None


@pytest.mark.parametrize("trace", KNOWN_BEST_NS)
def test_the_best_time_without_refresh_is_the_one_that_dramsys_confirmed(trace):
    file = TRACES / f"{trace}.stl.gz"
    if not file.is_file():
        pytest.skip(f"the reference trace {file.name} is absent")
    simulator = DramSimulator(str(file), rules="archgym")
    space = simulator.space
    # Of the 9,792 designs without refresh: all with the known winners' kinds of scheduler and buffer, and some others.
    rows = np.concatenate([rows[rows[:, 5] == 0] for rows in space.chunks(canonical=True)])
    assert len(rows) == 9_792
    near = np.isin(rows[:, 3], [5, 7]) & (rows[:, 2] == 0) & np.isin(rows[:, 1], [0, 1])
    others = np.random.default_rng(1).permutation(rows[~near])[:500]
    times = [simulator.column(simulator.evaluate(some), "total_time_ns").min() for some in (rows[near], others)]
    assert times[0] == KNOWN_BEST_NS[trace] <= times[1]


# ---- hidden from agents ----------------------------------------------------------------------------------------------


def test_searching_imports_nothing_that_knows_an_optimum():
    code = (
        "import sys, gymnasium, archgym\n"
        "session = archgym.make_session('dram-mixed-time')\n"
        "env = gymnasium.make('archgym/DRAM-v0', workload='stream:n=200')\n"
        "env.reset(seed=1); env.step(env.action_space.sample())\n"
        "archgym.search('dram-mixed-time', budget=5)\n"
        "print([m for m in sys.modules if m in "
        "('archgym.optimum', 'archgym.fronts', 'archgym.certificates', 'archgym.audit')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_no_file_observation_info_or_message_carries_the_optimum(tmp_path):
    task = tasks()["dram-mixed-time"]
    found = certified_optimum(task.spec())
    shown = [repr(found.reward), repr(found.metrics["total_time_ns"]), "optimum", "certified"]
    result = archgym.search(task.name, "random_search", budget=20, seed=3, out=tmp_path / "run")
    texts = [file.read_text() for file in (tmp_path / "run").iterdir() if file.suffix == ".json"]
    texts += [repr(result)]
    env = gym.make(task.env_id, workload=task.workload.split(" + ")[0], objective="total-time")
    observation, info = env.reset(seed=1)
    texts += [repr(info), repr(observation.tolist()), *map(repr, env.step(env.action_space.sample()))]
    assert result.reward < found.reward
    for text in texts:
        assert not [one for one in shown if one in text]
