"""The clock, the best so far and the observation of a single episode."""

from __future__ import annotations

__all__ = ["Episode"]

import numpy as np
from numpy.typing import NDArray

from archgym.envs.observation import ObservationLayout
from archgym.problem import ScoredEvaluation
from archgym.session import Session
from archgym_simulators import OK
from archgym_simulators.space import Rows

_NONE_YET = (False, -np.inf)


class Episode:
    """What `archgym.envs.episodes.EpisodeBoard` is for many, in plain numbers.

    Arrays of one row spend their time on NumPy's calls; this takes half of it and gives the same bits, logarithms
    being NumPy's in both.

    Attributes:
        observation: (L,) float32; callers copy.
        workload: the spec of the running episode.
    """

    def __init__(self, session: Session, horizon: int) -> None:
        self.session = session
        self.horizon = horizon
        self.layout = ObservationLayout(session.problem())
        self.observation = np.zeros(self.layout.length, dtype=np.float32)
        self.workload = session.spec.workload
        self._evaluated = slice(self.layout.design.start, self.layout.length)
        self._first: dict[str, tuple[NDArray[np.float32], list[list[float]]]] = {}
        self._reference: list[list[float]] = []
        self._best: list[float] = []
        self._best_rank = _NONE_YET
        self._steps = 0

    def begin(self, workload: str) -> None:
        """Start anew, at the baseline.

        Raises:
            InputError: a workload with another design space; nothing has changed then.
        """
        if workload not in self._first:
            observation, reference = self.layout.first(self.session.problem(workload))
            self._first[workload] = observation, reference.tolist()
        first, self._reference = self._first[workload]
        self.observation[:] = first
        self.workload = workload
        self._best_rank = _NONE_YET
        self._best = [0.0] * (self.layout.steps_left - self.layout.best_metrics.start)
        self._steps = 0

    def evaluate(self, row: Rows) -> ScoredEvaluation:
        """Evaluate one design (1, D)."""
        return self.session.evaluate(row, self.workload)

    def advance(self, row: list[int], scored: ScoredEvaluation) -> bool:
        """Take the outcome of one step into the observation; returns whether the horizon is reached."""
        self._steps += 1
        gains = self.layout.gains_of_one(scored.values, self._reference)
        reward, feasible = scored.reward.item(0), scored.feasible.item(0)
        if self.horizon == 1 or (feasible, reward) > self._best_rank:
            self._best_rank = feasible, reward
            self._best = [*gains, reward / (1.0 + abs(reward)), 1.0]
        self.observation[self._evaluated] = [
            *self.layout.scaled_row(row),
            *gains,
            float(scored.status[0] == OK),
            float(feasible),
            *self._best,
            1.0 - self._steps / self.horizon,
        ]
        return self._steps >= self.horizon
