"""One row a design and workload, and a check that repeats of it say the same."""

from __future__ import annotations

__all__ = ["distinct_rows"]

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.datasets.identity import repeats
from archgym.datasets.schema import Schema
from archgym_simulators import InputError

TOLERANCE = 1e-12
"""Relative difference of a design's metrics allowed between machines."""

_ROWS_AT_ONCE = 1 << 14


def distinct_rows(schema: Schema, columns: Mapping[str, NDArray[Any]], label: Callable[[int], str]) -> NDArray[np.intp]:
    """Indices, ascending, of the first row of each design and workload.

    A simulator is deterministic, so a design that has two values is measured in two units, or by two models.

    Args:
        schema: of the rows.
        columns: ``rows`` (N, D), ``workload_index`` (N,), ``status`` (N,) and ``values`` (N, M).
        label: where a row comes from, for messages.

    Raises:
        InputError: a repeated design whose metrics or status differ.
    """
    again, first = repeats(schema.space, columns["rows"], columns["workload_index"])
    for start in range(0, len(again), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        _check_agreement(schema, columns, again[part], first[part], label)
    keep = np.ones(len(columns["rows"]), bool)
    keep[again] = False
    return np.flatnonzero(keep)


def _check_agreement(
    schema: Schema,
    columns: Mapping[str, NDArray[Any]],
    again: NDArray[np.intp],
    first: NDArray[np.intp],
    label: Callable[[int], str],
) -> None:
    status, values = columns["status"], columns["values"]
    old, new = values[first], values[again]
    near = np.abs(old - new) <= TOLERANCE * np.maximum(np.abs(old), np.abs(new))
    wrong = ~(near | (np.isnan(old) & np.isnan(new)))
    wrong |= (status[first] != status[again])[:, None]
    if wrong.any():
        row, column = np.argwhere(wrong)[0].tolist()
        here, there = float(old[row, column]), float(new[row, column])
        raise InputError(
            f"cannot merge: {schema.metric_names[column]} of the same design and workload is {here!r} in "
            f"{label(first[row])} and {there!r} in {label(again[row])}: mixed units, or another simulator"
        )
