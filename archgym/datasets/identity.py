"""Which rows are the same evaluation: one canonical design on one workload."""

from __future__ import annotations

__all__ = ["evaluation_numbers", "repeats"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators import DesignSpace

_ROWS_AT_ONCE = 1 << 18
_LARGEST_WORD = 2**63


def repeats(
    space: DesignSpace, rows: NDArray[Any], workload_index: NDArray[np.int32] | None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows that repeat an earlier one, (R,), and for each the first row that it repeats, (R,).

    Args:
        space: the design space.
        rows: (N, D) canonical index rows of any integer type.
        workload_index: (N,), or None where the same design on another workload counts as the same.
    """
    order, starts = _sorted_groups(space, rows, workload_index)
    firsts = np.flatnonzero(starts)
    later = np.flatnonzero(~starts)
    return order[later], order[firsts[np.searchsorted(firsts, later) - 1]]


def evaluation_numbers(
    space: DesignSpace, rows: NDArray[Any], workload_index: NDArray[np.int32] | None
) -> NDArray[np.int64]:
    """(N,) a number for each row, equal for equal rows, 0 up to the number of different ones; see `repeats`."""
    order, starts = _sorted_groups(space, rows, workload_index)
    numbers = np.empty(len(rows), np.int64)
    numbers[order] = np.cumsum(starts) - 1
    return numbers


def _sorted_groups(
    space: DesignSpace, rows: NDArray[Any], workload_index: NDArray[np.int32] | None
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """An order (N,) that puts equal rows side by side, the earliest first, and where a new one begins."""
    keys = _words(space, rows)
    if workload_index is not None:
        keys.append(workload_index)
    order = np.lexsort(keys) if len(keys) > 1 else np.argsort(keys[0], kind="stable")
    starts = np.zeros(len(rows), bool)
    starts[:1] = True
    for start in range(1, len(rows), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        before = order[start - 1 : start - 1 + len(order[part])]
        for key in keys:
            starts[part] |= key[order[part]] != key[before]
    return order, starts


def _words(space: DesignSpace, rows: NDArray[Any]) -> list[NDArray[Any]]:
    """Each row as a few integers (N,): adjacent columns in mixed radix, as many as fit into one."""
    words: list[NDArray[Any]] = []
    first, radix = 0, 1
    for column, count in enumerate([*space.nvec.tolist(), _LARGEST_WORD]):
        if radix * count >= _LARGEST_WORD:
            words.append(_mixed_radix(rows[:, first:column], space.nvec[first:column]))
            first, radix = column, 1
        radix *= count
    return words


def _mixed_radix(columns: NDArray[Any], nvec: NDArray[np.int64]) -> NDArray[np.int64]:
    word = np.zeros(len(columns), np.int64)
    for start in range(0, len(word), _ROWS_AT_ONCE):
        part = word[start : start + _ROWS_AT_ONCE]
        for column, count in enumerate(nvec.tolist()):
            part *= count
            part += columns[start : start + _ROWS_AT_ONCE, column]
    return word
