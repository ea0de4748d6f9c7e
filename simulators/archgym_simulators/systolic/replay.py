"""Stalls of SCALE-Sim 3.0.0's memory, replayed access by access: prefetch of both operands, and output buffer.

The rules in `prefetch` and `drain` were read off the figures that the tool prints for 330 bandwidth-limited runs. Its
stalls, DRAM reads and writes are met on these and on 40 more. In a cycle the array waits for the slowest of the three.

The prefetch thrashes where a sensible controller would not. It serves comparison with the tool only.
"""

from __future__ import annotations

__all__ = ["MemoryRun", "replay_memory"]

from dataclasses import dataclass

import numpy as np

from archgym_simulators._jit import kernel
from archgym_simulators.layers.layer import Layer
from archgym_simulators.systolic.drain import OutputBuffer, new_output_buffer, words_counted, write_words
from archgym_simulators.systolic.prefetch import (
    Addresses,
    Operand,
    fetched_words,
    load_row,
    new_operand,
    stream_step,
    take_stall,
)


@dataclass(frozen=True)
class MemoryRun:
    """What one group of a layer costs beyond the array itself.

    Attributes:
        stall_cycles: cycles in which the array waits.
        dram_ifmap_reads: words fetched into the input buffer.
        dram_filter_reads: words fetched into the weight buffer.
        dram_ofmap_writes: words that leave the output buffer, most lines that are not full counted as full.
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
    buffers = (filter_words, ifmap_words) if dataflow == "is" else (ifmap_words, filter_words)
    across, along = {"os": (inputs, weights), "ws": (inputs.T, weights), "is": (weights.T, inputs)}[dataflow]
    stationary = dataflow != "os"
    shared = {"bandwidth": bandwidth, "addresses": int(max(inputs.max(), weights.max())) + 1}
    row = new_operand(across, rows, stationary=False, buffer=buffers[0], **shared)
    column = new_operand(along, columns, stationary=stationary, buffer=buffers[1], **shared)
    words = len(inputs) * len(weights) * (-(-len(across) // rows) if stationary else 1)
    output = new_output_buffer(ofmap_words, bandwidth, words)
    stalls = int(_replay(row, column, output, stationary))
    row_words, column_words = (fetched_words(*one, bandwidth) for one in zip((row, column), buffers, strict=True))
    by_operand = (column_words, row_words) if dataflow == "is" else (row_words, column_words)
    return MemoryRun(stalls, *by_operand, words_counted(output, words))


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
def _replay(row: Operand, column: Operand, output: OutputBuffer, stationary: bool) -> int:
    """Stall cycles; what is fetched and written is left in the states."""
    count, steps = row.lines.shape
    load = row.width if stationary else 0
    folds = -(-count // row.width)
    now, stalled = -1, 0
    for fold in range(folds * -(-len(column.lines) // column.width)):
        left, top = fold // folds * column.width, fold % folds * row.width
        height, width = min(row.width, count - top), min(column.width, len(column.lines) - left)
        # Outputs leave bottom row first, rows without any included.
        first_result = load + row.width - 1 if stationary else steps - 1 + row.width - height
        for cycle in range(load + row.width + column.width + steps - 2):
            now += 1
            stream_step(row, top, cycle - load, now)
            bottom_first = top + row.width - 1 - cycle
            if not stationary:
                stream_step(column, left, cycle, now)
            elif top <= bottom_first < column.lines.shape[1]:
                load_row(column, left, bottom_first, now)
            words = _results(height, width, steps, cycle - first_result, stationary)
            stall = max(take_stall(row), take_stall(column), write_words(output, words, now))
            now += stall
            stalled += stall
    return stalled
