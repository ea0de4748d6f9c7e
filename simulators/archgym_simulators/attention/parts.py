"""Energies and areas of an attention accelerator at 45 nm, 16-bit words.

From the energy and area tables of FuseMax's artifact (Nayak et al., MICRO 2024): arithmetic, register files, the 16 MiB
L3 with rows of 4,096 bits, HBM2, and the areas of its arrays. Extrapolated by us: L3 at other sizes, by the exponents
that fit CACTI's macros (read capacity^0.61, write capacity^0.49, area 0.539 um2 width depth^0.96); the PE of an array
that does products only, whose register file shrinks as read energy^(1/0.61). Assumed, without a source: the area of the
memory interface.
"""

from __future__ import annotations

__all__ = ["PARTS", "WORD_BYTES", "Parts", "area_mm2"]

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WORD_BYTES = 2


class Parts(NamedTuple):
    """Energies in pJ of one operation on 16-bit words; a tuple, so that kernels take it.

    Attributes:
        mac: floating-point multiply-accumulate.
        add: addition or subtraction.
        maximum: comparison.
        exponential: of a dedicated unit, in the 1D array.
        divide: division.
        pe_register: one write and one read of the register file of a PE that does softmax.
        plain_register: the same of a PE that does products only.
        l3_read: one word read from an L3 of 16 MiB.
        l3_write: one word written to it.
        dram_byte: one byte of HBM2, in either direction.
    """

    mac: float = 17.1645
    add: float = 8.3395
    maximum: float = 0.028036
    exponential: float = 94.6475
    divide: float = 36.251153
    pe_register: float = 0.653431 + 0.56957
    plain_register: float = 0.291512 + 0.225259
    l3_read: float = 484.97271 / 256
    l3_write: float = 451.30271 / 256
    dram_byte: float = 249.6 / 8


PARTS = Parts()

PE_UM2 = 18_432.0
"""A PE with MAC, comparison and deep register file: mean of the artifact's 256 x 256 array."""
_MAC_UM2, _REST_UM2 = 1545.0, 1030.0 + 49.28944
_REGISTER_SHRINKS = (0.291512 / 0.653431) ** (1.0 / 0.61)
PLAIN_PE_UM2 = _MAC_UM2 + (PE_UM2 - _MAC_UM2 - _REST_UM2) * _REGISTER_SHRINKS
"""A PE for products only; extrapolated."""
LANE_UM2, LANE_PER_ROW_UM2 = 45_200.0, 21.0
"""A lane of the 1D array and what it grows by for every row of the 2D array; fitted to the artifact's 16..256."""
_L3_UM2, _L3_ROW_BITS, _L3_DEPTH_EXPONENT = 0.539, 4096, 0.96
INTERFACE_MM2_PER_GIB_S = 0.1
"""Memory controllers and pins; an assumption that keeps bandwidth from being free."""


def area_mm2(plain: Any, side: Any, lanes: Any, l3_bytes: Any, bandwidth_gib_s: Any) -> NDArray[np.float64]:
    """Area (N,) of both arrays, L3 and memory interface.

    Args:
        plain: (N,) whether PEs do products only.
        side: (N,) rows and columns of the 2D array.
        lanes: (N,) of the 1D array.
        l3_bytes: (N,) on-chip memory.
        bandwidth_gib_s: (N,) off the chip.
    """
    pes = side * side * np.where(plain, PLAIN_PE_UM2, PE_UM2)
    vector = lanes * (LANE_UM2 + LANE_PER_ROW_UM2 * side)
    depth = l3_bytes * (8 / _L3_ROW_BITS)
    memory = _L3_UM2 * _L3_ROW_BITS * depth**_L3_DEPTH_EXPONENT
    area: NDArray[np.float64] = (pes + vector + memory) * 1e-6 + bandwidth_gib_s * INTERFACE_MM2_PER_GIB_S
    return area
