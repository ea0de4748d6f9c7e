"""From parts and levels to area, delay and energy, one design at a time."""

from __future__ import annotations

__all__ = ["price_one", "shortest_period", "tightness"]

from math import exp

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel
from archgym_simulators.tpe.layout import CUTS
from archgym_simulators.tpe.parts import (
    L_ADDERS,
    L_CARRY,
    L_CHAINS,
    L_ENCODE,
    L_FANOUT,
    L_MUX,
    L_RIPPLE,
    L_SELECT,
    LOOP_ADDERS,
    LOOP_CARRY,
    LOOP_RIPPLE,
    REGISTERS,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_MOST_PIECES = 64
_HALVINGS = 24
# Places in `Library.numbers`.
GATE_UM2, REGISTER_UM2, GATE_GROWTH, GATE_DECAY, REGISTER_GROWTH, REGISTER_DECAY = range(6)
REGISTER_NS, ENCODE_NS, SELECT_NS, ADDER_NS, CARRY_NS, RIPPLE_NS, MUX_NS, FANOUT_NS = range(6, 14)
REGISTER_FJ, GATE_FJ, LEAKAGE_NW = range(14, 17)


@inner_kernel
def shortest_period(path: Floats, cuts: int, library: Floats) -> float:
    """Shortest period in ns: registers, and the longest piece of the way where it is cut at the best places.

    Cuts are between encoder, selection, levels of compressors and shifters, and adders, never within one of them nor in
    the loop, which is the last piece.
    """
    pieces = np.empty(_MOST_PIECES)
    count = _pieces(path, library, pieces)
    longest, whole = 0.0, 0.0
    for piece in range(count):
        longest = max(longest, pieces[piece])
        whole += pieces[piece]
    if cuts == 0:
        return float(library[REGISTER_NS] + whole)
    low, high = max(longest, whole / (cuts + 1.0)), whole
    if not _fits(pieces, count, cuts, low):
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            if _fits(pieces, count, cuts, middle):
                high = middle
            else:
                low = middle
        low = high
    return float(library[REGISTER_NS] + low)


@inner_kernel
def _pieces(path: Floats, library: Floats, pieces: Floats) -> int:
    """Fill in the delays between which a way can be cut, from operands to loop; their number."""
    pieces[0] = path[L_ENCODE] * library[ENCODE_NS]
    pieces[1] = path[L_SELECT] * library[SELECT_NS] + path[L_FANOUT] * library[FANOUT_NS]
    count = 2
    before = max(path[L_ADDERS] - path[LOOP_ADDERS], 0.0)
    chains = path[L_CARRY] - path[LOOP_CARRY], path[L_RIPPLE] - path[LOOP_RIPPLE]
    apart = chains[0] * library[CARRY_NS] + chains[1] * library[RIPPLE_NS]
    others = path[L_CHAINS] - (1.0 if path[LOOP_CARRY] + path[LOOP_RIPPLE] > 0.0 else 0.0)
    for number, delay in ((before, library[ADDER_NS]), (path[L_MUX], library[MUX_NS])):
        while number > 0.0 and count < _MOST_PIECES - 1:
            pieces[count] = min(number, 1.0) * delay
            number -= 1.0
            count += 1
    left = others
    while apart > 0.0 and left > 0.0 and count < _MOST_PIECES - 1:
        pieces[count] = apart / others
        left -= 1.0
        count += 1
    loop = min(path[LOOP_ADDERS], path[L_ADDERS]) * library[ADDER_NS]
    pieces[count] = loop + path[LOOP_CARRY] * library[CARRY_NS] + path[LOOP_RIPPLE] * library[RIPPLE_NS]
    return count + 1


@inner_kernel
def _fits(pieces: Floats, count: int, cuts: int, limit: float) -> bool:
    """Whether ``cuts`` registers suffice to keep every stretch of pieces within ``limit``."""
    stretch, used = 0.0, 0
    for piece in range(count):
        if stretch + pieces[piece] > limit * (1.0 + 1e-12):
            used += 1
            stretch = 0.0
        stretch += pieces[piece]
    return used <= cuts


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
    shortest = wire * shortest_period(path, design[CUTS], library)
    ratio = period / shortest
    gate = library[GATE_UM2] * tightness(ratio, library[GATE_GROWTH], library[GATE_DECAY])
    for part in range(len(gates)):
        areas[part] = gates[part] * gate
    retimed = library[REGISTER_GROWTH] if design[1] * design[2] * design[3] > 1 else 0.0
    growth = tightness(ratio, retimed, library[REGISTER_DECAY])
    areas[REGISTERS] = gates[REGISTERS] * library[REGISTER_UM2] * growth
    return shortest
