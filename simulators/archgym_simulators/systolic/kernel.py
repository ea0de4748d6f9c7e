"""Cycles and accesses of systolic arrays in closed form: N designs x L matrix products, compiled."""

from __future__ import annotations

__all__ = ["COUNTS", "IS", "OS", "WS", "design_table", "layer_counts", "network_counts"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import kernel

Integers = NDArray[np.int64]

OS, WS, IS = 0, 1, 2
COUNTS = (
    "compute_cycles",
    "ifmap_reads",
    "filter_reads",
    "ofmap_writes",
    "ofmap_reads",
    "dram_ifmap_reads",
    "dram_filter_reads",
    "dram_ofmap_reads",
    "dram_ofmap_writes",
    "total_cycles",
)
"""Columns of the results; accesses in words."""


@kernel
def _layer(
    dataflow: int,
    rows: int,
    columns: int,
    ifmap: int,
    weights: int,
    ofmap: int,
    bandwidth: int,
    m: int,
    n: int,
    k: int,
    unique_inputs: int,
    out: Integers,
) -> None:
    """Counts of one product M x N x K on one array; ``ifmap``, ``weights``, ``ofmap`` are words of half a buffer."""
    rows_m, rows_k = (m + rows - 1) // rows, (k + rows - 1) // rows
    columns_m, columns_n = (m + columns - 1) // columns, (n + columns - 1) // columns
    # A stream that half a buffer cannot hold comes anew for every fold that uses it.
    if dataflow == 0:
        cycles = rows_m * columns_n * (rows + columns - 2 + k) - 1
        input_reads, weight_reads, writes = columns_n * m * k, rows_m * k * n, m * n
        input_passes = 1 if unique_inputs <= ifmap else columns_n
        weight_passes = 1 if min(columns, n) * k <= weights or rows_m == 1 else rows_m
        partial_sums_fit, passes_k = True, 1
    elif dataflow == 1:
        cycles = rows_k * columns_n * (2 * rows + columns - 2 + m) - 1
        input_reads, weight_reads, writes = columns_n * m * k, k * n, rows_k * m * n
        input_passes = 1 if unique_inputs <= ifmap else columns_n
        weight_passes = 1
        partial_sums_fit, passes_k = min(columns, n) * m <= ofmap, rows_k
    else:
        cycles = rows_k * columns_m * (2 * rows + columns - 2 + n) - 1
        input_reads, weight_reads, writes = m * k, columns_m * k * n, rows_k * m * n
        input_passes = 1
        weight_passes = 1 if n * k <= weights else columns_m
        partial_sums_fit, passes_k = min(columns, m) * n <= ofmap, rows_k
    spilled = 0 if partial_sums_fit else (passes_k - 1) * m * n
    out[0] = cycles
    out[1] = input_reads
    out[2] = weight_reads
    out[3] = writes
    out[4] = (passes_k - 1) * m * n
    # Windows overlap: a convolution fetches pixels, not windows, unless even they come in anew.
    out[5] = unique_inputs * input_passes
    out[6] = n * k * weight_passes
    out[7] = spilled
    out[8] = m * n + spilled
    traffic = out[5] + out[6] + out[7] + out[8]
    out[9] = max(cycles, (traffic + bandwidth - 1) // bandwidth)


@kernel
def design_table(rows: Integers, values: Integers, half_words: int) -> Integers:
    """Designs (N, 6) for the counts below from rows of places in ``values`` (6, K), whose last three are KiB.

    Args:
        rows: (N, 6) of the design space.
        values: of each parameter.
        half_words: words of half a buffer of one KiB.
    """
    table = np.empty((len(rows), 6), np.int64)
    for i in range(len(rows)):
        for column in range(6):
            table[i, column] = values[column, rows[i, column]] * (half_words if column > 2 else 1)
    return table


@kernel
def layer_counts(designs: Integers, layers: Integers, bandwidth: int) -> Integers:
    """Counts of every design on every product, each once: (N, L, COUNTS).

    Args:
        designs: (N, 6) int64: dataflow code, rows, columns, words of half of the input, weight and output buffer.
        layers: (L, 5) int64: M, N, K, distinct inputs, times (ignored here).
        bandwidth: words a cycle off the chip, shared by all.
    """
    counts = np.empty((len(designs), len(layers), 10), np.int64)
    for i in range(len(designs)):
        d = designs[i]
        for j in range(len(layers)):
            w = layers[j]
            _layer(d[0], d[1], d[2], d[3], d[4], d[5], bandwidth, w[0], w[1], w[2], w[3], counts[i, j])
    return counts


@kernel
def network_counts(designs: Integers, layers: Integers, bandwidth: int) -> Integers:
    """As `layer_counts`, summed over the products, each ``layers[:, 4]`` times: (N, COUNTS)."""
    counts = np.zeros((len(designs), 10), np.int64)
    one = np.empty(10, np.int64)
    for i in range(len(designs)):
        d = designs[i]
        for j in range(len(layers)):
            w = layers[j]
            _layer(d[0], d[1], d[2], d[3], d[4], d[5], bandwidth, w[0], w[1], w[2], w[3], one)
            for c in range(10):
                counts[i, c] += one[c] * w[4]
    return counts
