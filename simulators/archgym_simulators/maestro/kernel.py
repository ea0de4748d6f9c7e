"""Cycles and accesses of two-level mappings, in closed form over the cases of a loop nest: N mappings x L nests.

A level has a loop for each dimension, in an order, with tiles; one loop is spread over sub-clusters. What an iteration
costs depends on the innermost loop that advanced (outer loops stand still, inner ones start again) and on which loops
are at their last, partial tile: a few cases, each with the number of its iterations.
"""

from __future__ import annotations

__all__ = ["COUNTS", "LEVEL_COLUMNS", "mapping_counts"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel
from archgym_simulators.maestro.tiles import (
    ACTIVE,
    LAST_ACTIVE,
    LAST_SPAN,
    LAST_TILE,
    SPAN,
    STEPS,
    TILE,
    new_words,
    volumes,
)

Integers = NDArray[np.int64]

LEVEL_COLUMNS = 13
"""Columns of a level: order (outermost first), parallel dimension, tiles of K, C, Y, X, R, S."""
COUNTS = (
    *("cycles", "l2_weight_reads", "l2_input_reads", "l2_output_writes", "l2_output_reads"),
    *("l1_weight_writes", "l1_input_writes", "macs", "l1_words", "l2_words"),
)
"""Columns of the results; words, the last two for double-buffered tiles, the largest of all nests."""


@inner_kernel
def _plan(sizes: Integers, level: Integers, units: int, plan: Integers) -> None:
    """How a level cuts ``sizes`` (6,): iterations of each loop, extents of all sub-clusters and of one of them."""
    for d in range(6):
        tile = min(level[7 + d], sizes[d])
        tiles = (sizes[d] + tile - 1) // tile
        rest = sizes[d] - (tiles - 1) * tile
        across = units if d == level[6] else 1
        folds = (tiles + across - 1) // across
        plan[STEPS, d] = folds
        plan[SPAN, d] = min(across * tile, sizes[d])
        plan[LAST_SPAN, d] = sizes[d] - (folds - 1) * across * tile
        plan[TILE, d] = tile
        plan[ACTIVE, d] = min(across, tiles)
        plan[LAST_ACTIVE, d] = tiles - (folds - 1) * across
        plan[LAST_TILE, d] = tile if plan[LAST_ACTIVE, d] > 1 else rest


@inner_kernel
def _case(
    order: Integers, plan: Integers, position: int, edges: int, partial: int, extent: Integers
) -> tuple[int, int, int]:
    """Iterations of a case, its sub-clusters at work, and the set of dimensions at their last tile.

    Args:
        order: of the loops, outermost first.
        plan: of the level.
        position: of the loop that advanced, -1 for the first iteration; loops inside it are at their first tile.
        edges: the positions, up to that one, whose loops are at a partial last tile.
        partial: the positions whose loops end with a partial tile.
        extent: filled with the extents of all sub-clusters (6,).
    """
    times, active, last_tiles = 1, 1, 0
    for p in range(6):
        d = order[p]
        if (edges >> p) & 1:
            extent[d] = plan[LAST_SPAN, d]
            active *= plan[LAST_ACTIVE, d]
            last_tiles |= 1 << d
            continue
        extent[d] = plan[SPAN, d]
        active *= plan[ACTIVE, d]
        if p <= position:
            # The loop that advanced is past its first tile.
            times *= plan[STEPS, d] - ((partial >> p) & 1) - (1 if p == position else 0)
    return times, active, last_tiles


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
    out[:] = 0
    visits[:] = 0
    place, extent, moved = np.empty(6, np.int64), np.empty(6, np.int64), np.empty(3, np.int64)
    for position in range(6):
        place[order[position]] = position
    slowest, partial = min(noc, off_chip), 0
    for position in range(6):
        d = order[position]
        if plan[STEPS, d] > 1 and plan[SPAN, d] != plan[LAST_SPAN, d]:
            partial |= 1 << position
    for position in range(-1, 6):
        prime = order[position] if position >= 0 else -1
        if prime >= 0 and plan[STEPS, prime] == 1:
            continue
        for edges in range(1 << (position + 1)):
            if edges & ~partial:
                continue
            times, active, last_tiles = _case(order, plan, position, edges, partial, extent)
            if times == 0:
                continue
            new_words(plan, place, prime, nest, extent, moved)
            arriving = (moved[0] + moved[1] + slowest - 1) // slowest
            leaving = (moved[2] + slowest - 1) // slowest
            busy = compute[last_tiles]
            out[0] += times * (busy + arriving if prime < 0 else max(busy, arriving, leaving))
            for tensor in range(3):
                out[1 + tensor] += times * moved[tensor]
            visits[last_tiles] += times * active


@inner_kernel
def _sub_sizes(plan: Integers, last_tiles: int, out: Integers) -> int:
    """Sizes of the busiest sub-cluster's tile into ``out`` (6,); returns their product, its MACs."""
    product = 1
    for d in range(6):
        out[d] = plan[LAST_TILE, d] if (last_tiles >> d) & 1 else plan[TILE, d]
        product *= out[d]
    return product


@inner_kernel
def _edges(plan: Integers) -> int:
    """The set of dimensions whose last tile differs."""
    found = 0
    for d in range(6):
        if plan[STEPS, d] > 1 and plan[SPAN, d] != plan[LAST_SPAN, d]:
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
    copies = plan[ACTIVE, parallel]
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
    volumes(plan[SPAN], nest[6], nest[7], volume)
    out[9] = 2 * (volume[0] + volume[1] + volume[2])
    for d in range(6):
        extent[d] = min(inner[7 + d], plan[TILE, d])
    volumes(extent, nest[6], nest[7], volume)
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
