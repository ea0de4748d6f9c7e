"""REINFORCE (Williams 1992) as NAS-Bench-201 ran it: a distribution for each edge, moved by rewards.

The policy has one logit an edge and operation. Each step samples one cell; the gradient of its log probability times
(reward - moving average of the rewards seen so far) goes into Adam. With small steps the policy stays close to uniform
for the hundred evaluations that 12,000 seconds pay for, so this is random search that slowly leans to what was good.
"""

from __future__ import annotations

__all__ = ["Reinforce", "ReinforceConfig"]

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from archgym.agent import AskTell, Settings, refuse_several_objectives, setting
from archgym.problem import ScoredEvaluation
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows

_DECAYS, _TINY = (0.9, 0.999), 1e-8  # of Adam
_SPREAD = 1e-3  # of the first logits


@dataclass(frozen=True)
class ReinforceConfig(Settings):
    """Settings of REINFORCE."""

    learning_rate: float = setting(0.01, "step of Adam", low=1e-6)
    momentum: float = setting(0.9, "of the moving average that rewards are compared with", low=0.0, high=0.999)


class Reinforce(AskTell):
    """One design a step; parameters are drawn independently of each other."""

    Config = ReinforceConfig

    def __init__(self, space: DesignSpace, config: ReinforceConfig, rng: np.random.Generator) -> None:
        self._config, self._rng = config, rng
        self._is_value = np.arange(space.nvec.max()) < space.nvec[:, None]  # (D, V)
        self._logits = _SPREAD * rng.standard_normal(self._is_value.shape)
        self._first, self._second = np.zeros_like(self._logits), np.zeros_like(self._logits)
        self._steps, self._summed, self._weight = 0, 0.0, 0.0

    @classmethod
    def create(
        cls,
        space: DesignSpace,
        config: ReinforceConfig,
        rng: np.random.Generator,
        *,
        budget: int,
        n_objectives: int = 1,
    ) -> Self:
        """Build the agent; the budget does not change what it proposes."""
        refuse_several_objectives("reinforce", n_objectives)
        return cls(space, config, rng)

    def ask(self, n: int) -> Rows:
        chances = self._chances()
        drawn = self._rng.random(len(chances))[:, None] >= np.cumsum(chances, axis=1)
        values = np.minimum(drawn.sum(axis=1), self._is_value.sum(axis=1) - 1)
        return np.asarray(values[None], dtype=np.int64)

    def tell(self, rows: Rows, evaluation: ScoredEvaluation) -> None:
        reward, keep = float(evaluation.reward[0]), self._config.momentum
        self._summed, self._weight = (
            keep * old + (1.0 - keep) * new for old, new in ((self._summed, reward), (self._weight, 1.0))
        )
        chosen = np.arange(self._is_value.shape[1]) == rows[0][:, None]
        self._climb((chosen - self._chances()) * (reward - self._summed / self._weight))

    def _chances(self) -> NDArray[np.float64]:
        """Probability (D, V) of each value; 0 for those that a parameter does not have."""
        weights = np.where(self._is_value, np.exp(self._logits - self._logits.max(axis=1, keepdims=True)), 0.0)
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def _climb(self, gradient: NDArray[np.float64]) -> None:
        self._steps += 1
        slow, slower = _DECAYS
        self._first = slow * self._first + (1.0 - slow) * gradient
        self._second = slower * self._second + (1.0 - slower) * gradient**2
        mean, spread = self._first / (1.0 - slow**self._steps), self._second / (1.0 - slower**self._steps)
        self._logits += self._config.learning_rate * mean / (np.sqrt(spread) + _TINY)
