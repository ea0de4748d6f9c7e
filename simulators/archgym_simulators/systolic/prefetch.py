"""SCALE-Sim 3.0.0's double-buffered prefetch of one operand, access by access; inner kernels of `replay`.

The tool does not decide what to keep: it fetches the elements of an operand in one fixed cyclic order, half a buffer at
a time, and an access that misses advances the cycle until the element comes round again.

- Order of a streamed operand: the folds' streams one after another, skewed as the array consumes them (element t of
  line r of fold f has rank f T + t + r, ties by r). Order of a stationary operand: fold by fold, top row first; the
  array loads it bottom row first.
- The order is cut into sets of a hundredth of the buffer. Half of the sets that fit are active. An advance replaces as
  many sets as are not active, at most half a buffer's, and is charged half a buffer of words, in whole cycles.
- Half a buffer arrives every ceil(half / bandwidth) + 1 cycles from the start on, used or not. An access that waits for
  an arrival puts off its operand's clock twice: once as an offset, and once, if the arrival is late, as a stall; where
  several advances meet in one cycle, an early one takes from the offset only.
- Both operands have a channel of ``bandwidth`` words a cycle each.
"""

from __future__ import annotations

__all__ = ["Addresses", "Operand", "fetched_words", "load_row", "new_operand", "stream_step", "take_stall"]

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import kernel

Addresses = NDArray[np.int32]
Integers = NDArray[np.int64]

_SETS_PER_BUFFER = 100
# Places in the state of an operand.
START, ADVANCES, SETS, ACTIVE, OF_SET, PER, WAITED, OFFSET = range(8)


class Operand(NamedTuple):
    """What the rows or the columns of the array take, and its prefetch.

    Attributes:
        lines: (S, T) addresses; a fold takes ``width`` lines of T elements.
        width: rows or columns of the array.
        order: (S T,) addresses as they are fetched.
        state: (8,) see above; changes.
        present: how often each address is in the active window; changes.
    """

    lines: Addresses
    width: int
    order: Addresses
    state: Integers
    present: Addresses


def new_operand(
    lines: Addresses, width: int, *, stationary: bool, buffer: int, bandwidth: int, addresses: int
) -> Operand:
    """An operand before the first cycle, its first half buffer fetched.

    Args:
        lines: (S, T) addresses.
        width: rows or columns of the array.
        stationary: loaded before each fold, or streamed through.
        buffer: words of the whole buffer.
        bandwidth: words a cycle.
        addresses: the largest address of either operand and one.
    """
    lines = np.ascontiguousarray(lines)
    order = _stationary_order(lines, width) if stationary else _skewed_order(lines, width)
    sets, active, of_set = _geometry(order.size, buffer)
    state = np.zeros(8, np.int64)
    state[SETS], state[ACTIVE], state[OF_SET] = sets, active, of_set
    state[PER] = -(-(buffer // 2) // bandwidth) + 1
    present = np.zeros(addresses, np.int32)
    _shift(present, order, 0, sets, of_set, min(active, sets), 1)
    return Operand(lines, width, order, state, present)


def fetched_words(operand: Operand, buffer: int, bandwidth: int) -> int:
    """Words that the tool counts: halves in whole cycles, or where all fits, the lines of whole folds up to a half."""
    half = -(-(buffer // 2) // bandwidth) * bandwidth
    if operand.state[SETS] <= operand.state[ACTIVE]:
        count, length = operand.lines.shape
        words: int = -(-count // operand.width) * operand.width * length
        return min(-(-words // bandwidth) * bandwidth, half)
    return (1 + int(operand.state[ADVANCES])) * half


@kernel
def _geometry(elements: int, buffer: int) -> tuple[int, int, int]:
    """Sets of the order, sets that are active, elements of a set."""
    of_set = (buffer + _SETS_PER_BUFFER - 1) // _SETS_PER_BUFFER
    return elements // of_set + 1, (buffer // 2 + of_set - 1) // of_set, of_set


@kernel
def _skewed_order(lines: Addresses, width: int) -> Addresses:
    """Elements of ``lines`` (S, T) in the order in which folds of ``width`` lines consume them."""
    count, length = lines.shape
    folds = (count + width - 1) // width
    order = np.empty(count * length, np.int32)
    filled = 0
    for rank in range(folds * length + width - 1):
        for r in range(max(0, rank - folds * length + 1), min(width, rank + 1)):
            fold, t = divmod(rank - r, length)
            line = fold * width + r
            if line < count:
                order[filled] = lines[line, t]
                filled += 1
    return order


@kernel
def _stationary_order(lines: Addresses, width: int) -> Addresses:
    """Elements of ``lines`` (S, T): blocks of ``width`` lines, each element by element across the block."""
    count, length = lines.shape
    order = np.empty(count * length, np.int32)
    filled = 0
    for first in range(0, count, width):
        for t in range(length):
            for line in range(first, min(first + width, count)):
                order[filled] = lines[line, t]
                filled += 1
    return order


@kernel
def _shift(present: Addresses, order: Addresses, start: int, sets: int, of_set: int, count: int, sign: int) -> None:
    for offset in range(count):
        first = (start + offset) % sets * of_set
        for position in range(first, min(first + of_set, order.size)):
            present[order[position]] += sign


@kernel
def _access(operand: Operand, address: int, now: int) -> None:
    """Advance the window until ``address`` is in it, and put off the operand's two clocks."""
    state, present, order = operand.state, operand.present, operand.order
    sets, active, of_set = state[SETS], state[ACTIVE], state[OF_SET]
    step = min(active, sets - active)
    while present[address] == 0:
        _shift(present, order, state[START], sets, of_set, step, -1)
        _shift(present, order, state[START] + active, sets, of_set, step, 1)
        state[START] = (state[START] + step) % sets
        state[ADVANCES] += 1
        late = state[ADVANCES] * state[PER] - 2 - now - state[WAITED] - state[OFFSET]
        state[OFFSET] += late
        state[WAITED] += max(late, 0)


@kernel
def stream_step(operand: Operand, first: int, t: int, now: int) -> None:
    """What the lines of a fold from ``first`` take in its step ``t``: line i is i steps behind."""
    count, length = operand.lines.shape
    for line in range(max(0, t - length + 1), min(operand.width, t + 1, count - first)):
        _access(operand, operand.lines[first + line, t - line], now)


@kernel
def load_row(operand: Operand, first: int, t: int, now: int) -> None:
    """One row of a stationary tile."""
    for line in range(first, min(first + operand.width, len(operand.lines))):
        _access(operand, operand.lines[line, t], now)


@kernel
def take_stall(operand: Operand) -> int:
    """Cycles that this cycle's accesses put off; forgets them."""
    state = operand.state
    stall: int = max(0, state[WAITED] + state[OFFSET])
    state[WAITED] = state[OFFSET] = 0
    return stall
