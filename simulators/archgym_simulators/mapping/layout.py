"""How an index row becomes a mapping: tables of factors and orders, and the canonical form of a row; compiled."""

from __future__ import annotations

__all__ = ["Layout", "canonical_prefixes", "canonical_rows", "decode_rows", "evaluate_rows"]

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel
from archgym_simulators.mapping.kernel import SCRATCH, evaluate_linked, evaluate_one

Integers = NDArray[np.int64]
Bytes = NDArray[np.int8]

DIM_COUNT = 7
ABSENT = -1  # a column of a gene that the space does not have


class Layout(NamedTuple):
    """Where the genes of a space are, and what their values mean.

    Attributes:
        columns: (7, 3) index columns that choose the factors of a dimension; ABSENT where there are fewer.
        strides: (7, 3) what each of them counts in ``factors``.
        starts: (7,) first row of ``factors`` of each dimension.
        factors: (F, 4) factors off the chip, at the global buffer, in the array, in the PE.
        units: (F, 3) whether the factor off the chip, at the global buffer, in the array is 1 for every workload.
        axes: (7,) column that says whether a dimension lies along x (0) or y (1); ABSENT for dimensions of size 1.
        order_columns: (2,) first column of the orders, global buffer and off the chip; ABSENT where there is no choice.
        items: dimensions that are ordered.
        keep: first of six columns: weights, inputs, outputs of the PE, then of the global buffer; 0 keeps.
        sides: (2,) columns and rows of the array where genes step down until their factor fits; 0 where they do not.
    """

    columns: Integers
    strides: Integers
    starts: Integers
    factors: Integers
    units: NDArray[np.bool_]
    axes: Integers
    order_columns: Integers
    items: Integers
    keep: int
    sides: Integers


@inner_kernel
def _table_row(row: Integers, d: int, layout: Layout) -> int:
    """Row of the table of factors that the genes of dimension ``d`` choose."""
    at = layout.starts[d]
    for k in range(3):
        if layout.columns[d, k] >= 0:
            at += row[layout.columns[d, k]] * layout.strides[d, k]
    return int(at)


@inner_kernel
def _order(row: Integers, level: int, layout: Layout, order: Integers) -> None:
    """Items of an order, outermost first, from its Lehmer digits; ``order`` (items,)."""
    count = len(layout.items)
    first = layout.order_columns[level]
    taken = 0  # bit i: item i has a place
    for place in range(count):
        skip = row[first + place] if first >= 0 and place < count - 1 else 0
        item = 0
        while True:
            if (taken >> item) & 1 == 0:
                if skip == 0:
                    break
                skip -= 1
            item += 1
        taken |= 1 << item
        order[place] = item


@inner_kernel
def decode_row(
    row: Integers, layout: Layout, factors: Integers, orders: Bytes, keep: NDArray[np.bool_], order: Integers
) -> None:
    """One row (D,) as a mapping: factors (7, 5), orders (3, 7), keep (2, 3) of the kernel; ``order`` is scratch."""
    columns, rows = 1, 1
    for turn in range(DIM_COUNT):
        d = (1, 2, 3, 4, 0, 5, 6)[turn]  # K, C, P, Q, N, R, S take places in the array
        at = _table_row(row, d, layout)
        along_y = layout.axes[d] >= 0 and row[layout.axes[d]] == 1
        if layout.sides[0] > 0:
            room = layout.sides[1] // rows if along_y else layout.sides[0] // columns
            while layout.factors[at, 2] > room:
                at -= layout.strides[d, 0]
        if along_y:
            rows *= layout.factors[at, 2]
        else:
            columns *= layout.factors[at, 2]
        factors[d, 0], factors[d, 1] = layout.factors[at, 0], layout.factors[at, 1]
        factors[d, 2] = 1 if along_y else layout.factors[at, 2]
        factors[d, 3] = layout.factors[at, 2] if along_y else 1
        factors[d, 4] = layout.factors[at, 3]
    for level in range(2):
        _order(row, level, layout, order)
        count = len(order)
        place, present = 0, 0
        for i in range(count - 1, -1, -1):
            orders[level, place] = layout.items[order[i]]
            present |= 1 << layout.items[order[i]]
            place += 1
        for d in range(DIM_COUNT):
            if (present >> d) & 1 == 0:
                orders[level, place] = d
                place += 1
    # Within the array windows lie innermost, so that neighbours share them: R, S, P, Q, C, K, N.
    for place in range(DIM_COUNT):
        orders[2, place] = (5, 6, 3, 4, 2, 1, 0)[place]
    for level in range(2):
        for tensor in range(3):
            keep[level, tensor] = row[layout.keep + 3 * level + tensor] == 0


@kernel
def decode_rows(rows: Integers, layout: Layout, factors: Integers, orders: Bytes, keep: NDArray[np.bool_]) -> None:
    """N rows; arrays as of `decode_row` with a leading (N,)."""
    order = np.empty(len(layout.items), np.int64)
    for i in range(len(rows)):
        decode_row(rows[i], layout, factors[i], orders[i], keep[i], order)


@inner_kernel
def _fold(row: Integers, layout: Layout, order: Integers, folded: Integers) -> None:
    """Make one row (D,) canonical; ``order`` and ``folded`` (items,) are scratch."""
    count = len(layout.items)
    for d in range(DIM_COUNT):
        if layout.axes[d] >= 0 and layout.units[_table_row(row, d, layout), 2]:
            row[layout.axes[d]] = 0
    for level in range(2):
        first = layout.order_columns[level]
        if first < 0:
            continue
        _order(row, level, layout, order)
        place = 0
        for k in range(count):
            if not layout.units[_table_row(row, layout.items[order[k]], layout), 1 - level]:
                folded[place] = order[k]
                place += 1
        for item in range(count):
            if layout.units[_table_row(row, layout.items[item], layout), 1 - level]:
                folded[place] = item
                place += 1
        for k in range(count - 1):
            before = 0
            for earlier in range(k):
                before += folded[earlier] < folded[k]
            row[first + k] = folded[k] - before


@kernel
def canonical_rows(rows: Integers, layout: Layout) -> Integers:
    """Canonical rows (N, D): what cannot matter is put in its first place.

    A factor of 1 in the array has no axis. A factor of 1 at a level is no loop: its dimension goes to the end of the
    order, where all such dimensions stand in their own order.
    """
    out = rows.copy()
    order, folded = np.empty(len(layout.items), np.int64), np.empty(len(layout.items), np.int64)
    for i in range(len(rows)):
        _fold(out[i], layout, order, folded)
    return out


@kernel
def canonical_prefixes(row: Integers, nvec: Integers, layout: Layout, found: Integers) -> int:
    """The next canonical rows without what is kept, in the order of keys: from ``row`` (D,) on, into ``found`` (M, D).

    Returns how many were found, fewer than M where the space ends; ``row`` becomes the one after the last, and its
    first index is out of range where there is none.
    """
    order, folded = np.empty(len(layout.items), np.int64), np.empty(len(layout.items), np.int64)
    count = 0
    while count < len(found) and row[0] < nvec[0]:
        found[count] = row
        _fold(found[count], layout, order, folded)
        same = True
        for column in range(layout.keep):
            same = same and found[count, column] == row[column]
        count += same
        column = layout.keep - 1
        row[column] += 1
        while column > 0 and row[column] == nvec[column]:
            row[column] = 0
            column -= 1
            row[column] += 1
    return count


@kernel
def evaluate_rows(
    rows: Integers,
    layout: Layout,
    shape: Integers,
    hardware: NDArray[np.float64],
    halo: int,
    links: bool,
    results: NDArray[np.float64],
    counts: Integers,
) -> None:
    """N rows (N, D) of one layer on one hardware: as `kernel.evaluate_many`, each row decoded on the way."""
    scratch, ports = np.zeros(SCRATCH, np.int64), np.zeros(6)
    factors, orders, keep = np.empty((7, 5), np.int64), np.empty((3, 7), np.int8), np.empty((2, 3), np.bool_)
    order = np.empty(len(layout.items), np.int64)
    for i in range(len(rows)):
        decode_row(rows[i], layout, factors, orders, keep, order)
        result, count = results[i], counts[i]
        if links:
            evaluate_linked(shape, factors, orders, keep, hardware, halo, result, count, scratch, ports)
        else:
            evaluate_one(shape, factors, orders, keep, hardware, halo, -1, 0, result, count, scratch, ports)
