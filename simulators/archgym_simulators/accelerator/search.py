"""The embedded mapper: a deterministic search for a mapping of one layer, compiled; nothing in it is random.

1. Starts: ways to fill the columns and rows of the array that the template allows, one dimension after another, with
   factors that divide and with factors that leave the last tile partly empty. The fewest steps come first.
2. One round of descent from each start and from several orders of the loops off the chip. A round tries, for each
   dimension, all ways to split what is not spread over the chip's edge, the global buffer and a PE; then all loop
   orders; then what the buffers keep.
3. Full descent from the best of them: rounds and moves of single prime factors until nothing improves.
4. From the best, exchanges of prime factors between two dimensions, and step 3 again after each that improves.
5. From the best, kicks, as often as the effort says: each move of a prime factor is made although it costs, followed by
   step 3; what ends up better is the new best.
6. Where a layer has few splits, every split of a dimension over all five places is forced on the best while everything
   else follows: see `archgym_simulators.accelerator.forced`.

Every mapping is priced by `archgym_simulators.mapping.kernel.evaluate_one`; the search ends at the limit of evaluations
that the effort sets. Where a factor does not divide its dimension, the layer is priced as if the dimension were the
next multiple: an upper bound of what an accelerator needs that skips what is not there.
"""

from __future__ import annotations

__all__ = ["search_layer"]

import numpy as np

from archgym_simulators._jit import loop_kernel
from archgym_simulators.accelerator.descent import (
    ORDER_COUNT,
    SETS,
    descend,
    exchange_primes,
    one_round,
    other_windows,
    smallest_prime,
)
from archgym_simulators.accelerator.forced import forced_splits, split_count
from archgym_simulators.accelerator.starts import fill_array
from archgym_simulators.accelerator.state import (
    BETTER,
    COST,
    DRAM_ORDER,
    GLB_ORDER,
    IN_DRAM,
    IN_PE,
    KEPT_PE,
    MOST_STARTS,
    SHAPE,
    Effort,
    Floats,
    Integers,
    Search,
    Template,
    copy,
    improves,
    price,
    restore,
    save,
)
from archgym_simulators.mapping.results import COUNTS, RESULTS


@loop_kernel
def _is_known(at: Search, count: int) -> bool:
    for place in range(count):
        same = True
        for i in range(SHAPE):
            same = same and at.starts[place, i] == at.mapping[i]
        if same:
            return True
    return False


@loop_kernel
def _insert_filling(at: Search, steps: float, count: int, most: int) -> int:
    """Put a filling among the best ``most`` by steps, earlier ones first among equals; how many there are now."""
    if _is_known(at, count) or (count == most and steps >= at.costs[count - 1]):
        return count
    place = min(count, most - 1)
    while place > 0 and at.costs[place - 1] > steps:
        at.costs[place] = at.costs[place - 1]
        copy(at.starts[place - 1], at.starts[place])
        place -= 1
    at.numbers[COST] = steps
    save(at, place)
    return min(count + 1, most)


@loop_kernel
def _fillings(at: Search, dims: Integers, hardware: Floats, template: Template, most: int) -> int:
    """The best ways to fill the array, in the first places; how many."""
    columns, rows = int(hardware[0]), int(hardware[1])
    found = 0
    for first_x in range(7):
        for first_y in range(7):
            if (first_x and template.along[0, first_x] < 0) or (first_y and template.along[1, first_y] < 0):
                continue
            for padded in range(2):
                steps = fill_array(
                    dims, template.along, columns, rows, first_x, first_y, padded == 1, at.shape, at.factors
                )
                found = _insert_filling(at, float(steps), found, most)
    return found


@loop_kernel
def _begin(at: Search, hardware: Floats, template: Template, order: int) -> None:
    """The first mapping of a filling: everything off the chip that may be there, everything kept."""
    for d in range(7):
        if not template.slots[d, IN_DRAM]:
            at.factors[d, IN_PE], at.factors[d, IN_DRAM] = at.factors[d, IN_DRAM], 1
    at.codes[DRAM_ORDER] = order
    for glb in range(ORDER_COUNT):
        if template.orders[ORDER_COUNT - 1 - glb]:
            at.codes[GLB_ORDER] = ORDER_COUNT - 1 - glb
    for level in range(2):
        for kept in range(SETS):
            if template.keeps[level, kept]:
                at.codes[KEPT_PE + level] = kept
    at.numbers[COST] = np.inf
    improves(at, hardware)


@loop_kernel
def _settle(at: Search, hardware: Floats, template: Template) -> None:
    """Descend until neither moves nor exchanges improve."""
    descend(at, hardware, template)
    while exchange_primes(at, hardware, template):
        descend(at, hardware, template)
    other_windows(at, hardware)


@loop_kernel
def _finals(at: Search, hardware: Floats, template: Template, starts: int, finalists: int) -> None:
    """Descend from the best starts; the best of all goes on."""
    best = MOST_STARTS
    at.costs[best] = np.inf
    for turn in range(min(finalists, starts)):
        first = 0
        for place in range(starts):
            if at.costs[place] < at.costs[first]:
                first = place
        restore(at, first)
        at.costs[first] = np.inf
        descend(at, hardware, template)
        if turn == 0 or at.numbers[COST] < at.costs[best]:
            save(at, best)
    restore(at, best)
    _settle(at, hardware, template)
    save(at, best)


@loop_kernel
def _kick(at: Search, hardware: Floats, template: Template, d: int, source: int, target: int) -> bool:
    """From the best mapping, one prime factor elsewhere, and down from there; whether that was better."""
    best = MOST_STARTS
    restore(at, best)
    if source == target or at.factors[d, source] == 1 or not template.slots[d, target]:
        return False
    prime = smallest_prime(at.factors[d, source])
    at.factors[d, source] //= prime
    at.factors[d, target] *= prime
    at.numbers[COST] = np.inf
    if improves(at, hardware):
        descend(at, hardware, template)
    if at.numbers[COST] < at.costs[best] * BETTER:
        save(at, best)
        return True
    return False


@loop_kernel
def _kicks(at: Search, hardware: Floats, template: Template) -> bool:
    """Every kick once; whether one of them was better."""
    improved = False
    for d in range(7):
        for source in range(5):
            for target in range(5):
                improved = _kick(at, hardware, template, d, source, target) or improved
    restore(at, MOST_STARTS)
    return improved


@loop_kernel
def search_layer(at: Search, dims: Integers, hardware: Floats, template: Template, effort: Effort) -> int:
    """Find a mapping of one layer: in ``at``, with its costs in ``at.result``; how many mappings were evaluated.

    Args:
        at: working memory; ``numbers[1]`` is the leakage in pJ a cycle.
        dims: (8,) of the layer and its stride.
        hardware: vector of `archgym_simulators.mapping.hardware.Hardware`.
        template: what the dataflow allows.
        effort: how long to search.
    """
    at.spent[0], at.spent[1] = 0, effort.evaluations
    at.shape[7] = dims[7]
    fillings = _fillings(at, dims, hardware, template, effort.fillings)
    # From the last filling to the first, so that no start takes the place of a filling that is still to come.
    for filling in range(fillings - 1, -1, -1):
        for order in range(effort.orders - 1, -1, -1):
            restore(at, filling)
            _begin(at, hardware, template, order * (ORDER_COUNT // 2 // effort.orders))
            one_round(at, hardware, template)
            save(at, filling * effort.orders + order)
    _finals(at, hardware, template, fillings * effort.orders, effort.finalists)
    turn = 0
    while turn < effort.kicks and _kicks(at, hardware, template):
        turn += 1
    going = split_count(dims) <= effort.forced
    while going:
        going = forced_splits(at, dims, hardware, template)
    _settle(at, hardware, template)
    spent = at.spent[0]
    # What does not fit has no costs, and must not show those of the layer before.
    for i in range(RESULTS):
        at.result[i] = 0.0
    for i in range(COUNTS):
        at.counts[i] = 0
    price(at, hardware)
    return int(spent)
