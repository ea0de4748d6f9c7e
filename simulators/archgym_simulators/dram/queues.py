"""What request queues cost: area, and power beside that of the memory.

Every entry of the request buffer, and every transaction that a queueing arbiter admits, is a word of flip-flops. Under
the FrFcfs schedulers each entry compares its row with the open one, and a matrix of n (n - 1) / 2 bits keeps the age of
n entries that share a part of the buffer. Cells are those of the NanGate 45 nm Open Cell Library, typical corner:
area and leakage as in its databook. Energies per bit are an assumption of that order, not fitted to anything: a bit
written costs 10 fJ, a bit compared 2 fJ, and an idle flip-flop behind its clock gate 1 fJ a cycle. Data buffers and the
arbitration logic itself are not counted.
"""

from __future__ import annotations

__all__ = ["QueueCost", "queue_cost"]

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.device import Device

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ENTRY_BITS = 64
FLIP_FLOP_UM2, FLIP_FLOP_NW = 4.522, 79.1  # DFF_X1
XNOR_UM2, XNOR_NW = 1.596, 36.4  # XNOR2_X1
NAND_UM2, NAND_NW = 0.798, 17.4  # NAND2_X1
WRITE_FJ, COMPARE_FJ, IDLE_FJ = 10.0, 2.0, 1.0

FIFO_SCHEDULER, SIMPLE_ARBITER = 0, 0
BANKWISE, READ_WRITE = 0, 1


@dataclass(frozen=True, eq=False)
class QueueCost:
    """Cost of the queues of N designs, each (N,)."""

    area_um2: Floats
    static_mw: Floats
    request_pj: Floats

    def energy_pj(self, requests: int, time_ns: Floats) -> Floats:
        """Energy over a run of that many requests and that long."""
        return self.static_mw * time_ns + self.request_pj * requests


def queue_cost(designs: Ints, device: Device, channels: int) -> QueueCost:
    """Apply the model to designs (N, >= 10) in the kernel's codes.

    Args:
        designs: columns as in `controller.DesignArrays`.
        device: of one channel.
        channels: each with buffers of its own; the arbiter is one for all.
    """
    scheduler, buffer, size, arbiter, most_active = (designs[:, column] for column in (1, 2, 3, 8, 9))
    parts = np.where(buffer == BANKWISE, device.ranks * device.banks, np.where(buffer == READ_WRITE, 2, 1)) * channels
    slots = np.where(arbiter == SIMPLE_ARBITER, 0, most_active)
    searches = scheduler != FIFO_SCHEDULER
    row_bits = (device.rows - 1).bit_length()
    ages = np.where(searches, parts * size * (size - 1) // 2, 0)
    compared = np.where(searches, parts * size * row_bits, 0)
    flip_flops = (parts * size + slots) * ENTRY_BITS + ages
    gates = compared + ages
    area = flip_flops * FLIP_FLOP_UM2 + compared * XNOR_UM2 + gates * NAND_UM2
    leakage_nw = flip_flops * FLIP_FLOP_NW + compared * XNOR_NW + gates * NAND_NW
    clock_nw = flip_flops * (IDLE_FJ * device.clock_mhz)
    words = np.where(arbiter == SIMPLE_ARBITER, 1, 2)
    request_fj = words * (ENTRY_BITS * WRITE_FJ) + np.where(searches, size * row_bits, 0) * COMPARE_FJ
    return QueueCost(area, (leakage_nw + clock_nw) * 1e-6, request_fj * 1e-3)
