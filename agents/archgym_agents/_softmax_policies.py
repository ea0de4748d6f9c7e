"""Distributions over designs that follow the likelihood-ratio gradient, in single precision.

Gradients are written out: an update of so few weights takes a library that derives them several times as long.
"""

from __future__ import annotations

__all__ = ["Autoregressive", "Factorised"]

from abc import ABC, abstractmethod
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from archgym_agents._adam import Adam, Singles
from archgym_agents._rewards import Floats
from archgym_agents._softmax import PaddedColumns, free_slope, log_softmax
from archgym_agents._values import ValueTable
from archgym_simulators.space import Rows

Places = NDArray[np.int64]
_FIRST_SCALE = 0.1


class _Policy(ABC):
    """What both have in common: logits by column."""

    def __init__(self, table: ValueTable) -> None:
        self._table = table
        self._columns = PaddedColumns(table)

    @abstractmethod
    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Rows (n, D)."""

    @abstractmethod
    def log_chances(self, rows: Rows) -> Singles:
        """Of every value of every column, given the choices (N, D) before it: (D, N, C), or (D, 1, C) for all alike."""

    @abstractmethod
    def improve(self, rows: Rows, gains: Floats, entropy: float) -> None:
        """One step for rows (N, D) with gains (N,) over the baseline."""


class Factorised(_Policy):
    """Independent softmaxes, all logits 0 at first."""

    def __init__(self, table: ValueTable, learning_rate: float) -> None:
        super().__init__(table)
        self._adam = Adam([np.zeros(self._columns.is_value.shape, np.float32)], learning_rate)

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        chances = np.exp(self.log_chances(np.zeros((0, 0), np.int64))[:, 0])
        return self._table.draw(chances[self._columns.is_value].astype(np.float64), n, rng)

    def log_chances(self, rows: Rows) -> Singles:
        return log_softmax(self._adam.weights[0][:, None] + self._columns.padding)

    def improve(self, rows: Rows, gains: Floats, entropy: float) -> None:
        mean = gains.mean(keepdims=True).astype(np.float32)
        slope = free_slope(self.log_chances(rows), mean, np.full(1, entropy, np.float32))[:, 0]  # (D, C)
        each = np.repeat(gains / len(rows), slope.shape[0])
        slope[self._columns.is_value] += np.bincount(self._table.places(rows).ravel(), each, self._table.size)
        self._adam.slopes[0][:] = slope
        self._adam.climb()


class Autoregressive(_Policy):
    """NADE: the hidden layer before a column is the sum of what the choices before it contribute."""

    def __init__(self, table: ValueTable, hidden: int, learning_rate: float, rng: np.random.Generator) -> None:
        super().__init__(table)
        columns, most = self._columns.is_value.shape
        shapes = (table.size, hidden), (hidden,), (columns, hidden, most)
        first = [_FIRST_SCALE * rng.standard_normal(shape) for shape in shapes]
        self._adam = Adam([one.astype(np.float32) for one in (*first, np.zeros((columns, 1, most)))], learning_rate)
        # What each value adds to the hidden layer, the layer before any choice; from it to logits, with constants.
        self._given, self._start, self._out, self._logits = self._adam.weights
        self._order = rng.permutation(columns)
        position = np.argsort(self._order)
        spans = list(pairwise([*self._columns.firsts.tolist(), table.size]))
        self._spans = [(column, *spans[column]) for column in self._order.tolist()]
        self._is_earlier = (position < position[:, None]).astype(np.float32)  # (D, D) 1 for a column chosen before

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Rows (n, D), column after column."""
        luck = rng.gumbel(size=(n, self._table.size)).astype(np.float32)  # the highest of logit + luck is a draw
        luck += self._logits[:, 0][self._columns.is_value]
        hidden = np.tile(self._start, (n, 1))
        places = np.empty((len(self._order), n), dtype=np.int64)
        for column, low, high in self._spans:
            scores = np.tanh(hidden).dot(self._out[column, :, : high - low])  # (n, values)
            scores += luck[:, low:high]
            np.add(scores.argmax(axis=1), low, out=places[column])
            hidden += self._given.take(places[column], axis=0)
        return self._table.rows_at(places.T, rng)

    def log_chances(self, rows: Rows) -> Singles:
        return self._logs(self._before(self._table.places(rows).T))

    def improve(self, rows: Rows, gains: Floats, entropy: float) -> None:
        places = self._table.places(rows).T  # (D, N)
        columns, count = places.shape
        pull, slopes = gains.astype(np.float32), self._adam.slopes
        before = self._before(places)
        slope = free_slope(self._logs(before), pull, np.full(1, entropy, np.float32))  # (D, N, C)
        slope[np.arange(columns)[:, None], np.arange(count), places - self._columns.firsts[:, None]] += pull
        slope /= count
        sums = (slope @ self._out.transpose(0, 2, 1)) * (1.0 - before * before)  # (D, N, H), of what tanh is taken of
        slopes[0][:] = self._given_slope(places, sums)
        np.einsum("dnh->h", sums, out=slopes[1])
        np.matmul(before.transpose(0, 2, 1), slope, out=slopes[2])
        np.einsum("dnc->dc", slope, out=slopes[3][:, 0])
        self._adam.climb()

    def _before(self, places: Places) -> Singles:
        """The hidden layer, after its tanh, that each column is chosen from: (D, N, H)."""
        return np.asarray(np.tanh(self._start + _added_up(self._is_earlier, self._given.take(places, axis=0))))

    def _logs(self, before: Singles) -> Singles:
        """Logarithms of chances (D, N, C)."""
        return log_softmax(before @ self._out + self._logits + self._columns.padding)

    def _given_slope(self, places: Places, sums: Singles) -> Singles:
        """Of what values add (V, H): a choice adds to the sums (D, N, H) of all columns after its own."""
        after = _added_up(self._is_earlier.T, sums)  # (D, N, H)
        width = after.shape[2]
        spots = places[:, :, None] * width + np.arange(width)
        return np.bincount(spots.ravel(), after.ravel(), self._given.size).astype(np.float32).reshape(self._given.shape)


def _added_up(which: Singles, parts: Singles) -> Singles:
    """Sums of parts (D, N, H), for each of the columns (D, D) that are 1: (D, N, H)."""
    return np.asarray(which @ parts.reshape(len(parts), -1)).reshape(parts.shape)
