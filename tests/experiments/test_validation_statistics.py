"""Properties of the agreement statistics."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from experiments.validation._statistics import Statistics, equal_rows, relative_errors, spearman, summarise

NUMBERS = st.integers(-(10**12), 10**12).map(lambda thousandths: thousandths / 1000)
FEW_VALUES = st.lists(st.integers(0, 4).map(float), min_size=2, max_size=40)


def array(values):
    return np.array(values, dtype=np.float64)


@given(st.lists(NUMBERS, min_size=1, max_size=50))
def test_a_table_agrees_with_itself(values):
    found = summarise(array(values), array(values))
    assert (found.rows, found.exact) == (len(values), 1.0)
    assert found.mean_rel_err == found.p95_rel_err == found.max_rel_err == 0.0
    assert found.spearman == (pytest.approx(1.0) if len(set(values)) > 1 else None)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=60))
def test_errors_are_ordered_and_bound_the_rows(pairs):
    reference, ours = array(pairs).T
    found = summarise(reference, ours)
    errors = np.sort(relative_errors(reference, ours))
    assert found.p95_rel_err <= found.max_rel_err == errors[-1]
    assert found.mean_rel_err <= found.max_rel_err * (1 + 1e-12)
    assert np.count_nonzero(errors <= found.p95_rel_err) >= 0.95 * len(pairs)
    assert found.p95_rel_err in errors


@given(NUMBERS)
def test_the_error_of_a_zero_reference_is_absolute(value):
    assert relative_errors(array([0.0]), array([value]))[0] == abs(value)


@given(st.floats(1e-6, 1e9), st.floats(-0.5, 0.5))
def test_a_scaled_value_has_the_scale_as_its_error(reference, share):
    error = relative_errors(array([reference]), array([reference * (1 + share)]))[0]
    assert error == pytest.approx(abs(share), abs=1e-12)


@pytest.mark.parametrize(
    ("error", "equal"), [(0.0, True), (0.9e-9, True), (-0.9e-9, True), (1.1e-9, False), (-1.1e-9, False)]
)
def test_real_numbers_are_exact_to_one_in_a_billion(error, equal):
    assert equal_rows(array([4e5]), array([4e5 * (1 + error)])).tolist() == [equal]


def test_integers_are_exact_only_where_equal():
    reference, ours = array([10_000_000_000, 0, 7]), array([10_000_000_001, 0, 7])
    assert equal_rows(reference, ours, is_integer=True).tolist() == [False, True, True]


@given(st.floats(1.0, 5000.0), st.sampled_from([1, 2, 4]))
def test_a_number_equals_its_printed_form_but_not_the_next_one(value, decimals):
    printed = float(f"{value:.{decimals}f}")
    reference = array([printed, printed + 10**-decimals, printed - 10**-decimals])
    # A value on the edge between two printed forms belongs to both.
    assume(abs(abs(value - printed) - 0.5 * 10**-decimals) > 1e-8 * value)
    equal = equal_rows(reference, np.full(3, value), printed_decimals=decimals)
    assert equal.tolist() == [True, False, False]


def test_rounding_in_print_counts_as_exact_but_its_error_is_shown():
    found = summarise(array([573.9, 868.46]), array([573.9012, 868.4613]), printed_decimals=2)
    assert found.exact == 1.0
    assert found.max_rel_err == pytest.approx(0.0012 / 573.9, rel=1e-6)


@given(FEW_VALUES, st.randoms())
def test_rank_correlation_with_ties_is_the_correlation_of_mean_ranks(first, random):
    second = first[:]
    random.shuffle(second)
    expected = [[sum(w < v for w in side) + (side.count(v) + 1) / 2 for v in side] for side in (first, second)]
    found = spearman(array(first), array(second))
    if len(set(first)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(float(np.corrcoef(expected)[0, 1]), abs=1e-12)


@given(st.lists(NUMBERS, min_size=2, max_size=40, unique=True))
def test_rank_correlation_sees_only_the_order(values):
    order = np.argsort(np.argsort(values)).astype(np.float64)
    assert spearman(array(values), order) == pytest.approx(1.0)
    assert spearman(array(values), -order) == pytest.approx(-1.0)


def test_noise_below_the_printed_digits_does_not_break_ties():
    reference = array([1.25, 1.25, 1.25, 2.5, 5.0])
    noise = array([0.001, -0.001, 0.0, 0.002, -0.002])
    assert summarise(reference, reference + noise, printed_decimals=2).spearman == pytest.approx(1.0)


@pytest.mark.parametrize("values", [[], [3.0], [3.0, 3.0], [math.nan, 1.0]])
def test_rank_correlation_is_undefined_without_two_different_rows(values):
    assert spearman(array(values), array(range(len(values)))) is None


def test_no_rows_leave_everything_undefined():
    assert summarise(array([]), array([])) == Statistics(0, None, None, None, None, None)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_a_wrong_row_and_not_a_skipped_one(wrong):
    found = summarise(array([1.0, 2.0, 3.0]), array([1.0, wrong, 3.0]))
    assert found.rows == 3
    assert found.exact == pytest.approx(2 / 3)
    assert found.mean_rel_err is None
    assert found.max_rel_err is None


def test_the_95th_percentile_leaves_out_one_row_in_twenty():
    reference = np.full(21, 100.0)
    ours = reference.copy()
    ours[-1] = 200.0
    found = summarise(reference, ours)
    assert found.p95_rel_err == 0.0
    assert found.max_rel_err == 1.0
    assert found.mean_rel_err == pytest.approx(1 / 21)
