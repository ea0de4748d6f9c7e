"""Which cell a step of a supernet trains: uniform, or shifted towards complexities that still learn."""

from __future__ import annotations

__all__ = ["Sampler", "ShiftedSampler", "UniformSampler", "cells_within"]

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nas.cells import EDGES, SIZE, Cell, cells_of_indices
from archgym_simulators.nas.digits_design import connected_cells
from archgym_simulators.nas.skeleton import DIGITS, macs_of

Allowed = Sequence[Sequence[int]]
"""For every edge the operations that a supernet holds."""


def cells_within(allowed: Allowed) -> NDArray[np.int64]:
    """Cells (N, 6) through which something passes, whose operations are all allowed.

    Raises:
        InputError: there is none.
    """
    cells = cells_of_indices(np.arange(SIZE)).astype(np.int64)
    is_within = connected_cells() & np.all([np.isin(cells[:, e], allowed[e]) for e in range(len(EDGES))], axis=0)
    if not is_within.any():
        raise InputError(f"no cell of the operations {[list(one) for one in allowed]} lets anything pass")
    return np.asarray(cells[is_within])


class Sampler(Protocol):
    """Draws cells and hears how well they did."""

    def draw(self) -> Cell:
        """The cell of the next step."""

    def hear(self, loss: float) -> None:
        """The training loss of the cell drawn last."""


class UniformSampler:
    """Every cell alike: complexities in the middle, which most cells have, are trained most."""

    def __init__(self, allowed: Allowed, rng: np.random.Generator) -> None:
        self._cells, self._rng = cells_within(allowed), rng

    def draw(self) -> Cell:
        return tuple(self._cells[self._rng.integers(len(self._cells))].tolist())

    def hear(self, loss: float) -> None:
        """Changes nothing."""


class ShiftedSampler:
    """First a complexity, then a cell of it; complexities whose loss still moves come more often.

    After the abstract of ShiftNAS (Zhang et al., ICCV 2023), whose details we have not seen: there a generator network
    is trained along to make a cell of a complexity; here cells are few enough to be listed. Complexity is the MACs, in
    classes of equal width. How far a class still moves is the distance of a fast and a slow moving average of its loss.
    """

    CLASSES = 5
    FLOOR = 0.5
    """Share of the steps that go to all classes alike."""
    _FAST, _SLOW = 0.3, 0.1

    def __init__(self, allowed: Allowed, rng: np.random.Generator) -> None:
        cells, self._rng = cells_within(allowed), rng
        macs = macs_of(cells, DIGITS)
        edges = np.linspace(macs.min(), macs.max(), self.CLASSES + 1)[1:-1]
        number = np.digitize(macs, edges)
        self._classes = [cells[number == one] for one in np.unique(number)]
        self._averages: list[tuple[float, float] | None] = [None] * len(self._classes)
        self._drawn = 0

    def chances(self) -> NDArray[np.float64]:
        """Probability of each class, ascending in MACs."""
        moved = np.array([abs(pair[0] - pair[1]) if pair else 0.0 for pair in self._averages])
        even = np.full(len(moved), 1.0 / len(moved))
        if not all(self._averages) or not moved.sum():
            return even
        return np.asarray(self.FLOOR * even + (1.0 - self.FLOOR) * moved / moved.sum())

    def draw(self) -> Cell:
        self._drawn = int(self._rng.choice(len(self._classes), p=self.chances()))
        cells = self._classes[self._drawn]
        return tuple(cells[self._rng.integers(len(cells))].tolist())

    def hear(self, loss: float) -> None:
        known = self._averages[self._drawn] or (loss, loss)
        fast, slow = (old + rate * (loss - old) for old, rate in zip(known, (self._FAST, self._SLOW), strict=True))
        self._averages[self._drawn] = fast, slow
