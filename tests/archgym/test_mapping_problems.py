"""Certified mapping problems, and the tasks on mappings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archgym.certificates import stored_certificates
from archgym.optimum import certified_optimum, find_optimum
from archgym.problem import ProblemSpec
from archgym.tasks import tasks
from archgym_simulators import OK

ENV_ID = "archgym/Mapping-v0"
STORED = [one for one in stored_certificates()["optima"] if one["env_id"] == ENV_ID]
TASKS = {name: one for name, one in tasks().items() if one.env_id == ENV_ID}


def spec_of(one):
    return ProblemSpec(ENV_ID, one["workload"], tuple(one["objectives"]), (), one["options"])


def test_at_least_twenty_problems_have_a_certified_optimum():
    problems = {
        (one["workload"], one["options"]["hardware"]) for one in STORED if one["objectives"] == ["energy-delay"]
    }
    assert len(problems) >= 20
    assert all(certified_optimum(spec_of(one)) is not None for one in STORED)


@pytest.mark.parametrize("one", STORED, ids=lambda one: f"{one['workload']}-{one['options']['hardware']}")
def test_no_random_design_and_no_neighbour_beats_a_certified_optimum(one):
    problem = spec_of(one).bind()
    space = problem.space
    best = space.encode_row(one["design"])
    rows = np.concatenate([space.sample(500, np.random.default_rng(0)), space.neighbours(best)])
    scored = problem.evaluate(space.canonical(rows))
    assert (scored.reward[scored.feasible] <= one["reward"]).all()
    assert problem.evaluate(best[None]).reward[0] == pytest.approx(one["reward"], abs=1e-12)


def test_an_enumeration_today_finds_what_is_stored(tmp_path):
    one = min((one for one in STORED if one["objectives"] == ["energy-delay"]), key=lambda one: one["designs"])
    found = find_optimum(spec_of(one), folder=tmp_path)
    for field in ("reward", "median_reward", "designs", "feasible", "ties"):
        assert getattr(found, field) == pytest.approx(one[field], rel=1e-12), field


@pytest.mark.parametrize("one", TASKS.values(), ids=TASKS)
def test_random_designs_of_a_task_are_feasible_often_enough_and_can_be_judged(one):
    searched, judged = one.spec().bind(), one.spec(judge=True).bind()
    assert searched.space == judged.space
    rows = searched.space.canonical(searched.space.sample(2000, np.random.default_rng(1)))
    assert (searched.evaluate(rows).status == OK).mean() > 0.01
    assert (judged.evaluate(rows).status == OK).mean() > 0.01


def test_the_small_task_has_a_certificate_and_others_are_of_their_roles_networks():
    assert certified_optimum(TASKS["mapping-small-edp"].spec()) is not None
    assert certified_optimum(replace(TASKS["mapping-conv-edp"], options={}).spec()) is None
    for one in TASKS.values():
        networks = {layer.split("/")[0].strip() for layer in one.workload.split("+")}
        allowed = {"dev": {"vit-b", "mnasnet"}, "test": {"unet", "llama3-8b-prefill", "efficientnet-b0"}}[one.role]
        assert networks <= allowed or one.name == "mapping-small-edp"
