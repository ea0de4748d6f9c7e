"""Running a study: the same table wherever, whenever and however often it was interrupted."""

import json

import numpy as np
import pandas as pd
import pytest

import archgym
from archgym.studies.engine import run_study
from archgym.studies.plan import StudyPlan
from archgym.studies.results import load_study
from archgym.studies.store import OPEN_RUNS, StudyStore
from archgym.studies.study_file import parse_study
from archgym_simulators import InputError
from tests.archgym.studies.small_studies import BOWL, assert_same_study, content, fragile, tables


@pytest.fixture
def study(tmp_path):
    return parse_study(content(tmp_path))


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
