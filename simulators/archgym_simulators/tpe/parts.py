"""Parts of an engine: registers and gates of encoders, selection, compressors, adders, shifters, and one PE of them.

Combinational logic is counted in gate equivalents (the area of a two-input NAND), with the usual sizes of cells; a
library says what one is worth. Kernels add to ``gates`` (PARTS,) and to what is on the longest ``path`` (LEVELS,).
"""

from __future__ import annotations

__all__ = [
    "PARTS",
    "code_register_bits",
    "count_adders",
    "count_compressor",
    "count_encoders",
    "count_selection",
    "count_shifters",
    "cut_bits",
    "digit_words",
    "edge_bits",
    "multiply_accumulate",
    "operand_bits",
    "partial_products",
    "shared_encoders",
]

from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel
from archgym_simulators.tpe.dots import MOST_COLUMNS, adder_cells, compress, put_rows
from archgym_simulators.tpe.layout import (
    ADDER,
    ARCHITECTURE,
    COLUMNS,
    COMPRESSOR,
    CUBE,
    CUTS,
    DEPTH,
    ENCODING,
    IN_PE,
    LARGEST_DIGIT,
    OPERAND,
    OPT1,
    OPT2,
    OPT3,
    PLACEMENT,
    RADIX_BITS,
    ROWS,
    TREE,
)
from archgym_simulators.tpe.paths import (
    L_ADDERS,
    L_MUX,
    LOOP_ADDERS,
    LOOP_CARRY,
    LOOP_RIPPLE,
    adder_path,
    candidate_path,
    encoder_path,
    select_path,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PARTS = ("registers", "encode", "select", "compress", "add", "shift", "finish", "fetch")
"""Columns of the counts: register bits, then gate equivalents by part."""
REGISTERS, ENCODE, SELECT, COMPRESS, ADD, SHIFT, FINISH, FETCH = range(8)
# Gate equivalents of usual standard cells.
FULL_ADDER, HALF_ADDER, XOR, MUX, AND, CARRY_CELL = 6.0, 3.0, 2.33, 2.33, 1.33, 3.0

# By encoding: booth, ent, naf, sm-serial, tc-serial, sm-radix4.
ENCODE_PER_DIGIT = (7.3, 12.0, 9.0, 0.0, 0.0, 2.7)  # two XOR and two AND; a 2-bit adder with carry; 3x and a select
ENCODE_PER_BIT = (0.0, 5.33, 5.33, 5.33, 0.0, 5.33)  # the magnitude of a signed number: an XOR and a half adder
BOOTH_SELECT = 4.33  # a bit of 0, 1 or 2 times, and of its sign, which is completed by a one in the diagram
SELECT_PER_BIT = (4.67, 4.67, 3.0, 3.0, 1.33, 6.0)  # a bit of one of the candidates: two and four to one; an AND
NEGATE_PER_BIT = 3.67  # of the candidate -B: an inverter and a half adder
CODE_BITS = (3, 3, 2, 2, 1, 3)
SKIP_PER_NEIGHBOUR = 10.0  # of a group: digit code selected by weight, zero test, next-one search


@inner_kernel
def digit_words(design: Integers, formats: Integers) -> tuple[int, int, int]:
    """Digits of the encoded operand, width of one partial product, bits between digits."""
    encoding = design[ENCODING]
    radix = RADIX_BITS[encoding]
    encoded, other = formats[design[OPERAND], 0], formats[1 - design[OPERAND], 0]
    digits = (encoded + radix - 1) // radix
    width = 1 if LARGEST_DIGIT[encoding] == 1 else 2
    return digits, other + width, radix


@inner_kernel
def count_adders(gates: Floats, part: int, width: float, kind: int, times: float) -> None:
    """Count ``times`` adders of ``width`` bits."""
    full, cells, half = adder_cells(width, kind)
    gates[part] += times * (full * FULL_ADDER + cells * CARRY_CELL + half * (HALF_ADDER + XOR))


@inner_kernel
def count_compressor(design: Integers, heights: Integers, gates: Floats, path: Floats, times: float) -> float:
    """Count ``times`` compressors that leave two words of a diagram; their delay in full adders."""
    full, half, levels = compress(heights, MOST_COLUMNS, design[COMPRESSOR], 2)
    gates[COMPRESS] += times * (full * FULL_ADDER + half * HALF_ADDER)
    path[L_ADDERS] += levels
    return levels


@inner_kernel
def is_plain(design: Integers) -> bool:
    """Whether a PE is the usual multiplier with Booth selection; others choose among ready candidates."""
    return not (design[OPT1] or design[OPT2])


@inner_kernel
def partial_products(design: Integers, formats: Integers, heights: Integers, copies: int) -> None:
    """Partial products in their places; after Booth selection each with the one that completes a negative."""
    digits, width, radix = digit_words(design, formats)
    heights[:] = 0
    for d in range(digits):
        put_rows(heights, copies, d * radix, width)
        if is_plain(design):
            put_rows(heights, copies, d * radix, 1)


@inner_kernel
def count_selection(
    design: Integers, formats: Integers, gates: Floats, path: Floats, words: float, engines: float
) -> None:
    """Choose ``words`` partial products; candidates (-B, or 3 B) are made once in each of ``engines``."""
    digits, width, _ = digit_words(design, formats)
    encoding = design[ENCODING]
    if is_plain(design) and LARGEST_DIGIT[encoding] == 2:
        gates[SELECT] += words * width * BOOTH_SELECT
    else:
        gates[SELECT] += words * width * SELECT_PER_BIT[encoding] + engines * width * NEGATE_PER_BIT
    if LARGEST_DIGIT[encoding] == 3:
        count_adders(gates, SELECT, width, design[ADDER], engines)
    other = float(formats[1 - design[OPERAND], 0])
    candidate_path(path, encoding, other, not is_plain(design), design[ADDER])
    select_path(path, encoding, 1.0 if design[OPT3] else digits)


@inner_kernel
def code_register_bits(design: Integers, formats: Integers) -> float:
    """Registers around an encoder outside of the PEs: the operand and its codes; one that skips zeros has its own."""
    if design[PLACEMENT] == IN_PE or design[OPT3]:
        return 0.0
    digits = digit_words(design, formats)[0]
    return float(formats[design[OPERAND], 0] + digits * CODE_BITS[design[ENCODING]])


@inner_kernel
def edge_bits(design: Integers, formats: Integers) -> float:
    """Registers in front of a cube's edges."""
    a, b = operand_bits(design, formats, 0), operand_bits(design, formats, 1)
    return float(design[DEPTH] * (design[ROWS] * a + design[COLUMNS] * b))


@inner_kernel
def count_encoders(design: Integers, formats: Integers, gates: Floats, path: Floats, count: float) -> None:
    """Count ``count`` encoders; those of PEs are on the path, others have registers behind them, as have encoders that
    skip zeros.
    """
    digits = digit_words(design, formats)[0]
    encoding, bits = design[ENCODING], formats[design[OPERAND], 0]
    gates[ENCODE] += count * (digits * ENCODE_PER_DIGIT[encoding] + bits * ENCODE_PER_BIT[encoding])
    gates[REGISTERS] += count * code_register_bits(design, formats)
    if design[PLACEMENT] == IN_PE and not design[OPT3]:
        encoder_path(path, encoding, float(bits), float(digits), design[ADDER])


@inner_kernel
def count_shifters(formats: Integers, width: float, gates: Floats, path: Floats, words: float) -> None:
    """Move ``words`` words to the place that the exponents say, and add the exponents."""
    span = formats[0, 2] + formats[1, 2]
    if span > 0:
        stages = ceil(log2(span + 1.0))
        gates[SHIFT] += words * width * stages * MUX + stages * FULL_ADDER
        path[L_MUX] += stages


@inner_kernel
def operand_bits(design: Integers, formats: Integers, operand: int) -> float:
    """Bits in which an operand travels between PEs: digit codes where it comes encoded."""
    bits = formats[operand, 1]
    if design[OPERAND] != operand or design[PLACEMENT] == IN_PE:
        return float(bits)
    return float(digit_words(design, formats)[0] * CODE_BITS[design[ENCODING]] + bits - formats[operand, 0])


@inner_kernel
def cut_bits(design: Integers, bits: float, levels: float, least: float) -> float:
    """Register bits of evenly spaced cuts through a compressor that starts with ``bits`` and keeps 2/3 a level."""
    total = 0.0
    for cut in range(1, design[CUTS] + 1):
        total += max(bits * (2.0 / 3.0) ** (levels * cut / (design[CUTS] + 1.0)), least)
    return total


@inner_kernel
def multiply_accumulate(design: Integers, formats: Integers, gates: Floats, path: Floats, width: float) -> None:
    """One PE that adds all digits of a product to a word, or to sum and carry, of ``width`` bits; without operands."""
    digits, product, radix = digit_words(design, formats)
    words = 2 if design[OPT1] else 1
    heights = np.zeros(MOST_COLUMNS, np.int64)
    partial_products(design, formats, heights, 1)
    count_selection(design, formats, gates, path, digits, 1.0)
    levels = 0.0
    if formats[0, 2] + formats[1, 2] > 0 or design[CUTS] > 0:
        levels += count_compressor(design, heights, gates, path, 1.0)
        count_shifters(formats, width, gates, path, 2.0)
        heights[:] = 0
        put_rows(heights, 2, 0, int(width))
    elif design[OPT1]:
        top = (digits - 1) * radix + product
        put_rows(heights, 1, top, int(width) - top)  # signs of the partial products, summed up beforehand
    put_rows(heights, words, 0, int(width))
    levels += count_compressor(design, heights, gates, path, 1.0)
    path[LOOP_ADDERS] = 2.0 if design[OPT1] else 1.0
    if not design[OPT1]:
        count_adders(gates, ADD, width, design[ADDER], 1.0)
        adder_path(path, width, design[ADDER], LOOP_CARRY, LOOP_RIPPLE)
    both = float(formats[0, 0] + formats[1, 0])
    gates[REGISTERS] += words * width + cut_bits(design, float(digits * product), levels, 2.0 * both)


@inner_kernel
def shared_encoders(design: Integers, pes: float) -> float:
    """Encoders of an engine: one in each PE, or one for each row or column of them."""
    if design[PLACEMENT] == IN_PE:
        return pes
    across = float(design[ROWS] if design[OPERAND] == 0 else design[COLUMNS])
    return across * (design[DEPTH] if design[ARCHITECTURE] in (CUBE, TREE) else 1)
