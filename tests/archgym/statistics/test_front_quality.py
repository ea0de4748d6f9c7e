"""Distances to a reference front against loops over their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from archgym.statistics import adrs, igd_plus
from archgym_simulators import InputError

few = settings(max_examples=60, deadline=None)


@st.composite
def two_sets(draw):
    objectives = draw(st.integers(1, 4))
    elements = st.floats(0.125, 4.0, width=32)
    return tuple(draw(arrays(np.float64, (draw(st.integers(1, 6)), objectives), elements=elements)) for _ in range(2))


@few
@given(two_sets())
def test_both_are_their_definitions(case):
    found, front = case
    lacking = [min(np.sqrt((np.maximum(z - a, 0.0) ** 2).sum()) for a in found) for z in front]
    assert igd_plus(found, front) == pytest.approx(np.mean(lacking), abs=1e-12)
    worse = [min(max(0.0, *((a - z) / z)) for a in found) for z in front]
    assert adrs(found, front) == pytest.approx(np.mean(worse), abs=1e-12)


@few
@given(two_sets())
def test_a_front_is_at_no_distance_from_itself_and_another_point_never_hurts(case):
    found, front = case
    assert igd_plus(front, front) == adrs(front, front) == 0.0
    assert igd_plus(np.concatenate([found, front[:1]]), front) <= igd_plus(found, front)
    assert adrs(np.concatenate([found, front[:1]]), front) <= adrs(found, front)


def test_nothing_found_is_infinitely_far():
    assert igd_plus(np.zeros((0, 2)), [[1.0, 1.0]]) == adrs(np.zeros((0, 2)), [[1.0, 1.0]]) == np.inf


@pytest.mark.parametrize(
    ("points", "front", "part"),
    [
        ([[1.0, 2.0]], [[1.0]], "reference front"),
        ([[1.0]], np.zeros((0, 1)), "at least one point"),
        ([[float("nan")]], [[1.0]], "numbers"),
    ],
)
def test_wrong_input_is_named(points, front, part):
    for distance in (igd_plus, adrs):
        with pytest.raises(InputError, match=part):
            distance(points, front)


def test_relative_distances_need_costs_above_zero():
    with pytest.raises(InputError, match="above 0"):
        adrs([[0.0]], [[1.0]])
