"""Kaplan-Meier against counting, where nothing is censored, and against the truth, where something is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archgym.statistics import ecdf, kaplan_meier
from archgym_simulators import InputError

few = settings(max_examples=60, deadline=None)
runs = st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=20)


@few
@given(st.lists(st.integers(1, 20), min_size=1))
def test_without_censoring_it_is_the_share_still_waiting(times):
    curve = kaplan_meier(times, np.ones(len(times)))
    assert curve.waiting(np.arange(22)) == pytest.approx(1.0 - ecdf(times, np.arange(22)), abs=1e-12)


@pytest.mark.parametrize("confidence", [-0.5, 0.0, 1.0, 1.5, float("nan")])
def test_a_confidence_that_is_no_share_is_refused(confidence):
    with pytest.raises(InputError, match="confidence must lie between 0 and 1, not") as refused:
        kaplan_meier([1, 2], [True, False], confidence=confidence)
    assert "\n" not in str(refused.value)


@few
@given(runs)
def test_a_curve_falls_within_its_interval(cases):
    curve = kaplan_meier(*zip(*cases, strict=True))
    assert (np.diff(curve.survival) < 0.0).all()
    assert ((curve.low <= curve.survival) & (curve.survival <= curve.high + 1e-12)).all()
    assert ((curve.survival >= 0.0) & (curve.survival < 1.0)).all()
    assert curve.events.sum() == sum(happened for _, happened in cases)


@few
@given(runs)
def test_a_run_censored_before_anything_happened_changes_nothing(cases):
    times, observed = map(np.array, zip(*cases, strict=True))
    before = kaplan_meier(times + 1, observed)
    after = kaplan_meier(np.append(times + 1, 1), np.append(observed, False))
    assert before.survival.tolist() == after.survival.tolist()


def test_where_nobody_succeeds_everybody_waits():
    curve = kaplan_meier([5.0, 9.0], [False, False])
    assert curve.times.tolist() == []
    assert curve.median == np.inf
    assert curve.waiting([1, 100]).tolist() == [1.0, 1.0]


def test_censoring_does_not_bias_what_dropping_censored_runs_would():
    rng = np.random.default_rng(0)
    truth, stops = rng.exponential(100.0, size=4000), rng.uniform(0.0, 200.0, size=4000)
    observed = truth <= stops
    curve = kaplan_meier(np.minimum(truth, stops), observed)
    assert curve.waiting([50.0, 100.0]) == pytest.approx(np.exp([-0.5, -1.0]), abs=0.03)
    assert (truth[observed] > 100.0).mean() < 0.25  # the naive answer, far from 0.37


@pytest.mark.parametrize(("times", "observed"), [([], []), ([1.0], [True, False]), ([np.inf], [False])])
def test_wrong_input_is_named(times, observed):
    with pytest.raises(InputError, match="times and observed"):
        kaplan_meier(times, observed)
