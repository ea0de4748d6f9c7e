"""From parts and levels to area, delay and energy, one design at a time."""

from __future__ import annotations

__all__ = ["AREA_PARTS", "price_one", "shortest_period", "tightness"]

from math import exp

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel
from archgym_simulators.tpe.layout import CUTS
from archgym_simulators.tpe.parts import (
    L_ADDERS,
    L_CARRY,
    L_ENCODE,
    L_FANOUT,
    L_MUX,
    L_RIPPLE,
    L_SELECT,
    LOOP_ADDERS,
    LOOP_CARRY,
    LOOP_RIPPLE,
    PARTS,
    REGISTERS,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

AREA_PARTS = PARTS
# Places in `Library.numbers`.
GATE_UM2, REGISTER_UM2, GATE_GROWTH, GATE_DECAY, REGISTER_GROWTH, REGISTER_DECAY = range(6)
REGISTER_NS, ENCODE_NS, SELECT_NS, ADDER_NS, CARRY_NS, RIPPLE_NS, MUX_NS, FANOUT_NS = range(6, 14)
REGISTER_FJ, GATE_FJ, LEAKAGE_NW = range(14, 17)


@inner_kernel
def shortest_period(path: Floats, cuts: int, library: Floats) -> float:
    """Shortest period in ns: registers, and the loop or an even share of the whole way, whichever is longer."""
    way = path[L_ENCODE] * library[ENCODE_NS] + path[L_SELECT] * library[SELECT_NS]
    way += path[L_ADDERS] * library[ADDER_NS] + path[L_CARRY] * library[CARRY_NS]
    way += path[L_RIPPLE] * library[RIPPLE_NS] + path[L_MUX] * library[MUX_NS] + path[L_FANOUT] * library[FANOUT_NS]
    loop = path[LOOP_ADDERS] * library[ADDER_NS] + path[LOOP_CARRY] * library[CARRY_NS]
    loop += path[LOOP_RIPPLE] * library[RIPPLE_NS]
    return float(library[REGISTER_NS] + max(loop, way / (cuts + 1.0)))


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
