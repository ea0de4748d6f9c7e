"""The clock, the best so far and the observation of n parallel episodes."""

from __future__ import annotations

__all__ = ["EpisodeBoard"]

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archgym.envs.observation import ObservationLayout
from archgym.problem import ScoredEvaluation
from archgym.session import Session
from archgym_simulators import OK
from archgym_simulators.space import Rows


class EpisodeBoard:
    """State of n episodes over one session; everything that is not an evaluation lives here.

    An episode starts at the baseline: it is the "last design" of the first observation, with gains 0.

    Attributes:
        observations: (n, L) float32; callers copy.
        workloads: the spec of each episode.
        steps: (n,) steps taken in each.
    """

    def __init__(self, session: Session, n: int, horizon: int) -> None:
        self.session = session
        self.horizon = horizon
        problem = session.problem()
        self.layout = ObservationLayout(problem)
        self.observations = np.zeros((n, self.layout.length), dtype=np.float32)
        self.workloads = [session.spec.workload] * n
        self.steps = np.zeros(n, dtype=np.int64)
        self._distinct = self.workloads[:1]
        self._best_reward = np.full(n, -np.inf)
        self._best_feasible = np.zeros(n, dtype=bool)
        self._first: dict[str, tuple[NDArray[np.float32], NDArray[np.float64]]] = {}
        self._reference = np.tile(self.layout.reference(problem), (n, 1, 1))  # (n, 2, M)

    def begin(self, which: Sequence[int], workloads: Sequence[str]) -> None:
        """Start new episodes at the positions ``which``.

        Raises:
            InputError: a workload with another design space; nothing has changed then.
        """
        first = {workload: self._first_observation(workload) for workload in dict.fromkeys(workloads)}
        at = slice(None) if len(which) == len(self.workloads) else which
        if len(first) == 1:
            self.observations[at], self._reference[at] = first[workloads[0]]
        for i, workload in zip(which, workloads, strict=True):
            self.workloads[i] = workload
            if len(first) > 1:
                self.observations[i], self._reference[i] = first[workload]
        self._distinct = list(dict.fromkeys(self.workloads))
        self.steps[at] = 0
        self._best_reward[at] = -np.inf
        self._best_feasible[at] = False

    def _first_observation(self, workload: str) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        if workload not in self._first:
            self._first[workload] = self.layout.first(self.session.problem(workload))
        return self._first[workload]

    def evaluate(self, rows: Rows) -> ScoredEvaluation:
        """Evaluate one design for each episode (n, D), each on its own workload."""
        if len(self._distinct) == 1:
            return self.session.evaluate(rows, self._distinct[0])
        return self._evaluate_by_workload(rows)

    def advance(self, rows: Rows, scored: ScoredEvaluation) -> NDArray[np.bool_]:
        """Take the outcome of one step into the observations; returns which episodes have reached the horizon (n,)."""
        layout, observations = self.layout, self.observations
        self.steps += 1
        reward, feasible = scored.reward, scored.feasible
        gains = layout.gains(scored.values, self._reference)
        observations[:, layout.design] = layout.scaled_rows(rows)
        observations[:, layout.metrics] = gains
        observations[:, layout.valid] = scored.status == OK
        observations[:, layout.feasible] = feasible
        observations[:, layout.steps_left] = 1.0 - self.steps / self.horizon
        at = self._improved(reward, feasible)
        if at is not None:
            best = reward[at]
            self._best_reward[at] = best
            self._best_feasible[at] = feasible[at]
            observations[at, layout.best_metrics] = gains[at]
            observations[at, layout.best_reward] = best / (1.0 + np.abs(best))
            observations[at, layout.has_best] = 1.0
        return self.steps >= self.horizon

    def _improved(self, reward: NDArray[np.float64], feasible: NDArray[np.bool_]) -> slice | NDArray[np.bool_] | None:
        """Where the last design is the best of its episode: everywhere in one-step episodes; None for nowhere."""
        if self.horizon == 1:
            return slice(None)
        better = (feasible > self._best_feasible) | ((feasible == self._best_feasible) & (reward > self._best_reward))
        return better if better.any() else None

    def _evaluate_by_workload(self, rows: Rows) -> ScoredEvaluation:
        parts, order = [], []
        for workload in self._distinct:
            mine = [i for i, name in enumerate(self.workloads) if name == workload]
            parts.append(self.session.evaluate(rows[mine], workload))
            order += mine
        back = np.empty(len(order), dtype=np.int64)
        back[order] = np.arange(len(order))
        return ScoredEvaluation.concatenate(parts, back)
