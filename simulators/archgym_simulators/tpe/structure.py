"""What an engine is built of, by architecture: registers and gates by part, and the levels on its longest path.

The parts of a PE follow the architectures of the HPCA 2025 paper as its public RTL shows them: operands, candidate
selection per digit, a compressor, an accumulator that is one word or, with OPT1, two.
"""

from __future__ import annotations

__all__ = ["count_one", "count_parts", "finisher_bits", "finisher_count", "needed_bits"]

from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel
from archgym_simulators.tpe.dots import MOST_COLUMNS, adder_cells, compress, put_rows
from archgym_simulators.tpe.layout import (
    ACCUMULATOR,
    ADDER,
    ARCHITECTURE,
    COLUMNS,
    COMPRESSOR,
    CUBE,
    CUTS,
    DEPTH,
    ENCODING,
    FIFO,
    GROUP,
    IN_PE,
    K_TILE,
    LANES,
    LARGEST_DIGIT,
    MATRIX,
    OPERAND,
    OPT1,
    OPT2,
    OPT3,
    OS,
    PLACEMENT,
    ROWS,
    TREE,
    WS,
)
from archgym_simulators.tpe.parts import (
    ADD,
    CARRY_CELL,
    CODE_BITS,
    COMPRESS,
    ENCODE,
    FETCH,
    FINISH,
    FULL_ADDER,
    HALF_ADDER,
    L_ADDERS,
    L_CARRY,
    L_ENCODE,
    L_FANOUT,
    L_RIPPLE,
    LEVELS,
    LOOP_ADDERS,
    LOOP_CARRY,
    LOOP_RIPPLE,
    MUX,
    PARTS,
    REGISTERS,
    SKIP_PER_NEIGHBOUR,
    XOR,
    adder_path,
    count_adders,
    count_compressor,
    count_encoders,
    count_selection,
    count_shifters,
    cut_bits,
    digit_words,
    multiply_accumulate,
    operand_bits,
    partial_products,
    shared_encoders,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@inner_kernel
def needed_bits(design: Integers, formats: Integers, longest: int) -> float:
    """Width in which no accumulator of a design can overflow, for sums of up to ``longest`` products.

    A sum of K products of magnitude at most P needs bit_length(K P) + 1 bits. Where digits of one weight are summed
    alone (OPT3), P is the largest digit times the other operand.
    """
    a, b = formats[0], formats[1]
    terms = min(longest, design[K_TILE])
    if design[ARCHITECTURE] == WS:
        terms = min(longest, design[ROWS])
    if design[OPT3]:
        largest = float(LARGEST_DIGIT[design[ENCODING]] * (b[3] if design[OPERAND] == 0 else a[3]))
    else:
        largest = float(a[3] * b[3])
    return float(np.floor(log2(largest * terms)) + 2.0 + a[2] + b[2])


@inner_kernel
def _flat(design: Integers, formats: Integers, gates: Floats, path: Floats) -> None:
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
def _weight_stationary(design: Integers, formats: Integers, gates: Floats, path: Floats, bare: bool) -> None:
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
def _cube(design: Integers, formats: Integers, gates: Floats, path: Floats, bare: bool) -> None:
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
            count_adders(gates, ADD, path, width, design[ADDER], float(digits))
            adder_path(path, width, design[ADDER], LOOP_CARRY, LOOP_RIPPLE)
        gates[REGISTERS] += digits * words * width + design[CUTS] * digits * product
    else:
        width = float(formats[0, 0] + formats[1, 0] + formats[0, 2] + formats[1, 2] + growth)
        multiply_accumulate(design, formats, gates, path, width)
    gates *= pes
    a, b = operand_bits(design, formats, 0), operand_bits(design, formats, 1)
    gates[REGISTERS] += pes * (a + b) + rows * depth * a + columns * depth * b
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
        aside = np.zeros(len(LEVELS))
        count_adders(gates, ADD, aside, width, design[ADDER], count)
        path[LOOP_CARRY] = max(path[LOOP_CARRY], aside[L_CARRY])
        path[LOOP_RIPPLE] = max(path[LOOP_RIPPLE], aside[L_RIPPLE])


@inner_kernel
def _tree(design: Integers, formats: Integers, gates: Floats, path: Floats, bare: bool) -> None:
    """An adder tree over K for each of M x N outputs: of products, of all partial products, or digit by digit."""
    depth = design[DEPTH]
    digits, product, _ = digit_words(design, formats)
    both = formats[0, 0] + formats[1, 0]
    result = float(both + formats[0, 2] + formats[1, 2] + ceil(log2(float(depth))))
    width = float(design[ACCUMULATOR])
    heights = np.zeros(MOST_COLUMNS, np.int64)
    count_selection(design, formats, gates, path, float(depth * digits), float(depth))
    if design[OPT2]:
        levels = _digit_trees(design, formats, heights, gates, path)
    elif design[OPT1]:
        levels = _whole_tree(design, formats, heights, gates, path, bare)
    else:
        levels = _product_tree(design, formats, heights, gates, path)
    words = 2 if design[OPT1] else 1
    if not bare:
        put_rows(heights, words, 0, int(width))
    levels += count_compressor(design, heights, gates, path, 1.0)
    path[LOOP_ADDERS] = 2.0 if design[OPT1] else 1.0
    kept = result if bare else width
    if not design[OPT1]:
        count_adders(gates, ADD, path, kept, design[ADDER], 1.0)
        adder_path(path, kept, design[ADDER], LOOP_CARRY, LOOP_RIPPLE)
    bits = float(depth * digits * product)
    gates[REGISTERS] += kept * words + cut_bits(design, bits, levels, 2.0 * both)
    trees = float(design[ROWS] * design[COLUMNS])
    gates *= trees
    a, b = operand_bits(design, formats, 0), operand_bits(design, formats, 1)
    gates[REGISTERS] += depth * trees * (a + b)
    count_encoders(design, formats, gates, path, shared_encoders(design, trees * depth))


@inner_kernel
def _digit_trees(design: Integers, formats: Integers, heights: Integers, gates: Floats, path: Floats) -> float:
    """A tree for the words of each digit weight; ``heights`` gets their results, shifted."""
    depth = design[DEPTH]
    digits, product, radix = digit_words(design, formats)
    width = product + formats[0, 2] + formats[1, 2]
    grown = width + ceil(log2(float(depth)))
    put_rows(heights, depth, 0, width)
    count_shifters(formats, float(width), gates, path, float(depth * digits))
    levels = count_compressor(design, heights, gates, path, float(digits))
    heights[:] = 0
    if not design[OPT1]:
        count_adders(gates, ADD, path, float(grown), design[ADDER], float(digits))
    for d in range(digits):
        put_rows(heights, 2 if design[OPT1] else 1, d * radix, grown)
    return levels


@inner_kernel
def _whole_tree(
    design: Integers, formats: Integers, heights: Integers, gates: Floats, path: Floats, bare: bool
) -> float:
    """All partial products of all operands in one diagram; after shifting, products in carry-save form."""
    depth, span = design[DEPTH], formats[0, 2] + formats[1, 2]
    digits, product, radix = digit_words(design, formats)
    partial_products(design, formats, heights, depth if span == 0 else 1)
    if span == 0:
        top = (digits - 1) * radix + product
        if not bare:
            put_rows(heights, 1, top, design[ACCUMULATOR] - top)  # signs, summed up beforehand
        return 0.0
    levels = count_compressor(design, heights, gates, path, float(depth))
    width = formats[0, 0] + formats[1, 0] + span
    count_shifters(formats, float(width), gates, path, 2.0 * depth)
    heights[:] = 0
    put_rows(heights, 2 * depth, 0, width)
    return levels


@inner_kernel
def _product_tree(design: Integers, formats: Integers, heights: Integers, gates: Floats, path: Floats) -> float:
    """Multipliers with an adder each, and a binary tree of adders; ``heights`` gets its one result."""
    depth = design[DEPTH]
    width = formats[0, 0] + formats[1, 0] + formats[0, 2] + formats[1, 2]
    partial_products(design, formats, heights, 1)
    levels = count_compressor(design, heights, gates, path, float(depth))
    count_shifters(formats, float(width), gates, path, 2.0 * depth)
    count_adders(gates, ADD, path, float(width), design[ADDER], float(depth))
    growth = ceil(log2(float(depth)))
    for level in range(growth):
        count_adders(gates, ADD, path, float(width + level + 1), design[ADDER], float(depth >> (level + 1)))
    heights[:] = 0
    put_rows(heights, 1, 0, width + growth)
    return levels


@inner_kernel
def _skipping(design: Integers, formats: Integers, gates: Floats, path: Floats, bare: bool) -> None:
    """PEs that add the digits that are not zero, one a cycle and lane, selected by encoders that search groups."""
    rows, columns, lanes = float(design[ROWS]), float(design[COLUMNS]), float(design[LANES])
    pes, group = rows * columns, float(design[GROUP])
    _, product, _ = digit_words(design, formats)
    width = float(design[ACCUMULATOR])
    other = float(formats[1 - design[OPERAND], 1])
    code = float(CODE_BITS[design[ENCODING]] - 1 + formats[design[OPERAND], 1] - formats[design[OPERAND], 0])
    count_selection(design, formats, gates, path, lanes, lanes)
    count_shifters(formats, width, gates, path, lanes)
    if design[LANES] == 1:
        gates[COMPRESS] += width * FULL_ADDER
        path[L_ADDERS] += 1.0
    else:
        heights = np.zeros(MOST_COLUMNS, np.int64)
        word = int(width) if formats[0, 2] + formats[1, 2] > 0 else product
        put_rows(heights, design[LANES], 0, word)
        put_rows(heights, 1, word, int(width) - word)  # their signs, summed up beforehand
        put_rows(heights, 2, 0, int(width))
        count_compressor(design, heights, gates, path, 1.0)
    path[LOOP_ADDERS] = 2.0 if design[LANES] > 1 else 1.0
    gates[REGISTERS] += 2.0 * width + lanes * (code + other) + design[CUTS] * lanes * product
    gates *= pes
    encoders = lanes * shared_encoders(design, pes)
    path[L_FANOUT] += 0.0 if design[PLACEMENT] == IN_PE else log2(pes / shared_encoders(design, pes))
    count_encoders(design, formats, gates, path, encoders * group)
    path[L_ENCODE] = 0.0  # an encoder is ahead of its PEs: a path of its own, shorter than theirs
    gates[ENCODE] += encoders * group * SKIP_PER_NEIGHBOUR
    index = ceil(log2(group))
    state = group * (CODE_BITS[design[ENCODING]] - 1) + (2.0 * group - 1.0) + index
    gates[REGISTERS] += encoders * (state + (design[FIFO] - 1) * group * CODE_BITS[design[ENCODING]])
    if not bare:
        gates[REGISTERS] += encoders * group * formats[design[OPERAND], 1]
        gates[FETCH] += pes * lanes * (group - 1.0) * other * MUX
        windows = columns if design[OPERAND] == 0 else rows
        gates[REGISTERS] += windows * lanes * group * design[FIFO] * other


@inner_kernel
def finisher_bits(design: Integers, formats: Integers) -> float:
    """Width of a finishing adder: all that a sum over one tile can be."""
    if design[ARCHITECTURE] == WS:
        return float(design[ACCUMULATOR])
    return float(formats[0, 0] + formats[1, 0] + formats[0, 2] + formats[1, 2]) + ceil(log2(float(design[K_TILE])))


@inner_kernel
def _finishers(design: Integers, formats: Integers, gates: Floats, count: float) -> None:
    """Adders that turn sum and carry into one number, shared by all accumulators."""
    width = finisher_bits(design, formats)
    full, cells, half = adder_cells(width, design[ADDER])
    gates[FINISH] += count * (full * FULL_ADDER + cells * CARRY_CELL + half * (HALF_ADDER + XOR))
    gates[REGISTERS] += count * 2.0 * width


@inner_kernel
def finisher_count(design: Integers) -> float:
    """Finishing adders: as many as keep up with tiles of full length, of which half of the digits are zero."""
    outputs = float(design[ROWS] * design[COLUMNS])
    if not design[OPT1] or design[ARCHITECTURE] == WS:
        return 0.0
    if design[OPT3]:
        return float(ceil(2.0 * outputs * design[LANES] / design[K_TILE]))
    depth = design[DEPTH] if design[ARCHITECTURE] in (CUBE, TREE) else 1
    return float(ceil(outputs * depth / design[K_TILE]))


@inner_kernel
def count_one(design: Integers, formats: Integers, bare: bool, gates: Floats, path: Floats) -> None:
    """Fill the counts of one design, both of which come in as zeros."""
    architecture = design[ARCHITECTURE]
    if design[OPT3]:
        _skipping(design, formats, gates, path, bare)
    elif architecture in (OS, MATRIX):
        _flat(design, formats, gates, path)
    elif architecture == WS:
        _weight_stationary(design, formats, gates, path, bare)
    elif architecture == CUBE:
        _cube(design, formats, gates, path, bare)
    else:
        _tree(design, formats, gates, path, bare)
    if not bare:
        _finishers(design, formats, gates, finisher_count(design))


@kernel
def count_parts(designs: Integers, formats: Integers, bare: bool) -> tuple[Floats, Floats]:
    """Counts (N, PARTS) and levels (N, LEVELS) of designs (N, FIELDS).

    Args:
        designs: rows of `archgym_simulators.tpe.layout.design_table`.
        formats: (2, 4) of `archgym_simulators.tpe.layout.format_table`.
        bare: leave out what the public RTL leaves out: accumulators behind a cube or tree, finishing adders, the
            fetching of operands for skipped digits.
    """
    gates = np.zeros((len(designs), 8))
    path = np.zeros((len(designs), 11))
    for n in range(len(designs)):
        count_one(designs[n], formats, bare, gates[n], path[n])
    return gates, path
