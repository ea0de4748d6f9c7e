"""Clipped policy gradients without a network: one softmax a parameter, one probability ratio an agent.

PPO's surrogate (Schulman et al. 2017) limits how far the probability of an agent's whole action may move in one update.
That is all that differs between one agent and a team here: with independent softmaxes and a shared reward, the gradient
is the same. An agent of a hundred parameters is beyond the limit after its first step, whatever is good for each of
them; an agent of one parameter stops where its own choice has moved enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Actions = NDArray[np.int64]


@dataclass(frozen=True)
class Settings:
    """Of every agent alike.

    Attributes:
        learning_rate: step size of Adam, on logits.
        epochs: passes over the designs of an update.
        clip: how far a probability ratio may move.
        entropy: weight of the entropy bonus.
    """

    learning_rate: float
    epochs: int = 10
    clip: float = 0.2
    entropy: float = 0.003


class Team:
    """Agents that hear the shared reward and know nothing of each other, computed side by side.

    Args:
        nvec: number of values of each parameter, (P,).
        owner: the agent that chooses each parameter, (P,) from 0.
        settings: of learning, the same for all.
        rng: source of their choices.
    """

    def __init__(self, nvec: Actions, owner: Actions, settings: Settings, rng: np.random.Generator) -> None:
        self._nvec = nvec
        self._owner = owner
        self._owns = (owner[:, None] == np.arange(owner.max() + 1)).astype(np.float64)  # (P, A)
        self._settings = settings
        self._rng = rng
        width = int(nvec.max())
        self._mask = np.arange(width) < nvec[:, None]  # (P, V)
        self._logits = np.where(self._mask, 0.0, -np.inf)
        self._mean = np.zeros((len(nvec), width))
        self._square = np.zeros((len(nvec), width))
        self._updates = 0

    def act(self) -> Actions:
        """A value of each parameter: (P,)."""
        cumulative = self.probabilities().cumsum(axis=1)
        drawn = (self._rng.random((len(self._nvec), 1)) > cumulative).sum(axis=1)
        return np.asarray(np.minimum(drawn, self._nvec - 1))

    def update(self, actions: Actions, advantages: Floats) -> None:
        """Learn from designs (N, P) and what each was worth against the others (N,)."""
        chosen = np.arange(self._logits.shape[1]) == actions[:, :, None]  # (N, P, V)
        before = self._log_probability(chosen)
        worth = advantages[:, None]
        for _ in range(self._settings.epochs):
            ratio = np.exp(self._log_probability(chosen) - before)  # (N, A)
            limit = 1.0 + np.sign(worth) * self._settings.clip
            moves = np.where(worth > 0.0, ratio < limit, ratio > limit)
            weight = (worth * ratio * moves / len(actions))[:, self._owner]  # (N, P)
            probabilities = self.probabilities()
            gradient = np.einsum("np,npv->pv", weight, chosen - probabilities)
            self._climb(gradient + self._settings.entropy * _entropy_gradient(probabilities))

    def probabilities(self) -> Floats:
        """Of each value of each parameter: (P, V)."""
        scaled = np.exp(self._logits - self._logits.max(axis=1, keepdims=True))
        return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))

    def _climb(self, gradient: Floats) -> None:
        self._updates += 1
        self._mean = 0.9 * self._mean + 0.1 * gradient
        self._square = 0.99 * self._square + 0.01 * gradient**2
        mean, square = self._mean / (1.0 - 0.9**self._updates), self._square / (1.0 - 0.99**self._updates)
        step = self._settings.learning_rate * mean / (np.sqrt(square) + 1e-8)
        self._logits = np.where(self._mask, self._logits + step, -np.inf)

    def _log_probability(self, chosen: NDArray[np.bool_]) -> Floats:
        """Of each agent's whole action, for designs (N, P, V): (N, A)."""
        logs = np.log(np.maximum(self.probabilities(), 1e-12))
        return np.asarray((chosen * logs).sum(axis=2) @ self._owns)


def _entropy_gradient(probabilities: Floats) -> Floats:
    """Of the entropy of each softmax in its logits: (P, V)."""
    logs = np.log(np.maximum(probabilities, 1e-12))
    entropy = -(probabilities * logs).sum(axis=1, keepdims=True)
    return np.asarray(-probabilities * (logs + entropy))


def advantages_of(rewards: Floats) -> Floats:
    """Ranks (N,), centred and scaled to unit variance; ties share theirs; 0 where all are equal."""
    order = rewards[:, None]
    ranks = (order > rewards).sum(axis=1) + 0.5 * (order == rewards).sum(axis=1)
    spread = float(ranks.std())
    return np.asarray((ranks - ranks.mean()) / spread) if spread else np.zeros(len(rewards))
