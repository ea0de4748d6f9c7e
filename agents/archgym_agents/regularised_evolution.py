"""Regularised evolution: tournaments among the young; the oldest dies, however good it is.

Algorithm: ageing evolution (Real et al., AAAI 2019). A queue of ``population`` designs, random at first. Each step the
best of ``tournament`` random members has ``children`` mutated copies (one parameter moved by its kind), which join the
queue as its oldest members leave. Ageing forgets lucky outcomes and keeps the population moving. Copies that were tried
before are moved on until they are new.

Does well: a few hundred calls on spaces whose good designs are reached by single changes; the reference of NAS papers.
Does badly: fewer calls than a few populations; it has no crossover, so good halves are not put together.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from archgym.agent import Settings, setting
from archgym_agents._batches import Outcomes
from archgym_agents._search import Search
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows


@dataclass(frozen=True)
class RegularisedEvolutionConfig(Settings):
    """Settings of regularised evolution."""

    population: int = setting(16, "designs that are alive", values=(8, 10, 16, 32, 64, 100), low=2)
    tournament: int = setting(4, "members of which the best has children", values=(2, 3, 4, 8, 16), low=1)
    children: int = setting(1, "mutated copies a step", values=(1, 2, 4, 8), low=1)
    mutations: int = setting(1, "parameters that a copy moves", values=(1, 2), low=1)


class _Member(NamedTuple):
    """A design that is alive, (D,), and what it is compared by."""

    row: Rows
    rank: tuple[bool, float]


class RegularisedEvolution(Search):
    """Ageing evolution without repeats."""

    Config = RegularisedEvolutionConfig
    _config: RegularisedEvolutionConfig

    def __init__(self, space: DesignSpace, config: RegularisedEvolutionConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._alive: deque[_Member] = deque(maxlen=config.population)  # oldest first

    def plan(self) -> Rows:
        if not self._alive:
            return self._untried.draw(self._config.population, self._rng)
        drawn = self._rng.integers(0, len(self._alive), self._config.tournament).tolist()
        best = max((self._alive[place] for place in drawn), key=lambda member: member.rank)
        return self.fresh(
            np.array([self._mutated(best.row) for _ in range(self._config.children)]), self._config.children
        )

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        for place in np.flatnonzero(~outcomes.failed).tolist():
            self._alive.append(_Member(outcomes.rows[place], outcomes.rank(place)))

    def _mutated(self, row: Rows) -> Rows:
        for _ in range(self._config.mutations):
            row = self._moves.step(row, self._rng)
        return row
