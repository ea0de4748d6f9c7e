"""Ant colony: ants choose value by value, led by the pheromone that good designs have left on their values.

Algorithm: ant colony system (Dorigo & Gambardella 1997) with one trail a (column, value) pair. Each round, every ant
takes in each column the value with most pheromone with probability ``greediness``, else one drawn by pheromone. Then
pheromone evaporates by ``evaporation``, and the round's best design and the best so far lay new pheromone, the more the
better their rank. After ``depth`` rounds without a new best, the trails are wiped and the colony starts anew. Designs
that were tried before are moved on until they are new.

Does well: columns whose good values hardly depend on each other; it needs few rounds to see which values matter.
Does badly: coupled parameters; with greediness near 1 it stops looking, as ArchGym's runs show.

ArchGym's 600 settings (ants 2 to 64, evaporation 0.1 to 1, greediness 0 to 1, depth 2 to 16) lie in the hyperparameter
space; there depth is how long a path may grow, which fixed-length designs do not have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archgym.agent import Settings, setting
from archgym_agents._batches import Outcomes
from archgym_agents._search import Search
from archgym_agents._values import ValueTable
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows


@dataclass(frozen=True)
class AntColonyConfig(Settings):
    """Settings of the ant colony."""

    ants: int = setting(8, "designs a round", values=(2, 4, 8, 16, 32, 64), low=1)
    evaporation: float = setting(
        0.25, "share of the pheromone that a round loses", values=(0.1, 0.25, 0.5, 0.75, 1.0), low=0.0, high=1.0
    )
    greediness: float = setting(
        0.25,
        "probability that an ant takes the value with most pheromone",
        values=(0.0, 0.25, 0.5, 0.75, 1.0),
        low=0.0,
        high=1.0,
    )
    depth: int = setting(16, "rounds without a new best until the trails are wiped", values=(2, 4, 8, 16), low=1)
    least: float = setting(
        0.02, "pheromone that never evaporates, as a share of a column's", values=(0.01, 0.02, 0.05), low=0.0, high=1.0
    )


class AntColony(Search):
    """Pheromone on values."""

    Config = AntColonyConfig
    _config: AntColonyConfig

    def __init__(self, space: DesignSpace, config: AntColonyConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._table = ValueTable(space)
        self._pheromone = self._table.uniform()
        self._best: Outcomes | None = None
        self._fruitless = 0

    def plan(self) -> Rows:
        drawn = self._table.draw(self._pheromone, self._config.ants, self._rng)
        greedy = self._rng.random(drawn.shape) < self._config.greediness
        favourite = self._table.best(self._pheromone, len(drawn), self._rng)
        return self.fresh(np.where(greedy, favourite, drawn), self._config.ants)

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        order = outcomes.best_first()
        if not len(order):
            return
        found = outcomes.take(order[:1])
        if self._best is None or found.rank(0) > self._best.rank(0):
            self._best, self._fruitless = found, 0
        else:
            self._fruitless += 1
        if self._fruitless >= self._config.depth:
            self._pheromone, self._best, self._fruitless = self._table.uniform(), None, 0
            return
        laid = self._table.shares(np.concatenate([self._best.rows, found.rows]))
        kept = (1.0 - self._config.evaporation) * self._pheromone + self._config.evaporation * laid
        self._pheromone = (1.0 - self._config.least) * kept + self._config.least * self._table.uniform()
