"""What a mapping costs: counts of accesses, energy, cycles and what does not fit; compiled, without a Python object.

Arrays, for any kernel that embeds this one (`evaluate_one`) or calls it on N mappings (`evaluate_many`):

- ``shape`` (8,) int64: N, K, C, P, Q, R, S and the stride of one layer, one group.
- ``factors`` (7, 5) int64: for each dimension, its bound off the chip, at the global buffer, along x and y of the array
  and in the PE; their product is the dimension.
- ``orders`` (3, 7) int8: dimensions, innermost first, of the loops at the global buffer, off the chip, and within the
  array (the last only says who are neighbours).
- ``keep`` (2, 3) bool: which of weights, inputs and outputs the PE and the global buffer hold.
- ``hardware`` (HARDWARE_WIDTH,) float64: `archgym_simulators.mapping.hardware.Hardware.vector`.
- ``result`` (RESULTS,) float64 and ``counts`` (27,) int64: what comes out; counts are level (PE, global buffer, off the
  chip) x tensor (weights, inputs, outputs) x (reads, updates, fills), in words, of all PEs together.
- ``scratch`` (SCRATCH,) int64: working memory, one for each thread.
"""

from __future__ import annotations

__all__ = ["EXACT", "RESULTS", "RESULT_NAMES", "SCRATCH", "TIMELOOP", "evaluate_many", "evaluate_one"]

from math import ceil

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel
from archgym_simulators.mapping.links import linked_words
from archgym_simulators.mapping.movement import distinct_offsets, input_words, input_words_timeloop

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

EXACT, TIMELOOP = 0, 1
N, K, C, P, Q, R, S = range(7)
W, I, O = range(3)  # noqa: E741 - the letters of the equations
PE, GLB, DRAM = range(3)
IN_DRAM, IN_GLB, IN_X, IN_Y, IN_PE = range(5)
READS, UPDATES, FILLS = range(3)

# Where things lie in the vector of a hardware.
COLUMNS, ROWS, MAC_PJ, LINK_PJ, CAPACITY, BANDWIDTH, ENERGY, MEMBER, WIDTH = 0, 1, 2, 3, 4, 10, 28, 46, 55

RESULT_NAMES = (
    "cycles",
    "compute_cycles",
    "energy_pj",
    "energy_mac_pj",
    "energy_pe_pj",
    "energy_glb_pj",
    "energy_dram_pj",
    "energy_link_pj",
    "pes",
    "link_words",
    "pe_cycles",
    "glb_cycles",
    "dram_cycles",
    "broken",
    "violation",
    "need",
    "room",
)
"""``broken``: -1, or the first rule that fails: 0 columns, 1 rows, then 2 + 8 (3 level + buffer) + kept, where bit t
of kept says that tensor t is kept in the buffer."""
RESULTS = len(RESULT_NAMES)
_BROKEN, _VIOLATION, _NEED, _ROOM = 13, 14, 15, 16

# Scratch: loops (3, 14), moves (14, 4), tile (4,), words of the tiles (2, 3), extents (2, 7).
_LOOPS, _MOVES, _TILE, _WORDS, _EXTENTS = 0, 42, 98, 102, 108
SCRATCH = 122
_RELEVANT = (0b1100110, 0b1111101, 0b0011011)  # bit d: dimension d moves the tile of weights, inputs, outputs


@inner_kernel
def _whole(words: float, access: float) -> float:
    """Words rounded up to whole accesses."""
    return words if access == 1.0 else ceil(words / access) * access


@inner_kernel
def _rule(number: int, need: float, room: float, result: Floats) -> None:
    if need > room:
        result[_VIOLATION] += np.log(need / room)
        if result[_BROKEN] < 0.0:
            result[_BROKEN], result[_NEED], result[_ROOM] = number, need, room


@inner_kernel
def _extents(factors: Integers, extents: Integers) -> tuple[int, int]:
    """Extents of every dimension in a PE and at the global buffer (2, 7); columns and rows of PEs in use."""
    columns, rows = 1, 1
    for d in range(7):
        columns *= factors[d, IN_X]
        rows *= factors[d, IN_Y]
        extents[PE, d] = factors[d, IN_PE]
        extents[GLB, d] = factors[d, IN_PE] * factors[d, IN_X] * factors[d, IN_Y] * factors[d, IN_GLB]
    return columns, rows


@inner_kernel
def _footprint(extent: Integers, stride: int, words: Integers) -> None:
    """Words of the three tiles."""
    words[W] = extent[K] * extent[C] * extent[R] * extent[S]
    height, width = (extent[P] - 1) * stride + extent[R], (extent[Q] - 1) * stride + extent[S]
    words[I] = extent[N] * extent[C] * height * width
    words[O] = extent[N] * extent[K] * extent[P] * extent[Q]


@inner_kernel
def _check(columns: int, rows: int, words: Integers, keep: Bools, hardware: Floats, result: Floats) -> None:
    """The first rule that is broken, and over all rules by how much: the sum of the logs of need over room."""
    for i in range(_BROKEN, RESULTS):
        result[i] = 0.0
    result[_BROKEN] = -1.0
    _rule(0, columns, hardware[COLUMNS], result)
    _rule(1, rows, hardware[ROWS], result)
    for level in range(2):
        for buffer in range(3):
            need, kept = 0, 0
            for tensor in range(3):
                if keep[level, tensor] and hardware[MEMBER + 3 * level + tensor] == buffer:
                    need += words[level, tensor]
                    kept += 1 << tensor
            _rule(2 + 8 * (3 * level + buffer) + kept, need, hardware[CAPACITY + 3 * level + buffer], result)


@inner_kernel
def _loops(factors: Integers, orders: NDArray[np.int8], extents: Integers, loops: Integers) -> tuple[int, int]:
    """Loops of more than one iteration above the PEs, innermost first; how many at the global buffer, and in all."""
    count, inside = 0, 0
    for level in range(2):
        slot = IN_GLB if level == 0 else IN_DRAM
        for place in range(7):
            d = orders[level, place]
            bound = factors[d, slot]
            if bound > 1:
                inner = factors[d, IN_PE] * factors[d, IN_X] * factors[d, IN_Y]
                loops[0, count], loops[1, count] = d, bound
                loops[2, count] = inner if level == 0 else extents[GLB, d]
                count += 1
        if level == 0:
            inside = count
    return inside, count


@inner_kernel
def _tile_changes(loops: Integers, first: int, last: int, tensor: int, volume: int) -> int:
    """Words of weights or outputs that come in: a loop counts if it, or one inside it, moves the tile."""
    times, started = 1, False
    for j in range(first, last):
        started = started or (_RELEVANT[tensor] >> loops[0, j]) & 1 == 1
        if started:
            times *= loops[1, j]
    return volume * times


@inner_kernel
def _input_tile(extent: Integers, stride: int, tile: Integers) -> None:
    tile[0], tile[1] = extent[N], extent[C]
    tile[2] = (extent[P] - 1) * stride + extent[R]
    tile[3] = (extent[Q] - 1) * stride + extent[S]


@inner_kernel
def _moved_inputs(
    loops: Integers, first: int, last: int, extent: Integers, stride: int, halo: int, scratch: Integers
) -> int:
    tile = scratch[_TILE:_WORDS]
    _input_tile(extent, stride, tile)
    if halo == EXACT:
        return input_words(loops, first, last, tile, stride)
    return input_words_timeloop(loops, first, last, tile, stride, scratch[_MOVES:_TILE].reshape(14, 4))


@inner_kernel
def _copies(factors: Integers, stride: int, tensor: int) -> int:
    """Number of distinct tiles of a tensor over the PEs."""
    many = 1
    for d in range(7):
        is_window = tensor == I and d >= P
        if (_RELEVANT[tensor] >> d) & 1 == 1 and not is_window:
            many *= factors[d, IN_X] * factors[d, IN_Y]
    if tensor == I:
        for p, r in ((P, R), (Q, S)):
            windows, taps = factors[p, IN_X] * factors[p, IN_Y], factors[r, IN_X] * factors[r, IN_Y]
            many *= distinct_offsets(windows, factors[p, IN_PE] * stride, taps, factors[r, IN_PE])
    return many


@inner_kernel
def _place(factors: Integers, order: NDArray[np.int8], stride: int, columns: int, offsets: Integers) -> None:
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
def _over_links(
    shape: Integers,
    factors: Integers,
    orders: NDArray[np.int8],
    hardware: Floats,
    halo: int,
    scratch: Integers,
    last: int,
) -> tuple[int, int]:
    """Words of inputs that the level above sends, and words that links carry."""
    columns, rows = 1, 1
    for d in range(7):
        columns *= factors[d, IN_X]
        rows *= factors[d, IN_Y]
    offsets = np.zeros((columns * rows, 4), np.int64)
    _place(factors, orders[2], shape[7], columns, offsets)
    loops, tile = scratch[_LOOPS:_MOVES].reshape(3, 14), scratch[_TILE:_WORDS]
    _input_tile(scratch[_EXTENTS:SCRATCH].reshape(2, 7)[PE], shape[7], tile)
    # That tool numbers the PEs in use through, and finds neighbours by number in the rows of the whole array.
    width = columns if halo == EXACT else int(hardware[COLUMNS])
    return linked_words(loops, last, tile, shape[7], offsets, width, halo == TIMELOOP)


@inner_kernel
def _enter(
    counts: Integers,
    tensor: int,
    in_pe: bool,
    in_glb: bool,
    macs: int,
    filled: int,
    asked: int,
    held: int,
    outputs: int,
    reduced: int,
) -> None:
    """Enter one tensor. Sums that begin at zero are not read before they are first written."""
    pe, glb, dram = counts[3 * tensor :], counts[9 + 3 * tensor :], counts[18 + 3 * tensor :]
    if tensor != O:
        if in_pe:
            pe[READS], pe[FILLS] = macs, filled
        if in_glb:
            glb[READS], glb[FILLS], dram[READS] = asked, held, held
        else:
            dram[READS] = asked
        return
    if in_pe:
        pe[UPDATES], pe[READS], pe[FILLS] = macs, macs - outputs * reduced, filled - outputs * reduced
    if in_glb:
        glb[UPDATES], glb[READS], glb[FILLS] = asked, asked - outputs, held - outputs
        dram[UPDATES], dram[READS] = held, held - outputs
    else:
        dram[UPDATES], dram[READS] = asked, asked - outputs


@inner_kernel
def _count(
    shape: Integers,
    factors: Integers,
    orders: NDArray[np.int8],
    keep: Bools,
    hardware: Floats,
    halo: int,
    links: bool,
    result: Floats,
    counts: Integers,
    scratch: Integers,
    inside: int,
    last: int,
) -> None:
    """Accesses of every level and tensor."""
    loops = scratch[_LOOPS:_MOVES].reshape(3, 14)
    extents = scratch[_EXTENTS:SCRATCH].reshape(2, 7)
    words = scratch[_WORDS:_EXTENTS].reshape(2, 3)
    counts[:] = 0
    pes, macs, reduced = 1, 1, 1
    for d in range(7):
        pes *= factors[d, IN_X] * factors[d, IN_Y]
        macs *= shape[d]
    for d in (C, R, S):
        reduced *= factors[d, IN_X] * factors[d, IN_Y]
    outputs = shape[N] * shape[K] * shape[P] * shape[Q]
    steps = macs // pes
    carried = 0
    for tensor in range(3):
        # What the PEs take from the level above them in their whole life: each of them, and the level for all of them.
        each = steps
        in_pe = keep[PE, tensor]
        if in_pe:
            if tensor == I:
                each = _moved_inputs(loops, 0, last, extents[PE], shape[7], halo, scratch)
            else:
                each = _tile_changes(loops, 0, last, tensor, words[PE, tensor])
        asked = each * pes // reduced if tensor == O else each * _copies(factors, shape[7], tensor)
        if links and tensor == I and in_pe and pes > 1:
            asked, carried = _over_links(shape, factors, orders, hardware, halo, scratch, last)
        held = each
        if keep[GLB, tensor]:
            if tensor == I:
                held = _moved_inputs(loops, inside, last, extents[GLB], shape[7], halo, scratch)
            else:
                held = _tile_changes(loops, inside, last, tensor, words[GLB, tensor])
        _enter(counts, tensor, in_pe, keep[GLB, tensor], macs, each * pes, asked, held, outputs, reduced)
    counts[9 * PE + 3 * I + READS] += carried
    result[1], result[8], result[9] = steps, pes, carried


@inner_kernel
def _level_cycles(hardware: Floats, counts: Integers, level: int, steps: float, instances: float, halo: int) -> float:
    """Cycles that the ports of a level need: reads and writes at once, all buffers at once."""
    cycles = steps
    for buffer in range(3):
        reads, writes = 0.0, 0.0
        read_rate, write_rate = 0.0, 0.0
        for tensor in range(3):
            if hardware[MEMBER + 3 * level + tensor] == buffer:
                at = 9 * level + 3 * tensor
                read, written = counts[at + READS] / instances, (counts[at + UPDATES] + counts[at + FILLS]) / instances
                reads, writes = reads + read, writes + written
                read_rate, write_rate = read_rate + read / steps, write_rate + written / steps
        read_width = hardware[BANDWIDTH + 3 * level + buffer]
        write_width = hardware[BANDWIDTH + 9 + 3 * level + buffer]
        if halo == EXACT:
            cycles = max(cycles, max(ceil(reads / read_width), ceil(writes / write_width)))
        else:
            # In that tool's order: its rounding adds a cycle to some mappings.
            slow = 1.0
            if read_rate > 0.0:
                slow = min(slow, read_width / read_rate)
            if write_rate > 0.0:
                slow = min(slow, write_width / write_rate)
            cycles = max(cycles, ceil(steps / slow))
    return cycles


@inner_kernel
def _price(hardware: Floats, counts: Integers, result: Floats, halo: int) -> None:
    """Energy and cycles of the counts."""
    steps, pes = result[1], result[8]
    result[3] = steps * pes * hardware[MAC_PJ]
    result[7] = result[9] * hardware[LINK_PJ]
    energy = result[3] + result[7]
    cycles = steps
    for level in range(3):
        spent = 0.0
        for tensor in range(3):
            at, one = 9 * level + 3 * tensor, 3 * level + tensor
            access = hardware[WIDTH + one] * (pes if level == PE else 1.0)
            written = _whole(counts[at + UPDATES], access) + _whole(counts[at + FILLS], access)
            spent += _whole(counts[at + READS], access) * hardware[ENERGY + one] + written * hardware[ENERGY + 9 + one]
        result[4 + level] = spent
        energy += spent
        result[10 + level] = _level_cycles(hardware, counts, level, steps, pes if level == PE else 1.0, halo)
        cycles = max(cycles, result[10 + level])
    result[2] = energy
    result[0] = cycles


@inner_kernel
def evaluate_one(
    shape: Integers,
    factors: Integers,
    orders: NDArray[np.int8],
    keep: Bools,
    hardware: Floats,
    halo: int,
    links: bool,
    result: Floats,
    counts: Integers,
    scratch: Integers,
) -> None:
    """One mapping of one layer to one hardware. An invalid mapping has only what is broken, and by how much."""
    extents = scratch[_EXTENTS:SCRATCH].reshape(2, 7)
    words = scratch[_WORDS:_EXTENTS].reshape(2, 3)
    columns, rows = _extents(factors, extents)
    for level in range(2):
        _footprint(extents[level], shape[7], words[level])
    _check(columns, rows, words, keep, hardware, result)
    if result[_BROKEN] >= 0:
        return
    loops = scratch[_LOOPS:_MOVES].reshape(3, 14)
    inside, last = _loops(factors, orders, extents, loops)
    _count(shape, factors, orders, keep, hardware, halo, links, result, counts, scratch, inside, last)
    _price(hardware, counts, result, halo)


@kernel
def evaluate_many(
    shape: Integers,
    factors: Integers,
    orders: NDArray[np.int8],
    keep: Bools,
    hardware: Floats,
    halo: int,
    links: bool,
    results: Floats,
    counts: Integers,
) -> None:
    """N mappings of one layer to one hardware: arrays as above with a leading (N,); ``counts`` may be (0, 27)."""
    scratch = np.zeros(SCRATCH, np.int64)
    one = np.zeros(27, np.int64)
    for i in range(len(factors)):
        out = counts[i] if len(counts) else one
        evaluate_one(shape, factors[i], orders[i], keep[i], hardware, halo, links, results[i], out, scratch)
