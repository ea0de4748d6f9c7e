"""Fronts and hypervolumes against their definitions."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from archgym.pareto import hypervolume, non_dominated
from archgym_simulators import InputError

few = settings(max_examples=60, deadline=None)


def integer_points(objectives):
    return st.integers(0, 9).flatmap(lambda n: arrays(np.int64, (n, objectives), elements=st.integers(-2, 5)))


def real_points(objectives):
    real = st.floats(-1.0, 4.0, width=32)
    return st.integers(0, 12).flatmap(lambda n: arrays(np.float64, (n, objectives), elements=real))


def dominates(a, b):
    return bool((a >= b).all() and (a > b).any())


@few
@given(st.integers(1, 4).flatmap(real_points))
def test_the_front_is_its_definition(points):
    expected = [not any(dominates(other, point) for other in points) for point in points]
    assert non_dominated(points).tolist() == expected


def test_rounded_sums_do_not_reorder_dominance():
    points = np.array([[1e16, 0.0], [1e16, 0.5], [1e16, 0.25]])
    assert non_dominated(points).tolist() == [False, True, False]


@few
@given(st.integers(1, 5).flatmap(integer_points))
def test_hypervolume_of_whole_points_is_a_count_of_unit_cells(points):
    cells = product(range(6), repeat=points.shape[1])
    counted = sum(any((point > cell).all() for point in points) for cell in map(np.array, cells))
    assert hypervolume(points, np.zeros(points.shape[1])) == counted


@few
@given(st.integers(1, 5).flatmap(real_points))
def test_dominated_points_repeats_and_order_change_nothing(points):
    origin = np.full(points.shape[1], -0.5)
    whole = hypervolume(points, origin)
    assert hypervolume(points[non_dominated(points)], origin) == pytest.approx(whole, rel=1e-12)
    assert hypervolume(np.concatenate([points[::-1], points]), origin) == pytest.approx(whole, rel=1e-12)


@few
@given(st.integers(3, 5).flatmap(lambda k: st.tuples(real_points(k), st.permutations(range(k)))))
def test_hypervolume_does_not_depend_on_the_order_of_objectives(case):
    points, order = case
    origin = np.zeros(len(order))
    assert hypervolume(points[:, order], origin) == pytest.approx(hypervolume(points, origin), rel=1e-12, abs=1e-12)


@few
@given(real_points(3))
def test_another_point_never_takes_volume_away(points):
    origin = np.zeros(3)
    volumes = [hypervolume(points[:n].reshape(n, 3), origin) for n in range(len(points) + 1)]
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(volumes))


def test_a_front_of_thousands_is_exact():
    # A staircase of n steps, two deep: columns of height n, n - 1, ..., 1.
    n = 2000
    z = np.arange(1, n + 1, dtype=float)
    points = np.stack([n + 1 - z, np.full(n, 2.0), z], axis=1)
    assert hypervolume(points, [0, 0, 0]) == pytest.approx(2.0 * (n * (n + 1) / 2))


@pytest.mark.parametrize(
    ("points", "reference", "part"),
    [
        ([[1.0, 2.0]], [0.0], "reference point"),
        ([[1.0, 2.0]], [0.0, float("nan")], "finite"),
        ([[1.0, float("nan")]], [0.0, 0.0], "numbers"),
        ([1.0, 2.0], [0.0], "shape"),
        ([[1.0] * 7], [0.0] * 7, "1 to 6 objectives, not 7"),
    ],
)
def test_wrong_input_is_named(points, reference, part):
    with pytest.raises(InputError, match=part):
        hypervolume(points, reference)
