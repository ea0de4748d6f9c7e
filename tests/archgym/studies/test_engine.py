"""Running a study: the same table wherever, whenever and however often it was interrupted."""

import errno
import json
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import archgym
from archgym.registry import simulator_class
from archgym.studies.engine import run_study
from archgym.studies.plan import StudyPlan
from archgym.studies.results import load_study
from archgym.studies.store import OPEN_RUNS, StudyStore, recorded_runs
from archgym.studies.study_file import parse_study
from archgym_simulators import InputError
from tests.archgym.recording import ROOT
from tests.archgym.studies.small_studies import BOWL, assert_same_study, content, fragile, tables, toml


@pytest.fixture
def study(tmp_path):
    return parse_study(content(tmp_path))


def run_in_another_process(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    path = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    return subprocess.Popen([sys.executable, "-W", "error", "-c", path + code, *map(str, arguments)])


def test_every_cell_is_run_once(study, tmp_path):
    summary = run_study(study, tmp_path / "out")
    assert (summary.runs, summary.failed, summary.was_complete) == (12, 0, False)
    runs, improvements = tables(tmp_path / "out")
    assert len(runs) == runs["run_id"].nunique() == study.size == 12
    assert runs["evaluations"].tolist() == [20] * 6 + [12] * 6
    assert summary.evaluations == runs["evaluations"].sum()
    assert runs["seed"].nunique() == 12
    assert set(improvements["run_id"]) == set(runs["run_id"])
    assert runs["state"].eq("complete").all()
    assert runs["setting_id"].nunique() == 2
    assert runs.groupby("setting_id")["is_default"].first().tolist().count(True) == 1
    assert not (tmp_path / "out" / OPEN_RUNS).exists()


def test_a_run_is_the_search_of_the_same_name(study, tmp_path):
    run_study(study, tmp_path / "out")
    found = load_study(tmp_path / "out")
    for place in (0, 11):
        row = found.runs.iloc[place]
        single = archgym.search(
            row["env_id"],
            row["agent"],
            workload=row["workload"],
            budget=int(row["budget"]),
            seed=int(row["seed"]),
            agent_options=json.loads(row["settings"]),
            record="improvements",
            out=tmp_path / f"single-{place}",
        )
        assert single.reward == row["best_reward"]
        assert single.metrics[found.manifest["tasks"][0]["value_metric"]] == row["best_value"]
        steps = found.improvements[found.improvements["run_id"] == row["run_id"]]
        assert json.loads(steps["design"].iloc[-1]) == single.design
        recorded = pd.read_parquet(tmp_path / f"single-{place}" / "evaluations.parquet")
        for name, column in (("evaluation", recorded["step"] + 1), ("proposal", recorded["proposal"] + 1)):
            assert steps[name].tolist() == column.tolist()
        assert steps["reward"].tolist() == recorded["reward"].tolist()
        assert steps["feasible"].tolist() == recorded["feasible"].tolist()
        alone = load_study(tmp_path / f"single-{place}")
        expected = pd.DataFrame([row]).reset_index(drop=True).drop(columns=["wall_seconds", "agent_seconds"])
        pd.testing.assert_frame_equal(alone.runs[expected.columns], expected)
        assert alone.improvements["reward"].tolist() == (
            found.improvements[found.improvements["run_id"] == row["run_id"]]["reward"].tolist()
        )


def test_seeds_do_not_depend_on_what_else_is_in_the_study(tmp_path):
    whole = content(tmp_path)
    run_study(parse_study(whole), tmp_path / "whole")
    part = {**whole, "tasks": whole["tasks"][1:], "agents": [{"name": fragile(tmp_path), "settings": {"batch": 4}}]}
    run_study(parse_study(part), tmp_path / "part")
    many, few = (tables(tmp_path / name)[0].set_index("run_id") for name in ("whole", "part"))
    assert len(few) == 3
    pd.testing.assert_frame_equal(many.loc[few.index], few)


def test_given_seeds_are_used_as_they_are(tmp_path):
    run_study(parse_study(content(tmp_path, seeds=[7, 3])), tmp_path / "out")
    assert tables(tmp_path / "out")[0]["seed"].tolist() == [7, 3] * 4


def test_a_pool_gives_the_table_of_the_serial_run(study, tmp_path):
    run_study(study, tmp_path / "serial")
    run_study(study, tmp_path / "pool", workers=2)
    assert_same_study(tmp_path / "serial", tmp_path / "pool")


def test_a_complete_study_is_left_alone(study, tmp_path):
    run_study(study, tmp_path / "out")
    before = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "out").iterdir()}
    assert run_study(study, tmp_path / "out").was_complete
    assert {file.name: file.stat().st_mtime_ns for file in (tmp_path / "out").iterdir()} == before


COUNTED = """
import os, signal
from archgym.studies.engine import run_study
from archgym.studies.study_file import read_study
calls, last = 0, int(sys.argv[3])
def counted(function):
    def call(*arguments, **options):
        global calls
        calls += 1
        if calls == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call
for name in ("pwrite", "replace", "unlink", "mkdir"):
    setattr(os, name, counted(getattr(os, name)))
run_study(sys.argv[1], sys.argv[2])
open(sys.argv[2] + ".calls", "w").write(str(calls))
"""


def test_a_study_killed_again_and_again_gives_the_same_table(tmp_path):
    file, out = toml(tmp_path), tmp_path / "killed"
    run_study(file, tmp_path / "whole")
    kills = 0
    while run_in_another_process(COUNTED, file, out, 2**kills).wait(timeout=60) == -signal.SIGKILL:
        kills += 1
    assert kills >= 5
    assert_same_study(tmp_path / "whole", out)
    assert len(list(recorded_runs(out))) == 12


@pytest.mark.parametrize("from_the_end", [0, 1, 2, 4])
def test_a_study_killed_while_it_ends_gives_the_same_table(tmp_path, from_the_end):
    file = toml(tmp_path)
    assert run_in_another_process(COUNTED, file, tmp_path / "whole", -1).wait(timeout=60) == 0
    calls = int((tmp_path / "whole.calls").read_text())
    killed = run_in_another_process(COUNTED, file, tmp_path / "killed", calls - from_the_end)
    assert killed.wait(timeout=60) == -signal.SIGKILL
    assert not run_study(file, tmp_path / "killed").was_complete
    assert_same_study(tmp_path / "whole", tmp_path / "killed")


def test_a_run_under_way_is_replayed_and_not_simulated_again(tmp_path, monkeypatch):
    agents = [{"name": fragile(tmp_path), "settings": {"mode": "die-once", "marker": str(tmp_path / "died")}}]
    file, simulated = toml(tmp_path, agents=agents), []
    code = "from archgym.studies.engine import run_study\nrun_study(*sys.argv[1:])"
    assert run_in_another_process(code, file, tmp_path / "out").wait(timeout=60) == -signal.SIGKILL
    assert len(list((tmp_path / "out" / OPEN_RUNS).iterdir())) == 1
    bowl = simulator_class(BOWL)
    evaluate = bowl.evaluate
    monkeypatch.setattr(bowl, "evaluate", lambda self, rows: simulated.append(len(rows)) or evaluate(self, rows))
    run_study(file, tmp_path / "out")
    resumed = sum(simulated)
    simulated.clear()
    run_study(file, tmp_path / "again")
    assert sum(simulated) - resumed == 8  # two batches of four
    assert_same_study(tmp_path / "out", tmp_path / "again")


def test_an_open_journal_that_does_not_fit_is_no_obstacle(study, tmp_path):
    run_study(study, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run_study(study, tmp_path / "out", progress=_interrupt_after(3))
    pending = tables(tmp_path / "whole")[0]["run_id"][3]
    (tmp_path / "out" / OPEN_RUNS / f"{pending}.journal").write_bytes(b"nonsense")
    run_study(study, tmp_path / "out")
    assert_same_study(tmp_path / "whole", tmp_path / "out")


def test_a_study_that_cannot_make_journals_ends_and_records_no_failure(study, tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("archgym.studies.runner.JournalRecorder.__init__", refuse)
        with pytest.raises(OSError, match="No space left"):
            run_study(study, tmp_path / "out")
    assert load_study(tmp_path / "out").runs.empty
    assert run_study(study, tmp_path / "out").failed == 0


def _interrupt_after(runs):
    def progress(state):
        if state.done == runs:
            raise KeyboardInterrupt

    return progress


def test_a_killed_worker_is_replaced_and_its_run_made_again(tmp_path):
    marker = tmp_path / "died"
    settings = {"mode": "die-once", "marker": str(marker)}
    agents = [{"name": fragile(tmp_path), "grid": {"batch": [3, 4]}, "settings": settings}]
    study = parse_study(content(tmp_path, agents=agents))
    run_study(study, tmp_path / "pool", workers=2)
    assert marker.exists()
    run_study(study, tmp_path / "serial")  # now nothing dies
    assert tables(tmp_path / "pool")[0]["state"].eq("complete").all()
    assert_same_study(tmp_path / "serial", tmp_path / "pool")


def test_a_run_of_which_every_worker_dies_is_recorded_as_failed(tmp_path):
    agents = [fragile(tmp_path), {"name": fragile(tmp_path), "settings": {"mode": "die"}}]
    summary = run_study(parse_study(content(tmp_path, agents=agents, seeds=1)), tmp_path / "out", workers=2)
    assert (summary.runs, summary.failed) == (4, 2)
    runs = tables(tmp_path / "out")[0].set_index("state")
    assert runs.loc["failed", "error"].str.contains("3 worker processes died").all()
    assert runs.loc["complete", "evaluations"].tolist() == [20, 12]


@pytest.mark.parametrize(
    ("mode", "error"), [("crash", "ZeroDivisionError: the agent's own mistake"), ("exit", "SystemExit: 3")]
)
def test_a_failing_run_is_recorded_and_the_study_goes_on(tmp_path, mode, error):
    agents = [{"name": fragile(tmp_path), "settings": {"mode": mode}}, fragile(tmp_path)]
    study = parse_study(content(tmp_path, agents=agents))
    assert run_study(study, tmp_path / "out").failed == 6
    runs, improvements = tables(tmp_path / "out")
    failed = runs[runs["state"] == "failed"]
    assert failed["error"].str.contains("Traceback").all()
    assert failed["error"].str.strip().str.endswith(error).all()
    assert failed["stop_reason"].eq("error").all()
    assert failed["evaluations"].eq(8).all()  # two batches of four
    assert set(improvements["run_id"]) == set(runs["run_id"])
    assert runs[runs["state"] == "complete"]["error"].eq("").all()
    assert run_study(study, tmp_path / "out").was_complete


def test_failed_runs_are_made_again_where_that_is_asked_for(tmp_path):
    marker = tmp_path / "mended"
    file = tmp_path / "fragile.py"
    fragile(tmp_path)
    file.write_text(
        file.read_text().replace('mode == "crash"', f'mode == "crash" and not os.path.exists({str(marker)!r})')
    )
    agents = [{"name": str(file), "settings": {"mode": "crash"}}]
    study = parse_study(content(tmp_path, agents=agents))
    assert run_study(study, tmp_path / "out").failed == 6
    marker.touch()
    assert run_study(study, tmp_path / "out", retry_failed=True).failed == 0
    assert tables(tmp_path / "out")[0]["state"].eq("complete").all()
    assert run_study(study, tmp_path / "out", retry_failed=True).was_complete


def test_another_study_is_refused_and_a_larger_one_extends(study, tmp_path):
    run_study(study, tmp_path / "out")
    larger = parse_study(content(tmp_path, seeds=4))
    with pytest.raises(InputError, match=r"another study: seeds is 3 there and 4 here; .* --extend"):
        run_study(larger, tmp_path / "out")
    summary = run_study(larger, tmp_path / "out", extend=True)
    assert summary.runs == 16
    run_study(larger, tmp_path / "afresh")
    assert_same_study(tmp_path / "out", tmp_path / "afresh")
    with pytest.raises(InputError, match="its runs are not all runs of this study"):
        run_study(study, tmp_path / "out", extend=True)
    assert len(load_study(tmp_path / "out").runs) == 16


def test_a_directory_of_something_else_is_refused(study, tmp_path):
    archgym.search(BOWL, fragile(tmp_path), budget=5, out=tmp_path / "search")
    with pytest.raises(InputError, match="holds a single search, no study"):
        run_study(study, tmp_path / "search")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "todo.txt").touch()
    with pytest.raises(InputError, match=r"holds 'todo\.txt' but no manifest\.json"):
        run_study(study, tmp_path / "notes")
    with pytest.raises(InputError, match="is not a directory"):
        run_study(study, tmp_path / "notes" / "todo.txt")


def test_two_processes_do_not_write_one_study(study, tmp_path):
    def again(state):
        with pytest.raises(InputError, match="another process is writing this study"):
            run_study(study, tmp_path / "out")

    run_study(study, tmp_path / "out", progress=again)


def test_readers_see_a_study_under_way(study, tmp_path):
    seen = []

    def progress(state):
        found = load_study(tmp_path / "out")
        seen.append((len(found.runs), found.is_complete))

    run_study(study, tmp_path / "out", progress=progress)
    assert seen == [(n, False) for n in range(1, 13)]
    assert load_study(tmp_path / "out").is_complete


def test_all_evaluations_come_back_where_all_are_recorded(tmp_path):
    study = parse_study(content(tmp_path, record="all"))
    interim = []

    def progress(state):
        found = load_study(tmp_path / "out")
        interim.append(len(found.evaluations(found.runs["run_id"][0])))

    run_study(study, tmp_path / "out", progress=progress)
    assert interim == [20] * 12
    found = load_study(tmp_path / "out")
    for place in (0, 5, 6, 11):
        row = found.runs.iloc[place]
        table = found.evaluations(row["run_id"])
        assert len(table) == row["evaluations"]
        assert table["seed"].eq(row["seed"]).all()
        assert table["reward"][table["feasible"]].max() == row["best_reward"]
        assert (table["status"] == "invalid").sum() == row["invalid"]
    assert sum(len(group) for group in found.evaluation_groups()) == found.runs["evaluations"].sum()
    with pytest.raises(InputError, match="no run 'x'"):
        found.evaluations("x")


def test_improvements_only_is_said_where_evaluations_are_asked_for(study, tmp_path):
    run_study(study, tmp_path / "out")
    found = load_study(tmp_path / "out")
    with pytest.raises(InputError, match="recorded improvements only"):
        found.evaluations(found.runs["run_id"][0])


def test_several_objectives_have_a_front_and_a_hypervolume(tmp_path):
    task = {"env": BOWL, "objective": ["time", "energy_pj"], "budget": 60, "reference_point": [-3.0, -3.0]}
    run_study(parse_study(content(tmp_path, tasks=[task], record="all", seeds=2)), tmp_path / "out")
    from archgym.pareto import hypervolume, non_dominated

    found = load_study(tmp_path / "out")
    for _, row in found.runs.iterrows():
        every = found.evaluations(row["run_id"])
        rewards = every.loc[every["feasible"], ["reward_0", "reward_1"]].to_numpy()
        assert row["hypervolume"] == pytest.approx(hypervolume(rewards, (-3.0, -3.0)), rel=1e-12)
        mine = found.improvements[found.improvements["run_id"] == row["run_id"]]
        entered = np.array([json.loads(text) for text in mine.loc[mine["feasible"], "rewards"]])
        front = np.unique(rewards[non_dominated(rewards)], axis=0)
        assert np.array_equal(np.unique(entered[non_dominated(entered)], axis=0), front)


def test_workers_end_with_the_study_that_started_them(tmp_path):
    file = toml(tmp_path, tasks=[{"env": BOWL, "budget": 20_000}], seeds=50)
    code = (
        "from archgym.studies.engine import run_study\nif __name__ == '__main__': run_study(*sys.argv[1:3], workers=2)"
    )
    parent = run_in_another_process(code, file, tmp_path / "killed")
    _wait_until(lambda: len(list((tmp_path / "killed" / OPEN_RUNS).glob("*"))) == 2)
    workers = [int(pid) for pid in _children(parent.pid)]
    assert len(workers) >= 2
    parent.kill()
    parent.wait()
    _wait_until(lambda: not any(_is_alive(pid) for pid in workers))


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return file.read().split()


def _is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def front_task(point):
    return {"env": BOWL, "objective": ["time", "energy_pj"], "budget": 20, "reference_point": point}


def test_hypervolumes_from_two_reference_points_do_not_meet_in_one_table(tmp_path):
    first = content(tmp_path, tasks=[front_task([-3.0, -3.0])])
    run_study(parse_study(first), tmp_path / "out")
    other = parse_study({**first, "tasks": [front_task([-5.0, -3.0])]})
    more = parse_study({**first, "tasks": [front_task([-5.0, -3.0])], "seeds": 4})
    with pytest.raises(InputError, match=r"reference_points\.0\.0 is -3\.0 there and -5\.0 here"):
        run_study(other, tmp_path / "out")
    with pytest.raises(InputError, match=r"reference_points\.0\.0 is -3\.0 there and -5\.0 here"):
        run_study(more, tmp_path / "out", extend=True)
    assert run_study(parse_study({**first, "seeds": 4}), tmp_path / "out", extend=True).runs == 8


def test_a_new_name_or_smaller_budget_reaches_a_complete_study(tmp_path):
    first = content(tmp_path, tasks=[{"env": BOWL, "budget": [10, 20]}])
    run_study(parse_study(first), tmp_path / "out")
    again = {**first, "tasks": [{"env": BOWL, "budget": [5, 20]}], "name": "renamed"}
    assert not run_study(parse_study(again), tmp_path / "out").was_complete
    manifest = load_study(tmp_path / "out").manifest
    assert manifest["about"]["name"] == "renamed"
    assert manifest["tasks"][0]["budgets"] == [5, 20]
    assert run_study(parse_study(again), tmp_path / "out").was_complete


def test_a_study_that_began_between_look_and_lock_is_noticed(tmp_path):
    late = StudyStore(tmp_path / "out", StudyPlan.create(parse_study(content(tmp_path, seeds=2))))
    run_study(parse_study(content(tmp_path)), tmp_path / "out")
    with pytest.raises(InputError, match="is of another study: seeds is 3 there and 2 here"):
        late.start()
    late.close()
    assert len(load_study(tmp_path / "out").runs) == 12
