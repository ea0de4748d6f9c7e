"""Distributions over designs that follow the likelihood-ratio gradient; importing this module needs torch."""

from __future__ import annotations

__all__ = ["Autoregressive", "Factorised"]

from abc import ABC, abstractmethod
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from archgym_agents._rewards import Floats
from archgym_agents._torch import one_thread
from archgym_agents._values import ValueTable
from archgym_simulators.space import Rows

Places = NDArray[np.int64]
_FIRST_SCALE = 0.1
_NEVER = -1e9


class _Policy(ABC):
    """What both have in common: logits by column, padded to C, the most values of a column, and one update."""

    def __init__(self, table: ValueTable) -> None:
        sizes = np.bincount(table.column_of())  # (D,) values of each column
        self._table = table
        self._firsts = np.cumsum(sizes) - sizes  # (D,) place of each column's first value
        self._shape = len(sizes), int(sizes.max())
        self._is_value = np.arange(self._shape[1]) < sizes[:, None]  # (D, C)
        self._padding = torch.from_numpy(np.where(self._is_value, 0.0, _NEVER).astype(np.float32))
        self._adam: torch.optim.Adam

    @abstractmethod
    def log_chances(self, values: Places) -> Tensor:
        """Of every value of every column, given the choices (N, D) before it: (N, D, C), or (1, D, C) for all alike."""

    def improve(self, rows: Rows, gains: Floats, entropy: float) -> None:
        """One step for rows (N, D) with gains (N,) over the baseline."""
        values = self._values(rows)
        weights = np.zeros((len(rows), *self._shape), dtype=np.float32)
        np.put_along_axis(weights, values[:, :, None], (gains / len(rows)).astype(np.float32)[:, None, None], axis=2)
        with one_thread():
            logs = self.log_chances(values)
            if len(logs) == 1:
                weights = weights.sum(axis=0, keepdims=True)
            order = (logs.exp() * logs).sum() / len(logs)
            self._adam.zero_grad()
            (entropy * order - (torch.from_numpy(weights) * logs).sum()).backward()  # type: ignore[no-untyped-call]
            self._adam.step()

    def _values(self, rows: Rows) -> Places:
        """Values, or bins of values, of each column (N, D)."""
        return self._table.places(rows) - self._firsts


class Factorised(_Policy):
    """Independent softmaxes, all logits 0 at first."""

    def __init__(self, table: ValueTable, learning_rate: float) -> None:
        super().__init__(table)
        self._logits = torch.zeros(1, *self._shape, requires_grad=True)
        self._adam = torch.optim.Adam([self._logits], lr=learning_rate, fused=True)

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Rows (n, D)."""
        chances = self.log_chances(np.zeros((0, 0), np.int64)).detach().exp().numpy()[0]
        return self._table.draw(chances[self._is_value].astype(np.float64), n, rng)

    def log_chances(self, values: Places) -> Tensor:
        return torch.log_softmax(self._logits + self._padding, dim=2)


class Autoregressive(_Policy):
    """NADE: the hidden layer before a column is the sum of what the choices before it contribute."""

    def __init__(self, table: ValueTable, hidden: int, learning_rate: float, rng: np.random.Generator) -> None:
        def first(*shape: int) -> Tensor:
            drawn = _FIRST_SCALE * rng.standard_normal(shape)
            return torch.from_numpy(drawn.astype(np.float32)).requires_grad_()

        super().__init__(table)
        columns, most = self._shape
        self._given = first(table.size, hidden)  # what a choice adds to the hidden layer
        self._start = first(hidden)
        self._out = first(columns, hidden, most)
        self._logits = torch.zeros(columns, 1, most, requires_grad=True)
        weights = [self._given, self._start, self._out, self._logits]
        self._adam = torch.optim.Adam(weights, lr=learning_rate, fused=True)
        self._order = rng.permutation(columns)
        self._position = np.argsort(self._order)  # (D,) of each column in the order
        ends = [*self._firsts.tolist(), table.size]
        self._spans = [(column, *list(pairwise(ends))[column]) for column in self._order.tolist()]

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Rows (n, D), column after column."""
        weights = (self._given, self._start, self._out, self._logits)
        given, start, out, logits = (one.detach().numpy() for one in weights)
        noise = rng.gumbel(size=(n, self._table.size)).astype(np.float32)  # the highest of logit + noise is a draw
        hidden = np.tile(start, (n, 1))
        places = np.empty((n, len(self._spans)), dtype=np.int64)
        for column, low, high in self._spans:
            scores = np.tanh(hidden) @ out[column] + logits[column]  # (n, C)
            places[:, column] = low + (scores[:, : high - low] + noise[:, low:high]).argmax(axis=1)
            hidden += given[places[:, column]]
        return self._table.rows_at(places, rng)

    def log_chances(self, values: Places) -> Tensor:
        places = torch.from_numpy((values + self._firsts)[:, self._order])
        added = self._given[places]  # (N, D, H)
        before = torch.tanh(self._start + added.cumsum(dim=1) - added)[:, self._position]
        logits = torch.baddbmm(self._logits, before.transpose(0, 1), self._out)  # (D, N, C)
        return torch.log_softmax(logits.transpose(0, 1) + self._padding, dim=2)
