"""Stalls of SCALE-Sim 3.0.0's memory, replayed access by access: prefetch of both operands, and output buffer.

The rules in `prefetch` and `drain` were fitted to the figures that the tool prints for 245 bandwidth-limited runs. All
their stalls, DRAM reads and DRAM writes are met exactly. In each cycle the array waits for the slowest of the three.

The prefetch thrashes where a sensible controller would not. It serves comparison with the tool only.
"""

from __future__ import annotations

__all__ = ["MemoryRun", "replay_memory"]

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import kernel
from archgym_simulators.layers.layer import Layer
from archgym_simulators.systolic.drain import PADDED, new_output_buffer, write_words
from archgym_simulators.systolic.prefetch import (
    ADVANCES,
    Addresses,
    fetched_words,
    load_row,
    new_operand,
    skewed_order,
    stationary_order,
    stream_step,
    take_stall,
)

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class MemoryRun:
    """What one group of a layer costs beyond the array itself.

    Attributes:
        stall_cycles: cycles in which the array waits.
        dram_ifmap_reads: words fetched into the input buffer.
        dram_filter_reads: words fetched into the weight buffer.
        dram_ofmap_writes: words that leave the output buffer, lines that are not full as whole ones.
    """

    stall_cycles: int
    dram_ifmap_reads: int
    dram_filter_reads: int
    dram_ofmap_writes: int


def replay_memory(
    layer: Layer,
    *,
    dataflow: str,
    rows: int,
    columns: int,
    ifmap_words: int,
    filter_words: int,
    ofmap_words: int,
    bandwidth: int,
) -> MemoryRun:
    """Replay one group of ``layer``; takes time in proportion to cycles times rows plus columns.

    Args:
        layer: one repetition of one of its groups is run.
        dataflow: ``"os"``, ``"ws"`` or ``"is"``.
        rows: of the array.
        columns: of the array.
        ifmap_words: words of the whole input buffer.
        filter_words: words of the whole weight buffer.
        ofmap_words: words of the whole output buffer.
        bandwidth: words a cycle into each of the first two and out of the third.
    """
    inputs, weights = _input_addresses(layer), _weight_addresses(layer)
    stationary = dataflow != "os"
    across, along = {"os": (inputs, weights), "ws": (inputs.T, weights), "is": (weights.T, inputs)}[dataflow]
    across, along = np.ascontiguousarray(across), np.ascontiguousarray(along)
    row_buffer, column_buffer = (filter_words, ifmap_words) if dataflow == "is" else (ifmap_words, filter_words)
    row_order = skewed_order(across, rows)
    column_order = stationary_order(along, columns) if stationary else skewed_order(along, columns)
    largest = int(max(inputs.max(), weights.max())) + 1
    row_state, row_present = new_operand(row_order, row_buffer, bandwidth, largest)
    column_state, column_present = new_operand(column_order, column_buffer, bandwidth, largest)
    output_state = new_output_buffer(ofmap_words, bandwidth)
    stalls, written = _replay(
        *(across, row_state, row_present, row_order, rows),
        *(along, column_state, column_present, column_order, columns),
        output_state,
        stationary,
    )
    padded_rows, padded_columns = -(-len(across) // rows) * rows, -(-len(along) // columns) * columns
    row_words = fetched_words(row_state[ADVANCES], padded_rows * across.shape[1], row_order.size, row_buffer, bandwidth)
    column_words = fetched_words(
        column_state[ADVANCES], padded_columns * along.shape[1], along.size, column_buffer, bandwidth
    )
    by_operand = (column_words, row_words) if dataflow == "is" else (row_words, column_words)
    return MemoryRun(int(stalls), *by_operand, int(written + output_state[PADDED]))


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
def _results(rows: int, columns: int, steps: int, after: int, stationary: bool) -> int:
    """Words that leave a fold of ``rows`` x ``columns`` PEs ``after`` so many cycles from its first result.

    Results leave a column one after another, each column a cycle behind the one before.
    """
    lines = steps if stationary else rows
    return max(0, min(columns - 1, after) - max(0, after - lines + 1) + 1)


@kernel
def _replay(
    across: Addresses,
    row_state: Integers,
    row_present: Addresses,
    row_order: Addresses,
    rows: int,
    along: Addresses,
    column_state: Integers,
    column_present: Addresses,
    column_order: Addresses,
    columns: int,
    output_state: Integers,
    stationary: bool,
) -> tuple[int, int]:
    """Stall cycles and words written; advances and padding are left in the states."""
    load = rows if stationary else 0
    steps = across.shape[1]
    first_result = load + rows - 1 if stationary else steps - 1
    folds = -(-len(across) // rows)
    now, stalled, written = -1, 0, 0
    for fold in range(folds * -(-len(along) // columns)):
        column, row = fold // folds * columns, fold % folds * rows
        height, width = min(rows, len(across) - row), min(columns, len(along) - column)
        for cycle in range(load + rows + columns + steps - 2):
            now += 1
            stream_step(row_state, row_present, row_order, across, row, rows, cycle - load, now)
            bottom_first = row + rows - 1 - cycle
            if not stationary:
                stream_step(column_state, column_present, column_order, along, column, columns, cycle, now)
            elif row <= bottom_first < along.shape[1]:
                load_row(column_state, column_present, column_order, along, column, columns, bottom_first, now)
            words = _results(height, width, steps, cycle - first_result, stationary)
            stall = max(take_stall(row_state), take_stall(column_state), write_words(output_state, words, now))
            written += words
            now += stall
            stalled += stall
    return stalled, written
