"""Pareto fronts and their hypervolume, exact for up to six objectives. Everything is maximised, as rewards are."""

from __future__ import annotations

__all__ = ["hypervolume", "non_dominated"]

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym_simulators import InputError

_MOST_OBJECTIVES = 6


def non_dominated(points: ArrayLike) -> NDArray[np.bool_]:
    """Which points (N, K) no other point dominates: (N,). Equal points are on the front together, or not at all.

    A point dominates another if it is at least as good in every objective and better in one.

    >>> non_dominated([[1.0, 3.0], [2.0, 2.0], [1.0, 2.0], [2.0, 2.0]]).tolist()
    [True, True, False, True]
    """
    distinct, inverse = np.unique(_as_points(points), axis=0, return_inverse=True)
    # By descending sum, then lexicographically: a dominating point always comes first, rounding of the sum included.
    order = np.argsort(-_row_sums(distinct[::-1]), kind="stable")
    waiting = np.arange(len(distinct))[::-1][order]
    on_front = np.zeros(len(distinct), dtype=bool)
    while len(waiting):
        best = waiting[0]
        on_front[best] = True
        waiting = waiting[(distinct[waiting] > distinct[best]).any(axis=1)]
    return np.asarray(on_front[inverse.ravel()])


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """Volume between a reference point (K,) and the points (N, K) above it, K from 1 to 6.

    Up to three objectives by slices along the last one, each the area under a staircase (Fonseca, Paquete and
    Lopez-Ibanez, "An improved dimension-sweep algorithm for the hypervolume indicator", CEC 2006, without its data
    structures). Above three, what each point adds to those that are better in the last objective, which is a volume in
    one dimension less (While, Bradstreet and Barone, "A fast way of calculating exact hypervolumes", IEEE TEVC 2012).

    >>> hypervolume([[1.0, 3.0], [2.0, 2.0]], [0.0, 0.0])
    5.0

    Raises:
        InputError: more than six objectives, another number of them in the reference, or a value that is no number.
    """
    array, origin = _as_points(points), np.asarray(reference, dtype=np.float64)
    if origin.shape != (array.shape[1],) or not np.isfinite(origin).all():
        raise InputError(f"the reference point must be {array.shape[1]} finite numbers, not {origin.tolist()}")
    if not 1 <= len(origin) <= _MOST_OBJECTIVES:
        raise InputError(f"hypervolume is exact for 1 to {_MOST_OBJECTIVES} objectives, not {len(origin)}")
    above = array[(array > origin).all(axis=1)] - origin
    if not len(above):
        return 0.0
    return _volume(above[non_dominated(above)])


def _volume(front: NDArray[np.float64]) -> float:
    """Of points (N, K) above 0."""
    if front.shape[1] == 1:
        return float(front.max())
    if front.shape[1] == 2:
        return _area(front)
    if front.shape[1] > 3:
        return _volume_by_additions(front)
    by_width = front[np.argsort(-front[:, 0], kind="stable")]
    levels = np.unique(front[:, 2])
    heights = np.diff(levels, prepend=0.0)
    slices = (_staircase(by_width[by_width[:, 2] >= level]) for level in levels)
    return float(sum(area * height for area, height in zip(slices, heights.tolist(), strict=True)))


def _volume_by_additions(front: NDArray[np.float64]) -> float:
    """Of mutually non-dominated points (N, 4 or more) above 0."""
    falling = front[np.argsort(-front[:, -1], kind="stable")]
    total = 0.0
    for index, point in enumerate(falling):
        added = float(np.prod(point[:-1]))
        shared = np.minimum(falling[:index, :-1], point[:-1])
        if index:
            added -= _volume(shared[non_dominated(shared)])
        total += added * float(point[-1])
    return total


def _area(front: NDArray[np.float64]) -> float:
    return _staircase(front[np.argsort(-front[:, 0], kind="stable")])


def _staircase(by_width: NDArray[np.float64]) -> float:
    """Area under points (N, 2 or more), widest first."""
    steps = -np.diff(by_width[:, 0], append=0.0)
    return float((steps * np.maximum.accumulate(by_width[:, 1])).sum())


def _row_sums(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Column by column, so that rounding keeps the order: no point has a smaller sum than one that it dominates."""
    total = np.zeros(len(points))
    for column in points.T:
        total += column
    return total


def _as_points(points: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or np.isnan(array).any():
        raise InputError(f"points must be numbers of the shape (N, K), not {array.shape}")
    return array
