"""Where numbers lie in the arrays of the kernels."""

from __future__ import annotations

__all__ = [
    "BANDWIDTH",
    "BROKEN",
    "CAPACITY",
    "COLUMNS",
    "COUNTS",
    "DRAM",
    "ENERGY",
    "EXACT",
    "FILLS",
    "GLB",
    "INPUTS",
    "LINK_PJ",
    "MAC_PJ",
    "MEMBER",
    "OUTPUTS",
    "PE",
    "READS",
    "RESULTS",
    "RESULT_NAMES",
    "ROWS",
    "TIMELOOP",
    "UPDATES",
    "WEIGHTS",
    "WIDTH",
]

EXACT, TIMELOOP = 0, 1
PE, GLB, DRAM = range(3)
WEIGHTS, INPUTS, OUTPUTS = range(3)
READS, UPDATES, FILLS = range(3)

# The vector of a hardware: by level and buffer capacity and bandwidth (of reads, then writes), by level and tensor
# energy (of reads, then writes), the number of the buffer, and the words of an access.
COLUMNS, ROWS, MAC_PJ, LINK_PJ, CAPACITY, BANDWIDTH, ENERGY, MEMBER, WIDTH = 0, 1, 2, 3, 4, 10, 28, 46, 55

RESULT_NAMES = (
    "cycles",
    "compute_cycles",
    "energy_pj",
    "energy_mac_pj",
    "energy_pe_pj",
    "energy_glb_pj",
    "energy_dram_pj",
    "energy_link_pj",
    "pes",
    "link_words",
    "pe_cycles",
    "glb_cycles",
    "dram_cycles",
    "broken",
    "violation",
    "need",
    "room",
)
"""``broken``: -1, or the first rule that fails: 0 columns, 1 rows, then 2 + 8 (3 level + buffer) + kept, where bit t
of kept says that tensor t is kept in the buffer."""
RESULTS = len(RESULT_NAMES)
BROKEN = RESULT_NAMES.index("broken")
COUNTS = 27  # level x tensor x access
