"""Random walk: a control that moves, but does not choose where.

Algorithm: from a random design, one random parameter is moved by a step of its kind, again and again, whatever the
outcome; a design is not visited twice. Now and then it starts anew elsewhere. (ArchGym's "random walker" draws every
design independently; that is `random_search` here.)

Does well: it shows what nearness alone is worth: an agent that beats random search but not this one only profits from
looking around.
Does badly: it learns nothing, and sees less of the space than random search.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archgym.agent import Settings, setting
from archgym_agents._search import Search
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows


@dataclass(frozen=True)
class RandomWalkConfig(Settings):
    """Settings of the random walk."""

    restart: float = setting(
        0.02, "probability that a step goes to a random design instead", values=(0.0, 0.02, 0.1), low=0.0, high=1.0
    )
    moves: int = setting(1, "parameters that a step moves", values=(1, 2, 4), low=1)


class RandomWalk(Search):
    """Steps in random directions, all of them taken."""

    Config = RandomWalkConfig
    _config: RandomWalkConfig

    def __init__(self, space: DesignSpace, config: RandomWalkConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._here: Rows = np.zeros((0, space.width), np.int64)

    def plan(self) -> Rows:
        if not len(self._here) or self._rng.random() < self._config.restart:
            self._here = self._untried.draw(1, self._rng)
            return self._here
        moved = self._here[0]
        for _ in range(self._config.moves):
            moved = self._moves.step(moved, self._rng)
        self._here = self.fresh(moved[None], 1)
        return self._here
