"""Comparisons of agents against their definitions and against chance."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from archgym.statistics import (
    holm,
    improvement_interval,
    mean,
    permutation_p_value,
    probability_of_improvement,
    rank_stability,
)
from archgym_simulators import InputError

few = settings(max_examples=50, deadline=None)


@st.composite
def two_agents(draw):
    tasks = draw(st.integers(1, 3))
    elements = st.integers(0, 3).map(float)
    return tuple(draw(arrays(np.float64, (draw(st.integers(1, 6)), tasks), elements=elements)) for _ in range(2))


@pytest.mark.parametrize("confidence", [0.0, 1.0, 1.5])
def test_a_confidence_that_is_no_share_is_refused(confidence):
    with pytest.raises(InputError, match="confidence must lie between 0 and 1, not"):
        improvement_interval([[1.0]], [[2.0]], np.random.default_rng(0), confidence=confidence)


@few
@given(two_agents())
def test_the_probability_of_improvement_is_its_definition_and_two_sides_sum_to_one(case):
    x, y = case
    wins = [(a > b) + 0.5 * (a == b) for t in range(x.shape[1]) for a, b in product(x[:, t], y[:, t])]
    assert probability_of_improvement(x, y) == pytest.approx(np.mean(wins))
    assert probability_of_improvement(x, y) + probability_of_improvement(y, x) == pytest.approx(1.0)
    assert probability_of_improvement(x, x) == 0.5


@few
@given(two_agents())
def test_its_interval_is_a_range_of_probabilities_and_mirrors(case):
    low, high = improvement_interval(*case, np.random.default_rng(0), resamples=200)
    assert 0.0 <= low <= high <= 1.0


def test_the_interval_of_runs_that_never_overlap_is_a_point():
    assert improvement_interval(np.ones((5, 2)), np.zeros((5, 2)), np.random.default_rng(0)) == (1.0, 1.0)


def test_a_p_value_is_small_for_a_difference_and_uniform_without_one():
    rng = np.random.default_rng(5)
    assert permutation_p_value(rng.normal(2.0, size=(10, 3)), rng.normal(size=(10, 3)), rng) < 0.001
    p_values = [
        permutation_p_value(rng.normal(size=(8, 2)), rng.normal(size=(6, 2)), rng, permutations=199) for _ in range(300)
    ]
    # Binomial(300, 0.1) has a standard deviation of 1.7 %.
    assert 0.04 < np.mean(np.array(p_values) <= 0.1) < 0.16


def test_equal_runs_have_a_p_value_of_one_and_the_smallest_is_never_zero():
    assert permutation_p_value([[1.0]] * 4, [[1.0]] * 4, np.random.default_rng(0)) == 1.0
    far = permutation_p_value(np.arange(20.0)[:, None] + 100, np.arange(20.0)[:, None], np.random.default_rng(0))
    assert far == pytest.approx(1 / 10_001)


@few
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_holm_never_lowers_keeps_the_order_and_stays_a_probability(p_values):
    adjusted = holm(p_values)
    assert (adjusted >= np.array(p_values)).all()
    assert (adjusted <= 1.0).all()
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(adjusted[order]) >= 0.0).all()
    assert adjusted.min() == pytest.approx(min(1.0, len(p_values) * min(p_values)), abs=1e-12)


def test_agents_far_apart_keep_their_places():
    scores = np.random.default_rng(0).normal(size=(3, 10, 2)) + np.array([0.0, 100.0, 50.0])[:, None, None]
    found = rank_stability(scores, np.random.default_rng(1), resamples=200)
    assert found.ranks.tolist() == [3.0, 1.0, 2.0]
    assert found.place_shares.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert found.agreement == 1.0


def test_agents_alike_take_every_place_and_their_ranking_says_little():
    scores = np.random.default_rng(0).normal(size=(4, 10, 2))
    scores += (1.0 - mean(scores))[:, None, None]  # the very same mean: which is ahead is for the resamples to say
    found = rank_stability(scores, np.random.default_rng(1), statistic=mean)
    assert found.place_shares.sum(axis=0) == pytest.approx(np.ones(4))
    assert found.place_shares.sum(axis=1) == pytest.approx(np.ones(4))
    assert found.place_shares.max() < 0.5
    assert abs(found.agreement) < 0.35


def test_agents_tied_share_their_places():
    found = rank_stability(np.ones((2, 3, 1)), np.random.default_rng(0), resamples=10)
    assert found.ranks.tolist() == [1.5, 1.5]
    assert found.place_shares.tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_one_agent_is_always_first():
    found = rank_stability(np.ones((1, 3, 1)), np.random.default_rng(0), resamples=10)
    assert (found.ranks.tolist(), found.agreement) == ([1.0], 1.0)


def test_wrong_input_is_named():
    with pytest.raises(InputError, match="same tasks, found 2 and 1"):
        probability_of_improvement(np.ones((3, 2)), np.ones((3, 1)))
    with pytest.raises(InputError, match="p-values"):
        holm([0.5, 1.5])
    with pytest.raises(InputError, match="agents, runs, tasks"):
        rank_stability(np.ones((3, 2)), np.random.default_rng(0))


@few
@given(two_agents())
def test_a_p_value_of_few_runs_is_that_of_all_ways_to_deal_them(case):
    x, y = (agent[:4, :1] for agent in case)
    pooled = np.concatenate([x, y])[:, 0]
    distances = []
    for chosen in combinations(range(len(pooled)), len(x)):
        rest = [k for k in range(len(pooled)) if k not in chosen]
        distances.append(abs(probability_of_improvement(pooled[list(chosen), None], pooled[rest, None]) - 0.5))
    exact = np.mean(np.array(distances) >= abs(probability_of_improvement(x, y) - 0.5) - 1e-12)
    found = permutation_p_value(x, y, np.random.default_rng(0), permutations=4000)
    assert found == pytest.approx(exact, abs=0.04)


def test_thousands_of_runs_are_compared_without_a_table_of_all_pairs():
    rng = np.random.default_rng(0)
    x, y = rng.normal(0.02, size=(6000, 1)), rng.normal(size=(6000, 1))
    low, high = improvement_interval(x, y, rng, resamples=300)
    assert low < probability_of_improvement(x, y) < high
    assert permutation_p_value(x, y, rng, permutations=300) > 0.0
