"""A policy over designs that sees a workload's features, trained over a distribution of workloads."""

from __future__ import annotations

__all__ = ["Contextual", "train"]

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from archgym import Session
from archgym.envs.workload_source import WorkloadSource
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows

GROUP = 16  # designs of a workload, which are judged against each other
AT_A_TIME = 8  # workloads an update
LEARNING_RATE = 1e-2
ENTROPY = 0.01
HIDDEN = 64
_NEVER = -1e9


class Contextual:
    """One softmax a parameter, whose logits a network makes of the workload's features, or without it of nothing.

    Args:
        space: what is designed.
        features: how many the workloads have.
        sees: whether it sees them; else it can only learn the best distribution for all workloads together.
        seed: of its first weights.
    """

    def __init__(self, space: DesignSpace, features: int, *, sees: bool, seed: int) -> None:
        self._sees = sees
        columns, most = space.width, int(space.nvec.max())
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            last = torch.nn.Linear(HIDDEN, columns * most)
            self._net = torch.nn.Sequential(torch.nn.Linear(features, HIDDEN), torch.nn.Tanh(), last)
            torch.nn.init.zeros_(last.weight)  # every design alike at first
        self._padding = torch.from_numpy(np.where(np.arange(most) < space.nvec[:, None], 0.0, _NEVER)).float()
        self._adam = torch.optim.Adam(self._net.parameters(), lr=LEARNING_RATE)

    def log_chances(self, features: NDArray[np.float64]) -> Tensor:
        """Of every value of every column: (B, D, C), for features (B, F)."""
        seen = torch.from_numpy(features).float() * float(self._sees)
        return torch.log_softmax(self._net(seen).view(len(seen), *self._padding.shape) + self._padding, dim=2)

    def draw(self, features: NDArray[np.float64], n: int, rng: np.random.Generator) -> Rows:
        """Rows (B, n, D)."""
        with torch.no_grad():
            logs = self.log_chances(features).numpy()[:, None]
        return np.asarray((logs + rng.gumbel(size=(len(logs), n, *logs.shape[2:]))).argmax(axis=3))

    def greedy(self, features: NDArray[np.float64]) -> Rows:
        """The most probable values for one workload's features (F,): (1, D)."""
        with torch.no_grad():
            return np.asarray(self.log_chances(features[None]).numpy().argmax(axis=2))

    def improve(self, features: NDArray[np.float64], rows: Rows, gains: NDArray[np.float64]) -> None:
        """One step of REINFORCE on rows (B, n, D) with gains (B, n)."""
        logs = self.log_chances(features)
        chosen = logs[:, None].expand(-1, rows.shape[1], -1, -1).gather(3, torch.from_numpy(rows)[..., None])
        likely = chosen.sum(dim=(2, 3))
        disorder = -(logs.exp() * logs).sum(dim=(1, 2)).mean()
        self._adam.zero_grad()
        (-(torch.from_numpy(gains).float() * likely).mean() - ENTROPY * disorder).backward()  # type: ignore[no-untyped-call]
        self._adam.step()


def train(policy: Contextual, session: Session, workloads: int, seed: int) -> None:
    """REINFORCE over drawn workloads of the split "train"; gains are ranks among the designs of the same workload."""
    rng, source = np.random.default_rng(seed), WorkloadSource(session.spec.env_id, "train")
    for first in range(0, workloads, AT_A_TIME):
        names = [source.draw(seed, first + i) for i in range(AT_A_TIME)]
        features = np.array([session.problem(name).simulator.workload.features for name in names])
        rows = policy.draw(features, GROUP, rng)
        rewards = np.stack([session.evaluate(one, name).reward for one, name in zip(rows, names, strict=True)])
        # Equal rewards have equal ranks, or what is first would count as worse.
        below = (rewards[:, None] < rewards[:, :, None]).mean(axis=2)
        above = (rewards[:, None] > rewards[:, :, None]).mean(axis=2)
        policy.improve(features, rows, below - above)
