"""What successive tiles of a loop nest hold and share; inner kernels of `maestro.kernel`.

Dimensions are numbered as in `workloads.DIMENSIONS`: 0 K, 1 C, 2 Y, 3 X, 4 R, 5 S.
"""

from __future__ import annotations

__all__ = [
    "ACTIVE",
    "LAST_ACTIVE",
    "LAST_SPAN",
    "LAST_TILE",
    "SPAN",
    "STEPS",
    "TILE",
    "new_words",
    "volumes",
]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel

Integers = NDArray[np.int64]

# Rows of a level's plan, one column a dimension: iterations of the loop; extents of all sub-clusters together, of the
# busiest one, and the number of those at work, each at a whole tile and at the last.
STEPS, SPAN, LAST_SPAN, TILE, LAST_TILE, ACTIVE, LAST_ACTIVE = 0, 1, 2, 3, 4, 5, 6


@inner_kernel
def _reach(outputs: int, filters: int, stride: int) -> int:
    """Input rows that ``outputs`` rows need with ``filters`` filter rows; a larger stride skips rows."""
    return outputs * filters if stride > filters else (outputs - 1) * stride + filters


@inner_kernel
def _common(new: int, new_filters: int, old: int, old_filters: int, stride: int, step: int, filter_step: int) -> int:
    """Input rows that two tiles share, the new one ``step`` output rows and ``filter_step`` filter rows further."""
    start = step * stride + filter_step
    if stride <= min(new_filters, old_filters):
        end = start + (new - 1) * stride + new_filters
        return max(0, min(end, (old - 1) * stride + old_filters) - max(start, 0))
    shared = 0
    for row in range(new):
        low = start + row * stride
        # Blocks of the old tile that this one may meet: the one that starts at or before it, and the next.
        first = low // stride
        for block in range(max(first, 0), min(first + 2, old)):
            shared += max(0, min(low + new_filters, block * stride + old_filters) - max(low, block * stride))
    return shared


@inner_kernel
def _before(plan: Integers, place: Integers, prime: int, extent: Integers, d: int) -> tuple[int, int]:
    """How far the new tile of dimension ``d`` lies after the old one, and the extent of the old one.

    Where ``prime`` advanced, loops inside it went from their last tile to their first.
    """
    if d == prime:
        return plan[SPAN, d], plan[SPAN, d]
    if place[d] > place[prime]:
        return -(plan[STEPS, d] - 1) * plan[SPAN, d], plan[LAST_SPAN, d]
    return 0, extent[d]


@inner_kernel
def _inputs_kept(plan: Integers, place: Integers, prime: int, extent: Integers, stride: int) -> Any:
    """Inputs of the new tile of ``extent`` (6,) that the old one had, where the loop of ``prime`` advanced."""
    if _before(plan, place, prime, extent, 1)[0] != 0:
        return 0
    kept = extent[1]
    for d in range(2, 4):
        step, old = _before(plan, place, prime, extent, d)
        filter_step, old_filters = _before(plan, place, prime, extent, d + 2)
        kept *= _common(extent[d], extent[d + 2], old, old_filters, stride, step, filter_step)
    return kept


@inner_kernel
def _moves(plan: Integers, place: Integers, prime: int, depthwise: int, tensor: int) -> bool:
    """Whether weights (0), inputs (1) or outputs (2) are others than before, where ``prime`` advanced."""
    for d in range(6):
        if tensor == 0:
            coupled = d == 1 or d > 3 or (d == 0 and not depthwise)
        elif tensor == 1:
            coupled = d > 0
        else:
            coupled = d == 2 or d == 3 or d == (1 if depthwise else 0)
        if coupled and (d == prime or (place[d] > place[prime] and plan[STEPS, d] > 1)):
            return True
    return False


@inner_kernel
def volumes(extent: Integers, stride: int, depthwise: int, out: Integers) -> None:
    """Words of weights, inputs and outputs (3,) of a tile of ``extent``."""
    outputs = extent[1] if depthwise else extent[0]
    out[0] = (1 if depthwise else extent[0]) * extent[1] * extent[4] * extent[5]
    out[1] = extent[1] * _reach(extent[2], extent[4], stride) * _reach(extent[3], extent[5], stride)
    out[2] = outputs * extent[2] * extent[3]


@inner_kernel
def new_words(plan: Integers, place: Integers, prime: int, nest: Integers, extent: Integers, out: Integers) -> None:
    """Weights, inputs and outputs (3,) of a tile that were not there before ``prime`` advanced; all where it is -1."""
    stride, depthwise = nest[6], nest[7]
    volumes(extent, stride, depthwise, out)
    if prime < 0:
        return
    for tensor in range(3):
        if not _moves(plan, place, prime, depthwise, tensor):
            out[tensor] = 0
        elif tensor == 1:
            out[1] -= _inputs_kept(plan, place, prime, extent, stride)
