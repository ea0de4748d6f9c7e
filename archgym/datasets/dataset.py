"""Evaluated designs of one simulator, from many runs, as arrays."""

from __future__ import annotations

__all__ = ["Dataset"]

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.datasets.schema import DatasetWorkload, Schema, SourceRun
from archgym_simulators import DesignSpace, InputError, Metric
from archgym_simulators.evaluation import OK, freeze
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.space import Rows

if TYPE_CHECKING:
    from archgym.datasets.summary import Summary

COLUMNS = ("rows", "values", "status", "workload_index", "run_index", "step", "reward", "feasible")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Designs with their metrics, and where each comes from. Read-only.

    Failed evaluations are never in it: they say nothing about their design. Invalid designs are, with the status
    `archgym_simulators.INVALID` and NaN metrics. `load` keeps one row a design and workload.

    Attributes:
        schema: simulator, version, design space, metrics.
        workloads: what designs were evaluated on, by ``workload_index``.
        runs: searches that made the rows, by ``run_index``.
        rows: (N, D) index rows in canonical form, in the smallest unsigned type that holds them.
        values: (N, M) metrics in the units that their names say; NaN where the design is not ok.
        status: (N,) int8, `archgym_simulators.OK` or `archgym_simulators.INVALID`.
        workload_index: (N,) int32.
        run_index: (N,) int32.
        step: (N,) int64, place of the row within its run.
        reward: (N,) float64, as the run's objective scored it; runs of different objectives do not compare.
        feasible: (N,) bool, whether it met the run's constraints.
        distinct: whether each design is there once a workload.
        whole_runs: whether every evaluation of the runs is there, but for failed ones.

    >>> data = Dataset.load(["runs/ga", "runs/study"])  # doctest: +SKIP
    >>> train, test = data.split_groups("agent", held_out=["ant_colony"])  # doctest: +SKIP
    """

    schema: Schema
    workloads: tuple[DatasetWorkload, ...]
    runs: tuple[SourceRun, ...]
    rows: NDArray[Any]  # (N, D)
    values: NDArray[np.float64]  # (N, M)
    status: NDArray[np.int8]  # (N,)
    workload_index: NDArray[np.int32]  # (N,)
    run_index: NDArray[np.int32]  # (N,)
    step: NDArray[np.int64]  # (N,)
    reward: NDArray[np.float64]  # (N,)
    feasible: NDArray[np.bool_]  # (N,)
    distinct: bool = True
    whole_runs: bool = False

    def __post_init__(self) -> None:
        freeze(*(getattr(self, name) for name in COLUMNS))

    @classmethod
    def load(
        cls,
        paths: Path | str | Sequence[Path | str],
        *,
        metrics: Sequence[str] | None = None,
        duplicates: str = "drop",
    ) -> Dataset:
        """Read run directories, studies and exported datasets into one; see `archgym.load_dataset`."""
        from archgym.datasets.loading import load_dataset

        return load_dataset(paths, metrics=metrics, duplicates=duplicates)

    # ---- shape and columns ---------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Number of rows, N."""
        return len(self.status)

    @property
    def space(self) -> DesignSpace:
        """The design space, without its constraints, which are code."""
        return self.schema.space

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Declarations of the metrics, (M,)."""
        return self.schema.metrics

    @property
    def designs(self) -> Rows:
        """(N, D) int64 index rows; made anew from the smaller ``rows``."""
        return self.rows.astype(np.int64)

    @property
    def workload(self) -> NDArray[Any]:
        """(N,) name of each row's workload."""
        return _taken([one.name for one in self.workloads], self.workload_index)

    @property
    def agent(self) -> NDArray[Any]:
        """(N,) name of the agent that found each row (first)."""
        return _taken([run.agent for run in self.runs], self.run_index)

    @property
    def workload_features(self) -> NDArray[np.float64]:
        """(W, F) features of each workload; NaN where the records do not say."""
        width = len(self.schema.feature_names)
        table = [one.features or (np.nan,) * width for one in self.workloads]
        return np.array(table, dtype=np.float64).reshape(len(self.workloads), width)

    @property
    def features(self) -> NDArray[np.float64]:
        """(N, F) features of each row's workload."""
        return self.workload_features[self.workload_index]

    def column(self, metric: str) -> NDArray[np.float64]:
        """One metric, (N,).

        Raises:
            InputError: for an unknown metric, with the nearest match.
        """
        names = self.schema.metric_names
        if metric not in names:
            raise InputError(f"unknown metric {metric!r}{did_you_mean(metric, names)}; allowed: {', '.join(names)}")
        found: NDArray[np.float64] = self.values[:, names.index(metric)]
        return found

    def readable(self) -> Mapping[str, NDArray[Any]]:
        """Designs in readable values, (N,) by parameter name."""
        return self.space.decode(self.designs)

    @cached_property
    def digest(self) -> str:
        """A content hash: of the schema, and of designs, workloads, status and metrics in the order of the rows."""
        digest = hashlib.sha256(json.dumps(self.schema.to_json(), sort_keys=True).encode())
        digest.update(json.dumps([[one.name, one.digest] for one in self.workloads]).encode())
        for name in ("rows", "workload_index", "status", "values"):
            digest.update(np.ascontiguousarray(getattr(self, name)).data)
        return digest.hexdigest()[:32]

    # ---- parts ---------------------------------------------------------------------------------------------------

    def take(self, which: NDArray[Any]) -> Dataset:
        """The rows of a mask (N,), or of indices without repeats, copied."""
        return replace(self, **{name: getattr(self, name)[which] for name in COLUMNS}, whole_runs=False)

    def valid(self) -> Dataset:
        """The rows whose design is ok: those that have metrics."""
        return self.take(self.status == OK)

    def split_rows(self, fractions: Sequence[float] = (0.8, 0.2), *, seed: int = 0) -> tuple[Dataset, ...]:
        """Random parts of given shares; see `archgym.datasets.splits.row_parts`."""
        from archgym.datasets.splits import row_parts

        return tuple(self.take(part) for part in row_parts(self, fractions, seed=seed))

    def split_groups(
        self,
        by: str,
        *,
        held_out: Sequence[str] | Mapping[str, Sequence[Any]] | None = None,
        fraction: float = 0.2,
        seed: int = 0,
    ) -> tuple[Dataset, Dataset]:
        """Train and test, the test being of groups that training never sees; see `archgym.datasets.splits`."""
        from archgym.datasets.splits import group_parts

        train, test = group_parts(self, by, held_out=held_out, fraction=fraction, seed=seed)
        return self.take(train), self.take(test)

    def summary(self) -> Summary:
        """Rows, workloads, agents, coverage of each parameter, shares of valid and feasible rows."""
        from archgym.datasets.summary import summarise

        return summarise(self)


def _taken(names: list[str], index: NDArray[np.int32]) -> NDArray[Any]:
    table = np.empty(len(names), dtype=object)
    table[:] = names
    return table[index]
