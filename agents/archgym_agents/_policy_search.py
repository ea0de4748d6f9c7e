"""The frame of searchers that learn a policy from batches of designs."""

from __future__ import annotations

__all__ = ["PolicyConfig", "PolicySearch"]

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from archgym.agent import Settings, setting
from archgym_agents._batches import Outcomes
from archgym_agents._rewards import Floats, Ranks
from archgym_agents._search import Search
from archgym_agents._values import ValueTable
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows


@dataclass(frozen=True)
class PolicyConfig(Settings):
    """Settings of policy-gradient searchers."""

    batch: int = setting(16, "designs drawn from the policy between two updates", values=(8, 16, 32, 64), low=2)
    learning_rate: float = setting(0.2, "step size of Adam", values=(0.05, 0.1, 0.2, 0.4), low=1e-6, high=10.0)
    entropy: float = setting(0.03, "entropy bonus", values=(0.001, 0.01, 0.03, 0.1), low=0.0, high=10.0)
    inertia: float = setting(
        0.8,
        "share of the old baseline in the new one; 0 is the batch's mean",
        values=(0.0, 0.5, 0.8, 0.95),
        low=0.0,
        high=0.999,
    )
    memory: int = setting(256, "designs among which rewards are ranked", values=(64, 256, 1024), low=1)


class PolicySearch(Search):
    """Draws designs from a policy, and makes those more likely that are better than the baseline.

    A design that was tried before is moved on, and the policy learns from what was evaluated.
    """

    _config: Any

    def __init__(self, space: DesignSpace, config: PolicyConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._table = ValueTable(space)
        self._ranks = Ranks(config.memory)
        self._baseline = 0.0  # what ranks are on average

    @abstractmethod
    def drawn(self, n: int) -> Rows:
        """Rows (n, D) from the policy."""

    @abstractmethod
    def improve(self, rows: Rows, gains: Floats) -> None:
        """One gradient step on rows (N, D) and how much better than the baseline they were (N,)."""

    def plan(self) -> Rows:
        count = self._config.batch
        return self.fresh(self.drawn(count), count)

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        born = outcomes.take(np.flatnonzero(~outcomes.failed))
        if not len(born.rows):
            return
        worth = np.where(born.feasible, born.reward, -born.missed)
        ranks = self._ranks.of(worth, born.feasible, born.failed)
        self._baseline += (1.0 - self._config.inertia) * (float(ranks.mean()) - self._baseline)
        self.improve(born.rows, ranks - self._baseline)
