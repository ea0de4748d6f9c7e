"""Hill climbing with restarts: from the best of a few random designs, step to better neighbours until none is left.

Algorithm: stochastic hill climbing with random restarts (Russell & Norvig, ch. 4). Neighbours differ in one parameter
by one natural step of its kind (`DesignSpace.neighbours`: next values, swaps of an order, one prime moved). They are
tried in random order, ``batch`` at a time; the climb moves to the best of the first batch that holds a better design
(``improvement="first"``), or of all (``"best"``, steepest ascent), compared by (feasible, reward), so graded violations
lead from invalid designs into the valid region. Equal designs are accepted ``sideways`` times in a climb, which crosses
plateaus. Nothing is tried twice: a climb ends where all neighbours are known.

Does well: spaces where parameters hardly interact; small budgets, because it commits early.
Does badly: many local optima (of the DRAM controller, stream with mean latency is such a task: at 100 calls random
search is as good), and large categorical parameters, all of whose values are neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from archgym.agent import Settings, refuse_several_objectives, setting
from archgym_agents._batches import BatchSearch, Outcomes
from archgym_agents._untried import Untried
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows


@dataclass(frozen=True)
class HillClimbingConfig(Settings):
    """Settings of hill climbing."""

    starts: int = setting(
        8, "random designs tried before each climb, which begins at the best", values=(1, 4, 8, 16, 32), low=1
    )
    batch: int = setting(4, "neighbours tried at a time when the first improvement counts", values=(1, 2, 4, 8), low=1)
    improvement: str = setting(
        "first",
        "move to the first better batch, or to the best of all sampled neighbours",
        values=("first", "best"),
        choices=("first", "best"),
    )
    sample: int = setting(
        0, "neighbours of a design that are tried, drawn at random; 0 for all", values=(0, 8, 16, 32), low=0
    )
    sideways: int = setting(4, "moves to an equally good design that a climb may make", values=(0, 4, 16, 64), low=0)


class HillClimbing(BatchSearch):
    """Local search with random restarts, without repeats."""

    Config = HillClimbingConfig

    def __init__(self, space: DesignSpace, config: HillClimbingConfig, rng: np.random.Generator) -> None:
        super().__init__(space.width)
        self._space = space
        self._config = config
        self._rng = rng
        self._untried = Untried(space)
        self._here: tuple[bool, float] | None = None  # rank of the design the climb stands on, None before a climb
        self._highest = (False, -np.inf)  # rank of the best design that any climb stood on
        self._neighbours: Rows = np.zeros((0, space.width), np.int64)  # still to be tried, in random order
        self._sideways = 0

    @classmethod
    def create(
        cls,
        space: DesignSpace,
        config: HillClimbingConfig,
        rng: np.random.Generator,
        *,
        budget: int,
        n_objectives: int = 1,
    ) -> Self:
        """Build the agent; the budget does not change what it proposes."""
        refuse_several_objectives("hill_climbing", n_objectives)
        return cls(space, config, rng)

    def plan(self) -> Rows:
        while len(self._neighbours):
            count = self._config.batch if self._config.improvement == "first" else len(self._neighbours)
            batch = self._untried.take(self._neighbours[:count])
            self._neighbours = self._neighbours[count:]
            if len(batch):
                return batch
        self._here = None
        return self._untried.draw(self._config.starts, self._rng)

    def learn(self, outcomes: Outcomes) -> None:
        failed = self._untried.forget_failed(outcomes.rows[outcomes.failed])
        order = outcomes.best_first()
        if len(order) and self._accepts(outcomes.rank(order[0])):
            self._move_to(outcomes.rows[order[0]], outcomes.rank(order[0]))
        elif self._here is not None:
            self._neighbours = np.concatenate([self._neighbours, failed])

    def overhear(self, outcomes: Outcomes) -> None:
        """Climb on from what another agent found where it is better than all that was climbed to."""
        self._untried.take(outcomes.rows[~outcomes.failed])
        order = outcomes.best_first()
        if len(order) and outcomes.rank(order[0]) > self._highest:
            self._move_to(outcomes.rows[order[0]], outcomes.rank(order[0]))

    def _accepts(self, rank: tuple[bool, float]) -> bool:
        if self._here is None:
            self._sideways = self._config.sideways
            return True
        if rank == self._here and self._sideways:
            self._sideways -= 1
            return True
        return rank > self._here

    def _move_to(self, row: Rows, rank: tuple[bool, float]) -> None:
        self._here = rank
        self._highest = max(self._highest, rank)
        neighbours = self._untried.among(self._space.neighbours(row))
        limit = self._config.sample or len(neighbours)
        self._neighbours = self._rng.permutation(neighbours, axis=0)[:limit]
