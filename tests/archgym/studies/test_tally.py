"""What a study keeps of a run, against a plain reading of all evaluations."""

import json

import numpy as np
import pytest

import archgym
from archgym.studies.tally import Tally
from archgym_simulators import FAILED, INVALID
from tests.archgym.studies.small_studies import BOWL

METRIC = "time_ns"


def evaluated(objective, batches, constraints=(), seed=0):
    """Batches of random designs, some of which failed."""
    session = archgym.make_session(BOWL, objective=objective, constraints=constraints)
    rng, parts = np.random.default_rng(seed), []
    for size in batches:
        rows = session.space.canonical(session.space.sample(size, rng))
        parts.append((rows, session.problem().evaluate(rows)))
    return session.problem(), parts


def tallied(problem, parts):
    tally, proposal = Tally(), 0
    for rows, scored in parts:
        tally.note(proposal, list(range(len(rows))), rows, scored)
        proposal += len(rows) + 1  # a repeat in every call
    return tally.columns(problem, METRIC, (-3.0,) * len(problem.objectives))


def plain_improvements(parts):
    """Steps that were better than all before, by (feasible, reward)."""
    best, found, step = (False, -np.inf), [], 0
    for _, scored in parts:
        for feasible, reward, status in zip(scored.feasible, scored.reward, scored.status, strict=True):
            step += 1
            if status != FAILED and (bool(feasible), float(reward)) > best:
                best = (bool(feasible), float(reward))
                found.append(step)
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("constraints", [(), ("energy_pj<=60",), ("energy_pj<=1",)])
def test_improvements_are_those_of_a_plain_reading(seed, constraints):
    problem, parts = evaluated("time", [1, 7, 1, 30, 4], constraints, seed)
    run, steps = tallied(problem, parts)
    assert steps["evaluation"] == plain_improvements(parts)
    feasible = np.concatenate([scored.feasible for _, scored in parts])
    rewards = np.concatenate([scored.reward for _, scored in parts])
    assert run["feasible"] == feasible.any()
    assert np.array_equal(run["best_reward"], rewards[feasible].max() if feasible.any() else np.nan, equal_nan=True)
    assert run["invalid"] == sum((scored.status == INVALID).sum() for _, scored in parts)
    assert run["evaluations"] == 43
    assert np.isnan(run["hypervolume"])


def test_counts_include_the_design_itself_and_repeats_before_it():
    problem, parts = evaluated("time", [2, 3])
    _, steps = tallied(problem, parts)
    ends = {1: 1, 2: 2, 3: 4, 4: 5, 5: 6}  # a repeat after the second evaluation
    assert steps["proposal"] == [ends[evaluation] for evaluation in steps["evaluation"]]
    assert steps["cost"] == [float(evaluation) for evaluation in steps["evaluation"]]


def test_of_several_objectives_every_entry_to_the_front_is_kept():
    problem, parts = evaluated(["time", "energy_pj"], [10, 1, 40])
    _, steps = tallied(problem, parts)
    rewards = np.concatenate([scored.rewards for _, scored in parts])
    feasible = np.concatenate([scored.feasible for _, scored in parts])
    entered = []
    for step in np.flatnonzero(feasible):
        before = rewards[:step][feasible[:step]]
        if not (before >= rewards[step]).all(axis=1).any():
            entered.append(step + 1)
    assert set(entered) <= set(steps["evaluation"])
    assert set(steps["evaluation"]) == set(entered) | set(plain_improvements(parts))
    assert [json.loads(text) for text in steps["rewards"]] == rewards[np.array(steps["evaluation"]) - 1].tolist()


def test_a_run_without_evaluations_has_nothing():
    problem, _ = evaluated("time", [])
    run, steps = tallied(problem, [])
    assert (run["evaluations"], run["feasible"], run["invalid"], run["failed"]) == (0, False, 0, 0)
    assert not any(steps.values())


def test_what_failed_is_never_the_best():
    session = archgym.make_session(f"{BOWL.rpartition(':')[0]}:Flaky")
    rows = session.space.canonical(session.space.sample(60, np.random.default_rng(1)))
    scored = session.problem().evaluate(rows)
    assert (scored.status == FAILED).any()
    tally = Tally()
    tally.note(0, list(range(60)), rows, scored)
    run, steps = tally.columns(session.problem(), session.problem().simulator.metric_names()[0], (0.0,))
    assert run["failed"] == (scored.status == FAILED).sum()
    assert not {step - 1 for step in steps["evaluation"]} & set(np.flatnonzero(scored.status == FAILED))
