"""Area and energies of systolic arrays from their components."""

from __future__ import annotations

__all__ = ["REGISTERS_PER_PE", "UnitCosts", "area_mm2", "unit_costs"]

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.components.parts import WORD_BYTES, Node, SramCost, sram_cost

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

REGISTERS_PER_PE = 3  # input, weight, partial sum


@dataclass(frozen=True)
class UnitCosts:
    """Energy of one event in pJ, and leakage in mW, of N designs; (N, 3) is input, weight, output buffer.

    Attributes:
        mac_pj: one multiply-accumulate with its registers, the same for all.
        read_pj: one word read from each buffer (N, 3).
        write_pj: one word written to each buffer (N, 3).
        leak_mw: of the whole chip (N,).
    """

    mac_pj: float
    read_pj: Floats
    write_pj: Floats
    leak_mw: Floats


def unit_costs(node: Node, rows: Integers, columns: Integers, kibibytes: Integers) -> UnitCosts:
    """Costs of arrays of ``rows`` x ``columns`` (N,) with buffers of ``kibibytes`` (N, 3).

    A buffer has one 16-bit bank for each row or column that it feeds (inputs: rows; weights and outputs: columns), so
    that a larger array has more, smaller banks. Every multiply-accumulate reads and writes three registers.
    """
    banks, cost = _banks(node, rows, columns, kibibytes)
    leak = banks * cost.leak_uw
    leak_uw = rows * columns * node.mac_leak_uw + leak[:, 0] + leak[:, 1] + leak[:, 2]
    mac_pj = node.mac_pj + 2 * REGISTERS_PER_PE * node.register_pj
    return UnitCosts(mac_pj, cost.read_pj, cost.write_pj, leak_uw * 1e-3)


def area_mm2(node: Node, rows: Integers, columns: Integers, kibibytes: Integers) -> Floats:
    """Area (N,) of PEs and buffers; wires and control are left out."""
    banks, cost = _banks(node, rows, columns, kibibytes)
    pe = node.mac_area_um2 + REGISTERS_PER_PE * node.register_area_um2
    memory = banks * cost.area_um2  # (N, 3)
    area: Floats = (rows * columns * pe + memory[:, 0] + memory[:, 1] + memory[:, 2]) * 1e-6
    return area


def _banks(node: Node, rows: Integers, columns: Integers, kibibytes: Integers) -> tuple[Integers, SramCost]:
    banks = np.stack([rows, columns, columns], axis=1)
    return banks, sram_cost(node, kibibytes * (1024 // WORD_BYTES) / banks)
