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
_LARGEST_MISS = 1e3  # of bounds; an invalid design is further off than any that misses them
_POLE_CAP = 1e6
_TINY = 1e-300  # a log metric that is 0 is infinitely good; rewards stay finite


class _Gaps:
    """weight * (f(metric) - reference) of every term at once, f = log for log metrics and identity for linear ones.

    The reference is subtracted first, so that a metric at its reference (the baseline's, or a bound that is just met)
    gives 0 exactly.
    """

    def __init__(self, terms: Sequence[_Term]) -> None:
        logs = [i for i, term in enumerate(terms) if term.metric.scale == "log"]
        order = logs + [i for i in range(len(terms)) if i not in logs]
        self.place = {i: place for place, i in enumerate(order)}  # of a term among the columns of the outcome
        self._log_columns = np.array([terms[i].column for i in logs], dtype=np.intp)
        self._linear_columns = np.array([terms[i].column for i in order[len(logs) :]], dtype=np.intp)
        self._references = np.array([_transformed(terms[i].reference, terms[i].metric) for i in order])
        self._weights = np.array([terms[i].weight for i in order])

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        gaps = _log(values.take(self._log_columns, axis=1))
        if len(self._linear_columns):
            gaps = np.concatenate((gaps, values.take(self._linear_columns, axis=1)), axis=1)
        gaps -= self._references
        gaps *= self._weights
        return gaps  # (N, T)


@dataclass(frozen=True)
class _Term:
    column: int
    metric: Metric
    reference: float
    weight: float


def _log(metrics: NDArray[np.float64]) -> NDArray[np.float64]:
    # Of a contiguous copy: NumPy's logarithm of a strided array may differ in the last bit.
    np.maximum(metrics, _TINY, out=metrics)
    return np.log(metrics, out=metrics)


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
        terms: list[_Term] = []
        lines = [self._numbered(terms, self._terms_of(objective)) for objective in objectives]
        bounds = self._numbered(terms, [self._term_of(bound) for bound in constraints])
        self._gaps = _Gaps(terms)
        self._lines = [[self._gaps.place[i] for i in line] for line in lines]
        self._bounds = [self._gaps.place[i] for i in bounds]

    @staticmethod
    def _numbered(terms: list[_Term], more: Sequence[_Term]) -> range:
        terms.extend(more)
        return range(len(terms) - len(more), len(terms))

    def rewards(self, evaluation: Evaluation) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
        """Rewards (N, K), all finite; feasibility (N,): status ok, every constraint met; how far that is missed (N,).

        A reward that is no number (a simulator's mistake) counts as the lowest valid one.
        """
        values, status = evaluation.values, evaluation.status
        feasible = status == OK
        gaps = self._gaps(values)
        broken = _missed(gaps, self._bounds) if self._bounds else None
        if broken is not None:
            feasible &= broken <= 0.0
        missed = np.zeros(len(values)) if broken is None else np.fmin(broken, _LARGEST_MISS)
        rewards = np.empty((len(values), len(self._objectives)))
        for k, objective in enumerate(self._objectives):
            gain = self._gain(objective, self._lines[k], gaps, values)
            if broken is not None:
                gain = gain - broken
            np.fmin(np.fmax(gain, _LOWEST_VALID), _HIGHEST, out=rewards[:, k])
        if np.count_nonzero(status):
            # fmin and fmax pass over NaN, so that a bad violation cannot spoil a reward.
            violation = np.fmin(np.fmax(evaluation.violation, 0.0), _LARGEST_VIOLATION)
            lost = -INVALID_REWARD - np.where(status == FAILED, 0.0, violation)
            rewards[status != OK] = lost[status != OK, None]
            missed = np.where(status == OK, missed, _LARGEST_MISS + violation)
        return rewards, feasible, missed

    def violations(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far each design misses each constraint: (N, C), 0 where it is met."""
        return np.maximum(self._gaps(values)[:, self._bounds], 0.0)

    def _gain(
        self, objective: Objective, line: Sequence[int], gaps: NDArray[np.float64], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        if objective.targets:
            return 0.0 - _missed(gaps, line)  # not -0.0 where all are met
        if objective.terms[0].pole is not None:
            return self._poles(objective, values)
        return _total(gaps, line)

    def _poles(self, objective: Objective, values: NDArray[np.float64]) -> NDArray[np.float64]:
        product = np.ones(len(values))
        for term in objective.terms:
            target = float(term.pole or 0.0)
            distance = np.abs(values[:, self._metrics[term.metric][0]] - target)
            product *= np.minimum(target / np.maximum(distance, target / _POLE_CAP), _POLE_CAP)
        return np.minimum(product, _POLE_CAP)

    def _terms_of(self, objective: Objective) -> list[_Term]:
        if objective.targets:
            return [self._term_of(target) for target in objective.targets]
        terms = []
        for term in (term for term in objective.terms if term.pole is None):
            column, metric = self._metrics[term.metric]
            reference = float(self._baseline[column])
            if not np.isfinite(reference) or (metric.scale == "log" and reference <= 0.0):
                raise InputError(
                    f"metric {term.metric!r} is {reference:g} at the baseline, so it cannot be an objective; "
                    "a metric that may be 0 needs scale='linear'"
                )
            weight = (-term.weight if term.direction == "min" else term.weight) / metric.unit_at(reference)
            terms.append(_Term(column, metric, reference, weight))
        return terms

    def _term_of(self, bound: Bound) -> _Term:
        column, metric = self._metrics[bound.metric]
        weight = (1.0 if bound.operator == "<=" else -1.0) / metric.unit_at(float(self._baseline[column]))
        return _Term(column, metric, bound.value, weight)


def _total(gaps: NDArray[np.float64], line: Sequence[int]) -> NDArray[np.float64]:
    """The sum of some columns (N,), one by one: a matrix product may group it differently for another batch size."""
    total: NDArray[np.float64] = gaps[:, line[0]]
    for place in line[1:]:
        total = total + gaps[:, place]
    return total


def _missed(gaps: NDArray[np.float64], line: Sequence[int]) -> NDArray[np.float64]:
    """How far bounds are missed, summed: (N,), 0 where all are met."""
    return _total(np.maximum(gaps, 0.0), line)
