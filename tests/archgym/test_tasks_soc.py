"""The tasks on systems on chip: what they ask, whom they judge, and their published audit."""

import csv
from pathlib import Path

import pytest

from archgym.best_known import best_known
from archgym.core_1.soc import BUDGETS, TASKS, THREE
from archgym.problem import mean_over
from archgym_simulators.soc.simulator import SocSimulator

AUDITS = Path(__file__).parents[2] / "experiments" / "core_1" / "audits_soc.csv"
ALL = pytest.mark.parametrize("one", TASKS, ids=[one.name for one in TASKS])


def audits():
    with AUDITS.open() as file:
        return {row["task"]: row for row in csv.DictReader(file)}


def test_the_headline_is_the_mix_and_single_applications_are_smoke_tests():
    standing = {one.workload: one.standing for one in TASKS if one.role == "test"}
    assert standing[THREE] == "headline"
    assert {workload for workload, s in standing.items() if s == "smoke test"} == set(THREE.split("+"))


@ALL
def test_tasks_ask_for_energy_within_every_budget(one):
    assert one.objectives == ("energy",)
    assert one.constraints == one.judge_constraints == BUDGETS
    assert "rules" not in one.options  # realistic, with tight budgets


def test_tuning_judging_and_unseen_graphs_are_different_graphs():
    searched = {
        role: {w for one in TASKS if one.role == role for w in mean_over(one.workload)} for role in ("dev", "test")
    }
    unseen = {w for one in TASKS if one.judge_workload != one.workload for w in mean_over(one.judge_workload)}
    assert not searched["dev"] & searched["test"]
    assert not (searched["dev"] | searched["test"]) & unseen
    digests = [SocSimulator(name).workload.digest for name in sorted(searched["dev"] | searched["test"] | unseen)]
    assert len(set(digests)) == len(digests)


@ALL
def test_a_task_judged_on_unseen_graphs_has_one_space_for_all(one):
    spaces = [one.spec(judge=judge).bind().space for judge in (False, True)]
    assert spaces[0] == spaces[1]


@ALL
def test_the_published_audit_is_of_the_task_and_random_search_solves_none(one):
    audit = audits()[one.name]
    assert (audit["role"], audit["standing"]) == (one.role, one.standing)
    assert audit["source"] != "certified"
    assert float(audit["gap_1000"]) == float("inf")  # random search meets the budgets of none of them
    assert float(audit["feasible"]) == 0.0
    assert best_known(one.spec()) is not None


def test_every_task_is_audited():
    assert list(audits()) == [one.name for one in TASKS]
