"""Stalls of SCALE-Sim 3.0.0's double-buffered prefetch, replayed access by access.

The tool does not decide what to keep: it fetches the elements of an operand in one fixed cyclic order, half a buffer at
a time, and an access that misses advances the cycle until the element comes round again. The rules below were fitted to
the figures that it prints for 245 bandwidth-limited runs: their DRAM reads are met exactly; of the 111 that stall, 101
are exact, the others (all with many partial sums on a slow channel) within 3 % but for two at 13 %.

- Order of a streamed operand: the folds' streams one after another, skewed as the array consumes them (element t of
  line r of fold f has rank f T + t + r, ties by r). Order of a stationary operand: fold by fold, top row first; the
  array loads it bottom row first.
- The order is cut into sets of a hundredth of the buffer. Half of the sets that fit are active. An advance replaces as
  many sets as are not active, at most half a buffer's, and is charged half a buffer of words.
- Half a buffer arrives every ceil(half / bandwidth) + 1 cycles from the start on, used or not. An access that waits for
  an arrival puts off its operand's clock twice: once as an offset, and once, if the arrival is late, as a stall; where
  several advances meet in one cycle, an early one takes from the offset only.
- Both operands have a channel of ``bandwidth`` words a cycle each; writes do not stall.

This thrashes where a sensible controller would not. It serves comparison with the tool only.
"""

from __future__ import annotations

__all__ = ["PrefetchRun", "prefetch_run"]

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import kernel
from archgym_simulators.layers.layer import Layer

Addresses = NDArray[np.int32]
Integers = NDArray[np.int64]

_SETS_PER_BUFFER = 100
# Places in the state of an operand.
START, ADVANCES, SETS, ACTIVE, OF_SET, PER, WAITED, OFFSET = range(8)


@dataclass(frozen=True)
class PrefetchRun:
    """What one group of a layer costs beyond the array itself.

    Attributes:
        stall_cycles: cycles in which the array waits.
        dram_ifmap_reads: words fetched into the input buffer.
        dram_filter_reads: words fetched into the weight buffer.
    """

    stall_cycles: int
    dram_ifmap_reads: int
    dram_filter_reads: int


def prefetch_run(
    layer: Layer, *, dataflow: str, rows: int, columns: int, ifmap_words: int, filter_words: int, bandwidth: int
) -> PrefetchRun:
    """Replay one group of ``layer``; takes time in proportion to cycles times rows plus columns.

    Args:
        layer: one repetition of one of its groups is run.
        dataflow: ``"os"``, ``"ws"`` or ``"is"``.
        rows: of the array.
        columns: of the array.
        ifmap_words: words of the whole input buffer.
        filter_words: words of the whole weight buffer.
        bandwidth: words a cycle into each of the two.
    """
    inputs, weights = _input_addresses(layer), _weight_addresses(layer)
    stationary = dataflow != "os"
    across, along = {"os": (inputs, weights), "ws": (inputs.T, weights), "is": (weights.T, inputs)}[dataflow]
    across, along = np.ascontiguousarray(across), np.ascontiguousarray(along)
    row_buffer, column_buffer = (filter_words, ifmap_words) if dataflow == "is" else (ifmap_words, filter_words)
    row_order = _skewed_order(across, rows)
    column_order = _stationary_order(along, columns) if stationary else _skewed_order(along, columns)
    largest = int(max(inputs.max(), weights.max())) + 1
    stall, row_advances, column_advances = _replay(
        across, along, row_order, column_order, rows, columns, stationary, row_buffer, column_buffer, bandwidth, largest
    )
    padded_rows, padded_columns = -(-len(across) // rows) * rows, -(-len(along) // columns) * columns
    row_words = _fetched(row_advances, padded_rows * across.shape[1], row_order.size, row_buffer, bandwidth)
    column_words = _fetched(column_advances, padded_columns * along.shape[1], along.size, column_buffer, bandwidth)
    by_operand = (column_words, row_words) if dataflow == "is" else (row_words, column_words)
    return PrefetchRun(int(stall), *by_operand)


def _fetched(advances: int, padded: int, elements: int, buffer: int, bandwidth: int) -> int:
    sets, active, _ = _geometry(elements, buffer)
    if sets <= active:
        return -(-padded // bandwidth) * bandwidth
    return (1 + int(advances)) * (buffer // 2)


def _input_addresses(layer: Layer) -> Addresses:
    """Address of each element of the im2col matrix (M, K); pixels shared by windows have one address."""
    pixel = np.arange(layer.n * layer.p * layer.q)
    image, rest = np.divmod(pixel, layer.p * layer.q)
    y, x = np.divmod(rest, layer.q)
    window, channel = np.divmod(np.arange(layer.r * layer.s * layer.c), layer.c)
    r, s = np.divmod(window, layer.s)
    row = image[:, None] * layer.input_rows + y[:, None] * layer.stride + r
    address = (row * layer.input_columns + x[:, None] * layer.stride + s) * layer.c + channel
    addresses: Addresses = address.astype(np.int32)
    return addresses


def _weight_addresses(layer: Layer) -> Addresses:
    _, n, k = layer.gemm_mnk
    return np.arange(n * k, dtype=np.int32).reshape(n, k)


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
def _operand(order: Addresses, buffer: int, bandwidth: int, largest: int) -> tuple[Integers, Addresses]:
    """State of one operand's prefetch, and how often each address is in the active window."""
    sets, active, of_set = _geometry(order.size, buffer)
    state = np.zeros(8, np.int64)
    state[SETS], state[ACTIVE], state[OF_SET] = sets, active, of_set
    state[PER] = -(-(buffer // 2) // bandwidth) + 1
    present = np.zeros(largest, np.int32)
    _shift(present, order, 0, sets, of_set, min(active, sets), 1)
    return state, present


@kernel
def _access(state: Integers, present: Addresses, order: Addresses, address: int, now: int) -> None:
    """Advance the window until ``address`` is in it, and put off the operand's two clocks."""
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
def _stream(
    state: Integers, present: Addresses, order: Addresses, lines: Addresses, first: int, width: int, t: int, now: int
) -> None:
    """What ``width`` lines from ``first`` take in step ``t`` of their fold: line i is i steps behind."""
    length = lines.shape[1]
    for line in range(max(0, t - length + 1), min(width, t + 1, len(lines) - first)):
        _access(state, present, order, lines[first + line, t - line], now)


@kernel
def _load(
    state: Integers, present: Addresses, order: Addresses, lines: Addresses, first: int, width: int, t: int, now: int
) -> None:
    """One row of a stationary tile."""
    for line in range(first, min(first + width, len(lines))):
        _access(state, present, order, lines[line, t], now)


@kernel
def _stall(state: Integers) -> int:
    """Cycles that this cycle's accesses of an operand put off; forgets them."""
    stall: int = max(0, state[WAITED] + state[OFFSET])
    state[WAITED] = state[OFFSET] = 0
    return stall


@kernel
def _replay(
    across: Addresses,
    along: Addresses,
    row_order: Addresses,
    column_order: Addresses,
    rows: int,
    columns: int,
    stationary: bool,
    row_buffer: int,
    column_buffer: int,
    bandwidth: int,
    largest: int,
) -> tuple[int, int, int]:
    """Stall cycles, and advances of the row and the column operand."""
    load = rows if stationary else 0
    row_state, row_present = _operand(row_order, row_buffer, bandwidth, largest)
    column_state, column_present = _operand(column_order, column_buffer, bandwidth, largest)
    folds = -(-len(across) // rows)
    now, stalled = -1, 0
    for fold in range(folds * -(-len(along) // columns)):
        column, row = fold // folds * columns, fold % folds * rows
        for cycle in range(load + rows + columns + across.shape[1] - 2):
            now += 1
            _stream(row_state, row_present, row_order, across, row, rows, cycle - load, now)
            bottom_first = row + rows - 1 - cycle
            if not stationary:
                _stream(column_state, column_present, column_order, along, column, columns, cycle, now)
            elif row <= bottom_first < along.shape[1]:
                _load(column_state, column_present, column_order, along, column, columns, bottom_first, now)
            stall = max(_stall(row_state), _stall(column_state))
            now += stall
            stalled += stall
    return stalled, row_state[ADVANCES], column_state[ADVANCES]
