"""Grid search: a control that spreads few values of every parameter evenly.

Algorithm: the full factorial design (Fisher 1926) that fits the budget: starting from one value a column, columns get
another level in turn, those of most values first, while the product of levels fits. Levels are spread evenly from the
first to the last value. The grid is visited in random order; after it, ever finer ones. As the grid follows the budget,
a run is no prefix of one with a larger budget.

Does well: one or two parameters.
Does badly: everything else (Bergstra & Bengio 2012): with ten parameters, most have one or two levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from archgym.agent import Settings, refuse_several_objectives
from archgym_agents._search import Search
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows

_BATCH = 64
_LARGEST_GRID = 1 << 20


@dataclass(frozen=True)
class GridSearchConfig(Settings):
    """Grid search has no settings."""


class GridSearch(Search):
    """Factorial designs, coarse ones first."""

    Config = GridSearchConfig

    def __init__(self, space: DesignSpace, config: GridSearchConfig, rng: np.random.Generator, points: int) -> None:
        super().__init__(space, config, rng)
        self._points = points
        self._grid: Rows = np.zeros((0, space.width), np.int64)

    @classmethod
    def create(
        cls, space: DesignSpace, config: Any, rng: np.random.Generator, *, budget: int, n_objectives: int = 1
    ) -> Self:
        """Build the agent; the first grid has at most ``budget`` designs."""
        refuse_several_objectives("grid_search", n_objectives)
        return cls(space, config, rng, max(min(budget, _LARGEST_GRID), 1))

    def plan(self) -> Rows:
        while not len(self._grid) and self._points <= _LARGEST_GRID:
            self._grid = self._untried.among(self._rng.permutation(self._listed(), axis=0))
            self._points *= 2
        rows, self._grid = self._grid[:_BATCH], self._grid[_BATCH:]
        return self._untried.take(rows) if len(rows) else self._untried.draw(_BATCH, self._rng)

    def _listed(self) -> Rows:
        """Every design of the largest grid of at most so many points: (N, D)."""
        sizes = self._space.nvec
        levels = _levels_within(sizes, np.argsort(-sizes, kind="stable").tolist(), self._points)
        axes = [_spread(size, count) for size, count in zip(sizes.tolist(), levels, strict=True)]
        counts = [len(axis) for axis in axes]
        # Digit by digit: a mesh has a dimension a column, and NumPy allows 64.
        strides = [prod(counts[column + 1 :]) for column in range(len(counts))]
        numbers = np.arange(prod(counts))
        digits = zip(axes, strides, counts, strict=True)
        return np.stack([axis[numbers // stride % count] for axis, stride, count in digits], axis=1)


def _spread(size: int, levels: int) -> NDArray[np.int64]:
    """That many indices of ``size``, from the first to the last; one in the middle."""
    if levels == 1:
        return np.array([size // 2])
    return np.unique(np.linspace(0, size - 1, levels).round().astype(np.int64))


def _levels_within(nvec: NDArray[np.int64], order: list[int], points: int) -> list[int]:
    levels = [1] * len(nvec)
    grown = True
    while grown:
        grown = False
        for column in order:
            more = prod(levels) // levels[column] * (levels[column] + 1)
            if levels[column] < nvec[column] and more <= points:
                levels[column] += 1
                grown = True
    return levels
