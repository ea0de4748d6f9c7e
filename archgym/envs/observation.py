"""What an agent sees: one flat, finite, normalised vector."""

from __future__ import annotations

__all__ = ["ObservationLayout"]

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from archgym.problem import Problem

_TINY = 1e-300


class ObservationLayout:
    """Where everything stands in an observation of length L; all entries lie in [-1, 1].

    ``workload features (F) | last design (D) | last metrics (M) | valid, feasible | best metrics (M) | best reward,
    has best | steps left``

    Designs are index / (values - 1). Metrics are gains over the baseline, g = log(baseline / x) for a minimised log
    metric (for linear ones the difference over the span), squashed by g / (1 + |g|): 0 is the baseline, 1 infinitely
    better. Invalid designs show 0 there and "valid" 0. Steps left is the share of the horizon that remains.
    """

    def __init__(self, problem: Problem) -> None:
        simulator, space = problem.simulator, problem.space
        features, width, metrics = len(simulator.workload.features), space.width, len(simulator.metrics)
        edges = np.cumsum([0, features, width, metrics, 2, metrics, 2, 1]).tolist()
        self.features = slice(edges[0], edges[1])
        self.design = slice(edges[1], edges[2])
        self.metrics = slice(edges[2], edges[3])
        self.valid, self.feasible = edges[3], edges[3] + 1
        self.best_metrics = slice(edges[4], edges[5])
        self.best_reward, self.has_best = edges[5], edges[5] + 1
        self.steps_left = edges[6]
        self.length = edges[7]
        self.names = self._names(problem)
        self._design_scale = 1.0 / np.maximum(space.nvec - 1, 1)
        self._plain_scale = self._design_scale.tolist()
        self._is_log = np.array([metric.scale == "log" for metric in simulator.metrics])
        self._all_log = bool(self._is_log.all())
        self._linear = np.flatnonzero(~self._is_log).tolist()
        self._signs = np.array([1.0 if metric.direction == "max" else -1.0 for metric in simulator.metrics])

    def space(self) -> spaces.Space[NDArray[np.float32]]:
        """The observation space of one environment."""
        return spaces.Box(-1.0, 1.0, (self.length,), np.float32)

    def scaled_rows(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Index rows (N, D) as numbers in [0, 1]."""
        return np.asarray(rows * self._design_scale)

    def scaled_row(self, row: list[int]) -> list[float]:
        """As `scaled_rows`, for one row (D,)."""
        return [index * scale for index, scale in zip(row, self._plain_scale, strict=True)]

    def first(self, problem: Problem) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The observation (L,) with which an episode starts, at the baseline, and the workload's `reference`."""
        observation = np.zeros(self.length, dtype=np.float32)
        observation[self.features] = np.clip(problem.simulator.workload.features, -1.0, 1.0)
        observation[self.design] = self.scaled_rows(np.array(problem.simulator.baseline.row))
        observation[self.steps_left] = 1.0
        return observation, self.reference(problem)

    def reference(self, problem: Problem) -> NDArray[np.float64]:
        """(2, M): the baseline's metrics, as logarithms where the metric is a log one, and the weights of gains.

        Both follow the workload: a linear metric may count in units of its baseline.
        """
        baseline = problem.baseline_values
        metrics = problem.simulator.metrics
        units = [metric.unit_at(x) for metric, x in zip(metrics, baseline.tolist(), strict=True)]
        return np.stack([self._on_scale(baseline), self._signs / units])

    def gains(self, values: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Squashed gains (N, M) of metrics (N, M) over references (N, 2, M); 0 for what has no value."""
        gain = (self._on_scale(values) - reference[:, 0]) * reference[:, 1]
        gain /= 1.0 + np.abs(gain)
        gain[np.isnan(gain)] = 0.0
        return np.asarray(gain)

    def gains_of_one(self, values: NDArray[np.float64], reference: list[list[float]]) -> list[float]:
        """As `gains`, for the metrics (1, M) of one design and its reference (2, M), in plain numbers."""
        scaled = np.log(np.maximum(values, _TINY))[0].tolist()
        for column in self._linear:
            scaled[column] = values.item(column)
        gains = [(x - baseline) * weight for x, baseline, weight in zip(scaled, *reference, strict=True)]
        squashed = [gain / (1.0 + abs(gain)) for gain in gains]
        return [gain if gain == gain else 0.0 for gain in squashed]  # only NaN is not itself

    def _on_scale(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._all_log:
            return np.asarray(np.log(np.maximum(values, _TINY)))
        logarithms = np.log(np.maximum(np.where(self._is_log, values, 1.0), _TINY))
        return np.where(self._is_log, logarithms, values)

    @staticmethod
    def _names(problem: Problem) -> tuple[str, ...]:
        metrics = [metric.name for metric in problem.simulator.metrics]
        return (
            *(f"workload.{name}" for name in problem.simulator.workload.feature_names),
            *(f"design.{name}" for name in problem.space.columns),
            *(f"metric.{name}" for name in metrics),
            "valid",
            "feasible",
            *(f"best.{name}" for name in metrics),
            "best.reward",
            "has_best",
            "steps_left",
        )
