"""Coordinate descent: one parameter at a time, all of its values, keep the best.

Algorithm: from the best of a few random designs, parameters are visited in random order. All values of a parameter (a
random sample where there are many; the neighbours of an order or a factorisation) are tried with the others fixed, and
the best design so far is kept. A whole round without improvement ends the descent; the next starts from a design in
which some parameters of the best are redrawn, or from anywhere.

Does well: it is the honest answer to "is one agent a parameter enough?": what it reaches needs no learning at all.
Parameters that matter on their own are settled in one visit each.
Does badly: parameters that only pay together; many values a parameter.
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
class CoordinateDescentConfig(Settings):
    """Settings of coordinate descent."""

    starts: int = setting(4, "random designs, of which the best is descended from", values=(1, 4, 8, 16), low=1)
    values: int = setting(12, "values of a parameter that a visit tries at most", values=(4, 8, 12, 24), low=1)
    kick: float = setting(
        0.3,
        "probability that a parameter of the best design is redrawn for the next descent; 1 starts anywhere",
        values=(0.1, 0.3, 0.5, 1.0),
        low=0.0,
        high=1.0,
    )


class CoordinateDescent(Search):
    """Line searches along parameters, without repeats."""

    Config = CoordinateDescentConfig
    _config: CoordinateDescentConfig

    def __init__(self, space: DesignSpace, config: CoordinateDescentConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._here: Outcomes | None = None
        self._best: Outcomes | None = None
        self._left: list[int] = []  # parameters still to be visited
        self._since_improved = 0  # parameters visited

    def plan(self) -> Rows:
        if self._here is not None:
            while self._since_improved < len(self._space.parameters):
                self._left = self._left or self._rng.permutation(len(self._space.parameters)).tolist()
                self._since_improved += 1
                rows = self._line(self._here.rows[0], self._left.pop())
                if len(rows):
                    return rows
        self._here, self._left, self._since_improved = None, [], 0
        return self._start()

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        order = outcomes.best_first()
        if not len(order):
            return
        found = outcomes.take(order[:1])
        if self._here is None or found.rank(0) > self._here.rank(0):
            self._since_improved = 0 if self._here is None else 1  # the line just searched is searched
            self._here = found
        if self._best is None or found.rank(0) > self._best.rank(0):
            self._best = found

    def _line(self, here: Rows, which: int) -> Rows:
        """New designs that differ from ``here`` (D,) in one parameter: (M, D)."""
        parameter = self._space.parameters[which]
        columns = self._space.columns_of(parameter.name)
        if parameter.size <= 8 * self._config.values and columns.stop - columns.start == 1:
            digits = np.arange(parameter.size)[:, None]
        else:
            near = parameter.neighbours(here[columns].tolist())
            digits = np.array(near, dtype=np.int64).reshape(-1, columns.stop - columns.start)
        line = np.repeat(here[None], len(digits), axis=0)
        line[:, columns] = digits
        return self._untried.take(self._rng.permutation(line, axis=0), self._config.values)

    def _start(self) -> Rows:
        if self._best is None or self._config.kick >= 1.0:
            return self._untried.draw(self._config.starts, self._rng)
        starts = np.repeat(self._best.rows, self._config.starts, axis=0)
        redrawn = self._rng.random((len(starts), len(self._space.parameters))) < self._config.kick
        anywhere = self._space.sample(len(starts), self._rng)
        for which, parameter in enumerate(self._space.parameters):
            columns = self._space.columns_of(parameter.name)
            starts[:, columns] = np.where(redrawn[:, which, None], anywhere[:, columns], starts[:, columns])
        return self.fresh(starts, self._config.starts)
