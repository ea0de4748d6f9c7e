"""What an engine is built of, by architecture: registers and gates by part, and what lies on its longest way.

The parts of a PE follow the architectures of the HPCA 2025 paper as its public RTL shows them: operands, candidate
selection per digit, a compressor, an accumulator that is one word or, with OPT1, two.
"""

from __future__ import annotations

__all__ = ["count_one", "finisher_bits", "finisher_count", "needed_bits", "surrounding_bits"]

from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel
from archgym_simulators.tpe.arrays import (
    count_cube,
    count_flat,
    count_weight_stationary,
)
from archgym_simulators.tpe.digit_serial import (
    count_digit_serial,
)
from archgym_simulators.tpe.dots import (
    adder_cells,
)
from archgym_simulators.tpe.layout import (
    ACCUMULATOR,
    ADDER,
    ARCHITECTURE,
    COLUMNS,
    CUBE,
    DEPTH,
    ENCODING,
    K_TILE,
    LANES,
    LARGEST_DIGIT,
    MATRIX,
    OPERAND,
    OPT1,
    OPT3,
    OS,
    ROWS,
    TREE,
    WS,
)
from archgym_simulators.tpe.parts import (
    CARRY_CELL,
    FINISH,
    FULL_ADDER,
    HALF_ADDER,
    REGISTERS,
    XOR,
    code_register_bits,
    edge_bits,
    shared_encoders,
)
from archgym_simulators.tpe.trees import (
    count_tree,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@inner_kernel
def needed_bits(design: Integers, formats: Integers, longest: int) -> float:
    """Width in which no accumulator of a design can overflow, for sums of up to ``longest`` products.

    A sum of K products of magnitude at most P needs bit_length(K P) + 1 bits. Where digits of one weight are summed
    alone (OPT3), P is the largest digit times the other operand.
    """
    a, b = formats[0], formats[1]
    terms = min(longest, design[K_TILE])
    if design[ARCHITECTURE] == WS:
        terms = min(longest, design[ROWS])
    if design[OPT3]:
        largest = float(LARGEST_DIGIT[design[ENCODING]] * (b[3] if design[OPERAND] == 0 else a[3]))
    else:
        largest = float(a[3] * b[3])
    return float(np.floor(log2(largest * terms)) + 2.0 + a[2] + b[2])


@inner_kernel
def finisher_bits(design: Integers, formats: Integers) -> float:
    """Width of a finishing adder: all that a sum over one tile can be."""
    if design[ARCHITECTURE] == WS:
        return float(design[ACCUMULATOR])
    return float(formats[0, 0] + formats[1, 0] + formats[0, 2] + formats[1, 2]) + ceil(log2(float(design[K_TILE])))


@inner_kernel
def _finishers(design: Integers, formats: Integers, gates: Floats, count: float) -> None:
    """Adders that turn sum and carry into one number, shared by all accumulators."""
    width = finisher_bits(design, formats)
    full, cells, half = adder_cells(width, design[ADDER])
    gates[FINISH] += count * (full * FULL_ADDER + cells * CARRY_CELL + half * (HALF_ADDER + XOR))
    gates[REGISTERS] += count * 2.0 * width


@inner_kernel
def finisher_count(design: Integers) -> float:
    """Finishing adders: as many as keep up with tiles of full length, of which half of the digits are zero."""
    outputs = float(design[ROWS] * design[COLUMNS])
    if not design[OPT1] or design[ARCHITECTURE] == WS:
        return 0.0
    if design[OPT3]:
        return float(ceil(2.0 * outputs * design[LANES] / design[K_TILE]))
    depth = design[DEPTH] if design[ARCHITECTURE] in (CUBE, TREE) else 1
    return float(ceil(outputs * depth / design[K_TILE]))


@inner_kernel
def count_one(design: Integers, formats: Integers, bare: bool, gates: Floats, path: Floats) -> None:
    """Fill the counts of one design, gates (PARTS,) and path (LEVELS,), both of which come in as zeros.

    ``bare`` leaves out what the public RTL leaves out: accumulators behind a cube or tree, finishing adders, the
    fetching of operands for skipped digits.
    """
    architecture = design[ARCHITECTURE]
    if design[OPT3]:
        count_digit_serial(design, formats, gates, path, bare)
    elif architecture in (OS, MATRIX):
        count_flat(design, formats, gates, path)
    elif architecture == WS:
        count_weight_stationary(design, formats, gates, path, bare)
    elif architecture == CUBE:
        count_cube(design, formats, gates, path, bare)
    else:
        count_tree(design, formats, gates, path, bare)
    if not bare:
        _finishers(design, formats, gates, finisher_count(design))


@kernel
def surrounding_bits(design: Integers, formats: Integers) -> float:
    """Registers of an engine of one PE, or one chain or tree, that are neither in PEs nor in their encoders."""
    bits = code_register_bits(design, formats) * shared_encoders(design, 1.0)
    if design[ARCHITECTURE] == CUBE:
        bits += edge_bits(design, formats)
    if design[ARCHITECTURE] == TREE:
        bits += 2.0 * finisher_bits(design, formats) * finisher_count(design)
    return float(bits)
