"""A table as an index from designs to metrics."""

from __future__ import annotations

__all__ = ["MeasuredTable", "TableOptions"]

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean
from archgym_simulators.simulator import Metric
from archgym_simulators.space import DesignSpace, Rows
from archgym_simulators.table.columns import TableFile
from archgym_simulators.table.design import design_space, ordered_columns
from archgym_simulators.table.distance import StepsToTable
from archgym_simulators.table.lookup import RowIndex, first_equal
from archgym_simulators.table.metrics import metric_columns

DUPLICATES = ("refuse", "mean", "first")


@dataclass(frozen=True)
class TableOptions:
    """How the columns of a table are read; see `archgym_simulators.table.simulator.TableSimulator`."""

    design: tuple[str, ...]
    metrics: tuple[str, ...] = ()
    maximise: tuple[str, ...] = ()
    ordinal: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    categorical: tuple[str, ...] = ()
    spans: Mapping[str, float] = field(default_factory=dict)
    duplicates: str = "refuse"

    def __post_init__(self) -> None:
        if self.duplicates not in DUPLICATES:
            hint = did_you_mean(self.duplicates, DUPLICATES)
            raise InputError(
                f"option duplicates must be one of {allowed_values(DUPLICATES)}, not {self.duplicates!r}{hint}"
            )

    @property
    def key(self) -> str:
        """Equal for equal options."""
        return json.dumps(asdict(self), sort_keys=True, default=str)


@dataclass(frozen=True, eq=False)
class MeasuredTable:
    """R distinct designs with their metrics.

    Attributes:
        name: path of the table.
        digest: content hash of the file.
        space: every combination of the values that occur.
        metrics: M of them.
        rows: (R, D) the designs, in the order of the file.
        values: (R, M) their metrics; NaN in every column where the file lacks one.
        complete: (R,) whether the design has every metric.
        file_rows: (R,) number of the design's row in the file, from 1; the first of several.
    """

    name: str
    digest: str
    space: DesignSpace
    metrics: tuple[Metric, ...]
    rows: Rows
    values: NDArray[np.float64]  # (R, M)
    complete: NDArray[np.bool_]  # (R,)
    file_rows: NDArray[np.int64]  # (R,)
    index: RowIndex
    steps: StepsToTable

    @classmethod
    def build(cls, table: TableFile, options: TableOptions) -> MeasuredTable:
        """Type the columns, refuse or merge repeated designs, and index them.

        Raises:
            InputError: in one line, for a column or cell that cannot be used.
        """
        space, rows = design_space(table, options.design, ordinal=options.ordinal, categorical=options.categorical)
        metrics, values = metric_columns(
            table, options.design, metrics=options.metrics, maximise=options.maximise, spans=options.spans
        )
        first = first_equal(rows)
        kept = np.flatnonzero(first == np.arange(len(rows)))
        if len(kept) < len(rows):
            values = _merged(table, space, rows, values, first, options.duplicates)
        rows, values = rows[kept], values[kept]
        complete = np.asarray(np.isfinite(values).all(axis=1))
        if not complete.any():
            raise InputError(f"table {table.name!r} has no row with a value for every metric")
        values[~complete] = np.nan
        steps = StepsToTable(space.nvec, ordered_columns(space), rows[complete])
        return cls(
            table.name,
            table.digest,
            space,
            metrics,
            rows,
            values,
            complete,
            kept + 1,
            RowIndex(space.nvec, rows),
            steps,
        )


def _merged(
    table: TableFile,
    space: DesignSpace,
    rows: Rows,
    values: NDArray[np.float64],
    first: NDArray[np.int64],
    duplicates: str,
) -> NDArray[np.float64]:
    """Values in which the first row of each design speaks for all of its rows."""
    if duplicates == "first":
        return values
    if duplicates == "refuse":
        repeats = np.flatnonzero(first != np.arange(len(rows)))
        again = int(repeats[0])
        design = ", ".join(f"{name}={value}" for name, value in space.decode_row(rows[again]).items())
        raise InputError(
            f"table {table.name!r}: rows {first[again] + 1} and {again + 1} are the same design ({design}); "
            f"{len(repeats):,} rows repeat one; use duplicates='mean' or 'first', or name a further design column"
        )
    totals = np.zeros_like(values)
    np.add.at(totals, first, values)  # in file order, so that the same file gives the same bits
    counts = np.bincount(first, minlength=len(rows))
    return totals / np.maximum(counts, 1)[:, None]
