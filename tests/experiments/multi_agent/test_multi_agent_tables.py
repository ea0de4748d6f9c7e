"""The multi-agent experiment: shards are run once, tables follow from runs, the page from tables."""

import json

import numpy as np
import pytest

import archgym
from archgym.optimum import certified_optimum
from archgym.statistics import iqm
from archgym.studies.results import load_study
from archgym.tasks import task
from experiments.multi_agent import page, shards, tables
from experiments.multi_agent.arms import ARMS, STEPS
from experiments.multi_agent.csv_table import read_csv
from experiments.multi_agent.outcomes import best_size, outcomes
from experiments.multi_agent.shards import DEV_TASKS, TASKS, folder_of, run_shard
from experiments.multi_agent.spaces import additive_share

MAPPING = "mapping-small-edp"


# ---- coupling --------------------------------------------------------------------------------------------------------


def test_the_additive_share_is_one_of_a_sum_and_nothing_of_a_parity() -> None:
    rows = np.tile(np.indices((4, 4, 4)).reshape(3, -1).T, (60, 1))
    assert additive_share(rows, rows @ np.array([1.0, 2.0, 5.0])) == pytest.approx(1.0, abs=0.01)
    assert additive_share(rows, (rows.sum(axis=1) % 2).astype(float)) == pytest.approx(0.0, abs=0.01)
    half = rows[:, 0] - 1.5 + (rows[:, 1] - 1.5) * (rows[:, 2] - 1.5) / 1.25**0.5
    assert additive_share(rows, half) == pytest.approx(0.5, abs=0.01)


def test_many_values_explain_no_more_than_few_by_chance() -> None:
    rng = np.random.default_rng(1)
    rows, worth = rng.integers(0, 300, (2000, 4)), rng.standard_normal(2000)
    assert abs(additive_share(rows, worth)) < 0.1


# ---- runs and tables -------------------------------------------------------------------------------------------------


def test_tasks_for_tuning_and_for_judging_are_what_the_suite_says() -> None:
    assert {task(name).role for name in TASKS} == {"test"}
    assert {task(name).role for name in DEV_TASKS} == {"dev"}
    assert not set(shards.SEEDS) & set(shards.DEV_SEEDS)


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """Two arms on one task, of twenty calls."""
    monkeypatch.setattr(shards, "TASKS", (MAPPING,))
    for name in ("random_search", "coordinate_descent"):
        run_shard(ARMS[name], "defaults", tmp_path, seeds=(0, 1, 2), budget=20)
    return tmp_path


def test_a_shard_that_has_ended_is_not_run_again_and_more_seeds_are_added(trial, monkeypatch) -> None:
    from archgym.studies.runner import CellRunner

    made, run = [], CellRunner.run
    monkeypatch.setattr(CellRunner, "run", lambda self, cell: made.append(cell.seed) or run(self, cell))
    assert run_shard(ARMS["random_search"], "defaults", trial, seeds=(0, 1, 2), budget=20).was_complete
    assert made == []
    run_shard(ARMS["random_search"], "defaults", trial, seeds=(0, 1, 2, 3), budget=20)
    assert made == [3]


def test_outcomes_are_those_of_searches_with_the_same_seeds(trial) -> None:
    rows = outcomes([("random_search", folder_of(trial, "defaults", 20, ARMS["random_search"]))])
    optimum = certified_optimum(task(MAPPING).spec())
    for seed in (0, 1, 2):
        alone = archgym.search(MAPPING, "random_search", budget=20, seed=seed)
        missing = (optimum.reward - alone.reward) / (optimum.reward - optimum.median_reward)
        assert rows[rows["seed"] == seed]["regret"].item() == pytest.approx(missing)


def test_tables_hold_an_arm_and_a_pair_a_row(trial, monkeypatch) -> None:
    for file in ("ARMS_FILE", "CONTRASTS_FILE", "SENSITIVITY"):
        monkeypatch.setattr(tables, file, trial / f"{file}.csv")
    monkeypatch.setattr(tables, "BUDGETS", (20,))
    monkeypatch.setattr(tables, "SUBJECTS", {"coupled": (MAPPING,)})
    monkeypatch.setattr(tables, "CONTRASTS", (tables.Contrast("x", "random_search", "coordinate_descent"),))
    monkeypatch.setattr(page, "README", trial / "README.md")
    page.README.write_text("Before.\n<!-- tables -->\nold\n<!-- end of tables -->\nAfter.\n")
    tables.write_tables(trial)
    arms = {row["arm"]: row for row in read_csv(trial / "ARMS_FILE.csv")}
    assert list(arms) == ["random_search", "coordinate_descent"]
    (row,) = read_csv(trial / "CONTRASTS_FILE.csv")
    assert float(row["gain"]) == pytest.approx(
        float(arms["random_search"]["iqm"]) - float(arms["coordinate_descent"]["iqm"]), abs=1e-3
    )
    assert float(row["low"]) <= float(row["gain"]) <= float(row["high"])
    assert not (trial / "SENSITIVITY.csv").exists()
    said = page.README.read_text()
    assert said.startswith("Before.\n<!-- tables -->\n| arm | coupled, 20, defaults |\n")
    assert f"| random_search | {float(arms['random_search']['iqm']):.4f} (" in said
    assert "| x: `random_search` to `coordinate_descent` | " in said
    assert said.endswith("<!-- end of tables -->\nAfter.\n")
    assert "old" not in said


def test_the_command_tunes_an_arm_on_other_tasks_and_runs_it_at_what_it_chose(trial, monkeypatch) -> None:
    from experiments.multi_agent import __main__ as program

    monkeypatch.setattr(shards, "DEV_TASKS", ("mapping-dev-conv-edp",))
    monkeypatch.setattr(program, "TUNING_BUDGET", 20)
    monkeypatch.setattr(program, "best_size", lambda regrets, default: max(regrets))
    arguments = ["run", "--out", str(trial), "--only", "bandits", "--budgets", "20", "--seeds", "2"]
    assert program.main(arguments) == 0
    tuning, tuned = (load_study(folder_of(trial, stage, 20, ARMS["bandits"])).runs for stage in shards.STAGES[1:])
    assert set(tuning["task"]) == {"mapping-dev-conv-edp"}
    assert tuning["settings"].nunique() == 3
    assert set(tuned["task"]) == {MAPPING}
    assert {json.loads(one)["exploration"] for one in tuned["settings"]} == {1.5}
    assert set(tuned["seed"]).isdisjoint(tuning["seed"])


def test_gains_of_steps_add_up_and_their_intervals_are_of_pairs() -> None:
    rng = np.random.default_rng(3)
    one, two, three = (rng.random((8, 3)) for _ in range(3))
    parts = [tables.gain(*pair, np.random.default_rng(0))[0] for pair in ((one, two), (two, three), (one, three))]
    assert parts[0] + parts[1] == pytest.approx(parts[2])
    assert parts[2] == pytest.approx(float(iqm(one) - iqm(three)))
    shifted = tables.gain(one, one - 0.1, np.random.default_rng(0))
    assert shifted == pytest.approx((0.1, 0.1, 0.1)), "what is alike in a pair is no uncertainty of its difference"


def test_the_best_step_size_is_the_default_unless_another_is_better() -> None:
    good, bad = np.full((4, 2), 0.1), np.full((4, 2), 0.5)
    assert best_size({0.1: bad, 0.3: good, 0.9: bad}, 0.3) is None
    assert best_size({0.1: good, 0.3: good, 0.9: bad}, 0.3) is None
    assert best_size({0.1: good, 0.3: bad, 0.9: bad}, 0.3) == 0.1


# ---- what is committed -----------------------------------------------------------------------------------------------


def test_the_page_says_what_the_tables_say() -> None:
    text = page.README.read_text()
    assert page.page(text, read_csv(tables.ARMS_FILE), read_csv(tables.CONTRASTS_FILE)) == text


def test_gains_in_the_committed_table_are_differences_of_its_arms_and_those_of_steps_add_up() -> None:
    arms = {_key(row, row["arm"]): row for row in read_csv(tables.ARMS_FILE)}
    rows = read_csv(tables.CONTRASTS_FILE)
    for row in rows:
        first, second = (arms[_key(row, row[which])] for which in ("first", "second"))
        if first["seeds"] == second["seeds"] == row["seeds"]:
            assert float(row["gain"]) == pytest.approx(float(first["iqm"]) - float(second["iqm"]), abs=2e-3)
    parts = {_key(row, row["part"]): float(row["gain"]) for row in rows if row["seeds"] == "10"}
    wholes = [key for key in parts if key[-1] == "all four"]
    assert wholes
    for *about, _ in wholes:
        assert sum(parts[*about, one.part] for one in STEPS) == pytest.approx(parts[*about, "all four"], abs=2e-3)


def _key(row, last):
    return row["variant"], row["budget"], row["tasks"], last
