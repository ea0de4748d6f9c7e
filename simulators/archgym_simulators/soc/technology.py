"""The block library of FARSI, and the constants that the realistic rules add to it.

FARSI's figures are those of its published database (facebookresearch/Project_FARSI, commit ce59c96, MIT licence,
``specs/database_data``): energies and areas of a 40 nm class library, times the scale factors below.
"""

from __future__ import annotations

__all__ = [
    "BANK_PORT_BYTES",
    "BITS_PER_BYTE",
    "BURST_BYTES",
    "CLOCKS_MHZ",
    "CPU_AREA_M2",
    "CPU_INSTRUCTIONS_PER_CYCLE",
    "CPU_INSTRUCTIONS_PER_J",
    "CPU_RATE",
    "ENERGY_SCALE",
    "LOGIC_AREA_SCALE",
    "LOGIC_LEAKAGE_W_PER_M2",
    "MEMORY_AREA_SCALE",
    "MEMORY_BLOCK_BYTES",
    "MOST_COPIES",
    "REFRESH_PERIOD_S",
    "SMALLEST_MEMORY_BYTES",
    "SRAM_LEAKAGE_W_PER_BYTE",
    "WIDTHS_BYTES",
    "WINDOW_S",
    "WIRE_J_PER_BIT_M",
    "WIRE_PITCH_M",
    "memory_table",
    "relative_energy",
]

import csv
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

# ---- FARSI's library ---------------------------------------------------------------------------------------------

CPU_INSTRUCTIONS_PER_CYCLE = 2.0
CPU_RATE = 1e9 * CPU_INSTRUCTIONS_PER_CYCLE
"""Instructions a second of the reference processor, a Cortex-A53 at 1 GHz."""
CPU_INSTRUCTIONS_PER_J = 47_019_607_843.0
CPU_AREA_M2 = 6.5e-7

CLOCKS_MHZ = (100, 400, 600, 800)
"""Clocks of accelerators, buses and memories: ArchGym's settings of FARSI's database."""
WIDTHS_BYTES = (4, 8, 16, 32, 64, 128)
MOST_COPIES = 2**15
"""Accelerators come with 1, 2, 4, ... copies of their loop body up to this, and fully unrolled."""

ENERGY_SCALE = 0.064  # of everything but processors, from the library's 40 nm to FARSI's target node
LOGIC_AREA_SCALE = 0.0374
MEMORY_AREA_SCALE = 0.07

BURST_BYTES = 1024
MEMORY_BLOCK_BYTES = 256_000
SMALLEST_MEMORY_BYTES = 2048
WINDOW_S = 10e-3
"""Power is the largest mean over a window of this length."""

# ---- what the realistic rules add --------------------------------------------------------------------------------

WIRE_J_PER_BIT_M = 150e-12 / (256 * 10e-3)
"""Energy of a repeated on-chip wire: 150 pJ for 256 bits over 10 mm, Keckler et al., "GPUs and the Future of Parallel
Computing", IEEE Micro 31(5), 2011, table 1, low-power 10 nm. 0.059 pJ/bit/mm lies within the 0.018-0.11 pJ/bit/mm of
the DARPA Exascale study of 2008."""

WIRE_PITCH_M = 80e-9
"""Pitch of the upper routing layers of ASAP7 (Clark et al., Microelectronics Journal 53, 2016)."""

_NOMINAL_V = 0.7  # ASAP7
_OFF_CURRENT_A = 1e-12  # ASAP7, a fin of its least leaky device at 25 degrees: enough for 800 MHz
_OFF_FINS_SRAM = 3  # of the six transistors of a cell, each of one fin, three are off
_OFF_FINS_COLUMN = 3  # three n and three p fins a column of a 7.5-track cell, half of them off
_COLUMN_M2 = 54e-9 * 270e-9  # ASAP7: contacted gate pitch, cell height
_UTILISATION = 0.7  # share of a placed block that is cells: our assumption

BITS_PER_BYTE = 8
SRAM_LEAKAGE_W_PER_BYTE = BITS_PER_BYTE * _OFF_FINS_SRAM * _OFF_CURRENT_A * _NOMINAL_V
LOGIC_LEAKAGE_W_PER_M2 = _OFF_FINS_COLUMN * _OFF_CURRENT_A * _NOMINAL_V * _UTILISATION / _COLUMN_M2

REFRESH_PERIOD_S = 64e-3
"""JEDEC (JESD79): every DRAM cell is refreshed in 64 ms; a refresh is a read whose data goes nowhere."""

BANK_PORT_BYTES = 16
"""Port of the arrays in the memory table: a wider memory is made of several arrays side by side."""

# Operating points of a Cortex-A53 SoC in a 28 nm process: HiSilicon Hi6220, arch/arm64/boot/dts/hisilicon/hi6220.dtsi
# of Linux. Our fastest clock stands where its fastest stands.
_OPERATING_MHZ = (208.0, 432.0, 729.0, 960.0, 1200.0)
_OPERATING_V = (1.04, 1.04, 1.09, 1.18, 1.33)


def relative_energy(clock_mhz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Switching energy at a clock relative to the fastest, (V / Vmax)^2, for clocks of any shape."""
    scaled = clock_mhz * (_OPERATING_MHZ[-1] / CLOCKS_MHZ[-1])
    volts = np.interp(scaled, _OPERATING_MHZ, _OPERATING_V)
    return np.asarray((volts / _OPERATING_V[-1]) ** 2)


@cache
def memory_table() -> NDArray[np.float64]:
    """Read energy (J/byte), write energy (J/byte) and area (m2) of SRAM and DRAM by size: (2, blocks, 3), read-only.

    ``cacti.csv`` holds what CACTI (the version that ArchGym ships) prints for k * 256,000 bytes: 40 nm, 16-byte port,
    32-byte lines, 2 ways, one read-write port, one bank, 360 K; SRAM of itrs-lop cells, DRAM of comm-dram cells.
    """
    text = resources.files("archgym_simulators.soc").joinpath("cacti.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    table = np.empty((2, len(rows), 3))
    for k, kind in enumerate(("sram", "dram")):
        for j, name in enumerate(("read_nj", "write_nj")):
            table[k, :, j] = [float(row[f"{kind}_{name}"]) * 1e-9 / BANK_PORT_BYTES * ENERGY_SCALE for row in rows]
        table[k, :, 2] = [float(row[f"{kind}_area_mm2"]) * 1e-6 * MEMORY_AREA_SCALE for row in rows]
    table.flags.writeable = False
    return table
