"""Systolic arrays, matrices and cubes: registers, gates and the longest way of PEs that pass sums on or keep them."""

from __future__ import annotations

__all__ = ["count_cube", "count_flat", "count_weight_stationary"]

from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel
from archgym_simulators.tpe.dots import (
    MOST_COLUMNS,
    adder_cells,
    compress,
    put_rows,
)
from archgym_simulators.tpe.layout import (
    ACCUMULATOR,
    ADDER,
    ARCHITECTURE,
    COLUMNS,
    COMPRESSOR,
    CUTS,
    DEPTH,
    IN_PE,
    OPT1,
    OPT2,
    OS,
    PLACEMENT,
    ROWS,
)
from archgym_simulators.tpe.parts import (
    ADD,
    CARRY_CELL,
    COMPRESS,
    FINISH,
    FULL_ADDER,
    HALF_ADDER,
    PARTS,
    REGISTERS,
    XOR,
    count_adders,
    count_encoders,
    count_selection,
    count_shifters,
    digit_words,
    edge_bits,
    multiply_accumulate,
    operand_bits,
    shared_encoders,
)
from archgym_simulators.tpe.paths import (
    L_ADDERS,
    L_FANOUT,
    LEVELS,
    LOOP_ADDERS,
    LOOP_CARRY,
    LOOP_RIPPLE,
    adder_path,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@inner_kernel
def count_flat(design: Integers, formats: Integers, gates: Floats, path: Floats) -> None:
    """PEs along M and N with an accumulator each: operands ripple (systolic) or are broadcast (matrix)."""
    rows, columns = float(design[ROWS]), float(design[COLUMNS])
    pes = rows * columns
    multiply_accumulate(design, formats, gates, path, float(design[ACCUMULATOR]))
    gates *= pes
    a, b = operand_bits(design, formats, 0), operand_bits(design, formats, 1)
    if design[ARCHITECTURE] == OS:
        gates[REGISTERS] += pes * (a + b)
    else:
        gates[REGISTERS] += rows * a + columns * b
        path[L_FANOUT] += log2(max(rows, columns))
    count_encoders(design, formats, gates, path, shared_encoders(design, pes))


@inner_kernel
def count_weight_stationary(design: Integers, formats: Integers, gates: Floats, path: Floats, bare: bool) -> None:
    """PEs along K and N: B stays, sums go down a column and grow on the way; below, folds of K are added."""
    rows, columns = float(design[ROWS]), float(design[COLUMNS])
    product = float(formats[0, 0] + formats[1, 0] + formats[0, 2] + formats[1, 2])
    one, longest = np.zeros(len(PARTS)), np.zeros(len(LEVELS))
    step, row = 1, 0
    while row < design[ROWS]:  # rows of equal width together: 1, 1, 2, 4, 8 ...
        count = min(step, design[ROWS] - row)
        one[:] = 0.0
        longest[:] = 0.0
        width = product + ceil(log2(row + 1.0))
        multiply_accumulate(design, formats, one, longest, min(width, float(design[ACCUMULATOR])))
        gates += one * (count * columns)
        row += count
        step = max(row, 1)
    path += longest
    a, b = operand_bits(design, formats, 0), operand_bits(design, formats, 1)
    gates[REGISTERS] += rows * columns * (a + b)
    count_encoders(design, formats, gates, path, rows if design[PLACEMENT] != IN_PE else rows * columns)
    if not bare:
        width = float(design[ACCUMULATOR])
        full, cells, half = adder_cells(width, design[ADDER])
        words = 2.0 if design[OPT1] else 1.0
        adder = full * FULL_ADDER + cells * CARRY_CELL + half * (HALF_ADDER + XOR)
        gates[FINISH] += columns * (adder + (words - 1.0) * width * FULL_ADDER)
        gates[REGISTERS] += columns * width


@inner_kernel
def count_cube(design: Integers, formats: Integers, gates: Floats, path: Floats, bare: bool) -> None:
    """PEs along M, N and K: sums run along K into an accumulator for each of M x N."""
    rows, columns, depth = float(design[ROWS]), float(design[COLUMNS]), float(design[DEPTH])
    pes = rows * columns * depth
    digits, product, _ = digit_words(design, formats)
    words = 2.0 if design[OPT1] else 1.0
    growth = ceil(log2(depth))
    if design[OPT2]:
        width = float(product + growth)
        count_selection(design, formats, gates, path, digits, 1.0)
        count_shifters(formats, width + formats[0, 2] + formats[1, 2], gates, path, float(digits))
        width += formats[0, 2] + formats[1, 2]
        # One product meets a sum and a carry word in a full adder, or a total in the final adder alone.
        path[L_ADDERS] += words - 1.0
        path[LOOP_ADDERS] = words - 1.0
        if design[OPT1]:
            gates[COMPRESS] += digits * width * FULL_ADDER
        else:
            count_adders(gates, ADD, width, design[ADDER], float(digits))
            adder_path(path, width, design[ADDER], LOOP_CARRY, LOOP_RIPPLE)
        gates[REGISTERS] += digits * words * width + design[CUTS] * digits * product
    else:
        width = float(formats[0, 0] + formats[1, 0] + formats[0, 2] + formats[1, 2] + growth)
        multiply_accumulate(design, formats, gates, path, width)
    gates *= pes
    a, b = operand_bits(design, formats, 0), operand_bits(design, formats, 1)
    gates[REGISTERS] += pes * (a + b) + edge_bits(design, formats)
    count_encoders(design, formats, gates, path, shared_encoders(design, pes))
    if not bare:
        _gather(design, formats, gates, path, words * (digits if design[OPT2] else 1.0), rows * columns)


@inner_kernel
def _gather(design: Integers, formats: Integers, gates: Floats, path: Floats, words: float, count: float) -> None:
    """``count`` accumulators behind the chains of a cube, each taking ``words`` words a cycle."""
    width = float(design[ACCUMULATOR])
    heights = np.zeros(MOST_COLUMNS, np.int64)
    put_rows(heights, int(words) + (2 if design[OPT1] else 1), 0, int(width))
    full, half, levels = compress(heights, MOST_COLUMNS, design[COMPRESSOR], 2)
    gates[COMPRESS] += count * (full * FULL_ADDER + half * HALF_ADDER)
    gates[REGISTERS] += count * width * (2.0 if design[OPT1] else 1.0)
    path[LOOP_ADDERS] = max(path[LOOP_ADDERS], levels)
    if not design[OPT1]:
        # An accumulator's loop is beside those of the chains: its adder is on no way through them.
        count_adders(gates, ADD, width, design[ADDER], count)
        adder_path(path, width, design[ADDER], LOOP_CARRY, LOOP_RIPPLE)
