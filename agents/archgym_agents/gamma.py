"""GAMMA: a genetic algorithm whose operators know what a mapping is made of.

Algorithm: Kao & Krishna (ICCAD 2020). The best share of a generation survives and breeds. A child has two parents with
probability ``crossover``: it takes whole dimensions (the tiles of one dimension on every level) from one or the other.
Then tiles and parallel dimensions mutate, loops are reordered (two of a level change places), and clusters grow or age:
the number of units that work together rises, or falls towards one, which is GAMMA's adding and removing of a level.

On other spaces the same operators act on what corresponds: a level is a group of parameters with an order in it,
clusters are the ordinals outside of levels, and where there are no levels every parameter is a dimension and every
ordinal a cluster. A child that was tried before is mutated on until it is new, so no call is wasted.

Does well: mappings, where tiles of a dimension belong together and orders matter; some hundred calls and more.
Does badly: budgets of less than about ten generations; spaces without structure, where the genetic algorithm does the
same with fewer settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from archgym.agent import Settings, refuse_several_objectives, setting
from archgym_agents._batches import BatchSearch, Outcomes
from archgym_agents._moves import Moves
from archgym_agents._untried import Untried
from archgym_simulators import Categorical, DesignSpace, Factors, Parameter, Permutation
from archgym_simulators.space import Rows

_MORE_MUTATIONS = 8  # of a child that was tried before, until it is given up for a random design


@dataclass(frozen=True)
class GammaConfig(Settings):
    """Settings of GAMMA."""

    population: int = setting(20, "designs of a generation", values=(10, 20, 40, 80), low=2)
    elites: float = setting(
        0.3, "share of a generation that survives and breeds", values=(0.1, 0.2, 0.3, 0.5), low=0.0, high=1.0
    )
    crossover: float = setting(
        0.5,
        "probability that a child takes dimensions from two parents",
        values=(0.0, 0.25, 0.5, 0.8),
        low=0.0,
        high=1.0,
    )
    mutation: float = setting(
        0.1,
        "probability that a gene that is no order is moved",
        values=(0.02, 0.05, 0.1, 0.2, 0.4),
        low=0.0,
        high=1.0,
    )
    reorder: float = setting(
        0.3, "probability that two loops of a level change places", values=(0.0, 0.1, 0.3, 0.6), low=0.0, high=1.0
    )
    growth: float = setting(
        0.1, "probability that clusters grow, to any larger size", values=(0.0, 0.05, 0.1, 0.2), low=0.0, high=1.0
    )
    aging: float = setting(
        0.1, "probability that clusters shrink, to any smaller size", values=(0.0, 0.05, 0.1, 0.2), low=0.0, high=1.0
    )


class Gamma(BatchSearch):
    """GAMMA's genetic algorithm without repeats."""

    Config = GammaConfig

    def __init__(self, space: DesignSpace, config: GammaConfig, rng: np.random.Generator) -> None:
        super().__init__(space.width)
        self._config = config
        self._rng = rng
        self._genome = _Genome(space)
        self._moves = Moves(space)
        self._untried = Untried(space)
        self._elites: Outcomes | None = None  # best first

    @classmethod
    def create(
        cls,
        space: DesignSpace,
        config: GammaConfig,
        rng: np.random.Generator,
        *,
        budget: int,
        n_objectives: int = 1,
    ) -> Self:
        """Build the agent; the budget does not change what it proposes."""
        refuse_several_objectives("gamma", n_objectives)
        return cls(space, config, rng)

    def plan(self) -> Rows:
        if self._elites is None:
            return self._untried.draw(self._config.population, self._rng)
        wanted = max(1, self._config.population - len(self._elites.rows))
        children = self._bred(self._elites.rows, wanted)
        fresh = self._untried.take(children)
        for _ in range(_MORE_MUTATIONS):
            missing = wanted - len(fresh)
            if not missing:
                break
            children = children[self._rng.integers(0, len(children), max(8 * missing, 32))]
            children = self._moves.mutate(children, self._moves.choose_one(len(children), self._rng), self._rng)
            fresh = np.concatenate([fresh, self._untried.take(children, missing)])
        return np.concatenate([fresh, self._untried.draw(wanted - len(fresh), self._rng)])

    def learn(self, outcomes: Outcomes) -> None:
        self._untried.forget_failed(outcomes.rows[outcomes.failed])
        together = outcomes if self._elites is None else outcomes.followed_by(self._elites)
        count = max(1, round(self._config.elites * self._config.population))
        survivors = together.take(together.best_first()[:count])
        self._elites = survivors if len(survivors.rows) else None

    def _bred(self, parents: Rows, count: int) -> Rows:
        """``count`` children (N, D) of ``parents``: crossed, mutated, reordered, grown and aged."""
        config, rng, genome = self._config, self._rng, self._genome
        mothers, fathers = (parents[rng.integers(0, len(parents), count)] for _ in range(2))
        has_two = rng.random(count) < config.crossover
        children = np.where(has_two[:, None], genome.cross(mothers, fathers, rng), mothers)
        chosen = self._moves.choose(count, config.mutation, rng) & ~genome.is_order
        chosen |= genome.one_order(count, rng) & (rng.random(count) < config.reorder)[:, None]
        children = self._moves.mutate(children, chosen, rng)
        children = genome.resized(children, rng.random(count) < config.growth, rng, larger=True)
        return genome.resized(children, rng.random(count) < config.aging, rng, larger=False)


class _Genome:
    """What of a space is a dimension, an order and a cluster size.

    Attributes:
        is_order: (P,) whether a parameter is an order of loops.
    """

    def __init__(self, space: DesignSpace) -> None:
        self._nvec = space.nvec
        self.is_order = np.array([isinstance(p, Permutation) and p.size > 1 for p in space.parameters], dtype=bool)
        groups = list(dict.fromkeys(p.group for p in space.parameters if isinstance(p, Permutation) and p.group))
        levels = [[p for p in space.parameters if p.group == group] for group in groups]
        inside = {p.name for level in levels for p in level}
        outside = [p for p in space.parameters if p.name not in inside]
        dimensions = [*_linked(levels), *([p] for p in outside)]
        self._dimension = np.empty(space.width, dtype=np.int64)  # (D,) the dimension of each column
        for number, members in enumerate(dimensions):
            for parameter in members:
                self._dimension[space.columns_of(parameter.name)] = number
        self._dimensions = len(dimensions)
        sizes = [p for p in outside if not isinstance(p, Permutation | Factors | Categorical) and p.size > 1]
        self._sizes = np.array([space.columns_of(p.name).start for p in sizes], dtype=np.int64)

    def cross(self, mothers: Rows, fathers: Rows, rng: np.random.Generator) -> Rows:
        """Children (N, D) with every dimension from either parent."""
        from_mother = rng.random((len(mothers), self._dimensions)) < 0.5
        return np.where(from_mother[:, self._dimension], mothers, fathers)

    def one_order(self, count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Exactly one order of each of ``count`` designs (N, P); none where there are no orders."""
        chosen = np.zeros((count, len(self.is_order)), dtype=bool)
        orders = np.flatnonzero(self.is_order)
        if len(orders):
            chosen[np.arange(count), orders[rng.integers(0, len(orders), count)]] = True
        return chosen

    def resized(self, rows: Rows, chosen: NDArray[np.bool_], rng: np.random.Generator, *, larger: bool) -> Rows:
        """Copies of ``rows`` (N, D) with one cluster size of each chosen design (N,) at any larger or smaller value."""
        resized = rows.copy()
        if not len(self._sizes):
            return resized
        which = self._sizes[rng.integers(0, len(self._sizes), len(rows))]
        here = np.arange(len(rows))
        old = rows[here, which]
        low, high = (old + 1, self._nvec[which]) if larger else (np.zeros_like(old), old)
        drawn = low + (rng.random(len(rows)) * (high - low)).astype(np.int64)
        resized[here, which] = np.where(chosen & (high > low), drawn, old)
        return resized


def _linked(levels: Sequence[Sequence[Parameter]]) -> list[list[Parameter]]:
    """Parameters that are the same gene on every level; alone, where levels differ in what they hold."""
    shapes = {tuple((p.kind, p.size) for p in level) for level in levels}
    if len(shapes) == 1:
        return [list(members) for members in zip(*levels, strict=True)]
    return [[p] for level in levels for p in level]
