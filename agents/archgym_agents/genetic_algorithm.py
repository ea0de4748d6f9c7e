"""Genetic algorithm: breed the best designs so far, with operators that know what a parameter is.

Algorithm: (mu + lambda) evolution (Schwefel 1981). Each generation, parents are drawn from the population by tournament
on (feasible, reward); pairs are crossed parameter by parameter (orders by order crossover, factorisations prime by
prime) and mutated (ordinals step, categoricals are redrawn, orders swap, one prime moves); the best ``population`` of
old and new survive, new before old among equals, so that plateaus are crossed. A child that was tried before is
mutated on until it is new, so no call is wasted. Some children are random designs, against being caught in a local
optimum. Graded violations of invalid designs lead into the valid region.

Does well: parameters whose good values combine; 100 to 1,000 calls; plateaus; spaces of any size and kind.
Does badly: budgets of less than about ten generations, and strong coupling of many parameters. On systems on chip under
tight budgets (`soc-three-apps`) a block, its kind, its clock and the tasks on it have to change together: after 300
calls the best single change lessens what is missed, 3 to 6, by 0.003 to 0.3, and none of three runs of 1,000 calls
keeps the budgets, at whatever rate of mutation. `farsi_explorer`, which hears what holds a design back, does by 600.

ArchGym's 72 settings (population 2 to 64, generations 8 to 64, mutation 0.001 to 0.05) lie in the hyperparameter space;
there a run ends after its generations, here it starts again from a fresh population, to use the budget that is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from archgym.agent import Settings, refuse_several_objectives, setting
from archgym_agents._batches import BatchSearch, Outcomes
from archgym_agents._moves import Moves
from archgym_agents._untried import Untried
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows

_MORE_MUTATIONS = 8  # of a child that was tried before, until it is given up for a random design


@dataclass(frozen=True)
class GeneticAlgorithmConfig(Settings):
    """Settings of the genetic algorithm."""

    population: int = setting(8, "designs that survive a generation", values=(2, 4, 8, 16, 32, 64), low=2)
    children: int = setting(
        8, "new designs a generation; 0 for as many as survive", values=(0, 1, 2, 4, 8, 16, 32), low=0
    )
    mutation: float = setting(
        0.1,
        "probability that a parameter of a child is moved",
        values=(0.001, 0.01, 0.05, 0.1, 0.2, 0.4),
        low=0.0,
        high=1.0,
    )
    crossover: float = setting(
        0.8, "probability that a child has two parents", values=(0.0, 0.4, 0.8, 1.0), low=0.0, high=1.0
    )
    tournament: int = setting(
        2, "designs of which the best becomes a parent; 1 for no selection", values=(1, 2, 4), low=1
    )
    immigrants: float = setting(
        0.1, "probability that a child is a random design instead", values=(0.0, 0.1, 0.2), low=0.0, high=1.0
    )
    generations: int = setting(
        0, "generations until a fresh random population; 0 for never", values=(0, 8, 16, 32, 64), low=0
    )


class GeneticAlgorithm(BatchSearch):
    """(mu + lambda) evolution without repeats."""

    Config = GeneticAlgorithmConfig

    def __init__(self, space: DesignSpace, config: GeneticAlgorithmConfig, rng: np.random.Generator) -> None:
        super().__init__(space.width)
        self._config = config
        self._rng = rng
        self._moves = Moves(space)
        self._untried = Untried(space)
        self._population: Outcomes | None = None  # best first
        self._generation = 0

    @classmethod
    def create(
        cls,
        space: DesignSpace,
        config: GeneticAlgorithmConfig,
        rng: np.random.Generator,
        *,
        budget: int,
        n_objectives: int = 1,
    ) -> Self:
        """Build the agent; the budget does not change what it proposes."""
        refuse_several_objectives("genetic_algorithm", n_objectives)
        return cls(space, config, rng)

    def plan(self) -> Rows:
        limit = self._config.generations
        if limit and self._generation >= limit:
            self._population, self._generation = None, 0
        if self._population is None:
            return self._untried.draw(self._config.population, self._rng)
        return self._new_children(self._population.rows)

    def learn(self, outcomes: Outcomes) -> None:
        self._untried.forget_failed(outcomes.rows[outcomes.failed])
        self._select(outcomes)
        self._generation += 1

    def overhear(self, outcomes: Outcomes) -> None:
        """What another agent found competes for survival, and is not proposed again."""
        self._untried.take(outcomes.rows[~outcomes.failed])
        self._select(outcomes)

    def _select(self, born: Outcomes) -> None:
        together = born if self._population is None else born.followed_by(self._population)
        survivors = together.take(together.best_first()[: self._config.population])
        self._population = survivors if len(survivors.rows) else None

    def _new_children(self, parents: Rows) -> Rows:
        wanted = self._config.children or self._config.population
        strangers = int((self._rng.random(wanted) < self._config.immigrants).sum())
        children = self._bred(parents, wanted - strangers)
        fresh = np.concatenate([self._untried.draw(strangers, self._rng), self._untried.take(children)])
        for _ in range(_MORE_MUTATIONS):
            missing = wanted - len(fresh)
            if not missing or not len(children):
                break
            children = children[self._rng.integers(0, len(children), max(8 * missing, 32))]
            children = self._moves.mutate(children, self._moves.choose_one(len(children), self._rng), self._rng)
            fresh = np.concatenate([fresh, self._untried.take(children, missing)])
        return np.concatenate([fresh, self._untried.draw(wanted - len(fresh), self._rng)])

    def _bred(self, parents: Rows, count: int) -> Rows:
        mothers, fathers = parents[self._chosen(len(parents), count)], parents[self._chosen(len(parents), count)]
        crossed = self._moves.cross(mothers, fathers, self._rng)
        has_two = self._rng.random(count) < self._config.crossover
        children = np.where(has_two[:, None], crossed, mothers)
        return self._moves.mutate(children, self._moves.choose(count, self._config.mutation, self._rng), self._rng)

    def _chosen(self, size: int, count: int) -> NDArray[np.int64]:
        """Winners of ``count`` tournaments: positions in the population, which is sorted."""
        winners: NDArray[np.int64] = self._rng.integers(0, size, (count, self._config.tournament)).min(axis=1)
        return winners
