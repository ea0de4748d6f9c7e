"""The compiled model: cycles of matrix products on designs, with area, slack and energy."""

from __future__ import annotations

__all__ = ["OUTPUTS", "gemm_cycles", "run_designs"]

from math import ceil, log2, sqrt

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel
from archgym_simulators.tpe.cost import (
    CARRY_NS,
    GATE_FJ,
    GATE_UM2,
    LEAKAGE_NW,
    REGISTER_FJ,
    REGISTER_NS,
    REGISTER_UM2,
    RIPPLE_NS,
    price_one,
)
from archgym_simulators.tpe.dots import RIPPLE, adder_delay
from archgym_simulators.tpe.layout import (
    ACCUMULATOR,
    ADDER,
    ARCHITECTURE,
    COLUMNS,
    CUBE,
    CUTS,
    DEPTH,
    ENCODING,
    GROUP,
    K_TILE,
    LANES,
    OPERAND,
    OPT3,
    OS,
    RADIX_BITS,
    ROWS,
    TREE,
    WS,
)
from archgym_simulators.tpe.parts import FINISH, FULL_ADDER, REGISTERS
from archgym_simulators.tpe.structure import (
    count_one,
    finisher_bits,
    finisher_count,
    needed_bits,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

OUTPUTS = (
    "cycles",
    "energy_pj",
    "leakage_mw",
    "utilisation",
    "shortest_period_ns",
    "needed_accumulator_bits",
    "registers_um2",
    "encode_um2",
    "select_um2",
    "compress_um2",
    "add_um2",
    "shift_um2",
    "finish_um2",
    "fetch_um2",
    "area_um2",
)
_FIRST_AREA = 6
# Variance of the slowest of 1, 2, 4, 8, 16 normal times, which each lane's barrier leaves.
_LANE_VARIANCE = (1.0, 0.6817, 0.4917, 0.3729, 0.2952)


@inner_kernel
def _folds(length: int, width: int) -> int:
    return -(-length // width)


@inner_kernel
def _tile_cycles(design: Integers, moments: Floats, zeros: Floats, quantiles: Floats, k: int, columns: int) -> float:
    """Cycles of the slowest of ``columns`` columns over ``k`` operands, digits skipped.

    ``moments`` are mean, standard deviation and sum of the deviations by digit weight of a whole group; ``zeros`` (D,)
    how often each digit is zero, for the last group, which has fewer operands.
    """
    lanes, group = design[LANES], design[GROUP]
    mine = _folds(k, lanes)
    whole, rest = mine // group, mine % group
    mean, least = whole * moments[0], float(_folds(mine, group) * len(zeros))
    if rest > 0:
        for d in range(len(zeros)):
            mean += rest * (1.0 - zeros[d]) + zeros[d] ** rest
    groups = float(mine) / group
    lane = quantiles[lanes] * moments[2] * sqrt(groups)
    variance = moments[1] ** 2 * groups * _LANE_VARIANCE[int(log2(float(lanes)) + 0.5)]
    return float(max(mean + lane + quantiles[columns] * sqrt(variance), least))


@inner_kernel
def gemm_cycles(design: Integers, moments: Floats, zeros: Floats, quantiles: Floats, m: int, n: int, k: int) -> float:
    """Cycles of one matrix product, from filling the engine to draining it."""
    rows, columns, depth = design[ROWS], design[COLUMNS], design[DEPTH]
    architecture, cuts = design[ARCHITECTURE], float(design[CUTS])
    if design[OPT3]:
        return _skipping_cycles(design, moments, zeros, quantiles, m, n, k)
    if architecture == WS:
        return float(_folds(k, rows) * _folds(n, columns)) * float(m + 2 * rows + columns - 2 + cuts)
    tiles = float(_folds(m, rows) * _folds(n, columns))
    if architecture == OS:
        return tiles * (_finished(design, k, 1) + float(rows + columns - 2 + cuts))
    if architecture == CUBE:
        return tiles * _finished(design, k, depth) + float(rows + columns + depth - 3 + cuts)
    if architecture == TREE:
        # The tree's weights for the next outputs are loaded while it works on the last.
        return tiles * _finished(design, k, depth) + ceil(log2(float(depth))) + 1.0 + cuts
    return tiles * _finished(design, k, 1) + 1.0 + cuts


@inner_kernel
def _finished(design: Integers, k: int, depth: int) -> float:
    """Cycles over K of one tile of outputs: also until finishing adders are done with the last tile."""
    whole, rest = k // design[K_TILE], k % design[K_TILE]
    adders = finisher_count(design)
    finish = 0.0
    if adders > 0.0:
        finish = float(design[ROWS] * design[COLUMNS]) / adders
    cycles = whole * max(float(_folds(design[K_TILE], depth)), finish)
    if rest > 0:
        cycles += max(float(_folds(rest, depth)), finish)
    return float(ceil(cycles))


@inner_kernel
def _skipping_cycles(
    design: Integers, moments: Floats, zeros: Floats, quantiles: Floats, m: int, n: int, k: int
) -> float:
    along, across = (m, n) if design[OPERAND] == 0 else (n, m)
    side, other = (design[ROWS], design[COLUMNS]) if design[OPERAND] == 0 else (design[COLUMNS], design[ROWS])
    finish = float(design[ROWS] * design[COLUMNS] * len(zeros)) / finisher_count(design)
    total = 0.0
    for part in range(2):  # whole tiles of columns that wait for each other, then the rest
        busy = side if part == 0 else along % side
        times = along // side if part == 0 else 1
        if busy == 0 or times == 0:
            continue
        whole, rest = k // design[K_TILE], k % design[K_TILE]
        cycles = 0.0
        if whole > 0:
            cycles += whole * max(_tile_cycles(design, moments, zeros, quantiles, design[K_TILE], busy), finish)
        if rest > 0:
            cycles += max(_tile_cycles(design, moments, zeros, quantiles, rest, busy), finish)
        total += times * cycles
    # Two cycles until the first digit is selected.
    return float(ceil(total * _folds(across, other)) + 2.0 + design[CUTS])


@inner_kernel
def _finisher_stages_um2(design: Integers, formats: Integers, library: Floats, period: float) -> float:
    """Area of the registers by which finishing adders longer than a period are cut into stages."""
    width = finisher_bits(design, formats)
    each = library[RIPPLE_NS] if design[ADDER] == RIPPLE else library[CARRY_NS]
    delay = adder_delay(width, design[ADDER]) * each
    stages = min(ceil(delay / max(period - library[REGISTER_NS], 1e-3)), width)
    adders = float(design[COLUMNS]) if design[ARCHITECTURE] == WS else finisher_count(design)
    return float(max(stages - 1.0, 0.0) * adders * 2.0 * width * library[REGISTER_UM2])


@inner_kernel
def _engines(design: Integers) -> float:
    """Multiply-accumulates that can start in a cycle; digits where they come one after another."""
    pes = float(design[ROWS] * design[COLUMNS])
    if design[OPT3]:
        return float(pes * design[LANES])
    return float(pes * design[DEPTH]) if design[ARCHITECTURE] in (CUBE, TREE) else pes


@kernel
def run_designs(
    designs: Integers,
    ghz: Floats,
    formats: Integers,
    library: Floats,
    moments: Floats,
    zeros: Floats,
    quantiles: Floats,
    layers: Integers,
    bare: bool,
    wire: float,
) -> Floats:
    """Every design on all layers: (N, OUTPUTS).

    Args:
        designs: (N, FIELDS).
        ghz: (N,) clock.
        formats: (2, 4) operands.
        library: `archgym_simulators.tpe.libraries.Library.numbers`.
        moments: (N, 4) of the design's groups: mean, standard deviation, sum of deviations by digit, digits an operand.
        zeros: (2, encodings, 16) how often each digit of an operand is zero.
        quantiles: (sides,) of the slowest of so many columns.
        layers: (L, 4) M, N, K, times.
        bare: as in `archgym_simulators.tpe.structure.count_one`.
        wire: as in `archgym_simulators.tpe.cost.price_one`.
    """
    out = np.zeros((len(designs), 15))
    for i in range(len(designs)):
        design, row = designs[i], out[i]
        gates, path = np.zeros(8), np.zeros(16)
        count_one(design, formats, bare, gates, path)
        areas = row[_FIRST_AREA : _FIRST_AREA + 8]
        row[4] = price_one(design, gates, path, library, 1.0 / ghz[i], wire, areas)
        areas[REGISTERS] += _finisher_stages_um2(design, formats, library, 1.0 / ghz[i]) if not bare else 0.0
        for part in range(8):
            row[14] += areas[part]
        _work(design, formats, moments[i], zeros, quantiles, layers, library, row)
    return out


@inner_kernel
def _work(
    design: Integers,
    formats: Integers,
    moments: Floats,
    zeros: Floats,
    quantiles: Floats,
    layers: Integers,
    library: Floats,
    row: Floats,
) -> None:
    """Fill in cycles, energy, leakage, utilisation and the width that accumulators need."""
    radix = RADIX_BITS[design[ENCODING]]
    digits = (formats[design[OPERAND], 0] + radix - 1) // radix
    zero = zeros[design[OPERAND], design[ENCODING], :digits]
    cycles, macs, finished, added, longest = 0.0, 0.0, 0.0, 0.0, 1
    reach = design[ROWS] if design[ARCHITECTURE] == WS else design[K_TILE]
    for layer in range(len(layers)):
        m, n, k, times = layers[layer]
        cycles += times * gemm_cycles(design, moments, zero, quantiles, m, n, k)
        outputs, folds = float(m) * n * times, float(_folds(k, reach))
        macs += outputs * k
        finished += outputs * folds
        added += outputs * (folds - 1.0)
        longest = max(longest, k)
    steps = macs * (moments[3] if design[OPT3] else 1.0) / _engines(design)  # cycles in which every engine works
    each = float(digits) if design[OPT3] else 1.0
    row[0] = cycles
    row[1] = 1e-3 * _energy_fj(design, library, row, cycles, steps, finished * each, added)
    row[2] = row[14] * library[LEAKAGE_NW] * 1e-6
    row[3] = steps / cycles
    row[5] = needed_bits(design, formats, longest)


@inner_kernel
def _energy_fj(
    design: Integers, library: Floats, row: Floats, cycles: float, steps: float, finished: float, added: float
) -> float:
    """Energy without leakage: registers every cycle, gates where they work, sums that are finished or added outside."""
    gates_um2 = row[14] - row[_FIRST_AREA + REGISTERS]
    finish_um2 = row[_FIRST_AREA + FINISH]
    bits = row[_FIRST_AREA + REGISTERS] / library[REGISTER_UM2]
    energy = cycles * bits * library[REGISTER_FJ] + steps * (gates_um2 - finish_um2) * library[GATE_FJ]
    stationary = design[ARCHITECTURE] == WS
    adders = float(design[COLUMNS]) if stationary else finisher_count(design)
    if adders > 0.0:
        energy += finished * finish_um2 / adders * library[GATE_FJ]
    # Where K is cut, sums of its parts are read, added and written outside: at least a register's energy for each. The
    # adders below an array with stationary weights are its own.
    adder = 0.0 if stationary else FULL_ADDER * library[GATE_UM2] * library[GATE_FJ]
    return float(energy + added * design[ACCUMULATOR] * (adder + 2.0 * library[REGISTER_FJ]))
