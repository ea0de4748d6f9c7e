"""A small table to try things on: SRAM macros sized by a formula.

The formula is for illustration: its terms are the textbook ones, its constants are round numbers that nobody measured.
A macro of ``capacity_kib`` in ``banks`` banks has, with ``mux`` columns on each sense amplifier, banks of
c = word_bits * mux columns and r = bits / (banks * c) rows. Only banks of 32 to 1,024 rows and at most 512 columns are
in the table, so some combinations are missing, as they are in real tables. Then, for a cell of area a, drive g and
leakage l (`CELLS`):

- access_ns = 0.05 log2(banks r) + (c / 256)^2 / 16 + (r / 256)^2 / (8 g) + 0.02 sqrt(banks)
- energy_pj = 0.001 c (1 + r / 128) + 0.05 word_bits log2(2 banks)
- area_mm2 = 1e-6 a banks (r + 16) (c + 24)
- leakage_mw = 1e-5 l banks r c
- bandwidth_gbps = word_bits / access_ns
"""

from __future__ import annotations

__all__ = ["CELLS", "SRAM_DESIGN", "SRAM_MAXIMISE", "sram_table"]

import numpy as np

from archgym_simulators.table.columns import Column, TableFile

CELLS = {"6T-dense": (0.08, 1.0, 1.0), "6T-fast": (0.11, 1.8, 2.6), "8T": (0.15, 2.4, 1.7)}
"""Name of a cell: area in um2, drive and leakage relative to the first."""
SRAM_DESIGN = ("capacity_kib", "banks", "word_bits", "mux", "cell")
SRAM_MAXIMISE = ("bandwidth_gbps",)
_CAPACITIES = (4, 8, 16, 32, 64, 128, 256, 512)
_BANKS = (1, 2, 4, 8, 16)
_WORDS = (32, 64, 128)
_MUXES = (2, 4, 8)


def sram_table() -> TableFile:
    """The table of the formula above, as if read from a file; its digest names the formula, not this machine's bits."""
    grid = np.meshgrid(_CAPACITIES, _BANKS, _WORDS, _MUXES, range(len(CELLS)), indexing="ij")
    capacity, banks, word, mux, cell = (axis.ravel().astype(np.int64) for axis in grid)
    columns = word * mux
    rows = capacity * 8192 // (banks * columns)
    built = (rows >= 32) & (rows <= 1024) & (columns <= 512)
    capacity, banks, word, mux, cell, columns, rows = (
        axis[built] for axis in (capacity, banks, word, mux, cell, columns, rows)
    )
    area, drive, leakage = np.array(list(CELLS.values())).T[:, cell]
    wire, bit = (columns / 256.0) ** 2, (rows / 256.0) ** 2
    access_ns = 0.05 * np.log2(banks * rows) + wire / 16.0 + bit / (8.0 * drive) + 0.02 * np.sqrt(banks)
    numbers = {
        "access_ns": access_ns,
        "energy_pj": 0.001 * columns * (1.0 + rows / 128.0) + 0.05 * word * np.log2(2.0 * banks),
        "area_mm2": 1e-6 * area * banks * (rows + 16) * (columns + 24),
        "leakage_mw": 1e-5 * leakage * banks * rows * columns,
        "bandwidth_gbps": word / access_ns,
    }
    whole = np.zeros(len(cell), dtype=bool)
    design = [
        Column(name, "integer", values, whole)
        for name, values in zip(SRAM_DESIGN[:4], (capacity, banks, word, mux), strict=True)
    ]
    design.append(Column("cell", "text", cell, whole, tuple(CELLS)))
    measured = [Column(name, "number", values, whole) for name, values in numbers.items()]
    return TableFile("default", "sram-1", {column.name: column for column in (*design, *measured)})
