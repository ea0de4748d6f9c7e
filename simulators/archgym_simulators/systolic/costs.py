"""Area and energies of systolic arrays from their components."""

from __future__ import annotations

__all__ = ["REGISTERS_PER_PE", "area_mm2", "bank_table", "part_costs", "price"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import kernel
from archgym_simulators.components.parts import DRAM_PJ_PER_WORD, WORD_BYTES, Node, SramCost, sram_cost

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

REGISTERS_PER_PE = 3  # input, weight, partial sum


READ_PJ, WRITE_PJ, AREA_UM2, LEAK_UW = range(4)
"""Of a bank, in the table of `bank_table`."""


def bank_table(node: Node, sides: Integers, kibibytes: Integers) -> Floats:
    """Costs of one bank, (S, K, 4), of a buffer of ``kibibytes`` (K,) at a side of the array of ``sides`` (S,).

    A buffer has one 16-bit bank for each row or column that it feeds (inputs: rows; weights and outputs: columns), so
    that a larger array has more, smaller banks.
    """
    cost = sram_cost(node, (kibibytes[None, :] * (1024 // WORD_BYTES) / sides[:, None]).ravel())
    table = np.stack([cost.read_pj, cost.write_pj, cost.area_um2, cost.leak_uw], axis=1)
    return np.ascontiguousarray(table.reshape(len(sides), len(kibibytes), 4))


def part_costs(node: Node) -> Floats:
    """(4,): energy of a multiply-accumulate with its registers, which it reads and writes; leakage and area of a PE;
    energy of a word off the chip.
    """
    mac_pj = node.mac_pj + 2 * REGISTERS_PER_PE * node.register_pj
    area_um2 = node.mac_area_um2 + REGISTERS_PER_PE * node.register_area_um2
    return np.array([mac_pj, node.mac_leak_uw, area_um2, DRAM_PJ_PER_WORD])


@kernel
def price(
    rows: Integers,
    sides: Integers,
    counts: Integers,
    banks: Floats,
    parts: Floats,
    macs: int,
    period_ns: float,
    values: Floats,
    diagnostics: Floats,
) -> None:
    """Metrics of N designs from their counts, in ``values`` (N, 10), and its diagnostics (N, 6), in its order.

    What comes from off the chip is written to its buffer and read from it; outputs are read once more to leave.

    Args:
        rows: (N, 6) places of dataflow, rows, columns and the three buffers.
        sides: (S,) of the array.
        counts: (N, COUNTS) of `archgym_simulators.systolic.kernel.network_counts`.
        banks: (S, K, 4) of `bank_table`.
        parts: (4,) of `part_costs`.
        macs: of the workload.
        period_ns: of a cycle.
        values: out.
        diagnostics: out.
    """
    for i in range(len(rows)):
        height, width = sides[rows[i, 1]], sides[rows[i, 2]]
        pes = height * width
        inputs, weights = banks[rows[i, 1], rows[i, 3]], banks[rows[i, 2], rows[i, 4]]
        outputs = banks[rows[i, 2], rows[i, 5]]
        compute, ifmap, filters, writes, sums = counts[i, 0], counts[i, 1], counts[i, 2], counts[i, 3], counts[i, 4]
        from_ifmap, from_filters, back, out = counts[i, 5], counts[i, 6], counts[i, 7], counts[i, 8]
        words = from_ifmap + from_filters + back + out
        latency_ns = counts[i, 9] * period_ns
        energy = macs * parts[0]
        energy += ifmap * inputs[READ_PJ] + from_ifmap * inputs[WRITE_PJ]
        energy += filters * weights[READ_PJ] + from_filters * weights[WRITE_PJ]
        energy += (sums + out) * outputs[READ_PJ] + (writes + back) * outputs[WRITE_PJ]
        energy += words * parts[3]
        leak_uw = pes * parts[1] + height * inputs[LEAK_UW] + width * weights[LEAK_UW] + width * outputs[LEAK_UW]
        area_um2 = pes * parts[2] + height * inputs[AREA_UM2] + width * weights[AREA_UM2] + width * outputs[AREA_UM2]
        energy += leak_uw * 1e-3 * latency_ns  # pJ = mW x ns
        values[i, 0] = counts[i, 9]
        values[i, 1] = latency_ns
        values[i, 2] = energy
        values[i, 3] = area_um2 * 1e-6
        values[i, 4] = energy / latency_ns
        # A single PE that does a single product is over before the first cycle ends.
        values[i, 5] = macs / (max(compute, 1) * float(pes))
        values[i, 6] = counts[i, 9] - compute
        values[i, 7] = ifmap + filters + sums
        values[i, 8] = writes
        values[i, 9] = words * WORD_BYTES
        diagnostics[i, 0], diagnostics[i, 1], diagnostics[i, 2] = compute, ifmap, filters
        diagnostics[i, 3], diagnostics[i, 4], diagnostics[i, 5] = sums, from_ifmap, from_filters


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
