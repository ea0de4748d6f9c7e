"""Cycles and accesses of two-level mappings, in closed form over the cases of a loop nest: N mappings x L nests.

A level has a loop for each dimension, in an order, with tiles; one loop is spread over sub-clusters. What an iteration
costs depends on the innermost loop that advanced (outer loops stand still, inner ones start again) and on which loops
are at their last, partial tile: a few cases, each with the number of its iterations.
"""

from __future__ import annotations

__all__ = ["COUNTS", "LEVEL_COLUMNS", "mapping_counts"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel

Integers = NDArray[np.int64]

LEVEL_COLUMNS = 13
"""Columns of a level: order (outermost first), parallel dimension, tiles of K, C, Y, X, R, S."""
COUNTS = (
    *("cycles", "l2_weight_reads", "l2_input_reads", "l2_output_writes", "l2_output_reads"),
    *("l1_weight_writes", "l1_input_writes", "macs", "l1_words", "l2_words"),
)
"""Columns of the results; words, the last two for double-buffered tiles, the largest of all nests."""

_K, _C, _Y, _X, _R, _S = 0, 1, 2, 3, 4, 5
# Rows of a level's plan, one column a dimension.
_ITERATIONS, _GROUP, _LAST_GROUP, _SUB, _LAST_SUB, _ACTIVE, _LAST_ACTIVE = 0, 1, 2, 3, 4, 5, 6


@inner_kernel
def _plan(sizes: Integers, level: Integers, units: int, plan: Integers) -> None:
    """How a level cuts ``sizes`` (6,): iterations of each loop, extents of all sub-clusters and of one of them."""
    for d in range(6):
        tile = min(level[7 + d], sizes[d])
        tiles = (sizes[d] + tile - 1) // tile
        rest = sizes[d] - (tiles - 1) * tile
        across = units if d == level[6] else 1
        folds = (tiles + across - 1) // across
        plan[0, d] = folds
        plan[1, d] = min(across * tile, sizes[d])
        plan[2, d] = sizes[d] - (folds - 1) * across * tile
        plan[3, d] = tile
        plan[5, d] = min(across, tiles)
        plan[6, d] = tiles - (folds - 1) * across
        plan[4, d] = tile if plan[6, d] > 1 else rest


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
def _inputs_kept(plan: Integers, place: Integers, prime: int, extent: Integers, stride: int) -> Any:
    """Inputs of the new tile that the old one had, where the loop of dimension ``prime`` advanced.

    Args:
        plan: of the level.
        place: position of each dimension in the order.
        prime: the dimension that advanced; loops inside it went from their last tile to their first.
        extent: of the new tile (6,).
        stride: of the layer.
    """
    step, old = np.zeros(6, np.int64), np.empty(6, np.int64)
    for d in range(6):
        old[d] = extent[d]
        if d == prime:
            step[d], old[d] = plan[1, d], plan[1, d]
        elif place[d] > place[prime]:
            step[d], old[d] = -(plan[0, d] - 1) * plan[1, d], plan[2, d]
    if step[1] != 0:
        return 0
    rows = _common(extent[2], extent[4], old[2], old[4], stride, step[2], step[4])
    columns = _common(extent[3], extent[5], old[3], old[5], stride, step[3], step[5])
    return extent[1] * rows * columns


@inner_kernel
def _moves(plan: Integers, place: Integers, prime: int, depthwise: int, out: Integers) -> None:
    """Whether weights, inputs and outputs (3,) are others than before, where ``prime`` advanced."""
    for tensor in range(3):
        out[tensor] = 0
        for d in range(6):
            if tensor == 0:
                coupled = d == 1 or d > 3 or (d == 0 and not depthwise)
            elif tensor == 1:
                coupled = d > 0
            else:
                coupled = d == 2 or d == 3 or d == (1 if depthwise else 0)
            if coupled and (d == prime or (place[d] > place[prime] and plan[0, d] > 1)):
                out[tensor] = 1


@inner_kernel
def _volumes(extent: Integers, stride: int, depthwise: int, out: Integers) -> None:
    """Words of weights, inputs and outputs (3,) of a tile of ``extent``."""
    outputs = extent[1] if depthwise else extent[0]
    out[0] = (1 if depthwise else extent[0]) * extent[1] * extent[4] * extent[5]
    out[1] = extent[1] * _reach(extent[2], extent[4], stride) * _reach(extent[3], extent[5], stride)
    out[2] = outputs * extent[2] * extent[3]


@inner_kernel
def _walk(
    order: Integers,
    plan: Integers,
    nest: Integers,
    compute: Integers,
    noc: int,
    off_chip: int,
    out: Integers,
    visits: Integers,
) -> None:
    """Cycles, and words of weights, inputs and outputs that cross the level's edge, into ``out`` (4,).

    Args:
        order: of the loops, outermost first.
        plan: of the level.
        nest: of the layer.
        compute: (64,) cycles of the busiest sub-cluster, by the set of dimensions at their last tile.
        noc: words a cycle between the level's buffer and its sub-clusters, each way.
        off_chip: words a cycle behind the buffer, each way.
        out: filled.
        visits: (64,) filled with sub-clusters x iterations, by the set of dimensions at their last tile.
    """
    stride, depthwise = nest[6], nest[7]
    place = np.empty(6, np.int64)
    for position in range(6):
        place[order[position]] = position
    out[:] = 0
    visits[:] = 0
    extent, volume, moves = np.empty(6, np.int64), np.empty(3, np.int64), np.empty(3, np.int64)
    for position in range(-1, 6):
        if position >= 0:
            prime = order[position]
            if plan[0, prime] == 1:
                continue
            _moves(plan, place, prime, depthwise, moves)
        else:
            prime = -1
            moves[:] = 1
        for edges in range(1 << (position + 1)):
            times, active, last_tiles = 1, 1, 0
            for p in range(6):
                d = order[p]
                iterations = plan[0, d]
                whole = iterations == 1 or plan[1, d] == plan[2, d]
                at_last = p <= position and (edges >> p) & 1
                if p < position:
                    times *= 1 if at_last else iterations - (0 if whole else 1)
                elif p == position:
                    times *= 1 if at_last else iterations - (1 if whole else 2)
                if at_last:
                    last_tiles |= 1 << d
                    times = 0 if whole else times
                extent[d] = plan[2, d] if at_last else plan[1, d]
                active *= plan[6, d] if at_last else plan[5, d]
            if times == 0:
                continue
            _volumes(extent, stride, depthwise, volume)
            weights = volume[0] * moves[0]
            inputs = volume[1] * moves[1]
            if prime >= 0 and moves[1]:
                inputs -= _inputs_kept(plan, place, prime, extent, stride)
            outputs = volume[2] * moves[2]
            arriving = (weights + inputs + noc - 1) // noc
            leaving = (outputs + noc - 1) // noc
            fetching = (weights + inputs + off_chip - 1) // off_chip
            storing = (outputs + off_chip - 1) // off_chip
            busy = compute[last_tiles]
            starting = busy + max(arriving, fetching)
            cycles = starting if prime < 0 else max(busy, arriving, leaving, fetching, storing)
            out[0] += times * cycles
            out[1] += times * weights
            out[2] += times * inputs
            out[3] += times * outputs
            visits[last_tiles] += times * active


@inner_kernel
def _sub_sizes(plan: Integers, last_tiles: int, out: Integers) -> int:
    """Sizes of the busiest sub-cluster's tile into ``out`` (6,); their product, times the whole nest's channels."""
    product = 1
    for d in range(6):
        out[d] = plan[4, d] if (last_tiles >> d) & 1 else plan[3, d]
        product *= out[d]
    return product


@inner_kernel
def _edges(plan: Integers) -> int:
    """The set of dimensions whose last tile differs."""
    found = 0
    for d in range(6):
        if plan[0, d] > 1 and plan[1, d] != plan[2, d]:
            found |= 1 << d
    return found


@inner_kernel
def _cluster(sizes: Integers, level: Integers, units: int, nest: Integers, noc: int, out: Integers) -> None:
    """A cluster of ``units`` PEs on a tile of ``sizes``: cycles, words to PEs of weights and of inputs into ``out``."""
    plan, sub, walk = np.empty((7, 6), np.int64), np.empty(6, np.int64), np.empty(4, np.int64)
    compute, visits = np.zeros(64, np.int64), np.empty(64, np.int64)
    _plan(sizes, level, units, plan)
    edges = _edges(plan)
    for last_tiles in range(64):
        if last_tiles & ~edges == 0:
            compute[last_tiles] = _sub_sizes(plan, last_tiles, sub)
    _walk(level[:6], plan, nest, compute, noc, 2**60, walk, visits)
    out[0] = walk[0]
    parallel = level[6]
    copies = plan[5, parallel]
    is_weight = parallel == 1 or parallel > 3 or (parallel == 0 and not nest[7])
    out[1] = walk[1] * (1 if is_weight else copies)
    out[2] = walk[2] * (copies if parallel == 0 else 1)


@inner_kernel
def _mapping(outer: Integers, inner: Integers, cluster: int, nest: Integers, limits: Integers, out: Integers) -> None:
    """`COUNTS` of one mapping on one nest; ``limits``: PEs, words a cycle on the chip and off it."""
    plan, sub, walk = np.empty((7, 6), np.int64), np.empty(6, np.int64), np.empty(4, np.int64)
    compute, visits = np.zeros(64, np.int64), np.empty(64, np.int64)
    found = np.zeros((64, 3), np.int64)
    volume, extent = np.empty(3, np.int64), np.empty(6, np.int64)
    _plan(nest[:6], outer, limits[0] // cluster, plan)
    edges = _edges(plan)
    for last_tiles in range(64):
        if last_tiles & ~edges == 0:
            _sub_sizes(plan, last_tiles, sub)
            _cluster(sub, inner, cluster, nest, limits[1], found[last_tiles])
            compute[last_tiles] = found[last_tiles, 0]
    _walk(outer[:6], plan, nest, compute, limits[1], limits[2], walk, visits)
    results = nest[1] if nest[7] else nest[0]
    results *= nest[2] * nest[3]
    out[0], out[1], out[2], out[3] = walk[0], walk[1], walk[2], walk[3]
    out[4] = walk[3] - results
    out[5] = 0
    out[6] = 0
    for last_tiles in range(64):
        out[5] += visits[last_tiles] * found[last_tiles, 1]
        out[6] += visits[last_tiles] * found[last_tiles, 2]
    out[7] = nest[0] * nest[1] * nest[2] * nest[3] * nest[4] * nest[5]
    _volumes(plan[1], nest[6], nest[7], volume)
    out[9] = 2 * (volume[0] + volume[1] + volume[2])
    for d in range(6):
        extent[d] = min(inner[7 + d], plan[3, d])
    _volumes(extent, nest[6], nest[7], volume)
    out[8] = 2 * (volume[0] + volume[1] + volume[2])


@kernel
def mapping_counts(mappings: Integers, nests: Integers, limits: Integers) -> Integers:
    """Counts of N mappings, summed over the nests, each ``times``: (N, 10), columns `COUNTS`.

    Args:
        mappings: (N, 27) int64: outer level, inner level (`LEVEL_COLUMNS` each), PEs a cluster.
        nests: (L, 9) int64, columns `workloads.NEST_COLUMNS`.
        limits: (3,) int64: PEs, words a cycle on the chip, words a cycle off it.
    """
    counts = np.zeros((len(mappings), 10), np.int64)
    one = np.empty(10, np.int64)
    for i in range(len(mappings)):
        m = mappings[i]
        for j in range(len(nests)):
            _mapping(m[:13], m[13:26], m[26], nests[j], limits, one)
            for c in range(8):
                counts[i, c] += one[c] * nests[j, 8]
            for c in range(8, 10):
                counts[i, c] = max(counts[i, c], one[c])
    return counts
