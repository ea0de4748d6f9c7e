"""The committed tables of the agent check, and how they are made."""

import inspect

import numpy as np
import pytest

from archgym.registry import agent_class
from archgym.tasks import tasks
from experiments.agent_check import tables
from experiments.agent_check.shards import FRONTS, SLOW_BUDGET, groups, run_shard, shard

CLAIM = "does not beat random search"
COMMITTED = tables.read_table(tables.AGENTS)


@pytest.mark.parametrize("row", COMMITTED, ids=lambda row: row["agent"])
def test_an_agent_beats_random_search_or_says_that_it_does_not(row) -> None:
    says = " ".join(inspect.getmodule(agent_class(row["agent"])).__doc__.split())
    assert (CLAIM in says) == (row["beats_random_search"] == "no")


def test_the_verdicts_of_the_committed_table_follow_from_its_rows() -> None:
    rows = [{name: _number(text) for name, text in row.items()} for row in tables.read_table(tables.TASKS)]
    again = tables.overall(rows)
    assert [{name: str(value) for name, value in row.items()} for row in again] == COMMITTED


def _number(text):
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def test_every_standing_task_is_in_a_group_and_no_smoke_test() -> None:
    found = [one.name for of_group in groups().values() for one in of_group]
    assert sorted(found) == sorted(one.name for one in tasks().values() if one.standing == "headline")
    assert all((len(one.objectives) > 1) == (group == FRONTS) for group, all_of in groups().items() for one in all_of)


def test_a_shard_holds_what_the_agent_takes(monkeypatch) -> None:
    assert shard("systolic", "hyperband", seeds=3) is None, "there is no fidelity"
    assert shard(FRONTS, "random_search", seeds=3) is None
    assert len(shard(FRONTS, "nsga2", seeds=3)["tasks"]) == len(groups()[FRONTS])
    assert shard("systolic", "random_search", seeds=3)["budget"] == 300
    monkeypatch.setattr(agent_class("random_search"), "SLOW", True)
    assert shard("systolic", "random_search", seeds=3)["budget"] == SLOW_BUDGET


def test_tables_are_made_from_shards_and_more_seeds_are_added(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(tables, "TASKS", tmp_path / "tasks.csv")
    monkeypatch.setattr(tables, "AGENTS", tmp_path / "agents.csv")
    for seeds in (1, 2):
        for agent in ("random_search", "hill_climbing"):
            run_shard("systolic", agent, seeds=seeds, out=tmp_path)
    tables.write_tables(tmp_path)
    rows = tables.read_table(tmp_path / "tasks.csv")
    assert len(rows) == 2 * len(groups()["systolic"])
    assert {row["seeds"] for row in rows} == {"2"}
    judged = {row["agent"]: row for row in tables.read_table(tmp_path / "agents.csv")}
    assert judged["hill_climbing"]["beats_random_search"] == "yes"
    assert judged["random_search"]["difference"] == "0.0"
    assert list(judged) == ["hill_climbing", "random_search"]


def test_an_area_is_the_mean_of_the_logarithm_from_the_tenth_evaluation_on() -> None:
    run, evaluation, regrets = np.array([0, 0, 0]), np.array([1, 5, 111]), np.array([2.0, 1.0, 0.1])
    area = tables._area(run, evaluation, regrets, 300, 1, 10.0)
    assert np.isclose(area[0], -190 / 291)


def test_expected_evaluations_count_those_of_runs_that_failed() -> None:
    assert tables._expected(np.array([40.0, np.inf]), 300) == 340.0
    assert tables._expected(np.array([np.inf]), 300) == ""
