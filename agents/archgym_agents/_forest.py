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
def _range(columns, order, low, high, f):  # type: ignore[no-untyped-def]
    smallest, largest = columns[order[low], f], columns[order[low], f]
    for i in range(low, high):
        smallest = min(smallest, columns[order[i], f])
        largest = max(largest, columns[order[i], f])
    return smallest, largest


@inner_kernel
def _gain(columns, targets, order, low, high, total, leaf, f, cut, is_category):  # type: ignore[no-untyped-def]
    """How much variance, times designs, a cut of a node removes; 0 where a side would have too few designs."""
    left, left_total = 0, 0.0
    for i in range(low, high):
        if _goes_left(columns[order[i], f], cut, is_category):
            left += 1
            left_total += targets[order[i]]
    right = high - low - left
    if left < leaf or right < leaf:
        return 0.0
    return left_total**2 / left + (total - left_total) ** 2 / right - total**2 / (high - low)


@inner_kernel
def _best_cut(columns, targets, is_category, tries, leaf, order, low, high, total, features, state):  # type: ignore[no-untyped-def]
    """Column (-1 for none) and cut of a node, of random columns; more than ``tries`` only while none has a cut."""
    best_gain, best_column, best_cut = _LEAST_GAIN, -1, 0.0
    for t in range(len(features)):
        if t >= tries and best_column >= 0:
            break
        state = _next(state)
        pick = t + np.int64(_unit(state) * (len(features) - t))
        features[t], features[pick] = features[pick], features[t]
        f = features[t]
        smallest, largest = _range(columns, order, low, high, f)
        if smallest == largest:
            continue
        state = _next(state)
        if is_category[f]:
            cut = columns[order[low + np.int64(_unit(state) * (high - low))], f]
        else:
            cut = smallest + (largest - smallest) * (1.0 - _unit(state))
        gain = _gain(columns, targets, order, low, high, total, leaf, f, cut, is_category[f])
        if gain > best_gain:
            best_gain, best_column, best_cut = gain, f, cut
    return best_column, best_cut, state


@kernel
def _grow(columns, targets, is_category, tries, leaf, seed, column, cut, child, mean):  # type: ignore[no-untyped-def]
    """One tree into its arrays: node i cuts ``column[i]`` at ``cut[i]``; its children are ``child[i]`` and the next."""
    n, width = columns.shape
    order = np.arange(n)
    features = np.arange(width)
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
                columns, targets, is_category, tries, leaf, order, low, high, total, features, state
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
    for n in range(len(columns)):
        for tree in range(len(column)):
            node = 0
            while column[tree, node] >= 0:
                f = column[tree, node]
                goes_left = _goes_left(columns[n, f], cut[tree, node], is_category[f])
                node = child[tree, node] + (0 if goes_left else 1)
            answers[n, tree] = mean[tree, node]
