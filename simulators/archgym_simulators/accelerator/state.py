"""A mapping under change: what a dataflow allows, the working memory of a search, and the cost of the mapping."""

from __future__ import annotations

__all__ = ["Effort", "Search", "Template", "copy", "improves", "price", "restore", "save", "working_memory"]

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, loop_kernel
from archgym_simulators.mapping.kernel import SCRATCH, evaluate_one
from archgym_simulators.mapping.results import BROKEN, COUNTS, EXACT, RESULTS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

IN_DRAM, IN_GLB, IN_X, IN_Y, IN_PE = range(5)
GLB_ORDER, DRAM_ORDER, KEPT_PE, KEPT_GLB = range(4)  # of the codes
COST, LEAK = range(2)  # of the numbers
MOST_STARTS = 64
FACTORS, SHAPE, CODES, MAPPING = 0, 35, 43, 47  # where they begin in a mapping, and where it ends
BETTER = 1.0 - 1e-9  # what counts as an improvement, so that rounding never decides


class Template(NamedTuple):
    """What a dataflow allows, as the kernel takes it.

    Attributes:
        along: (2, 7) dimensions that may lie along x and y, in order of preference; -1 ends a list.
        slots: (7, 5) where a factor of a dimension may be: off the chip, global buffer, x, y, PE.
        orders: (12,) which orders the loops at the global buffer may have.
        keeps: (2, 8) by level (PE, global buffer) which sets of tensors may be kept; bit t of a set is tensor t.
    """

    along: Integers
    slots: Bools
    orders: Bools
    keeps: Bools


class Effort(NamedTuple):
    """How long the mapper searches for one layer.

    Attributes:
        fillings: of the array that it begins with.
        orders: off the chip that it begins with, 1 to 6.
        finalists: starts that it descends from fully.
        evaluations: of mappings, at most.
        kicks: rounds of leaving the best mapping for others nearby, at most.
        forced: splits of all dimensions that a layer may have, at most, for each to be forced on the best mapping.
    """

    fillings: int
    orders: int
    finalists: int
    evaluations: int
    kicks: int
    forced: int


class Search(NamedTuple):
    """A mapping under change, with the working memory of a search; one for each thread.

    Attributes:
        mapping: (47,) all of the next three, which are views of it.
        factors: (7, 5) of the mapping.
        shape: (8,) of the layer, dimensions padded to the product of their factors.
        codes: (4,) row of the orders at the global buffer and off the chip, sets kept by PE and global buffer.
        numbers: (2,) cost of the mapping, leakage in pJ a cycle.
        spent: (2,) evaluations, and their limit.
        split: (5,) of a dimension, that is forced.
        table: (12, 7) orders, innermost first.
        starts: (65, 47) mappings; the last is the best so far.
        costs: (65,) of the starts.
        orders: (3, 7), keep: (2, 3), result: (RESULTS,), counts: (27,), scratch, ports: of the kernel.
    """

    mapping: Integers
    factors: Integers
    shape: Integers
    codes: Integers
    numbers: Floats
    spent: Integers
    split: Integers
    table: NDArray[np.int8]
    starts: Integers
    costs: Floats
    orders: NDArray[np.int8]
    keep: Bools
    result: Floats
    counts: Integers
    scratch: Integers
    ports: Floats


@inner_kernel
def working_memory(table: NDArray[np.int8]) -> Search:
    """Of one search at a time; ``table`` has the orders."""
    mapping = np.zeros(MAPPING, np.int64)
    orders = np.zeros((3, 7), np.int8)
    for place in range(7):
        orders[2, place] = place
    return Search(
        mapping,
        mapping[FACTORS:SHAPE].reshape(7, 5),
        mapping[SHAPE:CODES],
        mapping[CODES:],
        np.zeros(2),
        np.zeros(2, np.int64),
        np.zeros(5, np.int64),
        table,
        np.zeros((MOST_STARTS + 1, MAPPING), np.int64),
        np.zeros(MOST_STARTS + 1),
        orders,
        np.zeros((2, 3), np.bool_),
        np.zeros(RESULTS),
        np.zeros(COUNTS, np.int64),
        np.zeros(SCRATCH, np.int64),
        np.zeros(6),
    )


@loop_kernel
def price(at: Search, hardware: Floats) -> float:
    """Energy times delay of the mapping as it is now, with leakage; infinite where it does not fit."""
    at.spent[0] += 1
    for level in range(2):
        for place in range(7):
            at.orders[level, place] = at.table[at.codes[level], place]
        for tensor in range(3):
            at.keep[level, tensor] = (at.codes[KEPT_PE + level] >> tensor) & 1 == 1
    evaluate_one(
        at.shape,
        at.factors,
        at.orders,
        at.keep,
        hardware,
        EXACT,
        -1,
        0,
        at.result,
        at.counts,
        at.scratch,
        at.ports,
    )
    if at.result[BROKEN] >= 0:
        return np.inf
    return float((at.result[2] + at.numbers[LEAK] * at.result[0]) * at.result[0])


@loop_kernel
def improves(at: Search, hardware: Floats) -> bool:
    """Whether the mapping as it is now is better than the best before; if so, it is the best."""
    if at.spent[0] >= at.spent[1]:
        return False
    cost = price(at, hardware)
    if cost < at.numbers[COST] * BETTER or (at.numbers[COST] == np.inf and cost < np.inf):
        at.numbers[COST] = cost
        return True
    return False


@loop_kernel
def copy(source: Integers, target: Integers) -> None:
    """A mapping (47,) into another: what numba would do with a slice allocates."""
    for i in range(MAPPING):
        target[i] = source[i]


@loop_kernel
def save(at: Search, place: int) -> None:
    """Keep the mapping and its cost among the starts."""
    at.costs[place] = at.numbers[COST]
    copy(at.mapping, at.starts[place])


@loop_kernel
def restore(at: Search, place: int) -> None:
    """Go on from a start."""
    at.numbers[COST] = at.costs[place]
    copy(at.starts[place], at.mapping)
