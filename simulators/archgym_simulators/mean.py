"""One design on several workloads at once: the mean over them."""

from __future__ import annotations

__all__ = ["MeanOverWorkloads"]

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import FAILED, INVALID, OK, Evaluation, widened
from archgym_simulators.simulator import Simulator, Workload
from archgym_simulators.space import Rows


class MeanOverWorkloads(Simulator):
    """Simulators of one family, bound to several workloads, as one.

    Log metrics are averaged geometrically, so that a reward is the mean of the rewards on the single workloads; linear
    ones arithmetically. A design that is invalid on one workload is invalid, with that workload's reason, and its
    violation is the largest; one that failed on any (and is invalid on none) has failed. An evaluation costs the sum.

    Args:
        simulators: at least one, with equal spaces, metrics and baselines.

    Raises:
        InputError: where the spaces or metrics differ.
    """

    def __init__(self, simulators: Sequence[Simulator]) -> None:
        first = simulators[0]
        for other in simulators[1:]:
            if other.space != first.space or other.metrics != first.metrics or other.baseline != first.baseline:
                raise InputError(
                    f"workloads {first.workload.name!r} and {other.workload.name!r} differ in design space, metrics or "
                    "baseline, so no mean over them exists"
                )
        self.simulators = tuple(simulators)
        self.space, self.baseline = first.space, first.baseline
        # A family's declarations are class attributes; here they are those of whatever is averaged.
        self.metrics, self.objectives, self.reasons = first.metrics, first.objectives, first.reasons  # type: ignore[misc]
        self.default_objective, self.pareto_objectives = first.default_objective, first.pareto_objectives
        self.version, self.cost_unit, self.resumes = first.version, first.cost_unit, first.resumes
        self.rows_per_record = first.rows_per_record
        self.diagnostic_names = first.diagnostic_names  # type: ignore[misc]
        self._is_log = np.array([metric.scale == "log" for metric in first.metrics])
        features = np.mean([simulator.workload.features for simulator in simulators], axis=0)
        digests = "".join(simulator.workload.digest for simulator in simulators)
        self.workload = Workload(
            " + ".join(simulator.workload.name for simulator in simulators),
            tuple(features.tolist()),
            first.workload.feature_names,
            hashlib.sha256(digests.encode()).hexdigest()[:16],
        )

    def describe_options(self) -> dict[str, Any]:
        return self.simulators[0].describe_options()

    def reusable_cost(self, rows: Rows) -> NDArray[np.float64]:
        return _sum([simulator.reusable_cost(rows) for simulator in self.simulators])

    def simulate(self, rows: Rows) -> Evaluation:
        return self._combined([simulator.simulate(rows) for simulator in self.simulators])

    def simulate_all(self, rows: Rows, *, threads: int = 1) -> Evaluation:
        return self._combined([simulator.simulate_all(rows, threads=threads) for simulator in self.simulators])

    def _combined(self, parts: Sequence[Evaluation]) -> Evaluation:
        status = np.stack([part.status for part in parts])  # (W, N)
        worst = np.where((status == INVALID).any(axis=0), INVALID, np.where((status == FAILED).any(axis=0), FAILED, OK))
        which = (status == worst).argmax(axis=0)  # (N,) the workload that explains the status
        everyone = np.arange(len(which))
        code = np.stack([part.reason_code for part in parts])[which, everyone]
        return Evaluation.of(
            self._mean([part.values for part in parts]),
            reasons=self.reasons,
            reason_code=np.where(worst == OK, -1, code),
            violation=np.max([part.violation for part in parts], axis=0),
            reason_detail=np.stack(widened([part.reason_detail for part in parts]))[which, everyone],
            failed=worst == FAILED,
            cost=_sum([part.cost for part in parts]),
            diagnostics=_sum(widened([part.diagnostics for part in parts])) / len(parts),
        )

    def _mean(self, values: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Means (N, M): exp of the mean logarithm for log metrics; 0 where a log metric is 0 on some workload."""
        with np.errstate(divide="ignore"):
            scaled = [np.where(self._is_log, np.log(np.where(self._is_log, one, 1.0)), one) for one in values]
        mean = _sum(scaled) / len(values)
        return np.where(self._is_log, np.exp(np.where(self._is_log, mean, 0.0)), mean)


def _sum(arrays: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """In the order of the workloads: NumPy's own sum groups differently for some shapes, so batches could differ."""
    total = np.zeros_like(arrays[0])
    for one in arrays:
        total += one
    return total
