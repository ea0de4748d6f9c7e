"""Curves from improvements against a loop over evaluations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archgym.statistics import area_under_log_regret, ecdf, evaluation_grid, time_to_target, values_at
from archgym_simulators import InputError

few = settings(max_examples=80, deadline=None)
BUDGET = 12


@st.composite
def improvements(draw):
    """Columns of up to four runs, some without any row, and the same as full curves (R, BUDGET)."""
    runs = draw(st.integers(1, 4))
    columns, curves = ([], [], []), np.full((runs, BUDGET), np.nan)
    for run in range(runs):
        at = sorted(draw(st.sets(st.integers(1, BUDGET), max_size=5)))
        values = sorted(draw(st.lists(st.floats(0.001, 5.0), min_size=len(at), max_size=len(at))))
        for evaluation, value in zip(at, values, strict=True):
            curves[run, evaluation - 1 :] = value
        for column, cells in zip(columns, ([run] * len(at), at, values), strict=True):
            column.extend(cells)
    return columns, curves


@few
@given(improvements())
def test_values_hold_until_the_next_improvement(case):
    columns, curves = case
    found = values_at(*columns, grid=np.arange(1, BUDGET + 1), runs=len(curves))
    np.testing.assert_array_equal(found, curves)


@few
@given(improvements(), st.lists(st.floats(0.0, 6.0), min_size=1, max_size=4))
def test_time_to_target_is_the_first_evaluation_that_reaches_it(case, targets):
    columns, curves = case
    found = time_to_target(*columns, targets=targets, runs=len(curves))
    expected = [
        [next((float(i + 1) for i, v in enumerate(curve) if v >= target), np.inf) for target in targets]
        for curve in curves
    ]
    assert found.tolist() == expected


@few
@given(improvements(), st.integers(1, BUDGET))
def test_the_area_is_the_mean_over_every_evaluation(case, budget):
    columns, curves = case
    found = area_under_log_regret(*columns, budget=budget, runs=len(curves), floor=0.01, ceiling=4.0)
    filled = np.clip(np.nan_to_num(curves[:, :budget], nan=4.0), 0.01, 4.0)
    assert found == pytest.approx(np.log10(filled).mean(axis=1), abs=1e-9)


@few
@given(st.lists(st.one_of(st.integers(1, 9).map(float), st.just(np.inf)), min_size=1))
def test_the_distribution_of_runtimes_counts_those_that_never_arrive(times):
    shares = ecdf(times, range(11))
    assert shares.tolist() == [sum(t <= g for t in times) / len(times) for g in range(11)]


@pytest.mark.parametrize(("budget", "points"), [(1, 40), (2, 40), (300, 40), (10**7, 40)])
def test_a_grid_begins_at_one_and_ends_at_the_budget(budget, points):
    grid = evaluation_grid(budget, points)
    assert (grid[0], grid[-1]) == (1, budget)
    assert (np.diff(grid) > 0).all()
    assert len(grid) <= points


@pytest.mark.parametrize(
    ("columns", "part"),
    [
        (([0], [1, 2], [0.5]), "one length"),
        (([1, 0], [1, 1], [0.5, 0.5]), "ascending order of run"),
        (([0, 0], [2, 2], [0.5, 0.6]), "of evaluation"),
        (([0, 2], [2, 2], [0.5, 0.6]), "numbered 0 to 1, found 0 to 2"),
        (([-1], [2], [0.5]), "found -1"),
    ],
)
def test_columns_that_are_no_improvements_are_named(columns, part):
    with pytest.raises(InputError, match=part):
        values_at(*columns, grid=[1], runs=2)


def test_no_times_and_a_floor_above_the_ceiling_are_refused():
    with pytest.raises(InputError, match="no times"):
        ecdf([], [1])
    with pytest.raises(InputError, match="floor"):
        area_under_log_regret([0], [1], [1.0], budget=3, runs=1, floor=2.0, ceiling=1.0)
