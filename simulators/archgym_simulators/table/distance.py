"""How far an absent design is from those that a table has."""

from __future__ import annotations

__all__ = ["StepsToTable"]

from math import prod

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.space import Rows

_MAPPED_DESIGNS = 1 << 22
_MOST_ANCHORS = 4096
_BATCH = 1024
_FAR = np.uint16(60_000)


class StepsToTable:
    """Steps from a design to the nearest of the rows (R, D): index steps, or 1 for any change of a category.

    Exact in spaces of up to 2^22 designs, by a distance map, and for tables of up to 4,096 rows. Beyond that it is the
    distance to the nearest of 4,096 evenly spaced rows: an upper bound that still falls on the way to the table.

    Args:
        nvec: (D,) values a column.
        ordered: (D,) whether a column's values have an order.
        rows: (R, D) at least one row.
    """

    def __init__(self, nvec: NDArray[np.int64], ordered: NDArray[np.bool_], rows: Rows) -> None:
        self._nvec = nvec
        self._ordered = ordered
        self._rows = rows
        self._map: NDArray[np.uint16] | None = None

    def of(self, rows: Rows) -> NDArray[np.float64]:
        """Steps of each row (N, D): (N,)."""
        if prod(self._nvec.tolist()) <= _MAPPED_DESIGNS:
            if self._map is None:
                self._map = self._distance_map()
            return np.asarray(self._map[tuple(rows.T)], dtype=np.float64)
        spaced = np.linspace(0, len(self._rows) - 1, min(len(self._rows), _MOST_ANCHORS)).astype(np.int64)
        anchors = self._rows[spaced]
        parts = [self._to_anchors(rows[i : i + _BATCH], anchors) for i in range(0, len(rows), _BATCH)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _to_anchors(self, rows: Rows, anchors: Rows) -> NDArray[np.float64]:
        total = np.zeros((len(rows), len(anchors)), dtype=np.int64)
        for d, ordered in enumerate(self._ordered.tolist()):
            apart = rows[:, d, None] - anchors[None, :, d]
            total += np.abs(apart) if ordered else apart != 0
        return np.asarray(total.min(axis=1), dtype=np.float64)

    def _distance_map(self) -> NDArray[np.uint16]:
        """Steps of every design, one axis after the other, since a sum over columns is least where each is least."""
        sizes = self._nvec.tolist()
        steps = np.full(sizes, _FAR, dtype=np.uint16)
        steps[tuple(self._rows.T)] = 0
        for d, ordered in enumerate(self._ordered.tolist()):
            along = steps.reshape(prod(sizes[:d]), sizes[d], prod(sizes[d + 1 :]))  # a view
            if not ordered:
                np.minimum(along, along.min(axis=1, keepdims=True) + np.uint16(1), out=along)
                continue
            for here, before in [(i, i - 1) for i in range(1, sizes[d])]:
                np.minimum(along[:, here], along[:, before] + np.uint16(1), out=along[:, here])
            for here, after in [(i, i + 1) for i in range(sizes[d] - 2, -1, -1)]:
                np.minimum(along[:, here], along[:, after] + np.uint16(1), out=along[:, here])
        return steps
