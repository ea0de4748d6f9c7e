"""Designs as rows of whole numbers, as kernels take them."""

from __future__ import annotations

__all__ = ["CODES", "FIELDS", "design_table", "format_table"]

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.tpe.design import ARCHITECTURES, COMPRESSORS, FINAL_ADDERS, OPERANDS, PLACEMENTS, TpeDesign
from archgym_simulators.tpe.encodings import ENCODINGS
from archgym_simulators.tpe.precision import Precision

Integers = NDArray[np.int64]

FIELDS = (
    "architecture",
    "rows",
    "columns",
    "depth",
    "encoding",
    "encoded_operand",
    "opt1",
    "opt2",
    "opt3",
    "encoder_placement",
    "lanes",
    "compressor",
    "final_adder",
    "accumulator_bits",
    "pipeline_cuts",
    "skip_group",
    "k_tile",
    "fifo_depth",
)
(
    ARCHITECTURE,
    ROWS,
    COLUMNS,
    DEPTH,
    ENCODING,
    OPERAND,
    OPT1,
    OPT2,
    OPT3,
    PLACEMENT,
    LANES,
    COMPRESSOR,
    ADDER,
    ACCUMULATOR,
    CUTS,
    GROUP,
    K_TILE,
    FIFO,
) = range(len(FIELDS))
OS, WS, CUBE, TREE, MATRIX = range(5)
IN_PE, IN_COLUMN, IN_GROUP = range(3)

CODES: dict[str, tuple[str, ...]] = {
    "architecture": ARCHITECTURES,
    "encoding": tuple(ENCODINGS),
    "encoded_operand": OPERANDS,
    "encoder_placement": PLACEMENTS,
    "compressor": COMPRESSORS,
    "final_adder": FINAL_ADDERS,
}
"""Fields whose number is the place of a name in these."""

RADIX_BITS = tuple(encoding.bits_per_digit for encoding in ENCODINGS.values())
LARGEST_DIGIT = tuple(encoding.largest for encoding in ENCODINGS.values())


def design_table(designs: Sequence[TpeDesign]) -> Integers:
    """Designs as rows (N, len(FIELDS)); the frequency is apart."""
    rows = []
    for design in designs:
        values = ((name, getattr(design, name)) for name in FIELDS)
        rows.append([CODES[name].index(value) if name in CODES else int(value) for name, value in values])
    return np.array(rows, dtype=np.int64).reshape(len(rows), len(FIELDS))


def format_table(a: Precision, b: Precision) -> Integers:
    """Both operands as (2, 4): bits of the significand, bits stored, largest shift, largest magnitude."""
    return np.array([(p.bits, p.storage_bits, p.largest_shift, p.largest_magnitude) for p in (a, b)], dtype=np.int64)
