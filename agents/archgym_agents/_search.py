"""What the own searchers for one objective have in common."""

from __future__ import annotations

__all__ = ["Search"]

from typing import Any, Self

import numpy as np

from archgym.agent import refuse_several_objectives
from archgym_agents._batches import BatchSearch, Outcomes
from archgym_agents._moves import Moves
from archgym_agents._untried import Untried
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows

_MORE_MOVES = 8  # of a design that was tried before, until it is given up for a random one


class Search(BatchSearch):
    """A searcher with settings, a generator, moves of its space's kinds, and a memory of what was tried."""

    def __init__(self, space: DesignSpace, config: Any, rng: np.random.Generator) -> None:
        super().__init__(space.width)
        self._space = space
        self._config = config
        self._rng = rng
        self._moves = Moves(space)
        self._untried = Untried(space)

    @classmethod
    def create(
        cls,
        space: DesignSpace,
        config: Any,
        rng: np.random.Generator,
        *,
        budget: int,
        n_objectives: int = 1,
    ) -> Self:
        """Build the agent; the budget does not change what it proposes."""
        refuse_several_objectives(cls.__module__.rpartition(".")[2], n_objectives)
        return cls(space, config, rng)

    def learn(self, outcomes: Outcomes) -> None:
        """Failed evaluations say nothing about their designs, which may be tried again."""
        if outcomes.failed.any():
            self._untried.forget_failed(outcomes.rows[outcomes.failed])

    def overhear(self, outcomes: Outcomes) -> None:
        """What another agent proposed is not proposed again."""
        self._untried.take(outcomes.rows[~outcomes.failed])

    def fresh(self, rows: Rows, wanted: int) -> Rows:
        """``wanted`` designs that are new: those of ``rows`` (N, D), then moves of them, then random designs."""
        found = self._untried.take(rows, wanted)
        if len(found) == wanted:
            return found
        for _ in range(_MORE_MOVES):
            missing = wanted - len(found)
            if not missing or not len(rows):
                break
            rows = rows[self._rng.integers(0, len(rows), max(8 * missing, 32))]
            rows = self._moves.mutate(rows, self._moves.choose_one(len(rows), self._rng), self._rng)
            found = np.concatenate([found, self._untried.take(rows, missing)])
        return np.concatenate([found, self._untried.draw(wanted - len(found), self._rng)])
