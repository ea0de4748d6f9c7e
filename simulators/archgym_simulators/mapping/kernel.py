"""What a mapping costs: counts of accesses, energy, cycles and what does not fit; compiled, without a Python object.

Arrays, for any kernel that embeds this one (`evaluate_one`) or calls it on N mappings (`evaluate_many`):

- ``shape`` (8,) int64: N, K, C, P, Q, R, S and the stride of one layer, one group.
- ``factors`` (7, 5) int64: for each dimension, its bound off the chip, at the global buffer, along x and y of the array
  and in the PE; their product is the dimension.
- ``orders`` (3, 7) int8: dimensions, innermost first, of the loops at the global buffer, off the chip, and within the
  array (the last only says who are neighbours).
- ``keep`` (2, 3) bool: which of weights, inputs and outputs the PE and the global buffer hold.
- ``hardware`` (HARDWARE_WIDTH,) float64: `archgym_simulators.mapping.hardware.Hardware.vector`.
- ``result`` (RESULTS,) float64, by `archgym_simulators.mapping.results.RESULT_NAMES`, and ``counts`` (27,) int64: level
  (PE, global buffer, off the chip) x tensor (weights, inputs, outputs) x (reads, updates, fills), in words, of all PEs
  together. An invalid mapping has only what is broken.
- ``scratch`` (SCRATCH,) int64 and ``ports`` (6,) float64: working memory, one for each thread.
"""

from __future__ import annotations

__all__ = ["SCRATCH", "evaluate_linked", "evaluate_many", "evaluate_one"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel, loop_kernel
from archgym_simulators.mapping.links import linked_words
from archgym_simulators.mapping.movement import distinct_offsets, input_words, input_words_timeloop
from archgym_simulators.mapping.pricing import check, price
from archgym_simulators.mapping.results import (
    BROKEN,
    COLUMNS,
    COUNTS,
    EXACT,
    FILLS,
    GLB,
    INPUTS,
    OUTPUTS,
    PE,
    READS,
    TIMELOOP,
    UPDATES,
    WEIGHTS,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]
Orders = NDArray[np.int8]

N, K, C, P, Q, R, S = range(7)
IN_DRAM, IN_GLB, IN_X, IN_Y, IN_PE = range(5)

# Scratch: loops (3, 14), moves (14, 4), words of the tiles (6,), extents of PE, array and global buffer (3, 7).
_LOOPS, _MOVES, _WORDS, _EXTENTS = 0, 42, 98, 104
SCRATCH = 125
_ARRAY = 1  # row of the extents: what all PEs hold together
_MOVES_WEIGHTS, _MOVES_OUTPUTS = 0b1100110, 0b0011011  # bit d: dimension d moves the tile


@loop_kernel
def _extents(factors: Integers, extents: Integers) -> tuple[int, int]:
    """Extents of every dimension (3, 7); columns and rows of PEs in use."""
    columns, rows = 1, 1
    for d in range(7):
        x, y = factors[d, IN_X], factors[d, IN_Y]
        columns *= x
        rows *= y
        extents[0, d] = factors[d, IN_PE]
        extents[_ARRAY, d] = factors[d, IN_PE] * x * y
        extents[2, d] = extents[_ARRAY, d] * factors[d, IN_GLB]
    return columns, rows


@loop_kernel
def _input_tile(extents: Integers, row: int, stride: int) -> tuple[int, int, int, int]:
    """Batch, channels, rows and columns of a tile of inputs: the box around its windows."""
    height = (extents[row, P] - 1) * stride + extents[row, R]
    width = (extents[row, Q] - 1) * stride + extents[row, S]
    return extents[row, N], extents[row, C], height, width


@loop_kernel
def _footprints(extents: Integers, stride: int, words: Integers) -> None:
    """Words of the tiles (6,)."""
    for level in range(2):
        row = 2 * level
        n, c, height, width = _input_tile(extents, row, stride)
        words[3 * level + WEIGHTS] = extents[row, K] * c * extents[row, R] * extents[row, S]
        words[3 * level + INPUTS] = n * c * height * width
        words[3 * level + OUTPUTS] = n * extents[row, K] * extents[row, P] * extents[row, Q]


@loop_kernel
def _loops(factors: Integers, orders: Orders, extents: Integers, loops: Integers) -> tuple[int, int]:
    """Loops of more than one iteration above the PEs, innermost first; how many at the global buffer, and in all."""
    count, inside = 0, 0
    for level in range(2):
        slot = IN_GLB - level
        for place in range(7):
            d = int(orders[level, place])
            bound = factors[d, slot]
            if bound > 1:
                loops[0, count], loops[1, count], loops[2, count] = d, bound, extents[1 + level, d]
                count += 1
        if level == 0:
            inside = count
    return inside, count


@loop_kernel
def _repeats(loops: Integers, first: int, last: int, moving: int) -> int:
    """How often a whole tile of weights or outputs comes in: a loop counts if it, or one inside it, moves the tile."""
    times, started = 1, False
    for j in range(first, last):
        started = started or (moving >> loops[0, j]) & 1 == 1
        if started:
            times *= loops[1, j]
    return times


@loop_kernel
def _input_words(
    loops: Integers, first: int, last: int, extents: Integers, row: int, stride: int, halo: int, moves: Integers
) -> int:
    n, c, height, width = _input_tile(extents, row, stride)
    if halo == EXACT:
        return input_words(loops, first, last, n, c, height, width, stride)
    return input_words_timeloop(loops, first, last, n, c, height, width, stride, moves)


@loop_kernel
def _enter_operand(
    counts: Integers, tensor: int, in_pe: bool, in_glb: bool, macs: int, filled: int, asked: int, held: int
) -> None:
    """Enter the accesses of weights or inputs: what PEs take in, ask for, and what the global buffer takes in."""
    pe, glb, dram = 3 * tensor, 9 + 3 * tensor, 18 + 3 * tensor
    if in_pe:
        counts[pe + READS], counts[pe + FILLS] = macs, filled
    if in_glb:
        counts[glb + READS], counts[glb + FILLS], counts[dram + READS] = asked, held, held
    else:
        counts[dram + READS] = asked


@loop_kernel
def _enter_outputs(
    counts: Integers,
    in_pe: bool,
    in_glb: bool,
    macs: int,
    filled: int,
    asked: int,
    held: int,
    outputs: int,
    reduced: int,
) -> None:
    """Enter the accesses of outputs. Sums that begin at zero are not read before they are first written."""
    pe, glb, dram = 3 * OUTPUTS, 9 + 3 * OUTPUTS, 18 + 3 * OUTPUTS
    if in_pe:
        firsts = outputs * reduced
        counts[pe + UPDATES], counts[pe + READS], counts[pe + FILLS] = macs, macs - firsts, filled - firsts
    if in_glb:
        counts[glb + UPDATES], counts[glb + READS], counts[glb + FILLS] = asked, asked - outputs, held - outputs
        counts[dram + UPDATES], counts[dram + READS] = held, held - outputs
    else:
        counts[dram + UPDATES], counts[dram + READS] = asked, asked - outputs


@loop_kernel
def _spread(factors: Integers, d: int) -> int:
    """PEs over which a dimension is spread."""
    return factors[d, IN_X] * factors[d, IN_Y]  # type: ignore[no-any-return]


@loop_kernel
def _windows(factors: Integers, extents: Integers, stride: int) -> int:
    """Distinct positions of the windows of all PEs."""
    rows = distinct_offsets(_spread(factors, P), extents[0, P] * stride, _spread(factors, R), extents[0, R])
    return rows * distinct_offsets(_spread(factors, Q), extents[0, Q] * stride, _spread(factors, S), extents[0, S])


@loop_kernel
def _count(
    shape: Integers,
    factors: Integers,
    orders: Orders,
    keep: Bools,
    halo: int,
    sent: int,
    counts: Integers,
    scratch: Integers,
    pes: int,
) -> int:
    """Enter the accesses of every tensor; the steps of computation."""
    stride = shape[7]
    extents, words = scratch[_EXTENTS:].reshape(3, 7), scratch[_WORDS:_EXTENTS]
    loops, moves = scratch[_LOOPS:_MOVES].reshape(3, 14), scratch[_MOVES:_WORDS].reshape(14, 4)
    inside, last = _loops(factors, orders, extents, loops)
    macs = shape[N] * shape[K] * shape[C] * shape[P] * shape[Q] * shape[R] * shape[S]
    steps = macs // pes
    outputs = shape[N] * shape[K] * shape[P] * shape[Q]
    s_n, s_k, s_c = _spread(factors, N), _spread(factors, K), _spread(factors, C)
    reduced = s_c * _spread(factors, R) * _spread(factors, S)
    copies = s_n * s_c * _windows(factors, extents, stride) if sent < 0 else 0
    results = s_n * s_k * _spread(factors, P) * _spread(factors, Q)
    # Words that one PE takes in its whole life (without a buffer: one a cycle), and that the global buffer takes.
    in_pe, in_glb = keep[PE, WEIGHTS], keep[GLB, WEIGHTS]
    weights = words[WEIGHTS] * _repeats(loops, 0, last, _MOVES_WEIGHTS) if in_pe else steps
    weights_held = words[3 + WEIGHTS] * _repeats(loops, inside, last, _MOVES_WEIGHTS)
    inputs = _input_words(loops, 0, last, extents, 0, stride, halo, moves) if keep[PE, INPUTS] else steps
    inputs_held = _input_words(loops, inside, last, extents, 2, stride, halo, moves) if keep[GLB, INPUTS] else 0
    sums = words[OUTPUTS] * _repeats(loops, 0, last, _MOVES_OUTPUTS) if keep[PE, OUTPUTS] else steps
    sums_held = words[3 + OUTPUTS] * _repeats(loops, inside, last, _MOVES_OUTPUTS)
    for i in range(COUNTS):
        counts[i] = 0
    _enter_operand(counts, WEIGHTS, in_pe, in_glb, macs, weights * pes, weights * s_k * reduced, weights_held)
    in_pe, in_glb = keep[PE, INPUTS], keep[GLB, INPUTS]
    asked = inputs * copies if sent < 0 else sent
    _enter_operand(counts, INPUTS, in_pe, in_glb, macs, inputs * pes, asked, inputs_held)
    in_pe, in_glb = keep[PE, OUTPUTS], keep[GLB, OUTPUTS]
    _enter_outputs(counts, in_pe, in_glb, macs, sums * pes, sums * results, sums_held, outputs, reduced)
    return int(steps)


@loop_kernel
def evaluate_one(
    shape: Integers,
    factors: Integers,
    orders: Orders,
    keep: Bools,
    hardware: Floats,
    halo: int,
    sent: int,
    carried: int,
    result: Floats,
    counts: Integers,
    scratch: Integers,
    ports: Floats,
) -> None:
    """One mapping; with links, ``sent`` and ``carried`` words of inputs (`evaluate_linked`), else -1 and 0."""
    extents, words = scratch[_EXTENTS:].reshape(3, 7), scratch[_WORDS:_EXTENTS]
    columns, rows = _extents(factors, extents)
    _footprints(extents, shape[7], words)
    if not check(columns, rows, words, keep, hardware, result):
        return
    pes = columns * rows
    result[1] = _count(shape, factors, orders, keep, halo, sent, counts, scratch, pes)
    result[8], result[9] = pes, carried
    counts[3 * INPUTS + READS] += carried
    price(hardware, counts, result, halo, ports)


@inner_kernel
def _place(factors: Integers, order: Orders, stride: int, columns: int, offsets: Integers) -> None:
    """Where the input tile of each PE begins: (PEs, 4), row by row of the PEs in use."""
    for pe in range(len(offsets)):
        x, y = pe % columns, pe // columns
        for place in range(7):
            d = order[place]
            index = (y % factors[d, IN_Y]) * factors[d, IN_X] + x % factors[d, IN_X]
            x, y = x // factors[d, IN_X], y // factors[d, IN_Y]
            distance = index * factors[d, IN_PE]
            if d == N:
                offsets[pe, 0] += distance
            elif d == C:
                offsets[pe, 1] += distance
            elif d in (P, R):
                offsets[pe, 2] += distance * stride if d == P else distance
            elif d in (Q, S):
                offsets[pe, 3] += distance * stride if d == Q else distance


@inner_kernel
def evaluate_linked(
    shape: Integers,
    factors: Integers,
    orders: Orders,
    keep: Bools,
    hardware: Floats,
    halo: int,
    result: Floats,
    counts: Integers,
    scratch: Integers,
    ports: Floats,
) -> None:
    """One mapping on hardware whose PEs pass inputs to their neighbours."""
    evaluate_one(shape, factors, orders, keep, hardware, halo, -1, 0, result, counts, scratch, ports)
    if result[BROKEN] >= 0 or not keep[PE, INPUTS] or result[8] == 1:
        return
    extents, loops = scratch[_EXTENTS:].reshape(3, 7), scratch[_LOOPS:_MOVES].reshape(3, 14)
    columns, rows = _extents(factors, extents)
    _, last = _loops(factors, orders, extents, loops)
    offsets = np.zeros((columns * rows, 4), np.int64)
    _place(factors, orders[2], shape[7], columns, offsets)
    n, c, height, width = _input_tile(extents, 0, shape[7])
    tile = np.array([n, c, height, width], np.int64)
    # That tool numbers the PEs in use through, and finds neighbours by number in the rows of the whole array.
    row = columns if halo == EXACT else int(hardware[COLUMNS])
    sent, carried = linked_words(loops, last, tile, shape[7], offsets, row, halo == TIMELOOP)
    evaluate_one(shape, factors, orders, keep, hardware, halo, sent, carried, result, counts, scratch, ports)


@kernel
def evaluate_many(
    shape: Integers,
    factors: Integers,
    orders: Orders,
    keep: Bools,
    hardware: Floats,
    halo: int,
    links: bool,
    results: Floats,
    counts: Integers,
) -> None:
    """N mappings of one layer to one hardware: arrays as above with a leading (N,); ``counts`` may be (0, 27)."""
    scratch, ports, one = np.zeros(SCRATCH, np.int64), np.zeros(6), np.zeros(COUNTS, np.int64)
    for i in range(len(factors)):
        out = counts[i] if len(counts) else one
        if links:
            evaluate_linked(shape, factors[i], orders[i], keep[i], hardware, halo, results[i], out, scratch, ports)
        else:
            evaluate_one(shape, factors[i], orders[i], keep[i], hardware, halo, -1, 0, results[i], out, scratch, ports)
