"""Weights for every value of every index column, laid end to end: what colonies and distributions learn."""

from __future__ import annotations

__all__ = ["ValueTable"]

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows

Weights = NDArray[np.float64]
_MOST_BINS = 1024


class ValueTable:
    """Positions of (column, value) pairs in one vector of V weights.

    A column of more than 1,024 values has 1,024 bins of about equally many instead; values of a bin are drawn alike.
    """

    def __init__(self, space: DesignSpace) -> None:
        self._nvec = space.nvec
        self._bins = np.minimum(space.nvec, _MOST_BINS)
        self._first = np.cumsum([0, *self._bins[:-1].tolist()])  # (D,)
        self.size = int(self._bins.sum())

    def uniform(self) -> Weights:
        """Weights (V,) that add up to 1 in every column."""
        return np.repeat(1.0 / self._bins, self._bins)

    def shares(self, rows: Rows) -> Weights:
        """Share (V,) of the rows (N, D) that have each value."""
        return np.bincount(self.places(rows).ravel(), minlength=self.size) / len(rows)

    def places(self, rows: Rows) -> NDArray[np.int64]:
        """Where the values of rows (N, D) are in the vector: (N, D)."""
        return np.asarray(self._first + rows * self._bins // self._nvec)

    def column_of(self) -> NDArray[np.int64]:
        """The column of every weight: (V,)."""
        return np.repeat(np.arange(len(self._bins)), self._bins)

    def rows_at(self, places: NDArray[np.int64], rng: np.random.Generator) -> Rows:
        """Rows (n, D) whose values are at places (n, D); the inverse of `places`, but for what a bin holds."""
        return self._inside(places - self._first, rng)

    def column_sums(self, weights: Weights) -> Weights:
        """The sum of its column beside every weight: (V,)."""
        return np.repeat(np.add.reduceat(weights, self._first), self._bins)

    def column_maxima(self, weights: Weights) -> Weights:
        """The largest weight of its column beside every weight: (..., V)."""
        return np.repeat(np.maximum.reduceat(weights, self._first, axis=-1), self._bins, axis=-1)

    def draw(self, weights: Weights, n: int, rng: np.random.Generator) -> Rows:
        """Rows (n, D), each column on its own by its weights, which need not add up to 1."""
        running = np.cumsum(weights)
        before = running[self._first] - weights[self._first]
        whole = running[self._first + self._bins - 1] - before
        goal = before + rng.random((n, len(self._nvec))) * whole
        found = np.searchsorted(running, goal.ravel(), side="right").reshape(goal.shape)
        return self._inside(np.clip(found - self._first, 0, self._bins - 1), rng)

    def best(self, weights: Weights, n: int, rng: np.random.Generator) -> Rows:
        """Rows (n, D) of the value with most weight in each column, the first of equals."""
        bounds = [*self._first.tolist(), self.size]
        bins = np.array([int(weights[a:b].argmax()) for a, b in pairwise(bounds)])
        return self._inside(np.broadcast_to(bins, (n, len(bins))), rng)

    def highest(self, scores: Weights, rng: np.random.Generator) -> Rows:
        """One row a row of scores (n, V), of the value that scores most in each column, the first of equals: (n, D)."""
        design, place = np.nonzero(scores == self.column_maxima(scores))
        column = np.searchsorted(self._first, place, side="right") - 1
        _, chosen = np.unique(design * len(self._first) + column, return_index=True)
        return self._inside((place - self._first[column])[chosen].reshape(len(scores), -1), rng)

    def _inside(self, bins: NDArray[np.int64], rng: np.random.Generator) -> Rows:
        """A value of each bin (n, D)."""
        low = -(-bins * self._nvec // self._bins)
        high = -(-(bins + 1) * self._nvec // self._bins)
        if np.array_equal(self._bins, self._nvec):
            return np.asarray(low)
        return rng.integers(low, high)
