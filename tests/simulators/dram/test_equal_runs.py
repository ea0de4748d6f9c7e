"""Designs that are not run because another run proves theirs get the numbers that their own run would give."""

import numpy as np
import pytest

from archgym_simulators.dram import kernel, model
from archgym_simulators.dram.equal_runs import POSTPONED, PULLED_IN, run_once_each
from archgym_simulators.dram.simulator import DramSimulator, _designs

WORKLOADS = {
    "saturating": "mixed:n=2500",
    "reads only": "random:n=2500",
    "sparse": "mixed:n=600@0.02",
    "waiting": "pointer-chase:n=400",
    "bursty": "bursty:n=1500",
    "bursts with long gaps": "bursty:n=1500,burst=100@0.05",
    "sequential": "stream:n=4000",
}
DEVICES = ("DDR3-1600", "HBM2")
AT_BOUND = {name: kernel.COUNTER_NAMES.index(name) for name in ("postponed_at_bound", "pulledin_at_bound")}


def families(simulator, count, rng):
    """Every choice of refresh bounds for ``count`` random designs."""
    space = simulator.space
    drawn = space.sample(count, rng)
    drawn[:, space.columns_of("refresh_policy")] = 1
    rows = np.repeat(drawn, 64, axis=0)
    rows[:, space.columns_of("refresh_max_postponed")] = np.tile(np.arange(8).repeat(8), count)[:, None]
    rows[:, space.columns_of("refresh_max_pulledin")] = np.tile(np.arange(8), 8 * count)[:, None]
    return np.unique(space.canonical(rows), axis=0)


def assert_same(one, other):
    for name in ("values", "status", "violation", "reason_code", "cost", "diagnostics"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@pytest.mark.parametrize("rules", ["realistic", "archgym"])
@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
def test_proven_runs_equal_real_ones_to_the_bit(workload, rules):
    simulator = DramSimulator(workload, rules=rules)
    rows = families(simulator, 6, np.random.default_rng(1))
    assert_same(simulator.evaluate_all(rows), simulator.evaluate(rows))


@pytest.mark.parametrize("device", DEVICES)
def test_several_ranks_and_other_devices_too(device):
    simulator = DramSimulator("bursty:n=1500", device=device)
    rows = families(simulator, 4, np.random.default_rng(2))
    assert_same(simulator.evaluate_all(rows), simulator.evaluate(rows))


def test_random_designs_of_the_whole_space_with_invalid_ones_among_them():
    simulator = DramSimulator("mixed:n=1500@0.1")
    rows = simulator.space.canonical(simulator.space.sample(600, np.random.default_rng(3)))
    assert_same(simulator.evaluate_all(rows, threads=2), simulator.evaluate(rows))
    assert_same(simulator.evaluate_all(rows[:0]), simulator.evaluate(rows[:0]))


def runs_of(simulator, rows):
    designs = _designs(rows).stack()
    counters, runs = run_once_each(designs, lambda some: model._run(simulator._model._prepared, some, 1), **AT_BOUND)
    return counters, runs


@pytest.mark.parametrize("workload", ["mixed:n=2500", "bursty:n=1500", "mixed:n=600@0.02"])
def test_fewer_runs_are_made_than_there_are_designs(workload):
    simulator = DramSimulator(workload)
    rows = families(simulator, 6, np.random.default_rng(1))
    _, runs = runs_of(simulator, rows)
    assert 6 <= runs <= len(rows) / 3


def test_bounds_do_act_on_these_traces():
    # Without this, the tests above would pass for a proof that ignores the bounds.
    simulator = DramSimulator(WORKLOADS["bursts with long gaps"])
    rows = families(simulator, 6, np.random.default_rng(1))
    counters, _ = runs_of(simulator, rows)
    designs = _designs(rows).stack()
    ends = counters[:, kernel.COUNTER_NAMES.index("refreshes")]
    others = np.unique(np.delete(designs, [POSTPONED, PULLED_IN], axis=1), axis=0, return_inverse=True)[1].ravel()
    for other in (POSTPONED, PULLED_IN):
        assert any(len(set(ends[(others == family) & (designs[:, other] == 4)])) > 1 for family in range(6))


def test_a_bound_that_was_met_proves_nothing_of_its_neighbours():
    designs = np.ones((64, 10), dtype=np.int64)
    designs[:, POSTPONED], designs[:, PULLED_IN] = np.repeat(range(1, 9), 8), np.tile(range(1, 9), 8)
    ran = []

    def run(rows):
        ran.extend(rows[:, [POSTPONED, PULLED_IN]].tolist())
        met = np.minimum(rows[:, [POSTPONED, PULLED_IN]], [3, 8])  # k reaches 3 at most, and every bound on pulling in
        return np.concatenate([met, rows], axis=1)

    counters, runs = run_once_each(designs, run, postponed_at_bound=0, pulledin_at_bound=1)
    assert runs == len(ran) == 4 * 8  # postponed 8 proves 7..4; 3, 2 and 1 are met; nothing is proven of pulling in
    np.testing.assert_array_equal(counters[:, 2 + PULLED_IN], designs[:, PULLED_IN])
    np.testing.assert_array_equal(np.minimum(counters[:, 2 + POSTPONED], 4), np.minimum(designs[:, POSTPONED], 4))
