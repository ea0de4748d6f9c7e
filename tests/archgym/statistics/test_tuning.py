"""The lottery against enumeration, and a protocol that does not look where it must not."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archgym.statistics import expected_best_of, lottery_odds, tuned_versus_default
from archgym_simulators import InputError

few = settings(max_examples=50, deadline=None)


@few
@given(st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=7))
def test_the_best_of_k_is_the_mean_over_all_ways_to_draw_k(scores):
    expected = [np.mean([max(c) for c in combinations(scores, k)]) for k in range(1, len(scores) + 1)]
    assert expected_best_of(scores) == pytest.approx(expected, abs=1e-9)


def test_the_best_of_many_settings_neither_overflows_nor_drifts():
    found = expected_best_of(np.arange(2000.0))
    # Without replacement from 0..n-1 the expected maximum of k is k (n + 1) / (k + 1) - 1.
    k = np.arange(1, 2001)
    assert found == pytest.approx(k * 2001 / (k + 1) - 1, rel=1e-9)


def test_a_setting_that_found_nothing_spoils_only_draws_that_may_hold_it_alone():
    assert expected_best_of([-np.inf, 1.0]).tolist() == [-np.inf, 1.0]


def test_odds_are_shares_of_tickets():
    assert lottery_odds([[0.0, 0.5, np.inf, 0.1]], 0.1).tolist() == [0.5]


def study(seed=0, settings=6, runs=10):
    rng = np.random.default_rng(seed)
    quality = np.arange(settings)[:, None, None] * 1.0
    return rng.normal(quality, 0.1, size=(settings, runs, 3)), rng.normal(quality, 0.1, size=(settings, runs, 4))


def test_the_winner_of_the_dev_tasks_is_judged_on_the_test_tasks():
    dev, test = study()
    found = tuned_versus_default(dev, test, test[2], np.random.default_rng(0), evaluations_per_run=300)
    assert (found.chosen, found.trials) == (5, 6)
    assert found.tuning_evaluations == 6 * 10 * 3 * 300
    assert found.tuned == pytest.approx(5.0, abs=0.1)
    assert found.default == pytest.approx(2.0, abs=0.1)
    assert found.improvement == 1.0
    assert found.tuned_interval[0] <= found.tuned <= found.tuned_interval[1]


def test_test_scores_do_not_influence_the_choice():
    dev, test = study()
    found = tuned_versus_default(dev, -test, test[2], np.random.default_rng(0), evaluations_per_run=1)
    assert found.chosen == 5
    assert found.tuned == pytest.approx(-5.0, abs=0.1)


def test_fewer_trials_cost_less_and_find_less_on_average():
    dev, test = study()
    found = [
        tuned_versus_default(dev, test, test[2], np.random.default_rng(s), evaluations_per_run=1, trials=2)
        for s in range(30)
    ]
    assert {one.trials for one in found} == {2}
    assert {one.tuning_evaluations for one in found} == {2 * 10 * 3}
    # Expected best of two out of 0..5 is 2 * 7 / 3 - 1.
    assert np.mean([one.chosen for one in found]) == pytest.approx(11 / 3, abs=0.7)


@pytest.mark.parametrize("trials", [0, 7, -1])
def test_trials_that_do_not_exist_are_named(trials):
    dev, test = study()
    with pytest.raises(InputError, match="trials must lie between 1 and the 6"):
        tuned_versus_default(dev, test, test[2], np.random.default_rng(0), evaluations_per_run=1, trials=trials)


def test_settings_that_do_not_match_are_refused():
    dev, test = study()
    with pytest.raises(InputError, match="same settings"):
        tuned_versus_default(dev, test[1:], test[2], np.random.default_rng(0), evaluations_per_run=1)
    with pytest.raises(InputError, match="one row"):
        expected_best_of([])
