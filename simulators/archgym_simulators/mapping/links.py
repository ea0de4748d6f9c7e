"""Words of inputs that PEs get from their neighbours in the array instead of the global buffer.

While a window slides, a PE needs what the PE beside it has just used. A PE whose new words all lie in the tile that one
of its four neighbours held a step before takes them over a link; the global buffer serves the others. Weights and
outputs never travel so: their tiles in neighbouring PEs differ by one tile, and a step moves them by a whole array.
"""

from __future__ import annotations

__all__ = ["linked_words"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel
from archgym_simulators.mapping.movement import (
    repetitions,
    same_move,
    shift_of,
    trailing_zeros,
    two_iteration_moves,
)

Integers = NDArray[np.int64]

_AXES = 4


@inner_kernel
def _exact_moves(loops: Integers, last: int, stride: int, moves: Integers) -> None:
    """How the tile moves when a loop goes on and all inner loops go back from their last iteration."""
    back = np.zeros(_AXES, np.int64)
    for j in range(last):
        axis, distance = shift_of(loops[0, j], loops[2, j], stride)
        for a in range(_AXES):
            moves[j, a] = -back[a]
        if axis >= 0:
            moves[j, axis] += distance
            back[axis] += distance * (loops[1, j] - 1)


@inner_kernel
def _needed(tile: Integers, move: Integers, need: Integers) -> int:
    """Words of the moved tile that are not in the old one; ``need`` (2, 4) becomes the box around them, in the new."""
    overlap, along, moved = 1, -1, 0
    for a in range(_AXES):
        overlap *= max(0, tile[a] - abs(move[a]))
        if move[a] != 0:
            along, moved = a, moved + 1
    need[0], need[1] = 0, tile
    if moved == 0:
        need[1] = 0
    elif moved == 1 and overlap > 0:
        if move[along] > 0:
            need[0, along] = tile[along] - move[along]
        else:
            need[1, along] = -move[along]
    return int(tile[0] * tile[1] * tile[2] * tile[3] - overlap)


@inner_kernel
def _serve(
    offsets: Integers, width: int, move: Integers, need: Integers, held: Integers, same: bool, served: NDArray[np.bool_]
) -> None:
    """Mark the PEs whose needed box lies in (or with ``same``, is) the box that a neighbour held before the move."""
    pes = len(offsets)
    for pe in range(pes):
        served[pe] = False
        for direction in range(4):
            other = pe + (1, -1, width, -width)[direction]
            if other < 0 or other >= pes or (direction < 2 and other // width != pe // width):
                continue
            fits = True
            for a in range(_AXES):
                apart = offsets[other, a] - offsets[pe, a] - move[a]
                low, high = apart + held[0, a], apart + held[1, a]
                if same:
                    fits = fits and low == need[0, a] and high == need[1, a]
                else:
                    fits = fits and low <= need[0, a] and high >= need[1, a]
            if fits:
                served[pe] = True
                break


@inner_kernel
def _count(served: NDArray[np.bool_]) -> int:
    count = 0
    for one in served:
        count += one
    return count


@inner_kernel
def _distinct(offsets: Integers, served: NDArray[np.bool_]) -> int:
    """Number of different tiles among the PEs that are not served: equal tiles are sent once."""
    sides = np.ones(_AXES, np.int64)
    for a in range(_AXES):
        for pe in range(len(offsets)):
            sides[a] = max(sides[a], offsets[pe, a] + 1)
    keys = np.empty(len(offsets), np.int64)
    rest = 0
    for pe in range(len(offsets)):
        if not served[pe]:
            keys[rest] = ((offsets[pe, 0] * sides[1] + offsets[pe, 1]) * sides[2] + offsets[pe, 2]) * sides[3]
            keys[rest] += offsets[pe, 3]
            rest += 1
    keys = np.sort(keys[:rest])
    different = 0
    for i in range(rest):
        different += i == 0 or keys[i] != keys[i - 1]
    return different


@inner_kernel
def _exact(loops: Integers, last: int, tile: Integers, stride: int, offsets: Integers, width: int) -> tuple[int, int]:
    moves = np.zeros((14, _AXES), np.int64)
    need, held = np.zeros((2, _AXES), np.int64), np.zeros((2, _AXES), np.int64)
    served = np.zeros(len(offsets), np.bool_)
    held[1] = tile
    _exact_moves(loops, last, stride, moves)
    sent, carried, outer = 0, 0, 1
    for j in range(last - 1, -1, -1):
        times = outer * (loops[1, j] - 1)
        outer *= loops[1, j]
        words = _needed(tile, moves[j], need)
        _serve(offsets, width, moves[j], need, held, False, served)
        sent += times * words * _distinct(offsets, served)
        carried += times * words * _count(served)
    return sent, carried


@inner_kernel
def _as_timeloop(
    loops: Integers, last: int, tile: Integers, stride: int, offsets: Integers, width: int
) -> tuple[int, int]:
    """As that tool, which differs in four ways, read off its results.

    Two are those of `movement.input_words_timeloop`; a PE takes over only what its neighbour has got in the step
    before, and all of it; and links carry nothing in steps in which they would serve less than half of the PEs.
    """
    moves = np.zeros((14, _AXES), np.int64)
    need, held = np.zeros((2, _AXES), np.int64), np.zeros((2, _AXES), np.int64)
    served = np.zeros(len(offsets), np.bool_)
    held[1] = tile
    two_iteration_moves(loops, 0, last, stride, moves)
    sent, carried, granted = 0, 0, -1
    for step in range(1, 1 << last):
        j = trailing_zeros(step)
        words = tile[0] * tile[1] * tile[2] * tile[3]
        need[0], need[1] = 0, tile
        if granted < 0 or same_move(moves, granted, j):
            granted = j
            words = _needed(tile, moves[j], need)
        else:
            granted = -1
        if words:
            _serve(offsets, width, moves[j], need, held, True, served)
            if 2 * _count(served) < len(offsets):
                served[:] = False
            times = repetitions(loops, 0, step)
            sent += times * words * _distinct(offsets, served)
            carried += times * words * _count(served)
        held[:] = need
    return sent, carried


@inner_kernel
def linked_words(
    loops: Integers, last: int, tile: Integers, stride: int, offsets: Integers, width: int, as_timeloop: bool
) -> tuple[int, int]:
    """Words of inputs that the level above sends, and words that links carry, over the whole layer.

    Args:
        loops: (3, 14): dimension, bound and step of each loop above the PEs, innermost first.
        last: their number.
        tile: (4,) extents of a PE's tile.
        stride: of the layer.
        offsets: (PEs, 4) where each PE's tile begins, in the order of their places.
        width: PEs in a row of places.
        as_timeloop: count as Timeloop 3.0.3.
    """
    first = tile[0] * tile[1] * tile[2] * tile[3] * _distinct(offsets, np.zeros(len(offsets), np.bool_))
    if as_timeloop:
        sent, carried = _as_timeloop(loops, last, tile, stride, offsets, width)
    else:
        sent, carried = _exact(loops, last, tile, stride, offsets, width)
    return first + sent, carried
