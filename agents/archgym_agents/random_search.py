"""Random search: the control that every other agent has to beat.

Algorithm: draw designs uniformly and independently, without repeats (Bergstra & Bengio 2012 for why it is a serious
baseline). Uniform means over canonical designs: a design that many rows mean is not drawn more often.

Does well: it needs no settings, has no bias, wastes nothing, and finishes when a small space is exhausted. Its best
value is a sample quantile: after n designs, it is expected among the best 1/(n + 1) of the space.
Does badly: it learns nothing; where good designs are rare and lie together, everything here beats it.
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
class RandomSearchConfig(Settings):
    """Settings of random search."""

    batch: int = setting(64, "designs drawn at a time; large ones save overhead and change no odds", low=1)


class RandomSearch(BatchSearch):
    """Uniform draws without repeats."""

    Config = RandomSearchConfig

    def __init__(self, space: DesignSpace, config: RandomSearchConfig, rng: np.random.Generator) -> None:
        super().__init__(space.width)
        self._config = config
        self._rng = rng
        self._untried = Untried(space)

    @classmethod
    def create(
        cls,
        space: DesignSpace,
        config: RandomSearchConfig,
        rng: np.random.Generator,
        *,
        budget: int,
        n_objectives: int = 1,
    ) -> Self:
        """Build the agent; the budget does not change what it proposes."""
        refuse_several_objectives("random_search", n_objectives)
        return cls(space, config, rng)

    def plan(self) -> Rows:
        return self._untried.draw(self._config.batch, self._rng)

    def learn(self, outcomes: Outcomes) -> None:
        self._untried.forget_failed(outcomes.rows[outcomes.failed])
