"""From parts and levels to area, delay and energy, one design at a time."""

from __future__ import annotations

__all__ = ["price_one", "shortest_period", "tightness"]

from math import exp

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel
from archgym_simulators.tpe.dots import FOUR_TWO, FOUR_TWO_LEVELS
from archgym_simulators.tpe.layout import COMPRESSOR, CUTS
from archgym_simulators.tpe.parts import REGISTERS
from archgym_simulators.tpe.paths import (
    L_ADDERS,
    L_CANDIDATES,
    L_CANDIDATES_RIPPLE,
    L_CARRY,
    L_CHAINS,
    L_DIGIT_FANOUT,
    L_ENCODE,
    L_ENCODE_CARRY,
    L_ENCODE_RIPPLE,
    L_FANOUT,
    L_MUX,
    L_RIPPLE,
    L_SELECT,
    LOOP_ADDERS,
    LOOP_CARRY,
    LOOP_RIPPLE,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_MOST_PIECES = 64
_HALVINGS = 24
# Places in `Library.numbers`.
GATE_UM2, REGISTER_UM2, GATE_GROWTH, GATE_DECAY, REGISTER_GROWTH, REGISTER_DECAY = range(6)
REGISTER_NS, ENCODE_NS, SELECT_NS, ADDER_NS, CARRY_NS, RIPPLE_NS, CHAIN_NS, MUX_NS, FANOUT_NS = range(6, 15)
REGISTER_FJ, GATE_FJ, LEAKAGE_NW = range(15, 18)


@inner_kernel
def shortest_period(path: Floats, cuts: int, level: float, library: Floats) -> float:
    """Shortest period in ns: registers, and the longest stretch of the way where it is cut at the best places.

    Cuts are between encoder, selection, levels of compressors and shifters, and adders, never within one of them nor in
    the loop, which is the last piece. A level of compressors is ``level`` full adders deep.
    """
    pieces = np.zeros((_MOST_PIECES, 2))
    count, overlap = _pieces(path, level, library, pieces)
    whole = _longest_stretch(pieces, count, overlap, library, 0, 0.0)
    if cuts == 0:
        return float(library[REGISTER_NS] + whole)
    low, high = 0.0, whole
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if _longest_stretch(pieces, count, overlap, library, cuts, middle) <= middle * (1.0 + 1e-12):
            high = middle
        else:
            low = middle
    return float(library[REGISTER_NS] + high)


@inner_kernel
def _pieces(path: Floats, level: float, library: Floats, pieces: Floats) -> tuple[int, float]:
    """Fill in what a way can be cut between, from operands to loop: delays, and bits of ripple adders, (count, 2).

    Returns their number, and what the second, candidates and their selection, takes less where no cut is before it,
    since candidates are made while the first, the encoder, works.
    """
    carry = library[CARRY_NS]
    pieces[0, 0] = path[L_ENCODE] * library[ENCODE_NS] + path[L_ENCODE_CARRY] * carry
    pieces[0, 1] = path[L_ENCODE_RIPPLE]
    candidates = path[L_CANDIDATES] * carry
    fanout = (path[L_FANOUT] + path[L_DIGIT_FANOUT]) * library[FANOUT_NS]
    pieces[1, 0] = candidates + path[L_SELECT] * library[SELECT_NS] + fanout
    pieces[1, 1] = path[L_CANDIDATES_RIPPLE]
    count = 2
    before = max(path[L_ADDERS] - path[LOOP_ADDERS], 0.0)
    for number, step, delay in ((before, level, library[ADDER_NS]), (path[L_MUX], 1.0, library[MUX_NS])):
        while number > 0.0 and count < _MOST_PIECES - 1:
            pieces[count, 0] = min(number, step) * delay
            number -= step
            count += 1
    chains = path[L_CHAINS]
    while chains > 0.0 and count < _MOST_PIECES - 1:
        pieces[count] = path[L_CARRY] / path[L_CHAINS] * carry, path[L_RIPPLE]
        chains -= 1.0
        count += 1
    pieces[count, 0] = min(path[LOOP_ADDERS], path[L_ADDERS]) * library[ADDER_NS] + path[LOOP_CARRY] * carry
    pieces[count, 1] = path[LOOP_RIPPLE]
    return count + 1, min(candidates, pieces[0, 0])


@inner_kernel
def _longest_stretch(pieces: Floats, count: int, overlap: float, library: Floats, cuts: int, limit: float) -> float:
    """Longest stretch where a register is put before every piece that would exceed ``limit``, while there are any.

    Of ripple adders in a row the longest counts, and for each other one that its first bit waits for: it adds low bits
    while the one before it still works on high ones.
    """
    longest, used, first = 0.0, 0, 0
    plain, bits, chains = 0.0, 0.0, 0.0
    for piece in range(count):
        for attempt in range(2):  # in the stretch so far, or else behind a new register
            together = overlap if piece == 1 and first == 0 else 0.0
            adds = 1.0 if pieces[piece, 1] > 0.0 else 0.0
            delay = plain + pieces[piece, 0] - together
            if chains + adds > 0.0:
                delay += max(bits, pieces[piece, 1]) * library[RIPPLE_NS] + (chains + adds - 1.0) * library[CHAIN_NS]
            if attempt == 0 and delay > limit * (1.0 + 1e-12) and used < cuts and piece > first:
                used += 1
                first, plain, bits, chains = piece, 0.0, 0.0, 0.0
            else:
                break
        plain += pieces[piece, 0] - together
        bits, chains = max(bits, pieces[piece, 1]), chains + adds
        longest = max(longest, delay)
    return longest


@inner_kernel
def tightness(ratio: float, growth: float, decay: float) -> float:
    """How much larger a circuit is at ``ratio`` times its shortest period; below it, as at it."""
    return 1.0 + growth * exp(-(max(ratio, 1.0) - 1.0) / decay)


@inner_kernel
def price_one(
    design: Integers, gates: Floats, path: Floats, library: Floats, period: float, wire: float, areas: Floats
) -> float:
    """Fill the areas in um2 of the parts of one design and return its shortest period in ns.

    ``wire`` stretches all delays, for layouts whose wires were estimated pessimistically.
    """
    level = FOUR_TWO_LEVELS if design[COMPRESSOR] == FOUR_TWO else 1.0
    shortest = wire * shortest_period(path, design[CUTS], level, library)
    ratio = period / shortest
    gate = library[GATE_UM2] * tightness(ratio, library[GATE_GROWTH], library[GATE_DECAY])
    for part in range(len(gates)):
        areas[part] = gates[part] * gate
    retimed = library[REGISTER_GROWTH] if design[1] * design[2] * design[3] > 1 else 0.0
    growth = tightness(ratio, retimed, library[REGISTER_DECAY])
    areas[REGISTERS] = gates[REGISTERS] * library[REGISTER_UM2] * growth
    return shortest
