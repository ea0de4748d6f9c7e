"""Dot diagrams: how many full adders, half adders and levels a column compressor needs."""

from __future__ import annotations

__all__ = ["MOST_COLUMNS", "adder_cells", "adder_delay", "compress", "put_rows"]

from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel

Integers = NDArray[np.int64]

MOST_COLUMNS = 256
WALLACE, DADDA, FOUR_TWO = 0, 1, 2
FOUR_TWO_LEVELS = 1.5  # of a full adder
RIPPLE, BRENT_KUNG, KOGGE_STONE, SKLANSKY = 0, 1, 2, 3
MERGED_BITS, SPARSE_NETWORK = 3.0, 1.1  # fitted: experiments/tpe_synthesis


@inner_kernel
def put_rows(heights: Integers, rows: int, first: int, width: int) -> None:
    """Add ``rows`` words of ``width`` bits from column ``first`` to a diagram (columns,); what is beyond is cut."""
    for column in range(first, min(first + width, len(heights))):
        heights[column] += rows


@inner_kernel
def compress(heights: Integers, columns: int, kind: int, target: int) -> tuple[float, float, float]:
    """Reduce a diagram in place to ``target`` words: full adders, half adders, delay in full adders.

    ``kind`` 0 (Wallace) takes every three bits of a column in every level, 1 (Dadda) as few as reach the next of
    2, 3, 4, 6, 9, 13 ..., 2 is Wallace with 4:2 compressors, two full adders each that take 1.5 of their delays.
    """
    full, half, levels = 0.0, 0.0, 0.0
    tallest = 0
    for c in range(columns):
        tallest = max(tallest, heights[c])
    while tallest > target:
        limit = _next_height(tallest, target, kind)
        carries, top, fours = 0, 0, 0
        for c in range(columns):
            if kind == DADDA:
                threes, pairs, present = _dadda_column(heights[c] + carries, limit)
                four = 0
            else:
                by_four = kind == FOUR_TWO and tallest >= 4
                four, threes, pairs, present = _wallace_column(heights[c], carries, limit, by_four)
            full += 2 * four + threes
            half += pairs
            heights[c] = present
            # A 4:2 compressor passes its inner carry on in the same level; it leaves one sum and one carry.
            carries = four + threes + pairs
            fours += four
            top = max(top, present)
        levels += FOUR_TWO_LEVELS if fours > 0 else 1.0
        tallest = top
    return full, half, levels


@inner_kernel
def _next_height(tallest: int, target: int, kind: int) -> int:
    """Words that the next level leaves."""
    if kind == DADDA:
        limit = target
        while limit * 3 // 2 < tallest:
            limit = limit * 3 // 2
        return limit
    halved = kind == FOUR_TWO and tallest >= 4
    return max(target, (tallest + 1) // 2 if halved else -(-2 * tallest // 3))


@inner_kernel
def _dadda_column(present: int, limit: int) -> tuple[int, int, int]:
    """Full adders, half adders and what is left of a column with its carries."""
    full = max(present - limit, 0) // 2
    half = max(present - limit, 0) % 2
    return full, half, present - 2 * full - half


@inner_kernel
def _wallace_column(height: int, carries: int, limit: int, by_four: bool) -> tuple[int, int, int, int]:
    """4:2 compressors, full adders, half adders and what is left of a column."""
    four = height // 4 if by_four else 0
    three = (height - 4 * four) // 3
    left = height - 4 * four - 3 * three
    pair = 1 if left == 2 and four + three + left + carries > limit else 0
    return four, three, pair, four + three + left - pair + carries


@inner_kernel
def adder_delay(width: float, kind: int) -> float:
    """Delay of an adder in levels of carry logic, or in bits of a ripple adder.

    As synthesis makes them: the first level and the first three bits of a carry are merged with what is around them. A
    Brent-Kung tree does not take its 2 log2 w - 1 levels, since few bits wait for its second half and those are
    rewritten; it takes a tenth longer than Kogge-Stone, and so does Sklansky's for its fan-out.
    """
    if kind == RIPPLE:
        return max(width - MERGED_BITS, 1.0)
    levels = max(log2(width) - 1.0, 0.5)
    return levels if kind == KOGGE_STONE else SPARSE_NETWORK * levels


@inner_kernel
def adder_cells(width: float, kind: int) -> tuple[float, float, float]:
    """Full adders, carry cells (AND-OR with AND) and half adders of an adder; sums take an XOR each, in the last.

    Carry cells: Brent-Kung 2 w - 2 - log2 w, Kogge-Stone w log2 w - w + 1, Sklansky w / 2 log2 w.
    """
    if width <= 1:
        return 0.0, 0.0, 0.0
    if kind == RIPPLE:
        return width, 0.0, 0.0
    depth = ceil(log2(width))
    if kind == BRENT_KUNG:
        cells = 2.0 * width - 2.0 - depth
    elif kind == KOGGE_STONE:
        cells = width * depth - width + 1.0
    else:
        cells = 0.5 * width * depth
    return 0.0, cells, width
