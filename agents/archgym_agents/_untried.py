"""A memory of what was proposed, so that no agent spends a proposal on a design it has tried."""

from __future__ import annotations

from typing import Any

import numpy as np

from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows

_ENUMERABLE = 1 << 21  # rows; listing the rest of a space takes about a second at this size
_ROUNDS, _ROUNDS_BEFORE_FOLDING = 64, 8
_TRIES = 3


class Untried:
    """The canonical designs of a space that have not been proposed yet.

    A design whose evaluation failed is unknown, not bad: it becomes untried again, up to three times.
    """

    def __init__(self, space: DesignSpace) -> None:
        self._space = space
        self._tried: set[Any] = set()
        self._failures: dict[Any, int] = {}
        self._rest: Rows | None = None  # what is left of a nearly exhausted space, in random order

    def among(self, rows: Rows) -> Rows:
        """The untried designs of ``rows`` (N, D), canonical, each once, in order: (M, D)."""
        return self._fresh(rows, len(rows))[0]

    def take(self, rows: Rows, limit: int | None = None) -> Rows:
        """As `among`, the first ``limit`` of them, which then count as tried."""
        fresh, keys = self._fresh(rows, len(rows) if limit is None else limit)
        self._tried.update(keys)
        return fresh

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Up to ``n`` designs, uniform over the untried ones, which then count as tried: (M, D); 0 when none is left.

        A space of more than two million rows is not listed: there, a draw that keeps finding tried designs gives up.
        """
        found: list[Rows] = []
        missing = n
        for attempt in range(_ROUNDS):
            if not missing or self._rest is not None:
                break
            candidates = self._candidates(max(64, 4 * missing), rng, fold=attempt >= _ROUNDS_BEFORE_FOLDING)
            fresh = self.take(candidates, missing)
            found.append(fresh)
            missing -= len(fresh)
            if missing and 8 * len(fresh) < len(candidates) and self._space.size <= _ENUMERABLE:
                self._rest = self._listed_rest(rng)
        while missing and self._rest is not None and len(self._rest):
            fresh = self.take(self._rest[:missing])
            self._rest = self._rest[missing:]
            found.append(fresh)
            missing -= len(fresh)
        return np.concatenate([np.zeros((0, self._space.width), np.int64), *found])

    def forget_failed(self, rows: Rows) -> Rows:
        """Make failed designs (N, D) untried again, where they have not failed too often; returns those: (M, D)."""
        again = []
        for position, key in enumerate(self._space.keys(self._space.canonical(rows))):
            self._failures[key] = self._failures.get(key, 0) + 1
            if self._failures[key] < _TRIES:
                self._tried.discard(key)
                again.append(position)
        if self._rest is not None:
            self._rest = np.concatenate([self._rest, rows[again]])
        return rows[again]

    def _fresh(self, rows: Rows, limit: int) -> tuple[Rows, list[Any]]:
        folded = self._space.canonical(rows)
        keys: list[Any] = self._space.keys(folded)
        if len(keys) == 1 and limit:  # what agents that move one design at a time would wait for
            return (folded[:0], []) if keys[0] in self._tried else (folded.copy(), keys)
        position_of: dict[Any, int] = {}
        for position, key in enumerate(keys):
            if len(position_of) == limit:
                break
            if key not in self._tried:
                position_of.setdefault(key, position)
        return folded[list(position_of.values())], list(position_of)

    def _candidates(self, count: int, rng: np.random.Generator, *, fold: bool) -> Rows:
        # Folding would favour designs that many rows mean, so it is for spaces where canonical rows are hardly found.
        rows = self._space.sample(count, rng)
        folded = self._space.canonical(rows)
        return folded if fold else rows[(folded == rows).all(axis=1)]

    def _listed_rest(self, rng: np.random.Generator) -> Rows:
        parts = [self.among(chunk) for chunk in self._space.chunks(canonical=True)]
        return rng.permutation(np.concatenate(parts), axis=0)
