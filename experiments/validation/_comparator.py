"""What a family module provides: comparators, each for the tables whose names start the same."""

from __future__ import annotations

__all__ = ["Comparator", "Comparison", "Metric", "Table", "numeric_column", "require_columns"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Table:
    """A reference table as read.

    Attributes:
        root: the directory given by the user, below which other files are looked up.
        path: the file.
        name: the path below ``root`` without the suffix, such as ``dram/dramsys_dev``.
        frame: N rows.
    """

    root: Path
    path: Path
    name: str
    frame: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Metric:
    """One metric of every row of a table, by the tool and by us.

    Attributes:
        name: ours, with its unit.
        reference: (N,) float64; NaN where the table gives none.
        ours: (N,) float64; anything where the row is skipped.
        is_integer: whether only equality counts as exact.
        printed_decimals: decimals to which the tool rounds what it prints; None where it prints enough of them.
    """

    name: str
    reference: NDArray[np.float64]
    ours: NDArray[np.float64]
    is_integer: bool = False
    printed_decimals: int | None = None


@dataclass(frozen=True, eq=False)
class Comparison:
    """A table beside our results.

    Attributes:
        groups: (N,) the group of every row, such as its trace.
        skip_reasons: (N,) why a row was not simulated; empty where it was.
        metrics: in reading order.
        headline: names of the metrics that are shown for every group, where the table gives them.
        notes: sentences for the reader.
    """

    groups: Sequence[str]
    skip_reasons: Sequence[str]
    metrics: Sequence[Metric]
    headline: Sequence[str]
    notes: Sequence[str] = field(default=())


@dataclass(frozen=True)
class Comparator:
    """Compares every table whose ``folder/file name`` starts with ``prefix``; the longest prefix wins.

    Attributes:
        prefix: such as ``dram/dramsys_dev``.
        simulator: what of ours is compared, in a word; `--only` accepts it.
        tool: who made the reference.
        tools_disagree: how far trusted tools are from each other, a sentence with its source.
        compare: raises `InputError` for a table that lacks a column or holds a value of the wrong kind.
    """

    prefix: str
    simulator: str
    tool: str
    tools_disagree: str
    compare: Callable[[Table], Comparison]


def require_columns(table: Table, names: Sequence[str]) -> None:
    """Refuse a table without the columns.

    Raises:
        InputError: one line with the table, the missing columns and the nearest column that is there.
    """
    present = [str(column) for column in table.frame.columns]
    missing = [name for name in names if name not in present]
    if missing:
        shown = ", ".join(repr(name) for name in missing)
        raise InputError(f"table {str(table.path)!r} has no column {shown}{did_you_mean(missing[0], present)}")


def numeric_column(table: Table, name: str) -> NDArray[np.float64]:
    """Return a column as (N,) float64, NaN where a cell is empty.

    Raises:
        InputError: one line with table, row, column and value of a cell that is not a finite number.
    """
    import pandas as pd

    cells = table.frame[name]
    values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = (np.isnan(values) & cells.notna().to_numpy()) | np.isinf(values)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"table {str(table.path)!r}, row {row + 1}, column {name!r}: {cells.iloc[row]!r} is not a finite number"
        )
    return values
