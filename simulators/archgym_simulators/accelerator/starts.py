"""Where the mapper begins: the ways to fill an array with a layer, and the loop orders worth trying; compiled."""

from __future__ import annotations

__all__ = ["ORDERS", "fill_array"]

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import loop_kernel

Integers = NDArray[np.int64]

N, K, C, P, Q, R, S = range(7)
IN_DRAM, IN_GLB, IN_X, IN_Y, IN_PE = range(5)

# Weights do not change with N, P and Q, inputs not with K, outputs not with C, R and S: loops of one such group may
# stand in any order, but for the sliding windows of inputs, which care whether P or Q is inside.
_GROUPS = {"weights": ((Q, P, N), (P, Q, N)), "inputs": ((K,), (K,)), "outputs": ((S, R, C), (R, S, C))}
ORDERS: dict[tuple[str, ...], NDArray[np.int8]] = {
    (*order, "xy"[window]): np.array([d for group in order for d in _GROUPS[group][window]], dtype=np.int8)
    for window in range(2)
    for order in permutations(_GROUPS)
}
"""Orders by the tensors that stay, from the innermost group of loops on; each (7,), innermost first."""


@loop_kernel
def _largest_factor(size: int, room: int, padded: bool) -> int:
    """What to spread of ``size`` over ``room`` PEs: the largest divisor, or as many as make the fewest steps."""
    if padded:
        steps = -(-size // min(size, room))
        return -(-size // steps)
    factor = min(size, room)
    while size % factor:
        factor -= 1
    return factor


@loop_kernel
def fill_array(
    dims: Integers,
    along: Integers,
    columns: int,
    rows: int,
    first_x: int,
    first_y: int,
    padded: bool,
    shape: Integers,
    factors: Integers,
) -> int:
    """Spread a layer over the array and leave the rest off the chip; returns the steps of computation.

    Args:
        dims: (7,) of the layer.
        along: (2, 7) dimensions that may lie along x and y; -1 ends a list.
        columns: of the array.
        rows: of the array.
        first_x: place in the list of the dimension that comes first along x.
        first_y: the same along y.
        padded: whether factors need not divide.
        shape: (8,) out, dimensions rounded up to the product of their factors.
        factors: (7, 5) out.
    """
    for d in range(7):
        shape[d] = dims[d]
        for slot in range(5):
            factors[d, slot] = 1
    for side in range(2):
        count = 0
        while count < 7 and along[side, count] >= 0:
            count += 1
        room = rows if side else columns
        for place in range(count):
            d = along[side, (place + (first_y if side else first_x)) % count]
            factor = _largest_factor(shape[d], room, padded)
            factors[d, IN_X + side] = factor
            shape[d] = -(-shape[d] // factor)
            room //= factor
    steps = 1
    for d in range(7):
        factors[d, IN_DRAM] = shape[d]
        steps *= shape[d]
        shape[d] *= factors[d, IN_X] * factors[d, IN_Y]
    return int(steps)
