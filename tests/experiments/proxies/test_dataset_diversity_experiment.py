"""Diverse against plentiful data: comparisons are of equal seeds, and the README says what the table has."""

from math import exp, log

import numpy as np
import pytest

from experiments.dataset_diversity.answers import METRICS, TABLE, TESTS, compared, errors, printed


def made(factor, *, seeds=8, noise=0.05):
    """Errors of one source that are a factor times the mixture's, with noise."""
    rng = np.random.default_rng(0)
    found = {}
    for trace, level in (("a", 1.0), ("b", 20.0)):
        ours = {seed: level * exp(rng.normal(0, 1)) for seed in range(seeds)}
        found[trace, "200", "mixture", "uniform", "time_ns"] = ours
        theirs = {seed: error * factor * exp(rng.normal(0, noise)) for seed, error in ours.items()}
        found[trace, "200", "lone", "uniform", "time_ns"] = theirs
    return found


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_ratio_is_of_equal_seeds_whatever_the_trace(factor):
    (one,) = compared(made(factor)).values()
    assert log(one.ratio) == pytest.approx(log(factor), abs=0.05)
    assert one.low < one.ratio < one.high
    assert one.high / one.low < 1.2, "differences between seeds, which both share, are no noise of the ratio"


def test_a_difference_that_is_none_is_not_significant():
    (same,) = compared(made(1.0)).values()
    (other,) = compared(made(40.0)).values()
    assert same.p > 0.2
    assert other.p < 0.01


def test_every_source_has_the_same_seeds():
    for regressor in ("random-forest", "lightgbm"):
        seeds = {key: frozenset(found) for key, found in errors(regressor).items()}
        assert len(set(seeds.values())) == 1
        assert {key[3:] for key in seeds} == {(test, metric) for test in TESTS for metric in METRICS}


def test_the_readme_has_the_tables_of_the_results():
    readme = (TABLE.parent / "README.md").read_text()
    assert [line for line in printed() if line.startswith("|") and line not in readme] == []
