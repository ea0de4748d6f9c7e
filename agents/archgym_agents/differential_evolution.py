"""Differential evolution on indices: differences between designs say how far to go, and in which direction.

Algorithm: DE/current-to-best/1/bin (Storn & Price 1997). A trial is its target, moved towards the best design and by
the scaled difference of two others, index by index; each index is taken over with probability ``crossover``. Indices
are reflected at the ends and rounded at random, so that small differences still act. Categoricals and the digits of
orders have no direction: there a trial takes the value of the best, of one of the two others, or keeps its own. A trial
replaces its target where it is not worse. Trials that were tried before are moved on until they are new.

Does well: ordinals with a common direction to better designs; some hundred calls and more.
Does badly: categoricals and orders, where it is only uniform crossover; budgets below some ten populations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym.agent import Settings, setting
from archgym_agents._batches import Outcomes
from archgym_agents._search import Search
from archgym_simulators import Categorical, DesignSpace, Factors, Permutation
from archgym_simulators.space import Rows


@dataclass(frozen=True)
class DifferentialEvolutionConfig(Settings):
    """Settings of differential evolution."""

    population: int = setting(16, "designs; as many trials a generation", values=(8, 16, 32, 64), low=4)
    scale: float = setting(0.6, "factor of differences", values=(0.3, 0.5, 0.6, 0.8, 1.0), low=0.0, high=2.0)
    greed: float = setting(0.5, "share of the way to the best design", values=(0.0, 0.3, 0.5, 0.8), low=0.0, high=1.0)
    crossover: float = setting(
        0.7, "probability that an index is taken from the trial", values=(0.3, 0.5, 0.7, 0.9), low=0.0, high=1.0
    )


class DifferentialEvolution(Search):
    """DE on indices without repeats."""

    Config = DifferentialEvolutionConfig
    _config: DifferentialEvolutionConfig

    def __init__(self, space: DesignSpace, config: DifferentialEvolutionConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._has_direction = _directed_columns(space)
        self._population: Outcomes | None = None

    def plan(self) -> Rows:
        if self._population is None:
            return self._untried.draw(self._config.population, self._rng)
        return self.fresh(self._trials(self._population), len(self._population.rows))

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        if self._population is None:
            alive = outcomes.take(np.flatnonzero(~outcomes.failed))
            self._population = alive if len(alive.rows) >= 4 else None
            return
        # A repeated trial was replaced by another design, so trials meet the worst members that they beat.
        together = outcomes.followed_by(self._population)
        self._population = together.take(together.best_first()[: len(self._population.rows)])

    def _trials(self, population: Outcomes) -> Rows:
        rows, config, rng = population.rows, self._config, self._rng
        count, width = rows.shape
        best = rows[population.best_first()[0]]
        first, second = rows[rng.integers(0, count, count)], rows[rng.integers(0, count, count)]
        moved = rows + config.greed * (best - rows) + config.scale * (first - second)
        numeric = self._folded_back(np.floor(moved + rng.random(moved.shape)).astype(np.int64))
        source = rng.random((count, width))
        borrowed = np.where(source < config.greed, best, np.where(source < (1.0 + config.greed) / 2.0, first, rows))
        trial = np.where(self._has_direction, numeric, borrowed)
        taken = rng.random((count, width)) < config.crossover
        taken[np.arange(count), rng.integers(0, width, count)] = True
        return np.where(taken, trial, rows)

    def _folded_back(self, moved: NDArray[np.int64]) -> Rows:
        """Indices reflected at both ends until they are inside."""
        last = self._space.nvec - 1
        period = np.maximum(2 * last, 1)
        folded = moved % period
        return np.where(folded > last, period - folded, folded)


def _directed_columns(space: DesignSpace) -> NDArray[np.bool_]:
    """Columns (D,) whose neighbouring indices are neighbouring values."""
    directed = np.ones(space.width, dtype=bool)
    for parameter in space.parameters:
        if isinstance(parameter, Categorical | Permutation | Factors):
            directed[space.columns_of(parameter.name)] = False
    return directed
