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
from archgym_agents._values import ValueTable
from archgym_simulators.space import Rows

Places = NDArray[np.int64]
_FIRST_SCALE = 0.1
_NEVER = -1e9


class _Policy(ABC):
    """What both have in common: logits by column, padded to C, the most values of a column."""

    def __init__(self, table: ValueTable) -> None:
        sizes = np.bincount(table.column_of())  # (D,) values of each column
        self._table = table
        self._firsts = np.cumsum(sizes) - sizes  # (D,) place of each column's first value
        self._shape = len(sizes), int(sizes.max())
        self._is_value = np.arange(self._shape[1]) < sizes[:, None]  # (D, C)
        self._padding = np.where(self._is_value, 0.0, _NEVER).astype(np.float32)

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
        self._adam = Adam([np.zeros(self._shape, np.float32)], learning_rate)

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        chances = np.exp(self.log_chances(np.zeros((0, 0), np.int64))[:, 0])
        return self._table.draw(chances[self._is_value].astype(np.float64), n, rng)

    def log_chances(self, rows: Rows) -> Singles:
        return _log_softmax((self._adam.weights[0] + self._padding)[:, None])

    def improve(self, rows: Rows, gains: Floats, entropy: float) -> None:
        slope = _free_slope(self.log_chances(rows), gains.mean(keepdims=True), entropy)[:, 0]  # (D, C)
        each = np.repeat(gains / len(rows), len(self._firsts))
        slope[self._is_value] += np.bincount(self._table.places(rows).ravel(), each, self._table.size)
        self._adam.climb([slope])


class Autoregressive(_Policy):
    """NADE: the hidden layer before a column is the sum of what the choices before it contribute."""

    def __init__(self, table: ValueTable, hidden: int, learning_rate: float, rng: np.random.Generator) -> None:
        super().__init__(table)
        columns, most = self._shape
        shapes = (table.size, hidden), (hidden,), (columns, hidden, most)
        first = [_FIRST_SCALE * rng.standard_normal(shape) for shape in shapes]
        self._adam = Adam([one.astype(np.float32) for one in (*first, np.zeros((columns, 1, most)))], learning_rate)
        # What each value adds to the hidden layer, the layer before any choice; from it to logits, with constants.
        self._given, self._start, self._out, self._logits = self._adam.weights
        self._order = rng.permutation(columns)
        position = np.argsort(self._order)
        spans = list(pairwise([*self._firsts.tolist(), table.size]))
        self._spans = [(column, *spans[column]) for column in self._order.tolist()]
        self._is_earlier = (position < position[:, None]).astype(np.float32)  # (D, D) 1 for a column chosen before

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Rows (n, D), column after column."""
        luck = rng.gumbel(size=(n, self._table.size)).astype(np.float32)  # the highest of logit + luck is a draw
        luck += self._logits[:, 0][self._is_value]
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
        before = self._before(places)
        slope = _free_slope(self._logs(before), gains, entropy)  # (D, N, C)
        slope[np.arange(columns)[:, None], np.arange(count), places - self._firsts[:, None]] += gains
        slope /= count
        sums = (slope @ self._out.transpose(0, 2, 1)) * (1.0 - before * before)  # (D, N, H), of what tanh is taken of
        out = before.transpose(0, 2, 1) @ slope
        start, logits = np.einsum("dnh->h", sums), np.einsum("dnc->dc", slope)
        self._adam.climb([self._given_slope(places, sums), start, out, logits])

    def _before(self, places: Places) -> Singles:
        """The hidden layer, after its tanh, that each column is chosen from: (D, N, H)."""
        return np.tanh(self._start + _added_up(self._is_earlier, self._given.take(places, axis=0)))

    def _logs(self, before: Singles) -> Singles:
        """Logarithms of chances (D, N, C)."""
        return _log_softmax(before @ self._out + self._logits + self._padding[:, None])

    def _given_slope(self, places: Places, sums: Singles) -> Singles:
        """Of what values add (V * H,): a choice adds to the sums (D, N, H) of all columns after its own."""
        after = _added_up(self._is_earlier.T, sums)  # (D, N, H)
        width = after.shape[2]
        spots = places[:, :, None] * width + np.arange(width)
        return np.bincount(spots.ravel(), after.ravel(), self._given.size).astype(np.float32)


def _added_up(which: Singles, parts: Singles) -> Singles:
    """Sums of parts (D, N, H), for each of the columns (D, D) that are 1: (D, N, H)."""
    return np.asarray(which @ parts.reshape(len(parts), -1)).reshape(parts.shape)


def _log_softmax(logits: Singles) -> Singles:
    """Of logits (..., C)."""
    # NumPy takes a maximum along a short last axis several times as long as copying it to the front.
    rest = logits - np.ascontiguousarray(np.moveaxis(logits, -1, 0)).max(axis=0)[..., None]
    return np.asarray(rest - np.log(np.einsum("...c->...", np.exp(rest)))[..., None])


def _free_slope(logs: Singles, gains: Floats, entropy: float) -> Singles:
    """The part of the slope by logits (D, N, C) that does not depend on what was chosen.

    With p the chances that logits give, and x the choice of a design of gain g, that of ``g log p(x)`` is
    ``g (1[x] - p)``, without its first term; that of the entropy ``-p (log p - sum(p log p))``.
    """
    chances, bonus = np.exp(logs), np.float32(entropy)
    expected = np.einsum("dnc,dnc->dn", chances, logs)
    free = (bonus * expected - gains.astype(np.float32))[:, :, None] - bonus * logs
    return np.asarray(chances * free)
