"""The suite: well-formed, disjoint, sharp, and the same by name as by hand."""

import csv
import json
from math import exp
from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym.best_known import best_known
from archgym.fronts import certified_front
from archgym.optimum import certified_optimum
from archgym.problem import ProblemSpec, mean_over
from archgym.registry import environments
from archgym.tasks import problem_of, task, tasks
from archgym_simulators import InputError
from archgym_simulators.dram.spec import parse_spec
from archgym_simulators.dram.workloads import _GRAMMARS

ROOT = Path(__file__).parents[2]
AUDITS = ROOT / "experiments" / "core_1" / "audits.csv"
ALL = pytest.mark.parametrize("one", tasks().values(), ids=tasks())
ALL_DRAM_TASKS = {name: one for name, one in tasks().items() if one.env_id == "archgym/DRAM-v0"}
DRAM_TASKS = {name: one for name, one in ALL_DRAM_TASKS.items() if "space" not in one.options}
EXTENDED_TASKS = {name: one for name, one in ALL_DRAM_TASKS.items() if one.options.get("space") == "extended"}
DRAM = pytest.mark.parametrize("one", DRAM_TASKS.values(), ids=DRAM_TASKS)
EXTENDED = pytest.mark.parametrize("one", EXTENDED_TASKS.values(), ids=EXTENDED_TASKS)


def traces_of(workload):
    return mean_over(workload)


def audits():
    with AUDITS.open() as file:
        return {row["task"]: row for row in csv.DictReader(file)}


@ALL
def test_a_task_is_a_problem_with_canonical_names(one):
    for judge, workload in ((False, one.workload), (True, one.judge_workload)):
        problem = one.spec(judge=judge).bind()
        assert problem.simulator.workload.name == workload
        assert len(problem.objectives) == len(one.objectives)
    assert (one.role, one.standing) in [(r, s) for r in ("dev", "test") for s in ("headline", "smoke test")]
    assert one.description.endswith(".")
    assert len(one.reference_point) == (len(one.objectives) if len(one.objectives) > 1 else 0)
    assert len(one.constraints) == len(one.judge_constraints)


def test_there_are_few_tasks_for_both_roles():
    families = [[one for one in tasks().values() if one.env_id == env_id] for env_id in environments()]
    standard = [[one for one in family if one.name not in EXTENDED_TASKS] for family in families]
    for family in filter(None, [*standard, list(EXTENDED_TASKS.values())]):
        assert len(family) <= 8
        assert {one.role for one in family} == {"dev", "test"}
    assert any(len(one.objectives) > 1 for one in tasks().values())


def seed_of(trace):
    return parse_spec(trace, _GRAMMARS).values["seed"]


def test_tuning_judging_and_unseen_workloads_share_no_trace_and_no_seed():
    searched = {role: set() for role in ("dev", "test")}
    unseen = set()
    for one in ALL_DRAM_TASKS.values():
        searched[one.role] |= set(traces_of(one.workload))
        unseen |= set(traces_of(one.judge_workload))
    seeds = [{seed_of(trace) for trace in traces} for traces in (*searched.values(), unseen)]
    assert not seeds[0] & seeds[1]
    assert not (seeds[0] | seeds[1]) & seeds[2]
    kinds = [{trace.split(":")[0] for trace in searched[role]} for role in ("dev", "test")]
    assert kinds[0] - kinds[1]
    assert kinds[1] - kinds[0]


@DRAM
def test_bounds_are_frozen_shares_over_the_certified_least_time(one):
    for constraints, workload in ((one.constraints, one.workload), (one.judge_constraints, one.judge_workload)):
        for bound in constraints:
            least = certified_optimum(ProblemSpec.create(one.env_id, workload=workload, objective="total-time"))
            share = 1.05 if "p99-latency" in one.objectives else 1.10
            assert bound == f"total_time_ns<={share * least.metrics['total_time_ns']:.0f}"


@DRAM
def test_the_reference_point_is_dominated_by_the_baseline_and_by_part_of_the_front(one):
    if one.reference_point:
        assert max(one.reference_point) < 0.0  # rewards of the baseline are 0
        front = certified_front(one)
        assert front.hypervolume > 0.0
        assert all(best > origin for best, origin in zip(front.best, one.reference_point, strict=True))


@DRAM
def test_the_standing_is_that_of_the_published_audit(one):
    audit = audits()[one.name]
    assert audit["standing"] == one.standing
    assert (float(audit["gap_100"]) <= 0.01) == (one.standing == "smoke test")
    assert audit["source"] == "certified"


def test_the_published_audit_is_of_these_tasks_and_in_the_readme():
    assert list(audits()) == list(ALL_DRAM_TASKS)
    readme = (AUDITS.parent / "README.md").read_text()
    for name, row in audits().items():
        assert f"| `{name}` | {row['role']} |" in readme
    for name in ALL_DRAM_TASKS:
        assert f"`{name}`" in (ROOT / "docs" / "tasks.md").read_text()


@EXTENDED
def test_tasks_on_the_extended_space_are_headlines_with_best_known_designs(one):
    audit = audits()[one.name]
    assert audit["source"] == "best known"
    assert audit["standing"] == one.standing == "headline"
    assert float(audit["gap_100"]) > 0.01
    for judge in (False, True):
        spec = one.spec(judge=judge)
        assert certified_optimum(spec) is None
        known, problem = best_known(spec), spec.bind()
        outcome = problem.evaluate(problem.space.canonical(problem.space.encode_row(known.design)[None]))
        assert outcome.feasible[0]
        assert outcome.reward[0] == known.reward


@DRAM
def test_a_design_found_on_the_searched_traces_is_good_on_unseen_ones(one):
    if len(one.objectives) > 1:
        return
    best, judge = certified_optimum(one.spec()), one.spec(judge=True).bind()
    row = judge.space.canonical(judge.space.encode_row(best.design)[None])
    unseen = certified_optimum(one.spec(judge=True))
    reward = judge.evaluate(row).reward[0]
    assert reward <= unseen.reward
    assert exp(unseen.reward - reward) < 1.25


# ---- by name ---------------------------------------------------------------------------------------------------------


def test_a_session_of_a_task_is_that_of_its_parts():
    one = task("dram-mixed-p99")
    by_name = archgym.make_session(one.name)
    by_hand = archgym.make_session(
        one.env_id, workload=one.workload, objective=list(one.objectives), constraints=one.constraints
    )
    rows = by_name.space.sample(5, np.random.default_rng(0))
    for column in ("values", "rewards", "feasible"):
        np.testing.assert_array_equal(getattr(by_name.evaluate(rows), column), getattr(by_hand.evaluate(rows), column))
    assert (by_name.budget.limit, by_hand.budget.limit) == (one.budget, None)
    assert archgym.make_session(one.name, budget=7).budget.limit == 7


def test_a_recorded_search_names_its_task_and_takes_its_budget(tmp_path, monkeypatch):
    monkeypatch.setattr("archgym.tasks.Task.budget", 4, raising=False)
    one = task("dram-zipf-time")
    result = archgym.search(one.name, budget=6, out=tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())["identity"]
    assert manifest["task"] == {"name": one.name, "suite": "core-1"}
    assert manifest["problem"]["workload"] == one.workload
    assert (result.calls, manifest["budget"]["limit"]) == (6, 6)
    assert archgym.search(one.name, budget=6, out=tmp_path / "run").was_complete


def test_without_a_budget_a_search_of_a_task_spends_the_tasks(monkeypatch):
    spent = []

    def one_call(session, agent):
        session.evaluate(session.space.sample(1, np.random.default_rng(0)))
        spent.append(session.budget.limit)
        return 0.0

    monkeypatch.setattr("archgym.api.run_agent", one_call)
    archgym.search("dram-dev-time")
    assert spent == [task("dram-dev-time").budget]


@pytest.mark.parametrize(
    "given",
    [
        {"workload": "mixed"},
        {"objective": "energy"},
        {"constraints": ["power_mw<=900"]},
        {"options": {"rules": "archgym"}},
    ],
)
def test_what_a_task_fixes_cannot_be_chosen(given):
    with pytest.raises(InputError, match=r"task 'dram-mixed-time' fixes its .*name the environment: archgym/DRAM-v0"):
        problem_of("dram-mixed-time", **given)


def test_a_table_may_answer_for_a_task():
    spec, one = problem_of("dram-mixed-time", options={"simulator": "table"})
    assert spec.options == {"simulator": "table"}
    assert one is task("dram-mixed-time")


def test_unknown_names_are_named_with_the_nearest():
    with pytest.raises(
        InputError, match=r"unknown environment or task 'dram-mixd-time'; did you mean 'dram-mixed-time'"
    ):
        problem_of("dram-mixd-time")
    with pytest.raises(InputError, match="unknown task 'dram-mixd-time'; did you mean 'dram-mixed-time'"):
        task("dram-mixd-time")
    with pytest.raises(InputError, match="unknown environment 'archgym/DRAN-v0'"):
        problem_of("archgym/DRAN-v0")


def test_a_search_of_an_environment_needs_a_budget():
    with pytest.raises(InputError, match="a search of archgym/DRAM-v0 needs a budget"):
        archgym.search("archgym/DRAM-v0")


def test_an_agent_of_one_objective_refuses_a_front():
    with pytest.raises(InputError, match="takes one objective, not 3"):
        archgym.search("dram-mixed-front", "hill_climbing", budget=5)
