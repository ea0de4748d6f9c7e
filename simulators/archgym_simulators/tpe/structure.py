"""What an engine is built of: registers and gates by part, and the levels on its longest path.

Combinational logic is counted in gate equivalents (the area of a two-input NAND), with the usual sizes of cells; a
library says what one is worth. The parts of a PE follow the architectures of the HPCA 2025 paper as its public RTL
shows them: operands, candidate selection per digit, a compressor, an accumulator that is one word or, with OPT1, two.
"""

from __future__ import annotations

__all__ = ["GATES", "LEVELS", "PARTS", "count_one", "count_parts", "finisher_bits", "finisher_count", "needed_bits"]

from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel
from archgym_simulators.tpe.dots import MOST_COLUMNS, adder_cells, adder_levels, compress, put_rows
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
    RADIX_BITS,
    ROWS,
    TREE,
    WS,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PARTS = ("registers", "encode", "select", "compress", "add", "shift", "finish", "fetch")
"""Columns of the counts: register bits, then gate equivalents by part."""
REGISTERS, ENCODE, SELECT, COMPRESS, ADD, SHIFT, FINISH, FETCH = range(8)
LEVELS = ("encode", "select", "adders", "carry", "ripple", "mux", "fanout", "loop_adders", "loop_carry", "loop_ripple")
"""Columns of the path: numbers of each delay on the whole way, and those that cannot be cut (the loop)."""
L_ENCODE, L_SELECT, L_ADDERS, L_CARRY, L_RIPPLE, L_MUX, L_FANOUT, LOOP_ADDERS, LOOP_CARRY, LOOP_RIPPLE = range(10)

# Gate equivalents of usual standard cells.
FULL_ADDER, HALF_ADDER, XOR, MUX, AND, CARRY_CELL = 6.0, 3.0, 2.33, 2.33, 1.33, 3.0
GATES = {"full adder": FULL_ADDER, "half adder": HALF_ADDER, "xor": XOR, "mux": MUX, "and": AND, "carry": CARRY_CELL}

# By encoding: booth, ent, naf, sm-serial, tc-serial, sm-radix4.
ENCODE_PER_DIGIT = (7.3, 12.0, 9.0, 0.0, 0.0, 2.7)  # two XOR and two AND; a 2-bit adder with carry; 3x and a select
ENCODE_PER_BIT = (0.0, 5.33, 5.33, 5.33, 0.0, 5.33)  # the magnitude of a signed number: an XOR and a half adder
BOOTH_SELECT = 4.33  # a bit of 0, 1 or 2 times, and of its sign, which is completed by a one in the diagram
SELECT_PER_BIT = (4.67, 4.67, 3.0, 3.0, 1.33, 6.0)  # a bit of one of the candidates: two and four to one; an AND
NEGATE_PER_BIT = 3.67  # of the candidate -B: an inverter and a half adder
CODE_BITS = (3, 3, 2, 2, 1, 3)
SKIP_PER_NEIGHBOUR = 10.0  # of a group: digit code selected by weight, zero test, next-one search


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
def _word(design: Integers, formats: Integers) -> tuple[int, int, int]:
    """Digits of the encoded operand, width of one partial product, bits between digits."""
    encoding = design[ENCODING]
    radix = RADIX_BITS[encoding]
    encoded, other = formats[design[OPERAND], 0], formats[1 - design[OPERAND], 0]
    digits = (encoded + radix - 1) // radix
    width = 1 if LARGEST_DIGIT[encoding] == 1 else 2
    return digits, other + width, radix


@inner_kernel
def _adder(gates: Floats, part: int, path: Floats, width: float, kind: int, times: float) -> None:
    """Count ``times`` adders of ``width`` bits; the path has one more of them."""
    full, cells, half = adder_cells(width, kind)
    gates[part] += times * (full * FULL_ADDER + cells * CARRY_CELL + half * (HALF_ADDER + XOR))
    _adder_path(path, width, kind, L_CARRY, L_RIPPLE)


@inner_kernel
def _adder_path(path: Floats, width: float, kind: int, carry: int, ripple: int) -> None:
    if kind == 0:
        path[ripple] += adder_levels(width, kind)
    else:
        path[carry] += adder_levels(width, kind)


@inner_kernel
def _compressor(design: Integers, heights: Integers, gates: Floats, path: Floats, times: float) -> float:
    full, half, levels = compress(heights, MOST_COLUMNS, design[COMPRESSOR], 2)
    gates[COMPRESS] += times * (full * FULL_ADDER + half * HALF_ADDER)
    path[L_ADDERS] += levels
    return levels


@inner_kernel
def _plain(design: Integers) -> bool:
    """Whether a PE is the usual multiplier with Booth selection; others choose among ready candidates."""
    return not (design[OPT1] or design[OPT2])


@inner_kernel
def _partial_products(design: Integers, formats: Integers, heights: Integers, copies: int) -> None:
    """Partial products in their places; after Booth selection each with the one that completes a negative."""
    digits, width, radix = _word(design, formats)
    heights[:] = 0
    for d in range(digits):
        put_rows(heights, copies, d * radix, width)
        if _plain(design):
            put_rows(heights, copies, d * radix, 1)


@inner_kernel
def _select(design: Integers, formats: Integers, gates: Floats, path: Floats, words: float, engines: float) -> None:
    """Choose ``words`` partial products; candidates (-B, or 3 B) are made once in each of ``engines``."""
    width, encoding = _word(design, formats)[1], design[ENCODING]
    if _plain(design) and LARGEST_DIGIT[encoding] == 2:
        gates[SELECT] += words * width * BOOTH_SELECT
    else:
        gates[SELECT] += words * width * SELECT_PER_BIT[encoding] + engines * width * NEGATE_PER_BIT
    path[L_SELECT] += 1.0
    if LARGEST_DIGIT[encoding] == 3:
        _adder(gates, SELECT, path, width, design[ADDER], engines)


@inner_kernel
def _encoders(design: Integers, formats: Integers, gates: Floats, path: Floats, count: float) -> None:
    digits = _word(design, formats)[0]
    encoding, bits = design[ENCODING], formats[design[OPERAND], 0]
    gates[ENCODE] += count * (digits * ENCODE_PER_DIGIT[encoding] + bits * ENCODE_PER_BIT[encoding])
    if design[PLACEMENT] != IN_PE and not design[OPT3]:
        gates[REGISTERS] += count * (bits + digits * CODE_BITS[encoding])
    if ENCODE_PER_BIT[encoding] + ENCODE_PER_DIGIT[encoding] > 0.0 and design[PLACEMENT] == IN_PE:
        path[L_ENCODE] += 1.0


@inner_kernel
def _shifter(formats: Integers, width: float, gates: Floats, path: Floats, words: float) -> None:
    """Move ``words`` words to the place that the exponents say, and add the exponents."""
    span = formats[0, 2] + formats[1, 2]
    if span > 0:
        stages = ceil(log2(span + 1.0))
        gates[SHIFT] += words * width * stages * MUX + stages * FULL_ADDER
        path[L_MUX] += stages


@inner_kernel
def _operand_bits(design: Integers, formats: Integers, operand: int) -> float:
    """Bits in which an operand travels between PEs: digit codes where it comes encoded."""
    bits = formats[operand, 1]
    if design[OPERAND] != operand or design[PLACEMENT] == IN_PE:
        return float(bits)
    return float(_word(design, formats)[0] * CODE_BITS[design[ENCODING]] + bits - formats[operand, 0])


@inner_kernel
def _cut_bits(design: Integers, bits: float, levels: float, least: float) -> float:
    """Register bits of evenly spaced cuts through a compressor that starts with ``bits`` and keeps 2/3 a level."""
    total = 0.0
    for cut in range(1, design[CUTS] + 1):
        total += max(bits * (2.0 / 3.0) ** (levels * cut / (design[CUTS] + 1.0)), least)
    return total


@inner_kernel
def _multiply_accumulate(design: Integers, formats: Integers, gates: Floats, path: Floats, width: float) -> None:
    """One PE that adds all digits of a product to a word, or to sum and carry, of ``width`` bits; without operands."""
    digits, product, radix = _word(design, formats)
    words = 2 if design[OPT1] else 1
    heights = np.zeros(MOST_COLUMNS, np.int64)
    _partial_products(design, formats, heights, 1)
    _select(design, formats, gates, path, digits, 1.0)
    levels = 0.0
    if formats[0, 2] + formats[1, 2] > 0:
        levels += _compressor(design, heights, gates, path, 1.0)
        _shifter(formats, width, gates, path, 2.0)
        heights[:] = 0
        put_rows(heights, 2, 0, int(width))
    elif design[OPT1]:
        top = (digits - 1) * radix + product
        put_rows(heights, 1, top, int(width) - top)  # signs of the partial products, summed up beforehand
    put_rows(heights, words, 0, int(width))
    levels += _compressor(design, heights, gates, path, 1.0)
    path[LOOP_ADDERS] = 2.0 if design[OPT1] else 1.0
    if not design[OPT1]:
        _adder(gates, ADD, path, width, design[ADDER], 1.0)
        _adder_path(path, width, design[ADDER], LOOP_CARRY, LOOP_RIPPLE)
    both = float(formats[0, 0] + formats[1, 0])
    gates[REGISTERS] += words * width + _cut_bits(design, float(digits * product), levels, 2.0 * both)


@inner_kernel
def _flat(design: Integers, formats: Integers, gates: Floats, path: Floats) -> None:
    """PEs along M and N with an accumulator each: operands ripple (systolic) or are broadcast (matrix)."""
    rows, columns = float(design[ROWS]), float(design[COLUMNS])
    pes = rows * columns
    _multiply_accumulate(design, formats, gates, path, float(design[ACCUMULATOR]))
    gates *= pes
    a, b = _operand_bits(design, formats, 0), _operand_bits(design, formats, 1)
    if design[ARCHITECTURE] == OS:
        gates[REGISTERS] += pes * (a + b)
    else:
        gates[REGISTERS] += rows * a + columns * b
        path[L_FANOUT] += log2(max(rows, columns))
    _encoders(design, formats, gates, path, _shared(design, pes))


@inner_kernel
def _shared(design: Integers, pes: float) -> float:
    """Encoders of an engine: one in each PE, or one for each row or column of them."""
    if design[PLACEMENT] == IN_PE:
        return pes
    across = float(design[ROWS] if design[OPERAND] == 0 else design[COLUMNS])
    return across * (design[DEPTH] if design[ARCHITECTURE] in (CUBE, TREE) else 1)


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
        _multiply_accumulate(design, formats, one, longest, min(width, float(design[ACCUMULATOR])))
        gates += one * (count * columns)
        row += count
        step = max(row, 1)
    path += longest
    a, b = _operand_bits(design, formats, 0), _operand_bits(design, formats, 1)
    gates[REGISTERS] += rows * columns * (a + b)
    _encoders(design, formats, gates, path, rows if design[PLACEMENT] != IN_PE else rows * columns)
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
    digits, product, _ = _word(design, formats)
    words = 2.0 if design[OPT1] else 1.0
    growth = ceil(log2(depth))
    if design[OPT2]:
        width = float(product + growth)
        _select(design, formats, gates, path, digits, 1.0)
        _shifter(formats, width + formats[0, 2] + formats[1, 2], gates, path, float(digits))
        width += formats[0, 2] + formats[1, 2]
        path[L_ADDERS] += words
        path[LOOP_ADDERS] = words
        if design[OPT1]:
            gates[COMPRESS] += digits * width * FULL_ADDER
        else:
            _adder(gates, ADD, path, width, design[ADDER], float(digits))
            _adder_path(path, width, design[ADDER], LOOP_CARRY, LOOP_RIPPLE)
        gates[REGISTERS] += digits * words * width + design[CUTS] * digits * product
    else:
        width = float(formats[0, 0] + formats[1, 0] + formats[0, 2] + formats[1, 2] + growth)
        _multiply_accumulate(design, formats, gates, path, width)
    gates *= pes
    a, b = _operand_bits(design, formats, 0), _operand_bits(design, formats, 1)
    gates[REGISTERS] += pes * (a + b) + rows * depth * a + columns * depth * b
    _encoders(design, formats, gates, path, _shared(design, pes))
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
    loop = np.zeros(len(LEVELS))
    if not design[OPT1]:
        _adder(gates, ADD, loop, width, design[ADDER], count)
        _adder_path(path, max(width - path[LOOP_RIPPLE], 0.0), design[ADDER], LOOP_RIPPLE, LOOP_RIPPLE)
        path[LOOP_CARRY] = max(path[LOOP_CARRY], loop[L_CARRY])
        path[LOOP_RIPPLE] = max(path[LOOP_RIPPLE], loop[L_RIPPLE])
    path[LOOP_ADDERS] = max(path[LOOP_ADDERS], levels)


@inner_kernel
def _tree(design: Integers, formats: Integers, gates: Floats, path: Floats, bare: bool) -> None:
    """An adder tree over K for each of M x N outputs: of products, of all partial products, or digit by digit."""
    depth = design[DEPTH]
    digits, product, radix = _word(design, formats)
    both = formats[0, 0] + formats[1, 0]
    span = formats[0, 2] + formats[1, 2]
    growth = ceil(log2(float(depth)))
    width = float(design[ACCUMULATOR])
    heights = np.zeros(MOST_COLUMNS, np.int64)
    _select(design, formats, gates, path, float(depth * digits), float(depth))
    if design[OPT2]:
        put_rows(heights, depth, 0, product + span)
        _shifter(formats, float(product + span), gates, path, float(depth * digits))
        levels = _compressor(design, heights, gates, path, float(digits))
        heights[:] = 0
        rows = 2 if design[OPT1] else 1
        if not design[OPT1]:
            _adder(gates, ADD, path, float(product + span + growth), design[ADDER], float(digits))
        for d in range(digits):
            put_rows(heights, rows, d * radix, product + span + growth)
    else:
        _partial_products(design, formats, heights, depth if design[OPT1] and span == 0 else 1)
        if design[OPT1] and span == 0 and not bare:
            top = (digits - 1) * radix + product
            put_rows(heights, 1, top, int(width) - top)
        levels = 0.0
        if not (design[OPT1] and span == 0):
            levels = _compressor(design, heights, gates, path, float(depth))
            _shifter(formats, float(both + span), gates, path, 2.0 * depth)
            heights[:] = 0
            put_rows(heights, 2 * depth if design[OPT1] else 2, 0, both + span)
        if not design[OPT1]:
            _adder(gates, ADD, path, float(both + span), design[ADDER], float(depth))
            for level in range(growth):
                _adder(gates, ADD, path, float(both + span + level + 1), design[ADDER], float(depth >> (level + 1)))
            heights[:] = 0
            put_rows(heights, 1, 0, both + span + growth)
    words = 2 if design[OPT1] else 1
    if not bare:
        put_rows(heights, words, 0, int(width))
    levels += _compressor(design, heights, gates, path, 1.0)
    path[LOOP_ADDERS] = 2.0 if design[OPT1] else 1.0
    if not design[OPT1]:
        final = float(both + span + growth) if bare else width
        _adder(gates, ADD, path, final, design[ADDER], 1.0)
        _adder_path(path, final, design[ADDER], LOOP_CARRY, LOOP_RIPPLE)
    bits = float(depth * digits * product)
    gates[REGISTERS] += (both + span + growth if bare else width) * words + _cut_bits(design, bits, levels, 2.0 * both)
    trees = float(design[ROWS] * design[COLUMNS])
    gates *= trees
    a, b = _operand_bits(design, formats, 0), _operand_bits(design, formats, 1)
    gates[REGISTERS] += depth * trees * (a + b)
    _encoders(design, formats, gates, path, _shared(design, trees * depth))


@inner_kernel
def _skipping(design: Integers, formats: Integers, gates: Floats, path: Floats, bare: bool) -> None:
    """PEs that add the digits that are not zero, one a cycle and lane, selected by encoders that search groups."""
    rows, columns, lanes = float(design[ROWS]), float(design[COLUMNS]), float(design[LANES])
    pes, group = rows * columns, float(design[GROUP])
    _, product, _ = _word(design, formats)
    width = float(design[ACCUMULATOR])
    other = float(formats[1 - design[OPERAND], 1])
    code = float(CODE_BITS[design[ENCODING]] - 1 + formats[design[OPERAND], 1] - formats[design[OPERAND], 0])
    _select(design, formats, gates, path, lanes, lanes)
    _shifter(formats, width, gates, path, lanes)
    if design[LANES] == 1:
        gates[COMPRESS] += width * FULL_ADDER
        path[L_ADDERS] += 1.0
    else:
        heights = np.zeros(MOST_COLUMNS, np.int64)
        word = int(width) if formats[0, 2] + formats[1, 2] > 0 else product
        put_rows(heights, design[LANES], 0, word)
        put_rows(heights, 1, word, int(width) - word)  # their signs, summed up beforehand
        put_rows(heights, 2, 0, int(width))
        _compressor(design, heights, gates, path, 1.0)
    path[LOOP_ADDERS] = 2.0 if design[LANES] > 1 else 1.0
    gates[REGISTERS] += 2.0 * width + lanes * (code + other) + design[CUTS] * lanes * product
    gates *= pes
    encoders = lanes * _shared(design, pes)
    path[L_FANOUT] += 0.0 if design[PLACEMENT] == IN_PE else log2(pes / _shared(design, pes))
    _encoders(design, formats, gates, path, encoders * group)
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
    path = np.zeros((len(designs), 10))
    for n in range(len(designs)):
        count_one(designs[n], formats, bare, gates[n], path[n])
    return gates, path
