"""Every statistic against the library that people trust; `experiments/statistics_golden` makes the values."""

import json
from pathlib import Path

import numpy as np
import pytest

from archgym.statistics import (
    bootstrap_interval,
    ecdf,
    holm,
    hypervolume,
    igd_plus,
    improvement_interval,
    iqm,
    kaplan_meier,
    mean,
    median,
    non_dominated,
    performance_profile,
    permutation_p_value,
    probability_of_improvement,
)
from archgym.statistics.comparison import _mean_tau

GOLDEN = json.loads((Path(__file__).parents[3] / "experiments/statistics_golden/golden.json").read_text())
EXACT = {"rel": 1e-9, "abs": 1e-12}
STATISTICS = {"iqm": iqm, "mean": mean, "median": median}


def numbered(kind):
    return pytest.mark.parametrize("case", GOLDEN[kind], ids=map(str, range(len(GOLDEN[kind]))))


@numbered("aggregates")
def test_aggregates_are_rliables(case):
    for name, statistic in STATISTICS.items():
        assert float(statistic(case["scores"])) == pytest.approx(case[name], **EXACT)


@numbered("aggregates")
@pytest.mark.parametrize("name", STATISTICS)
def test_intervals_are_rliables_within_the_noise_of_resampling(case, name):
    low, high = case["intervals"][name]
    found = bootstrap_interval(case["scores"], STATISTICS[name], np.random.default_rng(1), resamples=50_000)
    # The 2.5 % quantile of 50,000 resamples has a standard error of 0.3 % of the width; there are two of them.
    assert found == pytest.approx((low, high), abs=0.02 * (high - low))


@numbered("aggregates")
def test_profiles_are_rliables_turned_round(case):
    # rliable counts scores above a threshold, a profile of regrets those at or below it.
    shares = performance_profile(case["scores"], case["thresholds"])
    assert (1.0 - shares) == pytest.approx(case["share_above"], **EXACT)


@numbered("comparisons")
def test_probability_of_improvement_is_rliables(case):
    assert probability_of_improvement(case["x"], case["y"]) == pytest.approx(case["probability_of_improvement"])


@numbered("comparisons")
def test_its_interval_is_rliables_within_the_noise_of_resampling(case):
    low, high = case["interval"]
    found = improvement_interval(case["x"], case["y"], np.random.default_rng(1), resamples=20_000)
    # rliable drew 4,000 times: a standard error of 1.1 % of the width.
    assert found == pytest.approx((low, high), abs=0.05 * (high - low))


@numbered("comparisons")
def test_the_permutation_test_is_scipys_within_the_noise_of_permuting(case):
    first = [np.array(case[name])[:, :1] for name in "xy"]
    found = permutation_p_value(*first, np.random.default_rng(1), permutations=50_000)
    assert found == pytest.approx(case["p_value_of_first_task"], abs=4 * np.sqrt(0.25 / 50_000))


@numbered("holm")
def test_holm_is_statsmodels(case):
    assert holm(case["p_values"]) == pytest.approx(case["adjusted"], **EXACT)


@numbered("kendall")
def test_the_agreement_of_rankings_is_scipys_tau_b(case):
    assert _mean_tau(np.array(case["observed"]), np.array(case["others"])) == pytest.approx(case["mean_tau"])


@numbered("survival")
def test_kaplan_meier_and_its_intervals_are_lifelines(case):
    curve = kaplan_meier(case["times"], case["observed"])
    assert curve.times.tolist() == case["at"]
    assert curve.survival == pytest.approx(case["survival"], **EXACT)
    assert curve.low == pytest.approx(case["low"], **EXACT)
    assert curve.high == pytest.approx(case["high"], **EXACT)
    assert curve.median == (float("inf") if case["median"] is None else case["median"])


def test_the_distribution_of_runtimes_is_scipys():
    case = GOLDEN["ecdf"]
    assert ecdf(case["times"], case["grid"]) == pytest.approx(case["shares"], **EXACT)


@numbered("fronts")
def test_fronts_are_moocores(case):
    points = np.array(case["points"])
    assert non_dominated(points).tolist() == case["on_front"]
    assert hypervolume(points, case["reference_point"]) == pytest.approx(case["hypervolume"], rel=1e-9)
    assert igd_plus(points, case["reference_front"]) == pytest.approx(case["igd_plus"], rel=1e-9)
