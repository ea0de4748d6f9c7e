"""The contract of a cost model: designs and a workload in, metrics out."""

from __future__ import annotations

__all__ = ["Baseline", "Metric", "NamedObjective", "Simulator", "Workload"]

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.constraints import Reason
from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import FAILED, Evaluation, join
from archgym_simulators.space import DesignSpace, Rows

_SLICE = 512


@dataclass(frozen=True)
class Metric:
    """A quantity that a simulator reports.

    Attributes:
        name: with its unit as suffix: ``total_time_ns``, ``energy_pj``, ``area_mm2``; unitless counts without.
        description: one sentence.
        direction: ``"min"`` or ``"max"``: which way is better.
        scale: ``"log"`` for positive quantities compared by ratio, ``"linear"`` for those compared by difference.
        span: for linear metrics, the difference that counts as 1 in a reward; None for the baseline's magnitude (or 1
            where that is 0).
    """

    name: str
    description: str
    direction: str = "min"
    scale: str = "log"
    span: float | None = None

    def __post_init__(self) -> None:
        if self.direction not in ("min", "max") or self.scale not in ("log", "linear"):
            raise InputError(
                f"metric {self.name!r}: direction must be min or max and scale log or linear, "
                f"not {self.direction!r} and {self.scale!r}"
            )
        if not self.name.isidentifier():
            raise InputError(f"metric name {self.name!r} must be letters, digits and underscores, as in 'energy_pj'")
        if self.span is not None and not 0.0 < self.span < float("inf"):
            raise InputError(f"metric {self.name!r}: span must be above 0 and finite, not {self.span}")

    def unit_at(self, baseline: float) -> float:
        """The difference that counts as 1, for a baseline of that value: 1 for log metrics, whose unit is e."""
        if self.scale == "log":
            return 1.0
        return self.span or abs(baseline) or 1.0


@dataclass(frozen=True)
class Workload:
    """What the architecture runs, as an agent sees it.

    Attributes:
        name: the spec from which the simulator was bound; binding to it again gives the same numbers.
        features: values in a fixed order, finite and of order one, same length for every workload of the family.
        feature_names: their names.
        digest: content hash, so that a file changed under the same name is noticed.
    """

    name: str
    features: tuple[float, ...] = ()
    feature_names: tuple[str, ...] = ()
    digest: str = ""


@dataclass(frozen=True)
class Baseline:
    """A sensible reference design: rewards are relative to it."""

    name: str
    row: tuple[int, ...]


@dataclass(frozen=True)
class NamedObjective:
    """An objective that a family gives a name.

    Attributes:
        name: ``"energy-delay"``.
        expression: in the objective language of `archgym.objectives`: ``"energy_pj * total_time_ns"``.
        description: one sentence.
        aliases: other names.
        requires: metrics of which at least one must be bounded by a constraint, because the objective alone is
            degenerate; empty where it is not.
    """

    name: str
    expression: str
    description: str
    aliases: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()


class Simulator(ABC):
    """A cost model bound to one workload. Pure: no state that changes a number, no clock, no global random draw.

    Deterministic: on one machine the same bits for any batch size, order and thread count.

    Subclasses take the workload's spec first and their options as keywords, all JSON-able::

        class Chip(Simulator):
            def __init__(self, workload: str = "default", *, node_nm: int = 28) -> None: ...

    Class attributes describe the family without building anything; instance attributes are set by the constructor. A
    family whose metrics follow its options (a table's columns) leaves ``metrics`` off the class and sets them in the
    constructor; objectives are then parsed against a bound simulator.
    """

    metrics: tuple[Metric, ...]
    version: str
    objectives: tuple[NamedObjective, ...] = ()
    default_objective: str = ""
    pareto_objectives: tuple[str, ...] = ()
    """Objectives of the family's ``-MO-`` id; empty for its first two."""
    reasons: ClassVar[tuple[Reason, ...]] = ()
    diagnostic_names: ClassVar[tuple[str, ...]] = ()
    cost_unit: str = "simulations"
    resumes: bool = False
    """Whether a higher fidelity goes on from a lower one of the same design, as `reusable_cost` says."""
    rows_per_record: int = 4096
    """Designs simulated between two writes of the journal; 1 for tools that need seconds a design."""

    space: DesignSpace
    workload: Workload
    baseline: Baseline

    def evaluate(self, rows: Rows) -> Evaluation:
        """Metrics of the designs ``rows`` (N, D), already checked and canonical; N may be 0.

        Designs that break a constraint of the space are invalid and never reach `simulate`.
        """
        return self._where_valid(rows, self.simulate)

    def evaluate_all(self, rows: Rows, *, threads: int = 1) -> Evaluation:
        """As `evaluate`, to the bit, for an enumeration: in threads, with fewer simulations where proven."""
        return self._where_valid(rows, partial(self.simulate_all, threads=threads))

    def _where_valid(self, rows: Rows, simulate: Callable[[Rows], Evaluation]) -> Evaluation:
        if not self.space.constraints:
            return simulate(rows)
        violations = self.space.violations(rows)  # (N, C)
        broken = np.logical_not(violations <= 0.0)  # so that NaN counts as broken
        valid = ~broken.any(axis=1)
        if valid.all():
            return simulate(rows)
        return self._scatter(rows, simulate(rows[valid]), np.asarray(valid), violations, broken.argmax(axis=1))

    @abstractmethod
    def simulate(self, rows: Rows) -> Evaluation:
        """What `evaluate` does for designs that meet every constraint of the space."""

    def simulate_all(self, rows: Rows, *, threads: int = 1) -> Evaluation:
        """What `evaluate_all` does for them. A family overrides it where one simulation proves what others would give.

        Args:
            rows: (N, D) distinct canonical designs, in the order of an enumeration.
            threads: that may simulate at once.
        """
        if threads == 1 or len(rows) <= _SLICE:
            return self.simulate(rows)
        with ThreadPoolExecutor(threads) as pool:
            return join(list(pool.map(self.simulate, np.split(rows, range(_SLICE, len(rows), _SLICE)))))

    def reusable_cost(self, rows: Rows) -> NDArray[np.float64]:
        """The part (N,) of each evaluation's cost that leaves something to go on from, such as training.

        At most the evaluation's cost, and growing with the fidelity. A session charges a design that it has seen at
        another fidelity (parameters of role ``"fidelity"``) only what goes beyond the largest such part so far. It is
        asked only where ``resumes``, with canonical rows, and must be known without simulating.
        """
        return np.zeros(len(rows))

    def bottlenecks(self, evaluation: Evaluation) -> Mapping[str, NDArray[Any]]:
        """What holds each design back, in words, each (N,): ``metric``, ``task``, ``block`` and whatever else is known.

        Empty where the family does not say; of a design that is not ok, the words mean nothing. Environments give them
        in ``info["bottleneck"]``, sessions by `archgym.Session.bottlenecks`.

        Args:
            evaluation: of this simulator.
        """
        return {}

    def designs(self) -> Rows | None:
        """The only designs (R, D) that can be valid, where the simulator has a list of them; None where it has not."""
        return None

    @property
    def all_reasons(self) -> tuple[Reason, ...]:
        """Reasons by code: the simulator's own, then those of the space's constraints."""
        return (*self.reasons, *(constraint.reason for constraint in self.space.constraints))

    def _scatter(
        self,
        rows: Rows,
        inner: Evaluation,
        valid: NDArray[np.bool_],
        violations: NDArray[np.float64],
        first: NDArray[np.intp],
    ) -> Evaluation:
        """All designs (N,), where ``inner`` has the valid ones."""
        broken = ~valid
        reasons = self.all_reasons
        width = max(len(reason.details) for reason in reasons)
        code = (first + len(self.reasons)).astype(np.int16)
        code[valid] = inner.reason_code
        violation = violations.sum(axis=1)
        violation[valid] = inner.violation
        detail = np.zeros((len(rows), width))
        detail[valid, : inner.reason_detail.shape[1]] = inner.reason_detail
        columns = self.space.values(rows[broken])
        for c, constraint in enumerate(self.space.constraints):
            if constraint.details is not None:
                numbers = constraint.details(columns)
                mine = first[broken] == c
                detail[np.flatnonzero(broken)[mine], : numbers.shape[1]] = numbers[mine]
        values = np.full((len(rows), len(self.metrics)), np.nan)
        values[valid] = inner.values
        cost = np.ones(len(rows))
        cost[valid] = inner.cost
        failed = np.zeros(len(rows), dtype=bool)
        failed[valid] = inner.status == FAILED
        diagnostics = np.full((len(rows), inner.diagnostics.shape[1]), np.nan)
        diagnostics[valid] = inner.diagnostics
        return Evaluation.of(
            values,
            reasons=reasons,
            reason_code=code,
            violation=violation,
            reason_detail=detail,
            failed=failed,
            cost=cost,
            diagnostics=diagnostics,
        )

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        """Built-in workloads: spec -> one sentence."""
        return {}

    @classmethod
    def draw_workload(cls, split: str, rng: np.random.Generator) -> str:
        """A workload spec from the distribution split ``"train"``, ``"dev"`` or ``"test"``.

        Raises:
            InputError: where the family has no such split.
        """
        raise InputError(
            f"this family has no workload split {split!r}; name a workload: {', '.join(cls.workload_names())}"
        )

    def metric_names(self) -> tuple[str, ...]:
        """Names of the metrics, in the order of ``Evaluation.values``."""
        return tuple(metric.name for metric in self.metrics)

    def column(self, evaluation: Evaluation, metric: str) -> NDArray[np.float64]:
        """One metric of an evaluation: (N,)."""
        column: NDArray[np.float64] = evaluation.values[:, self.metric_names().index(metric)]
        return column

    def describe_options(self) -> dict[str, Any]:
        """The options this simulator was built with, JSON-able; they are part of a run's identity."""
        return {}
