"""Compiled predictions: trees as flat arrays, trees as bit masks, dense layers, kernels of distances, pairs of values.

Every loop sums one design's terms in the same order whatever the batch, so a design has the same bits in any batch.
"""

from __future__ import annotations

__all__ = [
    "dense",
    "exit_masks",
    "hashed",
    "leaf_sums",
    "matern_sums",
    "nearest_means",
    "tree_sums",
    "trees_of_leaves",
    "unseen_shares",
]

from math import exp, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Masks = NDArray[np.uint64]

_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)  # its product with 2^i has another value in its top six bits for each i
_SHIFT = np.uint64(58)
LEAVES_A_WORD = 63  # bit 0 stays free: a word without a bit hashes to the same place, which holds 0


@kernel
def tree_sums(
    x: Floats, roots: Ints, feature: Ints, threshold: Floats, left: Ints, right: Ints, value: Floats
) -> Floats:
    """Sum over trees, first to last, of the leaf that each row of ``x`` (N, F) falls into: (N,).

    A node whose ``feature`` is negative is a leaf. Rows go left where ``x <= threshold``.
    """
    sums = np.zeros(len(x))
    for n in range(len(x)):
        total = 0.0
        for root in roots:
            node = root
            while feature[node] >= 0:
                node = left[node] if x[n, feature[node]] <= threshold[node] else right[node]
            total += value[node]
        sums[n] = total
    return sums


@kernel
def trees_of_leaves(roots: Ints, nodes: int, feature: Ints, left: Ints, right: Ints) -> tuple[Ints, Ints, Ints]:
    """Of each node, the range [first, last) of its leaves, counted from left to right in its tree; its tree."""
    first, last, tree = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    for t in range(len(roots)):
        end = roots[t + 1] if t + 1 < len(roots) else nodes
        for node in range(end - 1, roots[t] - 1, -1):  # children stand after their parents
            tree[node] = t
            last[node] = 1 if feature[node] < 0 else last[left[node]] + last[right[node]]
        for node in range(roots[t], end):
            if feature[node] >= 0:
                first[left[node]] = first[node]
                first[right[node]] = first[node] + last[left[node]]
        for node in range(roots[t], end):
            last[node] += first[node]
    return first, last, tree


def hashed(bits: Ints) -> Ints:
    """Where `leaf_sums` looks for the leaf of a bit (N,)."""
    words = np.uint64(1) << bits.astype(np.uint64)
    return ((words * _DE_BRUIJN) >> _SHIFT).astype(np.int64)


@kernel
def exit_masks(
    masks: Masks,
    levels: Floats,
    offset: int,
    column: int,
    feature: Ints,
    threshold: Floats,
    first: Ints,
    last: Ints,
    left: Ints,
    right: Ints,
    word: Ints,
) -> None:
    """Strike out, for each level of one group of features, the leaves that a row of that level cannot reach.

    Args:
        masks: (L, W) leaves that are left, by level of any group and word; changed in place.
        levels: (K, f) features of the group's levels.
        offset: of the group in ``masks``.
        column: number of the group's first feature.
        feature: of the nodes, as in `tree_sums`.
        threshold: of the nodes.
        first: as in `trees_of_leaves`.
        last: as in `trees_of_leaves`.
        left: children.
        right: children.
        word: first word of each node's tree.
    """
    for node in range(len(feature)):
        inner = feature[node] - column
        if inner < 0 or inner >= levels.shape[1]:
            continue
        for level in range(len(levels)):
            barred = right[node] if levels[level, inner] <= threshold[node] else left[node]
            for leaf in range(first[barred], last[barred]):
                at = word[node] + leaf // LEAVES_A_WORD
                masks[offset + level, at] &= ~(np.uint64(1) << np.uint64(leaf % LEAVES_A_WORD + 1))


@kernel
def leaf_sums(codes: Ints, offsets: Ints, masks: Masks, start: Masks, leaves: Floats) -> Floats:
    """As `tree_sums`, to the bit, from the levels (N, G) of each row's groups of features: (N,).

    The conjunction of the masks of a row's levels leaves one leaf a tree (QuickScorer, Lucchese et al., SIGIR 2015,
    with all tests of a parameter taken at once, because a parameter has few values).

    Args:
        codes: (N, G).
        offsets: (G,) of each group in ``masks``.
        masks: (L, W) of `exit_masks`.
        start: (W,) leaves that a row can reach before its levels are known.
        leaves: (W, 64) values of leaves, where the multiplicative hash of their bit points.
    """
    sums = np.empty(len(codes))
    left = np.empty_like(start)
    for n in range(len(codes)):
        left[:] = start
        for g in range(len(offsets)):
            barred = masks[offsets[g] + codes[n, g]]
            for w in range(len(left)):
                left[w] &= barred[w]
        total = 0.0
        for w in range(len(left)):
            total += leaves[w, (left[w] * _DE_BRUIJN) >> _SHIFT]
        sums[n] = total
    return sums


@kernel
def dense(x: Floats, weights: Floats, bias: Floats, rectified: bool) -> Floats:
    """A layer: ``x`` (N, I), ``weights`` (I, O), ``bias`` (O,) to (N, O)."""
    out = np.empty((len(x), weights.shape[1]))
    for n in range(len(x)):
        out[n] = bias
        for i in range(weights.shape[0]):
            for o in range(weights.shape[1]):
                out[n, o] += x[n, i] * weights[i, o]
        if rectified:
            for o in range(weights.shape[1]):
                out[n, o] = max(out[n, o], 0.0)
    return out


@kernel
def matern_sums(x: Floats, known: Floats, weights: Floats, length: float) -> Floats:
    """Sum over ``known`` (K, F) of ``weights`` (K,) times the Matern 5/2 kernel of the distance to ``x``: (N,)."""
    sums = np.zeros(len(x))
    for n in range(len(x)):
        for k in range(len(known)):
            squares = 0.0
            for f in range(x.shape[1]):
                squares += (x[n, f] - known[k, f]) ** 2
            r = sqrt(5.0 * squares) / length
            sums[n] += weights[k] * (1.0 + r + r * r / 3.0) * exp(-r)
    return sums


@kernel
def nearest_means(x: Floats, known: Floats, targets: Floats, count: int) -> Floats:
    """Mean target of the ``count`` nearest of ``known`` (K, F), weighted by inverse distance; ties to the first."""
    means = np.empty(len(x))
    near, which = np.empty(count), np.empty(count, np.int64)
    for n in range(len(x)):
        near[:] = np.inf
        which[:] = 0
        for k in range(len(known)):
            squares = 0.0
            for f in range(x.shape[1]):
                squares += (x[n, f] - known[k, f]) ** 2
            if squares < near[count - 1]:
                place = count - 1
                while place > 0 and squares < near[place - 1]:
                    near[place], which[place] = near[place - 1], which[place - 1]
                    place -= 1
                near[place], which[place] = squares, k
        weight, total = 0.0, 0.0
        for k in range(count):
            share = 1.0 / (sqrt(near[k]) + 1e-9)
            weight += share
            total += share * targets[which[k]]
        means[n] = total / weight
    return means


@kernel
def unseen_shares(codes: Ints, pairs: Ints, bins: NDArray[Any], seen: NDArray[np.bool_]) -> Floats:
    """Share of the pairs (P, 2) of groups whose values, together, are not in ``seen`` (P, B, B): (N,).

    ``bins`` (G, L) puts the levels of each group into B bins.
    """
    shares = np.empty(len(codes))
    for n in range(len(codes)):
        unseen = 0
        for p in range(len(pairs)):
            a, b = pairs[p, 0], pairs[p, 1]
            if not seen[p, bins[a, codes[n, a]], bins[b, codes[n, b]]]:
                unseen += 1
        shares[n] = unseen / len(pairs)
    return shares
