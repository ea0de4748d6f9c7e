"""The leaderboard says what its data say, and takes only what reproduces."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

from archgym.fronts import certified_front
from archgym.optimum import certified_optimum
from archgym.pareto import hypervolume
from archgym.statistics.aggregate import iqm
from archgym.studies.engine import run_study
from archgym.studies.results import load_study
from archgym.studies.study_file import parse_study, read_study
from archgym.tasks import task, tasks
from experiments.leaderboard.__main__ import ENTRIES, HERE, PAGE, main
from experiments.leaderboard.entries import COLUMNS, entries_of, merged, read_entries
from experiments.leaderboard.page import as_page

TASK = "dram-dev-time"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small study of one task of the suite and one problem of its own."""
    content = {
        "tasks": [TASK, {"env": "archgym/Attention-v0"}],
        "agents": ["random_search", {"name": "genetic_algorithm", "settings": {"population": 4}}],
        "seeds": 4,
        "budget": [10, 30],
    }
    out = tmp_path_factory.mktemp("leaderboard") / "study"
    run_study(parse_study(content), out)
    return out


def test_the_page_is_what_the_entries_make():
    assert PAGE.read_text(encoding="utf-8") == as_page(read_entries(ENTRIES))


def test_entries_name_tasks_of_the_suite_and_have_every_column():
    entries = read_entries(ENTRIES)
    assert entries
    with ENTRIES.open(newline="") as file:
        assert next(csv.reader(file)) == list(COLUMNS)
    assert {entry["task"] for entry in entries} <= set(tasks())
    for entry in entries:
        assert float(entry["low"]) <= float(entry["regret"]) <= float(entry["high"])


def test_the_study_behind_the_page_is_there():
    studies = [read_study(file) for file in sorted((HERE / "core_1").glob("*.toml"))]
    assert {one.name for study in studies for one in study.tasks} == {entry["task"] for entry in read_entries(ENTRIES)}


def test_regret_is_that_of_the_runs_at_each_budget(folder):
    source = load_study(folder)
    entries = entries_of(source, command="x")
    assert len(entries) == 4  # the problem that is no task of a suite does not count
    best = certified_optimum(task(TASK).spec())
    for entry in entries:
        runs = source.runs[(source.runs["agent"] == entry["agent"]) & (source.runs["task"] == TASK)]
        steps = source.improvements[source.improvements["feasible"]]
        steps = steps[steps["evaluation"] <= int(entry["budget"])]
        reached = steps.groupby("run_id")["reward"].max().reindex(runs["run_id"])
        regrets = (best.reward - reached.to_numpy()) / (best.reward - best.median_reward)
        regrets = np.where(np.isnan(regrets), 10.0, regrets)
        assert float(entry["regret"]) == pytest.approx(float(iqm(regrets[:, None])), rel=1e-5)
        assert entry["reference"] == "certified optimum"
        assert entry["is_default"] == str(entry["agent"] == "random_search")


def test_new_entries_replace_those_of_the_same_setting(folder):
    entries = entries_of(load_study(folder), command="x")
    changed = [{**entry, "regret": "0.5"} for entry in entries[:1]]
    both = merged(entries, changed)
    assert len(both) == len(entries)
    assert both[0]["regret"] == "0.5"


def test_a_task_whose_best_is_not_the_same_for_all_says_so(folder):
    entries = entries_of(load_study(folder), command="x")
    assert "different bests" not in as_page(entries)
    assert "different bests" in as_page([{**entries[0], "best": "9"}, *entries[1:]])


def test_a_study_is_entered_and_shown(folder, tmp_path):
    arguments = ["--entries", str(tmp_path / "entries.csv"), "--page", str(tmp_path / "page.md"), "--sample", "3"]
    assert main([str(folder), "--command", "archgym study mine.toml", *arguments]) == 0
    page = (tmp_path / "page.md").read_text()
    assert f"### `{TASK}`" in page
    assert "| regret at 10 | regret at 30 |" in page
    assert "archgym study mine.toml" in page
    assert '"population": 4' in page


def test_what_does_not_reproduce_is_refused(folder, tmp_path, capsys):
    copy = tmp_path / "study"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    frame = pd.read_parquet(copy / "improvements.parquet")
    frame["reward"] += 0.01
    frame.to_parquet(copy / "improvements.parquet")
    arguments = ["--entries", str(tmp_path / "entries.csv"), "--page", str(tmp_path / "page.md")]
    assert main([str(copy), *arguments]) == 1
    assert "is refused: designs: " in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()
    assert main([str(tmp_path), *arguments]) == 1


def test_chosen_seeds_are_refused(tmp_path, capsys):
    run_study(parse_study({"tasks": [TASK], "agents": ["random_search"], "seeds": [3], "budget": 5}), tmp_path / "out")
    arguments = ["--entries", str(tmp_path / "entries.csv"), "--page", str(tmp_path / "page.md")]
    assert main([str(tmp_path / "out"), *arguments]) == 1
    assert "its seeds are chosen" in capsys.readouterr().err


FRONT = "dram-mixed-front"


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    """A small study of a task with several objectives."""
    out = tmp_path_factory.mktemp("front") / "study"
    run_study(parse_study({"tasks": [FRONT], "agents": ["nsga2"], "seeds": 2, "budget": [1, 7, 30]}), out)
    return out


def test_regret_of_a_front_is_measured_at_each_budget_exactly(front):
    source = load_study(front)
    best = certified_front(task(FRONT)).hypervolume
    for entry in entries_of(source, command="x"):
        steps = source.improvements[source.improvements["feasible"]]
        steps = steps[steps["evaluation"] <= int(entry["budget"])]
        volumes = [
            hypervolume(
                np.array([json.loads(text) for text in steps.loc[steps["run_id"] == run, "rewards"]]), [-0.25] * 3
            )
            if (steps["run_id"] == run).any()
            else 0.0
            for run in source.runs["run_id"]
        ]
        expected = float(iqm(1.0 - np.array(volumes)[:, None] / best))
        assert float(entry["regret"]) == pytest.approx(expected, rel=1e-5)
        reached = steps["run_id"].nunique() / 2
        assert float(entry["feasible"]) == reached
        assert entry["reference"] == "certified front"


def test_a_reference_point_of_ones_own_is_refused(tmp_path, capsys):
    content = {"agents": ["nsga2"], "seeds": 1, "budget": 10}
    run_study(parse_study({**content, "tasks": [{"name": FRONT, "reference_point": [-9, -9, -9]}]}), tmp_path / "out")
    arguments = ["--entries", str(tmp_path / "entries.csv"), "--page", str(tmp_path / "page.md")]
    assert main([str(tmp_path / "out"), *arguments]) == 1
    assert "measures hypervolume from [-0.25, -0.25, -0.25]" in capsys.readouterr().err
