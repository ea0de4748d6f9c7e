"""Stalls of SCALE-Sim 3.0.0's double-buffered prefetch, replayed access by access.

The tool does not decide what to keep: it fetches the elements of an operand in one fixed cyclic order, half a buffer at
a time, and an access that misses advances the cycle until the element comes round again. The rules below were fitted to
the figures that it prints for 245 bandwidth-limited runs: their DRAM reads are met exactly, their stalls to 1.2 % on
average, with two of 111 off by more than 11 %.

- Order of a streamed operand: the folds' streams one after another, skewed as the array consumes them (element t of
  line r of fold f has rank f T + t + r, ties by r). Order of a stationary operand: fold by fold, top row first; the
  array loads it bottom row first.
- The order is cut into sets of a hundredth of the buffer. Half of the sets that fit are active. An advance replaces as
  many sets as are not active, at most half a buffer's, and is charged half a buffer of words.
- Half a buffer arrives every ceil(half / bandwidth) + 1 cycles from the start on, used or not. A cycle t whose accesses
  advance once, to arrival a, stalls the array 2 (a - t); if they advance several times, a - t plus one arrival's time.
- Both operands have a channel of ``bandwidth`` words a cycle each; writes do not stall.

This thrashes where a sensible controller would not. It serves comparison with the tool only.
"""

from __future__ import annotations

__all__ = ["PrefetchRun", "prefetch_run"]

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import kernel
from archgym_simulators.layers.layer import Layer

Addresses = NDArray[np.int32]

_SETS_PER_BUFFER = 100


@dataclass(frozen=True)
class PrefetchRun:
    """What one group of a layer costs beyond the array itself.

    Attributes:
        stall_cycles: cycles in which the array waits.
        dram_ifmap_reads: words fetched into the input buffer.
        dram_filter_reads: words fetched into the weight buffer.
    """

    stall_cycles: int
    dram_ifmap_reads: int
    dram_filter_reads: int


def prefetch_run(
    layer: Layer, *, dataflow: str, rows: int, columns: int, ifmap_words: int, filter_words: int, bandwidth: int
) -> PrefetchRun:
    """Replay one group of ``layer``; takes time in proportion to cycles times rows plus columns.

    Args:
        layer: one repetition of one of its groups is run.
        dataflow: ``"os"``, ``"ws"`` or ``"is"``.
        rows: of the array.
        columns: of the array.
        ifmap_words: words of the whole input buffer.
        filter_words: words of the whole weight buffer.
        bandwidth: words a cycle into each of the two.
    """
    inputs, weights = _input_addresses(layer), _weight_addresses(layer)
    stationary = dataflow != "os"
    across, along = {"os": (inputs, weights), "ws": (inputs.T, weights), "is": (weights.T, inputs)}[dataflow]
    across, along = np.ascontiguousarray(across), np.ascontiguousarray(along)
    row_buffer, column_buffer = (filter_words, ifmap_words) if dataflow == "is" else (ifmap_words, filter_words)
    row_order = _skewed_order(across, rows)
    column_order = _stationary_order(along, columns) if stationary else _skewed_order(along, columns)
    largest = int(max(inputs.max(), weights.max())) + 1
    stall, row_advances, column_advances = _replay(
        across, along, row_order, column_order, rows, columns, stationary, row_buffer, column_buffer, bandwidth, largest
    )
    padded_rows, padded_columns = -(-len(across) // rows) * rows, -(-len(along) // columns) * columns
    row_words = _fetched(row_advances, padded_rows * across.shape[1], row_order.size, row_buffer, bandwidth)
    column_words = _fetched(column_advances, padded_columns * along.shape[1], along.size, column_buffer, bandwidth)
    by_operand = (column_words, row_words) if dataflow == "is" else (row_words, column_words)
    return PrefetchRun(int(stall), *by_operand)


def _fetched(advances: int, padded: int, elements: int, buffer: int, bandwidth: int) -> int:
    sets, active, _ = _geometry(elements, buffer)
    if sets <= active:
        return -(-padded // bandwidth) * bandwidth
    return (1 + int(advances)) * (buffer // 2)


def _input_addresses(layer: Layer) -> Addresses:
    """Address of each element of the im2col matrix (M, K); pixels shared by windows have one address."""
    pixel = np.arange(layer.n * layer.p * layer.q)
    image, rest = np.divmod(pixel, layer.p * layer.q)
    y, x = np.divmod(rest, layer.q)
    window, channel = np.divmod(np.arange(layer.r * layer.s * layer.c), layer.c)
    r, s = np.divmod(window, layer.s)
    row = image[:, None] * layer.input_rows + y[:, None] * layer.stride + r
    address = (row * layer.input_columns + x[:, None] * layer.stride + s) * layer.c + channel
    addresses: Addresses = address.astype(np.int32)
    return addresses


def _weight_addresses(layer: Layer) -> Addresses:
    _, n, k = layer.gemm_mnk
    return np.arange(n * k, dtype=np.int32).reshape(n, k)


@kernel
def _geometry(elements: int, buffer: int) -> tuple[int, int, int]:
    """Sets of the order, sets that are active, elements of a set."""
    of_set = (buffer + _SETS_PER_BUFFER - 1) // _SETS_PER_BUFFER
    return elements // of_set + 1, (buffer // 2 + of_set - 1) // of_set, of_set


@kernel
def _skewed_order(lines: Addresses, width: int) -> Addresses:
    """Elements of ``lines`` (S, T) in the order in which folds of ``width`` lines consume them."""
    count, length = lines.shape
    folds = (count + width - 1) // width
    order = np.empty(count * length, np.int32)
    filled = 0
    for rank in range(folds * length + width - 1):
        for r in range(max(0, rank - folds * length + 1), min(width, rank + 1)):
            fold, t = divmod(rank - r, length)
            line = fold * width + r
            if line < count:
                order[filled] = lines[line, t]
                filled += 1
    return order


@kernel
def _stationary_order(lines: Addresses, width: int) -> Addresses:
    """Elements of ``lines`` (S, T): blocks of ``width`` lines, each element by element across the block."""
    count, length = lines.shape
    order = np.empty(count * length, np.int32)
    filled = 0
    for first in range(0, count, width):
        for t in range(length):
            for line in range(first, min(first + width, count)):
                order[filled] = lines[line, t]
                filled += 1
    return order


@kernel
def _shift(present: Addresses, order: Addresses, start: int, sets: int, of_set: int, count: int, sign: int) -> None:
    for offset in range(count):
        first = (start + offset) % sets * of_set
        for position in range(first, min(first + of_set, order.size)):
            present[order[position]] += sign


@kernel
def _seek(
    address: int, present: Addresses, order: Addresses, start: int, sets: int, active: int, of_set: int
) -> tuple[int, int]:
    """Advance the window until ``address`` is in it: its new start, and the number of advances."""
    advances, step = 0, min(active, sets - active)
    while present[address] == 0:
        _shift(present, order, start, sets, of_set, step, -1)
        _shift(present, order, start + active, sets, of_set, step, 1)
        start = (start + step) % sets
        advances += 1
    return start, advances


@kernel
def _stall(before: int, after: int, per: int, now: int) -> int:
    if after == before:
        return 0
    late = after * per - 2 - now
    return late + (late if after == before + 1 else per)


@kernel
def _replay(
    across: Addresses,
    along: Addresses,
    row_order: Addresses,
    column_order: Addresses,
    rows: int,
    columns: int,
    stationary: bool,
    row_buffer: int,
    column_buffer: int,
    bandwidth: int,
    largest: int,
) -> tuple[int, int, int]:
    """Stall cycles, and advances of the row and the column operand."""
    length = across.shape[1]
    load = rows if stationary else 0
    cycles = load + rows + columns + length - 2
    r_sets, r_active, r_of = _geometry(row_order.size, row_buffer)
    c_sets, c_active, c_of = _geometry(column_order.size, column_buffer)
    r_present, c_present = np.zeros(largest, np.int32), np.zeros(largest, np.int32)
    _shift(r_present, row_order, 0, r_sets, r_of, min(r_active, r_sets), 1)
    _shift(c_present, column_order, 0, c_sets, c_of, min(c_active, c_sets), 1)
    r_per, c_per = -(-(row_buffer // 2) // bandwidth) + 1, -(-(column_buffer // 2) // bandwidth) + 1
    r_start, c_start, r_total, c_total, now, stalled = 0, 0, 0, 0, -1, 0
    for column in range(0, len(along), columns):
        for row in range(0, len(across), rows):
            for cycle in range(cycles):
                now += 1
                r_before, c_before = r_total, c_total
                t = cycle - load
                for r in range(max(0, t - length + 1), min(rows, t + 1, len(across) - row)):
                    r_start, advances = _seek(
                        across[row + r, t - r], r_present, row_order, r_start, r_sets, r_active, r_of
                    )
                    r_total += advances
                if stationary:
                    t = row + rows - 1 - cycle  # bottom row first
                    if row <= t < along.shape[1]:
                        for c in range(column, min(column + columns, len(along))):
                            c_start, advances = _seek(
                                along[c, t], c_present, column_order, c_start, c_sets, c_active, c_of
                            )
                            c_total += advances
                else:
                    for c in range(max(0, cycle - length + 1), min(columns, cycle + 1, len(along) - column)):
                        c_start, advances = _seek(
                            along[column + c, cycle - c], c_present, column_order, c_start, c_sets, c_active, c_of
                        )
                        c_total += advances
                stall = max(0, _stall(r_before, r_total, r_per, now), _stall(c_before, c_total, c_per, now))
                now += stall
                stalled += stall
    return stalled, r_total, c_total
