"""Energy and area of the parts of an accelerator with 16-bit words, by technology node.

Sources: SRAM from CACTI as shipped with hwcomponents_cacti 1.0.40, one bank with one port; arithmetic and registers
from Aladdin's tables in hwcomponents_library 1.0.58; LPDDR4 from hwcomponents_cacti. Figures between the tabulated
depths are interpolated on logarithmic axes; beyond 4,096 words, energies and areas continue with the exponents that fit
the deeper, wider macros of the same tables (read depth^0.61, write depth^0.49, area depth^0.96; mean error 12 % and
6 %), leakage in proportion to depth. Macros of 64 bits have figures of their own from 2,048 to 65,536 words; between
16 and 64 bits costs are interpolated, beyond 64 bits they grow as width^0.81 (read), width^0.77 (write) and width
(area, leakage), which is 17 % below CACTI's 128 bits x 65,536 (4 banks) and 43 % below its 256 bits x 131,072 (8 banks)
at 45 nm. Banks of one macro (CACTI, 64 bits x 16,384 in 32 banks: reads -14 %, writes +10 %, area +24 %) are left out.
"""

from __future__ import annotations

__all__ = ["DRAM_PJ_PER_WORD", "NODES", "WORD_BYTES", "Node", "SramCost", "sram_cost", "wide_sram_cost"]

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WORD_BYTES = 2
DRAM_PJ_PER_WORD = 8.0 * 16  # LPDDR4, 8 pJ a bit
SRAM_DEPTHS = (16.0, 64.0, 256.0, 512.0, 1024.0, 4096.0)
WIDE_DEPTHS = (2048.0, 4096.0, 16384.0, 65536.0)
_WIDE = 4  # 16-bit words of a 64-bit macro
_BY_WIDTH = {"read_pj": 0.81, "write_pj": 0.77, "area_um2": 1.0, "leak_uw": 1.0}
_BEYOND = {"read_pj": 0.61, "write_pj": 0.49, "area_um2": 0.96, "leak_uw": 1.0}


@dataclass(frozen=True)
class Node:
    """Parts at one technology node.

    Attributes:
        mac_pj: one 16-bit multiply-accumulate.
        mac_leak_uw: its leakage.
        mac_area_um2: its area.
        register_pj: one read or write of a 16-bit register.
        register_area_um2: its area.
        sram: by quantity, its values for a 16-bit bank of `SRAM_DEPTHS` words.
        wide_sram: the same for 64 bits and `WIDE_DEPTHS`.
    """

    mac_pj: float
    mac_leak_uw: float
    mac_area_um2: float
    register_pj: float
    register_area_um2: float
    sram: Mapping[str, tuple[float, ...]]
    wide_sram: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class SramCost:
    """One bank of each depth, (N,) each."""

    read_pj: Floats
    write_pj: Floats
    area_um2: Floats
    leak_uw: Floats


def sram_cost(node: Node, depth: Floats) -> SramCost:
    """Cost of one 16-bit bank of ``depth`` words (N,); banks below 16 words cost as much as one of 16."""
    return SramCost(**{name: _at(node.sram[name], depth, _BEYOND[name]) for name in _BEYOND})


def wide_sram_cost(node: Node, depth: Floats, *, width: int) -> SramCost:
    """Cost of an access to a macro of ``depth`` x ``width`` 16-bit words (N,), and its area and leakage."""
    costs = {}
    for name, exponent in _BEYOND.items():
        narrow = _at(node.sram[name], depth, exponent)
        # Shallow macros of 64 bits are not tabulated: they follow those of 16 bits.
        shallow = np.minimum(depth, WIDE_DEPTHS[0])
        shape = _at(node.sram[name], shallow, exponent) / _at(node.sram[name], np.full_like(depth, WIDE_DEPTHS[0]), 0.0)
        wide = _at(node.wide_sram[name], np.maximum(depth, WIDE_DEPTHS[0]), exponent, WIDE_DEPTHS) * shape
        share = min(np.log(width) / np.log(_WIDE), 1.0)
        costs[name] = narrow ** (1.0 - share) * wide**share * max(width / _WIDE, 1.0) ** _BY_WIDTH[name]
    return SramCost(**costs)


def _at(values: tuple[float, ...], depth: Floats, exponent: float, depths: tuple[float, ...] = SRAM_DEPTHS) -> Floats:
    inside = np.exp(np.interp(np.log(depth), np.log(depths), np.log(values)))
    return inside * np.maximum(depth / depths[-1], 1.0) ** exponent


NODES: dict[int, Node] = {
    45: Node(
        mac_pj=3.7688,
        mac_leak_uw=24.397,
        mac_area_um2=2523.35,
        register_pj=0.16571,
        register_area_um2=139.84,
        sram={
            "read_pj": (0.14805, 0.43652, 0.86042, 1.4507, 1.8601, 6.4857),
            "write_pj": (0.24363, 0.71834, 1.3426, 1.7128, 2.4259, 4.4639),
            "area_um2": (131.92, 527.68, 1715.95, 3610.04, 6590.3, 25008.9),
            "leak_uw": (0.0014574, 0.0058296, 0.017658, 0.037626, 0.070756, 0.23559),
        },
        wide_sram={
            "read_pj": (11.61, 17.042, 32.286, 68.349),
            "write_pj": (10.697, 15.398, 26.065, 51.346),
            "area_um2": (50742.0, 94859.7, 429589.0, 1644630.0),
            "leak_uw": (0.46917, 0.92391, 3.3406, 12.496),
        },
    ),
    28: Node(
        mac_pj=1.9343,
        mac_leak_uw=12.521,
        mac_area_um2=944.705,
        register_pj=0.085051,
        register_area_um2=52.3541,
        sram={
            "read_pj": (0.058973, 0.17388, 0.35638, 0.60994, 1.0968, 2.3533),
            "write_pj": (0.09895, 0.29176, 0.54933, 0.69371, 0.96217, 1.782),
            "area_um2": (52.8084, 211.233, 684.239, 1440.98, 2814.24, 11824.1),
            "leak_uw": (0.0066124, 0.02645, 0.073778, 0.14899, 0.24096, 0.82919),
        },
        wide_sram={
            "read_pj": (4.986, 6.4688, 13.854, 27.017),
            "write_pj": (4.3625, 5.718, 10.93, 22.376),
            "area_um2": (21428.3, 44640.6, 177904.0, 740131.0),
            "leak_uw": (1.6294, 3.1439, 11.203, 40.981),
        },
    ),
    16: Node(
        mac_pj=0.65407,
        mac_leak_uw=4.234,
        mac_area_um2=474.123,
        register_pj=0.028759,
        register_area_um2=26.2752,
        sram={
            "read_pj": (0.026946, 0.079451, 0.16845, 0.29305, 0.53314, 1.1453),
            "write_pj": (0.045014, 0.13273, 0.25011, 0.31386, 0.43226, 0.80104),
            "area_um2": (22.8675, 91.4702, 297.244, 625.593, 1222.31, 5136.44),
            "leak_uw": (0.0082876, 0.033151, 0.091004, 0.18148, 0.288, 0.97571),
        },
        wide_sram={
            "read_pj": (2.2545, 3.2291, 6.3127, 13.065),
            "write_pj": (1.9441, 2.6473, 5.2534, 10.419),
            "area_um2": (10962.6, 19414.3, 86428.4, 321582.0),
            "leak_uw": (1.9347, 3.6759, 13.164, 47.537),
        },
    ),
    7: Node(
        mac_pj=0.35543,
        mac_leak_uw=2.3008,
        mac_area_um2=149.01,
        register_pj=0.015628,
        register_area_um2=8.25792,
        sram={
            "read_pj": (0.017823, 0.052552, 0.11142, 0.19383, 0.35264, 0.75755),
            "write_pj": (0.029774, 0.087791, 0.16543, 0.2076, 0.28591, 0.52984),
            "area_um2": (10.0046, 40.0182, 130.044, 273.697, 534.759, 2247.19),
            "leak_uw": (0.0054818, 0.021927, 0.060193, 0.12004, 0.19049, 0.64537),
        },
        wide_sram={
            "read_pj": (1.4912, 2.1359, 4.1755, 8.6414),
            "write_pj": (1.2859, 1.751, 3.4748, 6.8914),
            "area_um2": (4796.15, 8493.77, 37812.4, 140692.0),
            "leak_uw": (1.2797, 2.4314, 8.707, 31.443),
        },
    ),
}
"""Parts by node in nm."""
