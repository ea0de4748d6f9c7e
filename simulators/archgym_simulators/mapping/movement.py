"""How many words a buffer takes in while the loops above it run: tile changes, their overlaps, and gifts of neighbours.

The loops above a buffer, innermost first, move its tile. Between two steps exactly one loop j goes on and all loops
inside it start again, so the tile of the inputs moves by s_j - sum over inner loops i of (n_i - 1) s_i along the axes,
and what it does not share with the tile before comes in. Loop j does so (n_j - 1) times for every step of the loops
outside it. This counts every word exactly, for a buffer that holds one tile.
"""

from __future__ import annotations

__all__ = ["distinct_offsets", "input_words", "input_words_timeloop", "shift_of"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inlined, loop_kernel

Integers = NDArray[np.int64]

N, K, C, P, Q, R, S = range(7)
AXES = 4  # of the inputs: batch, channel, row, column


@inlined
def shift_of(dim: int, step: int, stride: int) -> tuple[int, int]:
    """Axis of the inputs along which a loop over ``dim`` moves the tile (-1: none), and how far in a step."""
    axis, distance = -1, 0
    if dim == N:
        axis, distance = 0, step
    elif dim == C:
        axis, distance = 1, step
    elif dim == P:
        axis, distance = 2, step * stride
    elif dim == R:
        axis, distance = 2, step
    elif dim == Q:
        axis, distance = 3, step * stride
    elif dim == S:
        axis, distance = 3, step
    return axis, distance


@inlined
def _shared(extent: int, shift: int) -> int:
    return max(0, extent - abs(shift))


@loop_kernel
def input_words(loops: Integers, first: int, last: int, n: int, c: int, h: int, w: int, stride: int) -> int:
    """Words of inputs that come in, exactly.

    Args:
        loops: (3, 14): dimension, bound and step of each loop, innermost first.
        first: the innermost loop above the buffer.
        last: one after the outermost loop.
        n: extent of the buffer's tile along the batch.
        c: along the channels.
        h: its rows.
        w: its columns.
        stride: of the layer.
    """
    volume = n * c * h * w
    far_n, far_c, far_h, far_w = 0, 0, 0, 0  # how far the loops so far have moved the tile when they are through
    changes = 0  # words that come in while they run once
    for j in range(first, last):
        bound = loops[1, j]
        axis, distance = shift_of(loops[0, j], loops[2, j], stride)
        by_n = distance if axis == 0 else 0
        by_c = distance if axis == 1 else 0
        by_h = distance if axis == 2 else 0
        by_w = distance if axis == 3 else 0
        overlap = _shared(n, by_n - far_n) * _shared(c, by_c - far_c) * _shared(h, by_h - far_h)
        overlap *= _shared(w, by_w - far_w)
        changes = bound * changes + (bound - 1) * (volume - overlap)
        far_n += by_n * (bound - 1)
        far_c += by_c * (bound - 1)
        far_h += by_h * (bound - 1)
        far_w += by_w * (bound - 1)
    return int(volume + changes)


@loop_kernel
def trailing_zeros(number: int) -> int:
    """Which loop goes on at a step of nested loops of two iterations."""
    count = 0
    while number & 1 == 0:
        number >>= 1
        count += 1
    return count


@loop_kernel
def same_move(moves: Integers, a: int, b: int) -> bool:
    """Whether two loops move the tile by the same vector."""
    same = True
    for axis in range(AXES):
        same = same and moves[a, axis] == moves[b, axis]
    return same


@loop_kernel
def repetitions(loops: Integers, first: int, step: int) -> int:
    """How many steps the one with these second iterations stands for."""
    times, j = 1, first
    while step:
        if step & 1:
            times *= loops[1, j] - 1
        step >>= 1
        j += 1
    return times


@loop_kernel
def two_iteration_moves(loops: Integers, first: int, last: int, stride: int, moves: Integers) -> None:
    """How the tile moves when a loop goes on and all inner loops go back from their second iteration."""
    for j in range(last - first):
        for axis in range(AXES):
            moves[j, axis] = 0
        for i in range(j + 1):
            axis, distance = shift_of(loops[0, first + i], loops[2, first + i], stride)
            if axis >= 0:
                moves[j, axis] += distance if i == j else -distance


@loop_kernel
def input_words_timeloop(
    loops: Integers, first: int, last: int, n: int, c: int, h: int, w: int, stride: int, moves: Integers
) -> int:
    """Words of inputs that come in as Timeloop 3.0.3 counts them.

    It runs the first two iterations of every loop and takes the second for all later ones, and it grants an overlap
    only while the tile keeps moving by the same vector: a different move means a new tile, and after it any move is
    granted again. Both rules are read off its results.

    Args:
        loops: as for `input_words`.
        first: as there.
        last: as there.
        n: as there.
        c: as there.
        h: as there.
        w: as there.
        stride: as there.
        moves: (14, 4) scratch.
    """
    volume = n * c * h * w
    two_iteration_moves(loops, first, last, stride, moves)
    total = volume
    granted = -1  # the loop whose move the tile keeps making; -1 after a new tile
    for step in range(1, 1 << (last - first)):
        j = trailing_zeros(step)
        new = volume
        if granted < 0 or same_move(moves, granted, j):
            granted = j
            overlap = _shared(n, moves[j, 0]) * _shared(c, moves[j, 1])
            new -= overlap * _shared(h, moves[j, 2]) * _shared(w, moves[j, 3])
        else:
            granted = -1
        total += repetitions(loops, first, step) * new
    return int(total)


@loop_kernel
def distinct_offsets(windows: int, pitch: int, taps: int, reach: int) -> int:
    """Number of distinct values of p * pitch + r * reach with p < windows and r < taps.

    Where p moves by reach / gcd and r back by pitch / gcd, the value is the same.
    """
    if windows == 1 or taps == 1:
        return windows * taps
    a, b = pitch, reach
    while b:
        a, b = b, a % b
    return windows * taps - max(0, windows - reach // a) * max(0, taps - pitch // a)
