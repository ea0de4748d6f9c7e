"""Adder trees, of products, of all partial products or digit by digit: registers, gates and the longest way."""

from __future__ import annotations

__all__ = ["count_tree"]

from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel
from archgym_simulators.tpe.dots import (
    MOST_COLUMNS,
    put_rows,
)
from archgym_simulators.tpe.layout import (
    ACCUMULATOR,
    ADDER,
    COLUMNS,
    CUTS,
    DEPTH,
    OPT1,
    OPT2,
    ROWS,
)
from archgym_simulators.tpe.parts import (
    ADD,
    REGISTERS,
    count_adders,
    count_compressor,
    count_encoders,
    count_selection,
    count_shifters,
    cut_bits,
    digit_words,
    operand_bits,
    partial_products,
    shared_encoders,
)
from archgym_simulators.tpe.paths import (
    LOOP_ADDERS,
    LOOP_CARRY,
    LOOP_RIPPLE,
    adder_path,
    ready_adder,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@inner_kernel
def count_tree(design: Integers, formats: Integers, gates: Floats, path: Floats, bare: bool) -> None:
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
    path[LOOP_ADDERS] = 2.0 if design[OPT1] else 1.0 if design[OPT2] else 0.0
    if design[CUTS] > 0 and (design[OPT1] or design[OPT2]):
        levels += count_compressor(design, heights, gates, path, 1.0)
        heights[:] = 0
        put_rows(heights, 2, 0, int(result if bare else width))
    if not bare:
        put_rows(heights, words, 0, int(width))
    levels += count_compressor(design, heights, gates, path, 1.0)
    kept = result if bare else width
    if not design[OPT1]:
        count_adders(gates, ADD, kept, design[ADDER], 1.0)
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
        count_adders(gates, ADD, float(grown), design[ADDER], float(digits))
        ready_adder(path, float(grown), design[ADDER])
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
    growth = ceil(log2(float(depth)))
    for level in range(growth + 1):
        count_adders(gates, ADD, float(width + level), design[ADDER], float(depth >> level))
        ready_adder(path, float(width + level), design[ADDER])
    heights[:] = 0
    put_rows(heights, 1, 0, width + growth)
    return levels
