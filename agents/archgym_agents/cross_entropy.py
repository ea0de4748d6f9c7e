"""Cross-entropy method: a probability for every value of every parameter, sharpened by the best designs.

Algorithm: the cross-entropy method for categorical variables (Rubinstein 1999), which with ``rate`` below 1 is PBIL
(Baluja 1994). Each generation draws ``samples`` designs, one value a column by that column's probabilities; the
probabilities move by ``rate`` towards the shares of values among the best ``elite`` designs of this generation and of
what came before. A floor under every probability keeps all values possible.

Does well: many parameters whose best values do not depend on each other; large batches.
Does badly: parameters that only pay together, which independent probabilities cannot express; orders.
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
class CrossEntropyConfig(Settings):
    """Settings of the cross-entropy method."""

    samples: int = setting(16, "designs a generation", values=(8, 16, 32, 64), low=2)
    elite: float = setting(0.25, "share of them that is learned from", values=(0.1, 0.25, 0.5), low=0.0, high=1.0)
    rate: float = setting(0.3, "how far probabilities move", values=(0.1, 0.2, 0.3, 0.5, 1.0), low=0.0, high=1.0)
    floor: float = setting(
        0.05, "probability that a column is drawn uniformly instead", values=(0.02, 0.05, 0.1, 0.2), low=0.0, high=1.0
    )


class CrossEntropy(Search):
    """Independent probabilities by column."""

    Config = CrossEntropyConfig
    _config: CrossEntropyConfig

    def __init__(self, space: DesignSpace, config: CrossEntropyConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._table = ValueTable(space)
        self._weights = self._table.uniform()
        self._elite: Outcomes | None = None

    def plan(self) -> Rows:
        drawn = self._table.draw(self._weights, self._config.samples, self._rng)
        anywhere = self._space.sample(len(drawn), self._rng)
        uniform = self._rng.random(drawn.shape) < self._config.floor
        return self.fresh(np.where(uniform, anywhere, drawn), self._config.samples)

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        together = outcomes if self._elite is None else outcomes.followed_by(self._elite)
        kept = max(round(self._config.elite * self._config.samples), 1)
        self._elite = together.take(together.best_first()[:kept])
        if len(self._elite.rows):
            shares = self._table.shares(self._elite.rows)
            self._weights = (1.0 - self._config.rate) * self._weights + self._config.rate * shares
