"""Regularised evolution: tournaments among the young; the oldest dies, however good it is.

Algorithm: ageing evolution (Real et al., AAAI 2019). A queue of ``population`` designs, random at first. Each step the
best of ``tournament`` random members has ``children`` mutated copies (one parameter moved by its kind), which join the
queue as its oldest members leave. Ageing forgets lucky outcomes and keeps the population moving. Copies that were tried
before are moved on until they are new.

Does well: a few hundred calls on spaces whose good designs are reached by single changes; the reference of NAS papers.
Does badly: fewer calls than a few populations; it has no crossover, so good halves are not put together.
"""

from __future__ import annotations

from dataclasses import dataclass

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


class RegularisedEvolution(Search):
    """Ageing evolution without repeats."""

    Config = RegularisedEvolutionConfig
    _config: RegularisedEvolutionConfig

    def __init__(self, space: DesignSpace, config: RegularisedEvolutionConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._alive: Outcomes | None = None  # oldest first

    def plan(self) -> Rows:
        if self._alive is None:
            return self._untried.draw(self._config.population, self._rng)
        drawn = self._alive.take(self._rng.integers(0, len(self._alive.rows), self._config.tournament))
        best = drawn.best_first()
        parents = np.repeat(drawn.rows[best[:1]], self._config.children, axis=0)
        for _ in range(self._config.mutations):
            parents = self._moves.mutate(parents, self._moves.choose_one(len(parents), self._rng), self._rng)
        return self.fresh(parents, self._config.children)

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        born = outcomes.take(np.flatnonzero(~outcomes.failed))
        if not len(born.rows):
            return
        together = born if self._alive is None else self._alive.followed_by(born)
        self._alive = together.take(np.arange(max(len(together.rows) - self._config.population, 0), len(together.rows)))
