"""Aggregates and their intervals against definitions and against coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from archgym.statistics import (
    CEILING,
    bootstrap_band,
    bootstrap_interval,
    iqm,
    mean,
    median,
    performance_profile,
    regret,
)
from archgym_simulators import InputError

few = settings(max_examples=60, deadline=None)
real = st.floats(-10.0, 10.0, width=32)
scores_of_any_size = st.tuples(st.integers(1, 9), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=real)
)


@few
@given(scores_of_any_size)
def test_iqm_is_the_mean_of_the_middle_half_and_never_leaves_it(scores):
    pooled = sorted(scores.ravel().tolist())
    cut = len(pooled) // 4
    assert float(iqm(scores)) == pytest.approx(np.mean(pooled[cut : len(pooled) - cut]), abs=1e-12)


@few
@given(scores_of_any_size, st.sampled_from([iqm, mean, median]))
def test_a_stack_of_resamples_gives_what_each_gives_alone(scores, statistic):
    stack = np.stack([scores, scores[::-1] + 1.0])
    assert statistic(stack).tolist() == [float(statistic(stack[0])), float(statistic(stack[1]))]


@few
@given(scores_of_any_size, st.integers(0, 2**32 - 1))
def test_an_interval_lies_within_the_scores_and_shifts_with_them(scores, seed):
    low, high = bootstrap_interval(scores, mean, np.random.default_rng(seed), resamples=200)
    assert scores.min() - 1e-9 <= low <= high <= scores.max() + 1e-9
    moved = bootstrap_interval(scores * 2.0 + 3.0, mean, np.random.default_rng(seed), resamples=200)
    assert moved == pytest.approx((2.0 * low + 3.0, 2.0 * high + 3.0), abs=1e-9)


def test_the_same_generator_gives_the_same_interval_and_another_does_not():
    scores = np.random.default_rng(0).normal(size=(20, 10))
    first, again, other = (bootstrap_interval(scores, iqm, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_tasks_are_strata():
    # Runs agree within a task and differ between tasks: drawing tasks anew would give a wide interval.
    scores = np.tile([0.0, 100.0], (10, 1))
    assert bootstrap_interval(scores, mean, np.random.default_rng(0)) == (50.0, 50.0)


def test_a_95_percent_interval_covers_the_truth_about_as_often():
    rng, inside = np.random.default_rng(3), 0
    for _ in range(400):
        low, high = bootstrap_interval(rng.normal(size=(15, 4)), mean, rng, resamples=400)
        inside += low <= 0.0 <= high
    # Binomial(400, 0.93): a percentile interval of 15 runs is a little too narrow, known and small.
    assert 0.88 <= inside / 400 <= 0.98


def test_a_narrower_confidence_is_inside_a_wider_one():
    scores = np.random.default_rng(0).normal(size=(20, 3))
    wide = bootstrap_interval(scores, iqm, np.random.default_rng(1), 0.95)
    narrow = bootstrap_interval(scores, iqm, np.random.default_rng(1), confidence=0.5)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_many_values_are_resampled_in_parts_without_changing_what_is_drawn_from():
    scores = np.random.default_rng(0).normal([5.0, -5.0], size=(3000, 2))
    low, high = bootstrap_band(scores, lambda drawn: drawn.mean(axis=-2), np.random.default_rng(1), resamples=1500)
    assert (low < [5.1, -4.9]).all()
    assert (high > [4.9, -5.1]).all()
    assert (high - low < 0.2).all()


def test_an_infinite_regret_stays_an_infinity_at_the_upper_end():
    scores = np.array([[0.1], [0.2], [np.inf], [np.inf]])
    low, high = bootstrap_interval(scores, iqm, np.random.default_rng(0))
    assert np.isfinite(low)
    assert high == np.inf


@few
@given(scores_of_any_size)
def test_a_profile_rises_from_nothing_to_everything(scores):
    thresholds = np.sort(np.concatenate([scores.ravel(), [scores.min() - 1.0]]))
    profile = performance_profile(scores, thresholds)
    assert profile[0] == 0.0
    assert profile[-1] == 1.0
    assert (np.diff(profile) >= 0.0).all()


@pytest.mark.parametrize("scores", [[1.0, 2.0], [[]], np.zeros((0, 2)), [[float("nan")]]])
def test_wrong_scores_are_named(scores):
    with pytest.raises(InputError, match="scores must"):
        bootstrap_interval(scores, iqm, np.random.default_rng(0))


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.0, float("nan")])
def test_wrong_confidence_is_named(confidence):
    with pytest.raises(InputError, match="confidence must"):
        bootstrap_interval([[1.0]], iqm, np.random.default_rng(0), confidence)


@few
@given(st.lists(real, min_size=1), st.floats(0.1, 5.0), st.floats(0.1, 5.0), real)
def test_regret_is_0_at_the_best_1_at_the_median_and_blind_to_the_baseline(rewards, above, below, shift):
    best = max(rewards) + above
    median_reward = best - below
    assert regret([best, median_reward], best, median=median_reward) == pytest.approx([0.0, 1.0], abs=1e-6)
    found = regret(rewards, best, median=median_reward)
    assert (found >= 0.0).all()
    moved = regret(np.array(rewards) + shift, best + shift, median=median_reward + shift)
    assert moved == pytest.approx(found, rel=1e-5, abs=1e-5)


def test_nothing_feasible_counts_as_the_largest_regret_that_anything_has():
    found = regret([[np.nan, -np.inf, -1e9, -10.0, -9.5]], 0.0, median=-1.0)
    assert found.tolist() == [[CEILING, CEILING, CEILING, CEILING, 9.5]]


def test_what_is_not_a_number_is_not_cut_off_as_if_it_were_the_largest():
    assert np.isnan(iqm([[np.nan], [1.0], [2.0], [3.0]]))
    assert iqm(np.stack([np.full((4, 1), np.nan), np.ones((4, 1))])).tolist()[1] == 1.0


def test_statistics_of_one_run_and_of_equal_runs_are_that_number():
    one, equal = np.array([[0.3, 0.5]]), np.full((4, 2), 0.25)
    assert float(iqm(one)) == 0.4
    assert bootstrap_interval(one, iqm, np.random.default_rng(0)) == (0.4, 0.4)
    assert bootstrap_interval(equal, iqm, np.random.default_rng(0)) == (0.25, 0.25)
    nothing = np.full((3, 2), CEILING)
    assert bootstrap_interval(nothing, iqm, np.random.default_rng(0)) == (CEILING, CEILING)


def test_a_best_that_was_beaten_and_a_scale_that_is_none_are_refused():
    with pytest.raises(InputError, match=r"said to be 1\.0, but 1\.5 was found"):
        regret([1.5], 1.0, median=0.0)
    assert regret([1.0 + 1e-12], 1.0, median=0.0).tolist() == [0.0]
    with pytest.raises(InputError, match="no scale"):
        regret([1.0], 1.0, median=1.0)
