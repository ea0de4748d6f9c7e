"""A forest of extremely randomised trees, compiled: a surrogate that is fitted in a millisecond and never surprised.

Algorithm: Geurts, Ernst and Wehenkel (2006): every node tries each of a random subset of columns at one random cut
(for a category: one of its values against the rest) and keeps the cut that leaves least variance. No bootstrap; the
spread of the trees' answers is the uncertainty, as in SMAC (Hutter et al. 2011).
"""

from __future__ import annotations

__all__ = ["Forest"]

from typing import Self

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_LEAST_GAIN = 1e-12


class Forest:
    """Regression trees over columns (N, F)."""

    def __init__(self, is_category: NDArray[np.bool_], *, trees: int = 24, leaf: int = 2, share: float = 0.7) -> None:
        """Describe the columns.

        Args:
            is_category: (F,) columns that are cut by equality.
            trees: how many.
            leaf: fewest designs in a leaf.
            share: of the columns that a node tries.
        """
        self._is_category = is_category
        self._trees = trees
        self._leaf = leaf
        self._tries = max(1, round(share * len(is_category)))
        self._nodes: tuple[Integers, Floats, Integers, Floats] | None = None

    def fit(self, columns: Floats, targets: Floats, rng: np.random.Generator) -> Self:
        """Learn targets (N,) of designs (N, F)."""
        size = 2 * len(columns) + 1
        shape = (self._trees, size)
        column, cut = np.full(shape, -1, np.int64), np.zeros(shape)
        child, mean = np.zeros(shape, np.int64), np.zeros(shape)
        seeds = rng.integers(1, 2**62, self._trees)
        for tree in range(self._trees):
            nodes = (column[tree], cut[tree], child[tree], mean[tree])
            _grow(columns, targets, self._is_category, self._tries, self._leaf, int(seeds[tree]), *nodes)
        self._nodes = (column, cut, child, mean)
        return self

    def predict(self, columns: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of what the trees say: (N,) each."""
        assert self._nodes is not None
        answers = np.zeros((len(columns), self._trees))
        _answers(columns, self._is_category, *self._nodes, answers)
        return answers.mean(axis=1), answers.std(axis=1)


@inner_kernel
def _next(state):  # type: ignore[no-untyped-def]
    """The next state of xorshift64*, whose upper bits are random."""
    state ^= state >> np.uint64(12)
    state ^= state << np.uint64(25)
    state ^= state >> np.uint64(27)
    return state


@inner_kernel
def _unit(state):  # type: ignore[no-untyped-def]
    """A number in [0, 1) of a state."""
    return np.float64((state * np.uint64(2685821657736338717)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@inner_kernel
def _goes_left(value, cut, is_category):  # type: ignore[no-untyped-def]
    return value == cut if is_category else value < cut


@inner_kernel
def _ranges(columns, members, smallest, largest):  # type: ignore[no-untyped-def]
    """Of every column among a node's designs; columns in the inner loop, so that memory is read in order."""
    smallest[:] = np.inf
    largest[:] = -np.inf
    for i in members:
        for f in range(len(smallest)):
            smallest[f] = min(smallest[f], columns[i, f])
            largest[f] = max(largest[f], columns[i, f])


@inner_kernel
def _gains(columns, targets, members, leaf, low, high, left, gains):  # type: ignore[no-untyped-def]
    """How much variance, times designs, each column's cut removes; 0 where a side would have too few designs.

    Designs from ``low`` to below ``high`` go left, all columns side by side.
    """
    count, total = len(members), 0.0
    left[:], gains[:] = 0.0, 0.0
    for i in members:
        target = targets[i]
        total += target
        for f in range(len(left)):
            goes_left = 1.0 if (columns[i, f] >= low[f]) & (columns[i, f] < high[f]) else 0.0
            left[f] += goes_left
            gains[f] += goes_left * target
    for f in range(len(left)):
        right, left_total = count - left[f], gains[f]
        gains[f] = 0.0
        if left[f] >= leaf and right >= leaf:
            gains[f] = left_total**2 / left[f] + (total - left_total) ** 2 / right - total**2 / count


@inner_kernel
def _best_cut(columns, targets, is_category, tries, leaf, members, features, scratch, state):  # type: ignore[no-untyped-def]
    """Column (-1 for none) and cut of a node, of random columns; more than ``tries`` only while none has a cut."""
    smallest, largest, low = scratch[0], scratch[1], scratch[2]
    high, left, gains = scratch[3], scratch[4], scratch[5]
    _ranges(columns, members, smallest, largest)
    best_gain, best_column, best_cut, tried = _LEAST_GAIN, -1, 0.0, 0
    while best_column < 0 and tried < len(features):
        low[:], high[:] = -np.inf, -np.inf  # so that no design goes left, but for the columns tried now
        first, tried = tried, max(tries, tried + 1)
        for t in range(first, tried):
            state = _next(state)
            pick = t + np.int64(_unit(state) * (len(features) - t))
            features[t], features[pick] = features[pick], features[t]
            f = features[t]
            if smallest[f] == largest[f]:
                continue
            state = _next(state)
            if is_category[f]:
                low[f] = columns[members[np.int64(_unit(state) * len(members))], f]
                high[f] = np.nextafter(low[f], np.inf)
            else:
                high[f] = smallest[f] + (largest[f] - smallest[f]) * (1.0 - _unit(state))
        _gains(columns, targets, members, leaf, low, high, left, gains)
        for t in range(first, tried):
            f = features[t]
            if gains[f] > best_gain:
                best_gain, best_column, best_cut = gains[f], f, low[f] if is_category[f] else high[f]
    return best_column, best_cut, state


@kernel
def _grow(columns, targets, is_category, tries, leaf, seed, column, cut, child, mean):  # type: ignore[no-untyped-def]
    """One tree into its arrays: node i cuts ``column[i]`` at ``cut[i]``; its children are ``child[i]`` and the next."""
    n, width = columns.shape
    order = np.arange(n)
    features, scratch = np.arange(width), np.empty((6, width))
    first, last = np.zeros(2 * n + 1, np.int64), np.zeros(2 * n + 1, np.int64)
    last[0] = n
    used, node = 1, 0
    state = np.uint64(seed)
    while node < used:
        low, high = first[node], last[node]
        total, squares = 0.0, 0.0
        for i in range(low, high):
            total += targets[order[i]]
            squares += targets[order[i]] ** 2
        count = high - low
        mean[node] = total / count
        f = -1
        if count >= 2 * leaf and squares - total * total / count > _LEAST_GAIN:
            f, cut[node], state = _best_cut(
                columns, targets, is_category, tries, leaf, order[low:high], features, scratch, state
            )
        if f >= 0:
            middle = low
            for i in range(low, high):
                if _goes_left(columns[order[i], f], cut[node], is_category[f]):
                    order[i], order[middle] = order[middle], order[i]
                    middle += 1
            column[node], child[node] = f, used
            first[used], last[used] = low, middle
            first[used + 1], last[used + 1] = middle, high
            used += 2
        node += 1


@kernel
def _answers(columns, is_category, column, cut, child, mean, answers):  # type: ignore[no-untyped-def]
    for tree in range(len(column)):  # outside, because one tree at a time fits into the cache
        for n in range(len(columns)):
            node = 0
            while column[tree, node] >= 0:
                f = column[tree, node]
                goes_left = _goes_left(columns[n, f], cut[tree, node], is_category[f])
                node = child[tree, node] + (0 if goes_left else 1)
            answers[n, tree] = mean[tree, node]
