"""From metrics to rewards and feasibility, vectorised."""

from __future__ import annotations

__all__ = ["Scorer"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym.objectives import INVALID_REWARD, Bound, Objective
from archgym_simulators import FAILED, OK, Evaluation, InputError, Metric

_LOWEST_VALID = float(np.nextafter(-INVALID_REWARD, 0.0))
_HIGHEST = 1e9
_LARGEST_VIOLATION = 1e6
_POLE_CAP = 1e6
_TINY = 1e-300  # a log metric that is 0 is infinitely good; rewards stay finite


@dataclass(frozen=True)
class _Linear:
    """Sum of weight * (f(metric) - reference), f = log for log metrics and identity for linear ones."""

    terms: tuple[tuple[int, bool, float, float], ...]  # column, whether log, f(reference), weight

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        total: NDArray[np.float64] | None = None
        # Term by term in a fixed order: a matrix product may group the sum differently for another batch size.
        for column, is_log, reference, weight in self.terms:
            gap = _log(values[:, column]) if is_log else values[:, column].copy()
            gap -= reference  # first, so that the baseline gives 0 and a bound that is just met gives 0, exactly
            gap *= weight
            total = gap if total is None else np.add(total, gap, out=total)
        return np.zeros(len(values)) if total is None else total


def _log(metric: NDArray[np.float64]) -> NDArray[np.float64]:
    # Of a contiguous copy: NumPy's logarithm of a strided array may differ in the last bit.
    positive = np.maximum(metric, _TINY)
    return np.log(positive, out=positive)


def _transformed(value: float, metric: Metric) -> float:
    # By the same logarithm as the metrics, to the bit; that of the math module is another.
    return float(_log(np.array([value]))[0]) if metric.scale == "log" else value


class Scorer:
    """Turns the values of evaluations into rewards, relative to the baseline's metrics.

    "Minimise X" is log(baseline X / X) for log metrics and (baseline X - X) / span for linear ones; "maximise" is the
    negative. Products add in log space, exponents are weights. A constraint or target that is missed costs
    log(X / bound), or (X - bound) / span.

    Args:
        metrics: the simulator's metrics (M).
        objectives: K of them; each gives one reward column.
        constraints: bounds on metrics.
        baseline: (M,) the baseline's metrics.

    Raises:
        InputError: where a metric of an objective is not finite at the baseline.
    """

    def __init__(
        self,
        metrics: Sequence[Metric],
        objectives: Sequence[Objective],
        constraints: Sequence[Bound],
        baseline: NDArray[np.float64],
    ) -> None:
        self._metrics = {metric.name: (column, metric) for column, metric in enumerate(metrics)}
        self._baseline = baseline
        self._objectives = tuple(objectives)
        self._linear = [self._compile(objective) for objective in objectives]
        self._targets = [[self._compile_bound(b) for b in objective.targets] for objective in objectives]
        self._bounds = [self._compile_bound(bound) for bound in constraints]

    def rewards(self, evaluation: Evaluation) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Rewards (N, K), all finite, and feasibility (N,): status ok and every constraint met.

        A reward that is no number (a simulator's mistake) counts as the lowest valid one.
        """
        values, status = evaluation.values, evaluation.status
        feasible = status == OK
        broken = self._broken(self._bounds, values) if self._bounds else None
        if broken is not None:
            feasible &= broken <= 0.0
        rewards = np.empty((len(values), len(self._objectives)))
        for k, objective in enumerate(self._objectives):
            gain = self._gain(k, objective, values)
            if broken is not None:
                gain -= broken
            np.fmin(np.fmax(gain, _LOWEST_VALID, out=gain), _HIGHEST, out=rewards[:, k])
        if np.count_nonzero(status):
            # fmin and fmax pass over NaN, so that a bad violation cannot spoil a reward.
            violation = np.fmin(np.fmax(evaluation.violation, 0.0), _LARGEST_VIOLATION)
            lost = -INVALID_REWARD - np.where(status == FAILED, 0.0, violation)
            rewards[status != OK] = lost[status != OK, None]
        return rewards, feasible

    def violations(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far each design misses each constraint: (N, C), 0 where it is met."""
        columns = [np.maximum(bound(values), 0.0) for bound in self._bounds]
        return np.stack(columns, axis=1) if columns else np.zeros((len(values), 0))

    def _gain(self, k: int, objective: Objective, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if objective.targets:
            return -self._broken(self._targets[k], values)
        if objective.terms[0].pole is not None:
            return self._poles(objective, values)
        return self._linear[k](values)

    def _poles(self, objective: Objective, values: NDArray[np.float64]) -> NDArray[np.float64]:
        product = np.ones(len(values))
        for term in objective.terms:
            target = float(term.pole or 0.0)
            distance = np.abs(values[:, self._metrics[term.metric][0]] - target)
            product *= np.minimum(target / np.maximum(distance, target / _POLE_CAP), _POLE_CAP)
        return np.minimum(product, _POLE_CAP)

    @staticmethod
    def _broken(bounds: Sequence[_Linear], values: NDArray[np.float64]) -> NDArray[np.float64]:
        total: NDArray[np.float64] | None = None
        for bound in bounds:
            missed = bound(values)
            np.maximum(missed, 0.0, out=missed)
            total = missed if total is None else np.add(total, missed, out=total)
        return np.zeros(len(values)) if total is None else total

    def _compile(self, objective: Objective) -> _Linear:
        terms = []
        for term in objective.terms:
            column, metric = self._metrics[term.metric]
            reference = float(self._baseline[column])
            if not np.isfinite(reference) or (metric.scale == "log" and term.pole is None and reference <= 0.0):
                raise InputError(
                    f"metric {term.metric!r} is {reference:g} at the baseline, so it cannot be an objective; "
                    "a metric that may be 0 needs scale='linear'"
                )
            weight = (-term.weight if term.direction == "min" else term.weight) / metric.unit_at(reference)
            terms.append((column, metric.scale == "log", _transformed(reference, metric), weight))
        return _Linear(tuple(terms))

    def _compile_bound(self, bound: Bound) -> _Linear:
        column, metric = self._metrics[bound.metric]
        weight = (1.0 if bound.operator == "<=" else -1.0) / metric.unit_at(float(self._baseline[column]))
        return _Linear(((column, metric.scale == "log", _transformed(bound.value, metric), weight),))
