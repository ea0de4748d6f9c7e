"""Evolution towards a front: what NSGA-II and NSGA-III share, which is all but how the last front is thinned."""

from __future__ import annotations

__all__ = ["FrontEvolution", "ranked_fronts"]

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from archgym_agents._batches import Outcomes
from archgym_agents._search import Search
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows

Positions = NDArray[np.intp]


class FrontEvolution(Search):
    """(mu + lambda) evolution whose survivors are taken front by front.

    Feasible designs come before infeasible ones, which are ranked by what they miss (constrained domination). Of the
    first front that does not fit whole, `thin` says which designs stay.
    """

    def __init__(self, space: DesignSpace, config: Any, rng: np.random.Generator, n_objectives: int) -> None:
        super().__init__(space, config, rng)
        self.n_objectives = n_objectives
        self._population: Outcomes | None = None  # best first

    @classmethod
    def create(
        cls, space: DesignSpace, config: Any, rng: np.random.Generator, *, budget: int, n_objectives: int = 1
    ) -> Self:
        """Build the agent for any number of objectives; the budget does not change what it proposes."""
        return cls(space, config, rng, n_objectives)

    @abstractmethod
    def thin(self, rewards: NDArray[np.float64], whole: int, keep: int) -> Positions:
        """Which ``keep`` of the last front stay.

        Args:
            rewards: (N, K) of the fronts that fit whole, then of the last one.
            whole: how many of them fit whole.
            keep: how many more are wanted.

        Returns:
            Positions among all N, each at least ``whole``.
        """

    def plan(self) -> Rows:
        if self._population is None:
            return self._untried.draw(self._config.population, self._rng)
        parents, count = self._population.rows, self._config.population
        mothers, fathers = (parents[self._winners(len(parents), count)] for _ in range(2))
        crossed = self._moves.cross(mothers, fathers, self._rng)
        has_two = self._rng.random(count) < self._config.crossover
        children = np.where(has_two[:, None], crossed, mothers)
        chosen = self._moves.choose(count, self._config.mutation, self._rng)
        return self.fresh(self._moves.mutate(children, chosen, self._rng), count)

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        alive = outcomes.take(np.flatnonzero(~outcomes.failed))
        together = alive if self._population is None else alive.followed_by(self._population)
        if len(together.rows):
            self._population = together.take(self._survivors(together))

    def _survivors(self, outcomes: Outcomes) -> Positions:
        kept: list[Positions] = []
        missing = self._config.population
        for front in ranked_fronts(outcomes):
            if len(front) <= missing:
                kept.append(front)
                missing -= len(front)
                continue
            if missing and outcomes.feasible[front[0]]:
                order = np.concatenate([*kept, front])
                whole = len(order) - len(front)
                kept.append(order[self.thin(outcomes.rewards[order], whole, missing)])
            elif missing:
                kept.append(front[:missing])
            break
        return np.concatenate(kept)

    def _winners(self, size: int, count: int) -> NDArray[np.int64]:
        """Winners of tournaments of two: positions in the population, which is sorted by front."""
        winners: NDArray[np.int64] = self._rng.integers(0, size, (count, 2)).min(axis=1)
        return winners


def ranked_fronts(outcomes: Outcomes) -> Iterator[Positions]:
    """Positions of the first front, of the front without it, and so on; infeasible designs one by one, after that."""
    feasible = np.flatnonzero(outcomes.feasible)
    for front in _fronts(outcomes.rewards[feasible]):
        yield feasible[front]
    infeasible = np.flatnonzero(~outcomes.feasible)
    yield from infeasible[np.argsort(outcomes.missed[infeasible], kind="stable")][:, None]


def _fronts(rewards: NDArray[np.float64]) -> Iterator[Positions]:
    """Positions, ascending, of each front of points (N, K), best front first; equal points share a front."""
    no_worse = np.asarray((rewards[:, None] >= rewards[None]).all(axis=2))
    dominates = no_worse & ~no_worse.T  # (N, N)
    above = dominates.sum(axis=0)  # (N,) points not yet taken that dominate each
    while len(front := np.flatnonzero(above == 0)):
        yield front
        above -= dominates[front].sum(axis=0)
        above[front] = -1
