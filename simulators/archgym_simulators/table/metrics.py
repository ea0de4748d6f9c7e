"""Metric columns of a table: values, directions and scales."""

from __future__ import annotations

__all__ = ["metric_columns"]

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.simulator import Metric
from archgym_simulators.table.columns import Column, TableFile

_NAME = re.compile(r"[A-Za-z_]\w*")


def metric_columns(
    table: TableFile,
    design: Sequence[str],
    *,
    metrics: Sequence[str],
    maximise: Sequence[str],
    spans: Mapping[str, float],
) -> tuple[tuple[Metric, ...], NDArray[np.float64]]:
    """The metrics and their values (R, M), NaN where a cell is empty or not finite.

    A metric is compared by ratio (log scale) where all its values are positive, else by difference; then its span,
    the difference that counts as 1 in a reward, is their standard deviation.

    Args:
        table: as read.
        design: names of the design columns.
        metrics: names of the metric columns; empty for all other columns of numbers.
        maximise: metrics of which more is better.
        spans: metrics to compare by difference, with their span.

    Raises:
        InputError: unknown column, text among numbers (with its row), no metric left, or a name that objectives
            cannot use.
    """
    chosen = list(metrics) or [c.name for c in table.columns.values() if c.name not in design and _is_metric(table, c)]
    if not chosen:
        raise InputError(f"table {table.name!r} has no column of numbers besides the design columns; no metric is left")
    both = next((name for name in chosen if name in design), None)
    if both is not None or len(set(chosen)) != len(chosen):
        raise InputError(f"metrics {chosen} must be distinct columns that are no design columns ({', '.join(design)})")
    for option, names in (("maximise", maximise), ("spans", spans)):
        wrong = next((name for name in names if name not in chosen), None)
        if wrong is not None:
            raise InputError(
                f"option {option}: {wrong!r} is no metric{did_you_mean(wrong, chosen)}; those are {', '.join(chosen)}"
            )
    values = np.stack([_numbers(table, table.column(name, "metric")) for name in chosen], axis=1)
    described = [
        _metric(table, name, values[:, m], "max" if name in maximise else "min", spans.get(name))
        for m, name in enumerate(chosen)
    ]
    return tuple(described), values


def _is_metric(table: TableFile, column: Column) -> bool:
    """Whether a column that nobody named is a metric; one with numbers and texts is refused, not passed over."""
    if column.kind in ("integer", "number"):
        return not bool(column.missing.all())
    if column.kind == "text" and any(_as_number(text) is not None for text in column.texts):
        _numbers(table, column)
    return False


def _numbers(table: TableFile, column: Column) -> NDArray[np.float64]:
    if column.kind != "text":
        numbers = column.values.astype(np.float64)
        return np.where(column.missing | ~np.isfinite(numbers), np.nan, numbers)
    wrong = [code for code, text in enumerate(column.texts) if _as_number(text) is None]
    row = int(np.isin(column.values, wrong).argmax()) if wrong else 0
    raise InputError(
        f"table {table.name!r}, row {row + 1}: metric {column.name!r} is {column.cell(row)!r}, not a number; "
        f"leave the cell empty for a design without a result, or list the metrics without {column.name!r}"
    )


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _metric(table: TableFile, name: str, values: NDArray[np.float64], direction: str, span: float | None) -> Metric:
    if not _NAME.fullmatch(name):
        usable = re.sub(r"\W+", "_", name).strip("_").lower() or "latency_ns"
        raise InputError(
            f"metric {name!r} of table {table.name!r} must be made of letters, digits and underscores, such as "
            f"{usable!r}; rename the column, or list the metrics without it"
        )
    known = values[np.isfinite(values)]
    if not len(known):
        raise InputError(f"metric {name!r} of table {table.name!r} has no value in any row")
    about = f"column {name} of {table.name}"  # not its range: agents read this, and the best value is for reports only
    if span is None and known.min() > 0.0:
        return Metric(name, about, direction)
    span = float(span) if span is not None else float(known.std()) or 1.0
    if not (np.isfinite(span) and span > 0.0):
        raise InputError(f"the span of metric {name!r} must be a positive number, not {span}")
    return Metric(name, f"{about}; a difference of {span:g} counts as 1", direction, "linear", span)
