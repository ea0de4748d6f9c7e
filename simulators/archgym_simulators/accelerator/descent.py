"""Moves of the mapper: splits, orders, what is kept, single prime factors and exchanges of two; compiled.

A move that improves the mapping stays, any other is taken back.
"""

from __future__ import annotations

__all__ = [
    "ORDER_COUNT",
    "SETS",
    "choose_codes",
    "descend",
    "exchange_primes",
    "next_divisor",
    "one_round",
    "other_windows",
    "smallest_prime",
    "split_dim",
]

from archgym_simulators._jit import loop_kernel
from archgym_simulators.accelerator.state import (
    DRAM_ORDER,
    GLB_ORDER,
    IN_DRAM,
    IN_GLB,
    IN_PE,
    KEPT_GLB,
    KEPT_PE,
    Floats,
    Search,
    Template,
    improves,
)

ORDER_COUNT = 12
SETS = 8  # of tensors


@loop_kernel
def next_divisor(number: int, divisor: int) -> int:
    """The next larger divisor, number + 1 after the last."""
    if divisor == number:
        return number + 1
    if divisor * divisor < number:
        candidate = divisor + 1
        while candidate * candidate <= number:
            if number % candidate == 0:
                return candidate
            candidate += 1
        return number // divisor
    partner = number // divisor - 1
    while number % partner:
        partner -= 1
    return number // partner


@loop_kernel
def split_dim(at: Search, hardware: Floats, d: int) -> bool:
    """All ways to split what is not spread of a dimension over DRAM, global buffer and PE."""
    factors = at.factors[d]
    rest = factors[IN_DRAM] * factors[IN_GLB] * factors[IN_PE]
    best_glb, best_pe = factors[IN_GLB], factors[IN_PE]
    improved = False
    pe = 1
    while pe <= rest:
        glb = 1
        while glb <= rest // pe:
            factors[IN_PE], factors[IN_GLB], factors[IN_DRAM] = pe, glb, rest // pe // glb
            if improves(at, hardware):
                best_glb, best_pe, improved = glb, pe, True
            glb = next_divisor(rest // pe, glb)
        pe = next_divisor(rest, pe)
    factors[IN_PE], factors[IN_GLB], factors[IN_DRAM] = best_pe, best_glb, rest // best_pe // best_glb
    return improved


@loop_kernel
def choose_codes(at: Search, hardware: Floats, template: Template) -> bool:
    """All pairs of orders, then all pairs of sets that are kept."""
    improved = False
    best_glb, best_dram = at.codes[GLB_ORDER], at.codes[DRAM_ORDER]
    for glb in range(ORDER_COUNT // 2):
        for dram in range(ORDER_COUNT // 2):
            at.codes[GLB_ORDER], at.codes[DRAM_ORDER] = glb, dram
            if template.orders[glb] and improves(at, hardware):
                best_glb, best_dram, improved = glb, dram, True
    at.codes[GLB_ORDER], at.codes[DRAM_ORDER] = best_glb, best_dram
    best_pe, best_kept = at.codes[KEPT_PE], at.codes[KEPT_GLB]
    for pe in range(SETS):
        for kept in range(SETS):
            at.codes[KEPT_PE], at.codes[KEPT_GLB] = pe, kept
            if template.keeps[0, pe] and template.keeps[1, kept] and improves(at, hardware):
                best_pe, best_kept, improved = pe, kept, True
    at.codes[KEPT_PE], at.codes[KEPT_GLB] = best_pe, best_kept
    return improved


@loop_kernel
def one_round(at: Search, hardware: Floats, template: Template) -> bool:
    """Splits of every dimension, then orders and what is kept; whether anything improved."""
    improved = False
    for d in range(7):
        if template.slots[d, IN_DRAM]:
            improved = split_dim(at, hardware, d) or improved
    return choose_codes(at, hardware, template) or improved


@loop_kernel
def smallest_prime(number: int) -> int:
    """Of a number above 1."""
    prime = 2
    while prime * prime <= number:
        if number % prime == 0:
            return prime
        prime += 1
    return number


@loop_kernel
def _move_one(at: Search, hardware: Floats, d: int, source: int, target: int) -> bool:
    """Each prime factor of a dimension in a slot to another slot, once."""
    improved = False
    rest = at.factors[d, source]
    while rest > 1:
        prime = smallest_prime(rest)
        while rest % prime == 0:
            rest //= prime
        at.factors[d, source] //= prime
        at.factors[d, target] *= prime
        if improves(at, hardware):
            improved = True
        else:
            at.factors[d, source] *= prime
            at.factors[d, target] //= prime
    return improved


@loop_kernel
def _move_primes(at: Search, hardware: Floats, template: Template) -> bool:
    """Every move of one prime factor of one dimension between two slots, each kept where it improves."""
    improved = False
    for d in range(7):
        for source in range(5):
            for target in range(5):
                if source != target and template.slots[d, target]:
                    improved = _move_one(at, hardware, d, source, target) or improved
    return improved


@loop_kernel
def descend(at: Search, hardware: Floats, template: Template) -> None:
    """Rounds and moves of primes until nothing improves."""
    going = True
    while going and at.spent[0] < at.spent[1]:
        going = one_round(at, hardware, template)
        going = _move_primes(at, hardware, template) or going


@loop_kernel
def _exchange(at: Search, hardware: Floats, template: Template, d: int, e: int, source: int, target: int) -> bool:
    """One dimension gives a prime factor from ``source`` to ``target``, another one back."""
    rest = at.factors[d, source]
    while rest > 1:
        prime = smallest_prime(rest)
        while rest % prime == 0:
            rest //= prime
        back = at.factors[e, target]
        while back > 1 and at.factors[d, source] % prime == 0:
            other = smallest_prime(back)
            while back % other == 0:
                back //= other
            at.factors[d, source] //= prime
            at.factors[d, target] *= prime
            at.factors[e, target] //= other
            at.factors[e, source] *= other
            if improves(at, hardware):
                return True
            at.factors[d, source] *= prime
            at.factors[d, target] //= prime
            at.factors[e, target] *= other
            at.factors[e, source] //= other
    return False


@loop_kernel
def exchange_primes(at: Search, hardware: Floats, template: Template) -> bool:
    """The first exchange between two dimensions that improves."""
    for d in range(7):
        for e in range(7):
            for source in range(5):
                for target in range(5):
                    if d == e or source == target or at.factors[d, source] == 1 or at.factors[e, target] == 1:
                        continue
                    if not (template.slots[d, target] and template.slots[e, source]):
                        continue
                    if _exchange(at, hardware, template, d, e, source, target):
                        return True
    return False


@loop_kernel
def other_windows(at: Search, hardware: Floats) -> None:
    """The other order of the loops over rows and columns, at each level."""
    half = ORDER_COUNT // 2
    for level in range(2):
        code = at.codes[level]
        at.codes[level] = (code + half) % ORDER_COUNT
        if not improves(at, hardware):
            at.codes[level] = code
