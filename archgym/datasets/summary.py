"""What a dataset holds, in numbers: for people, for cards, and to see early what a proxy cannot learn from it."""

from __future__ import annotations

__all__ = ["Coverage", "MetricRange", "Summary", "summarise"]

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

import numpy as np

from archgym_simulators import OK

if TYPE_CHECKING:
    from archgym.datasets.dataset import Dataset

_FEW = 50
_LISTED_VALUES = 1 << 20


@dataclass(frozen=True)
class Coverage:
    """How much of a parameter the rows have seen.

    Attributes:
        values: different values.
        size: values that the parameter has.
        evenness: entropy of the values over that of a uniform draw, 0 where there is one value only, 1 where all are
            equally frequent.
    """

    values: int
    size: int
    evenness: float


@dataclass(frozen=True)
class MetricRange:
    """The valid values of a metric; NaN where no design is valid.

    Attributes:
        unit: "" for counts and ratios.
        low: the smallest.
        median: over rows.
        high: the largest.
    """

    unit: str
    low: float
    median: float
    high: float

    @property
    def is_constant(self) -> bool:
        """Whether there is nothing to learn."""
        return self.low == self.high


@dataclass(frozen=True)
class Summary:
    """Numbers about a dataset.

    Attributes:
        rows: N.
        designs: different designs, whatever the workload.
        space_size: rows of the design space.
        valid: share of rows whose design is ok.
        feasible: share of rows that met the constraints of the run that made them.
        workloads: rows by workload.
        agents: rows by agent.
        runs: number of runs with rows.
        parameters: coverage by parameter.
        metrics: range by metric.
        notes: what somebody who trains on it should know, a sentence each.
    """

    rows: int
    designs: int
    space_size: int
    valid: float
    feasible: float
    workloads: Mapping[str, int]
    agents: Mapping[str, int]
    runs: int
    parameters: Mapping[str, Coverage]
    metrics: Mapping[str, MetricRange]
    notes: tuple[str, ...]


def summarise(data: Dataset) -> Summary:
    """Count what a dataset holds."""
    from archgym.datasets.identity import evaluation_numbers

    rows_of_run = np.bincount(data.run_index, minlength=len(data.runs))
    rows_of_workload = np.bincount(data.workload_index, minlength=len(data.workloads)).tolist()
    agents: dict[str, int] = {}
    for run, count in zip(data.runs, rows_of_run.tolist(), strict=True):
        if count:
            agents[run.agent] = agents.get(run.agent, 0) + count
    n, metrics = len(data), _ranges(data)
    return Summary(
        rows=n,
        designs=int(evaluation_numbers(data.space, data.rows, None).max(initial=-1)) + 1,
        space_size=data.space.size,
        valid=_share(int((data.status == OK).sum()), n),
        feasible=_share(int(data.feasible.sum()), n),
        workloads={one.name: count for one, count in zip(data.workloads, rows_of_workload, strict=True) if count},
        agents=agents,
        runs=int((rows_of_run > 0).sum()),
        parameters=_coverage(data),
        metrics=metrics,
        notes=_notes(data, metrics),
    )


def _ranges(data: Dataset) -> dict[str, MetricRange]:
    ok, found = data.status == OK, {}
    for place, name in enumerate(data.schema.metric_names):
        column = data.values[ok, place]
        low, median, high = (column.min(), np.median(column), column.max()) if len(column) else (np.nan,) * 3
        found[name] = MetricRange(data.schema.units[name], float(low), float(median), float(high))
    return found


def _coverage(data: Dataset) -> dict[str, Coverage]:
    found = {}
    for parameter in data.space.parameters:
        columns = data.space.columns_of(parameter.name)
        value = np.zeros(len(data), np.int64)
        for column in range(columns.start, columns.stop):
            value *= int(data.space.nvec[column])
            value += data.rows[:, column]
        counts = np.bincount(value) if parameter.size <= _LISTED_VALUES else np.unique(value, return_counts=True)[1]
        counts = counts[counts > 0]
        shares = counts / max(len(data), 1)
        entropy = float(-(shares * np.log(shares)).sum()) if len(counts) > 1 else 0.0
        found[parameter.name] = Coverage(len(counts), parameter.size, entropy / log(max(parameter.size, 2)))
    return found


def _notes(data: Dataset, metrics: Mapping[str, MetricRange]) -> tuple[str, ...]:
    notes = []
    valid = int((data.status == OK).sum())
    if not valid:
        notes.append("no row is valid, so there is no metric to learn")
    elif valid < _FEW:
        notes.append(f"{valid} valid rows are few: a proxy fitted to them says little")
    notes += [f"{name} is constant: nothing to learn" for name, one in metrics.items() if one.is_constant]
    objectives = {run.objectives + run.constraints for run in data.runs}
    if len(objectives) > 1:
        notes.append(f"runs of {len(objectives)} objectives: their rewards and feasibility do not compare")
    if not data.distinct:
        notes.append("repeated designs are kept")
    unknown = [one.name for one in data.workloads if data.schema.feature_names and not one.features]
    if unknown:
        notes.append(f"no features are known of workload {unknown[0]}")
    return tuple(notes)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
