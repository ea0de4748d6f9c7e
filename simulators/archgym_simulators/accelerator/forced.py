"""Splits of one dimension that are forced while all else follows: pairs of changes that pay off together; compiled.

For layers with few splits: of a layer of many, most of the time would go into what is hopeless.
"""

from __future__ import annotations

__all__ = ["forced_splits", "split_count"]

import numpy as np

from archgym_simulators._jit import loop_kernel
from archgym_simulators.accelerator.descent import choose_codes, descend, next_divisor, split_dim
from archgym_simulators.accelerator.state import (
    BETTER,
    COST,
    IN_DRAM,
    IN_GLB,
    IN_PE,
    IN_X,
    IN_Y,
    MOST_STARTS,
    SHAPE,
    Bools,
    Floats,
    Integers,
    Search,
    Template,
    improves,
    restore,
    save,
)

_TURNS = (IN_GLB, IN_PE, IN_Y, IN_X)
_HOPELESS = 2.0
"""How many times the least cost a forced split may cost before other dimensions follow it."""


@loop_kernel
def split_count(dims: Integers) -> int:
    """In how many ways the dimensions of a layer, each by itself, are products of five factors, all together."""
    total = 0
    for d in range(7):
        number, prime, count = dims[d], 2, 1
        while number > 1:
            times = 0
            while number % prime == 0:
                number //= prime
                times += 1
            count = count * (times + 4) * (times + 3) * (times + 2) * (times + 1) // 24
            prime += 1
        total += count
    return total


@loop_kernel
def _next_split(split: Integers) -> bool:
    """Go on to the next split (5,) of a dimension; false, and back at the first, after the last."""
    for slot in _TURNS:
        room = split[slot] * split[IN_DRAM]
        split[slot] = next_divisor(room, split[slot])
        if split[slot] <= room:
            split[IN_DRAM] = room // split[slot]
            return True
        split[slot], split[IN_DRAM] = 1, room
    return False


@loop_kernel
def _is_allowed(split: Integers, slots: Bools) -> bool:
    above = split[IN_DRAM] * split[IN_GLB] == 1 or slots[IN_DRAM]
    return bool(above and (split[IN_X] == 1 or slots[IN_X]) and (split[IN_Y] == 1 or slots[IN_Y]))


@loop_kernel
def _make_room(at: Search, dims: Integers, hardware: Floats, template: Template, forced: int) -> None:
    """Take other dimensions off a side of the array that has become too short, and their padding with them."""
    for slot in (IN_X, IN_Y):
        used = 1
        for d in range(7):
            used *= at.factors[d, slot]
        for d in range(7):
            if d != forced and at.factors[d, slot] > 1 and used > hardware[slot - IN_X]:
                at.shape[d] = dims[d]
                for place in range(5):
                    at.factors[d, place] = 1
                at.factors[d, IN_DRAM if template.slots[d, IN_DRAM] else IN_PE] = dims[d]


@loop_kernel
def _follow(at: Search, hardware: Floats, template: Template, forced: int) -> bool:
    """All but the forced dimension descends; then all does, if that is better than the best, which it becomes."""
    best = MOST_STARTS
    at.numbers[COST] = np.inf
    improves(at, hardware)
    choose_codes(at, hardware, template)
    going = at.numbers[COST] <= at.costs[best] * _HOPELESS
    while going:
        going = False
        for d in range(7):
            if d != forced and template.slots[d, IN_DRAM]:
                going = split_dim(at, hardware, d) or going
        going = going and choose_codes(at, hardware, template)
    if at.numbers[COST] >= at.costs[best] * BETTER:
        return False
    descend(at, hardware, template)
    save(at, best)
    return True


@loop_kernel
def _force(at: Search, dims: Integers, hardware: Floats, template: Template, d: int, bound: int) -> bool:
    """Every split of one dimension, as it is or padded to ``bound``, forced on the best mapping."""
    improved = False
    split = at.split
    for slot in range(5):
        split[slot] = 1
    split[IN_DRAM] = bound
    going = True
    while going and at.spent[0] < at.spent[1]:
        if _is_allowed(split, template.slots[d]):
            restore(at, MOST_STARTS)
            at.shape[d] = bound
            for slot in range(5):
                at.factors[d, slot] = split[slot]
            _make_room(at, dims, hardware, template, d)
            improved = _follow(at, hardware, template, d) or improved
        going = _next_split(split)
    return improved


@loop_kernel
def forced_splits(at: Search, dims: Integers, hardware: Floats, template: Template) -> bool:
    """Every split of every dimension forced on the best mapping; whether something better was found."""
    improved = False
    for d in range(7):
        improved = _force(at, dims, hardware, template, d, dims[d]) or improved
        padded = at.starts[MOST_STARTS, SHAPE + d]
        if padded != dims[d]:
            improved = _force(at, dims, hardware, template, d, padded) or improved
    restore(at, MOST_STARTS)
    return improved
