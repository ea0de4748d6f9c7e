"""Tabu search: on to the best neighbour found, even downhill, but not back.

Algorithm: Glover (1989). From the best of a few random designs, new neighbours are tried in random order, some at a
time, until one is better or ``sample`` of them are known; the walk moves to the best of those, better or not. A value
that a move has left is tabu for ``tenure`` moves: neighbours that bring it back are tried last and passed over, unless
one is the best design of all. Designs are never tried twice, which is a tabu list of its own. After ``patience`` moves
without a new best, it starts anew from random designs.

Does well: plateaus and shallow local optima, which it walks out of; some hundred calls.
Does badly: spaces with hundreds of neighbours a design, of which it sees few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym.agent import Settings, setting
from archgym_agents._batches import Outcomes
from archgym_agents._search import Search
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows


@dataclass(frozen=True)
class TabuSearchConfig(Settings):
    """Settings of tabu search."""

    starts: int = setting(8, "random designs, the best of which a walk begins at", values=(1, 4, 8, 16), low=1)
    batch: int = setting(4, "neighbours tried at a time, until one is better", values=(2, 4, 8), low=1)
    sample: int = setting(32, "neighbours tried before a move downhill", values=(8, 16, 32, 64), low=1)
    tenure: int = setting(8, "moves for which a value that was left is tabu", values=(0, 4, 8, 16), low=0)
    patience: int = setting(12, "moves without a new best until a new start", values=(6, 12, 24), low=1)


class TabuSearch(Search):
    """Best-neighbour walk with a memory of left values."""

    Config = TabuSearchConfig
    _config: TabuSearchConfig

    def __init__(self, space: DesignSpace, config: TabuSearchConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._here: Outcomes | None = None  # the design that the walk stands on
        self._best: tuple[bool, float] | None = None
        self._around: Outcomes | None = None  # its neighbours that are known
        self._neighbours: Rows = np.zeros((0, space.width), np.int64)  # those that are not, tabu ones last
        self._forbidden: dict[tuple[int, int], int] = {}  # (column, index) until that move
        self._moves_made = self._fruitless = 0

    def plan(self) -> Rows:
        if self._here is not None and self._fruitless < self._config.patience:
            while len(self._neighbours):
                rows = self._untried.take(self._neighbours[: self._config.batch])
                self._neighbours = self._neighbours[self._config.batch :]
                if len(rows):
                    return rows
        self._here, self._fruitless = None, 0
        return self._untried.draw(self._config.starts, self._rng)

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        known = outcomes.take(np.flatnonzero(~outcomes.failed))
        if self._here is not None and self._around is not None:
            known = self._around.followed_by(known)
        self._around = known
        if not len(known.rows):
            return
        order = known.best_first()
        first = known.rank(order[0])
        is_best = self._best is None or first > self._best
        is_better = self._here is None or first > self._here.rank(0)
        if not (is_best or is_better or len(known.rows) >= self._config.sample or not len(self._neighbours)):
            return
        self._best = first if is_best else self._best
        self._fruitless = 0 if is_best else self._fruitless + 1
        chosen = 0 if is_best else int(self._is_tabu(known.rows[order]).argmin())
        self._move_to(known.take(order[chosen : chosen + 1]))

    def _move_to(self, there: Outcomes) -> None:
        if self._here is not None:
            old, new = self._here.rows[0], there.rows[0]
            until = self._moves_made + self._config.tenure
            self._forbidden |= {(int(c), int(old[c])): until for c in np.flatnonzero(old != new)}
        self._moves_made += 1
        self._forbidden = {pair: until for pair, until in self._forbidden.items() if until > self._moves_made}
        self._here, self._around = there, None
        neighbours = self._rng.permutation(self._untried.among(self._space.neighbours(there.rows[0])), axis=0)
        self._neighbours = neighbours[np.argsort(self._is_tabu(neighbours), kind="stable")]

    def _is_tabu(self, rows: Rows) -> NDArray[np.bool_]:
        """Which rows (N, D) bring back a value that was left lately."""
        tabu = np.zeros(len(rows), dtype=bool)
        for column, index in self._forbidden:
            if self._here is None or self._here.rows[0, column] != index:
                tabu |= rows[:, column] == index
        return tabu
