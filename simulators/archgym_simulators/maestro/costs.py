"""Energy and area of an accelerator with buffers as large as a mapping needs.

Parts are those that accelerator families share (`archgym_simulators.components.parts`): 16-bit words, MACs from
Aladdin, SRAM from CACTI, LPDDR4. MAESTRO's own energy has no MACs and forgets L1 where there are clusters, so it is not
used.
"""

from __future__ import annotations

__all__ = ["L2_BANKS", "area_mm2", "energy_pj"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.components.parts import DRAM_PJ_PER_WORD, Node, SramCost, sram_cost
from archgym_simulators.maestro.model import MaestroResult

Floats = NDArray[np.float64]

L2_BANKS = 32
"""16-bit banks of L2: an access costs that of a bank."""


def energy_pj(node: Node, result: MaestroResult, *, pes: int, latency_ns: Floats) -> Floats:
    """Energy (N,): each MAC reads two operands and a partial sum from L1 and writes one back; buffers and MACs leak."""
    l1, l2 = _buffers(node, result)
    l1_writes = result.l1_weight_writes + result.l1_input_writes + result.macs
    l2_reads = result.l2_weight_reads + result.l2_input_reads + result.l2_output_reads + result.l2_output_writes
    # What L2 hands out has come in, and what comes back leaves.
    l2_writes = l2_reads
    leak_mw = 1e-3 * (pes * (node.mac_leak_uw + l1.leak_uw) + L2_BANKS * l2.leak_uw)
    dynamic = result.macs * node.mac_pj + 3 * result.macs * l1.read_pj + l1_writes * l1.write_pj
    dynamic = dynamic + l2_reads * l2.read_pj + l2_writes * l2.write_pj
    energy: Floats = dynamic + result.off_chip_words * DRAM_PJ_PER_WORD + leak_mw * latency_ns
    return energy


def area_mm2(node: Node, result: MaestroResult, *, pes: int) -> Floats:
    """Area (N,) of PEs with their L1s, and of L2; wires and control are left out."""
    l1, l2 = _buffers(node, result)
    area: Floats = 1e-6 * (pes * (node.mac_area_um2 + l1.area_um2) + L2_BANKS * l2.area_um2)
    return area


def _buffers(node: Node, result: MaestroResult) -> tuple[SramCost, SramCost]:
    """L1 and L2; a bank has at least the 16 words of the smallest macro."""
    l1 = np.maximum(result.l1_words, 16).astype(np.float64)
    l2 = np.maximum(result.l2_words / L2_BANKS, 16.0)
    return sram_cost(node, l1), sram_cost(node, l2)
