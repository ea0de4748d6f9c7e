"""Cycles, traffic, capacity and energy of attention on two arrays, in closed form: N designs, compiled.

A tile is D x D scores. Counts are cycles of a tile on the D x D array ("2D"), or on as many lanes as the tile has rows
("1D"); with W < D lanes a row operation takes r = D / W cycles.
"""

from __future__ import annotations

__all__ = ["COLUMNS", "QUANTITIES", "attention_costs"]

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel
from archgym_simulators.attention.parts import Parts

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

COLUMNS = (
    *("cascade", "softmax_on", "fusion", "scores_off_chip", "qk_output", "av_output"),
    *("side", "lanes", "l3_bytes", "gib_s", "query_tiles"),
)
"""Columns of a design, int64; the first six are codes."""

QUANTITIES = ("compute_cycles", "busy_2d", "busy_1d", "latency_s", "traffic_bytes", "energy_pj", "l3_need", "l3_total")
"""Columns of the results."""

_CASCADE, _ARRAY, _FUSION, _OFF_CHIP, _QK_OUTPUT, _AV_OUTPUT = 0, 1, 2, 3, 4, 5
_SIDE, _LANES, _L3, _BANDWIDTH, _TILES, _CLOCK = 6, 7, 8, 9, 10, 11

# Cascades: 0 one pass, 1 two passes, 2 two passes of XNNPACK, 3 three passes. Arrays: 0 1D, 1 2D, 2 2D interleaved.
# By cascade: cycles of one score in its first and its last pass, on a PE, where exp(a - b) is 1 + 6 MACs.
_FIRST_2D = (1.0, 1.0, 9.0, 1.0)
_LAST_2D = (8.0, 9.0, 8.0, 9.0)
# The same on a lane with a unit for the exponential, both passes together.
_SCORE_1D = (4.0, 5.0, 7.0, 4.0)
# Row operations of a tile on the 1D array: running maxima; corrections and running sums, with MACs or with the unit.
_ROW_FIRST = (1.0, 1.0, 1.0, 1.0)
_ROW_LAST_MACS = (9.0, 9.0, 1.0, 1.0)
_ROW_LAST_UNIT = (4.0, 4.0, 1.0, 0.0)
_PASSES = (1.0, 2.0, 2.0, 3.0)
# Times that a score is written to and read from where it waits between passes.
_WRITES = (2.0, 3.0, 2.0, 3.0)
_READS = (2.0, 3.0, 3.0, 4.0)
# Operations on one score beyond maximum, subtraction, exponential and sum: of those, and of further multiplications.
_EXPONENTIALS = (1.0, 1.0, 2.0, 1.0)
_SCALES = (0.0, 1.0, 1.0, 1.0)


@inner_kernel
def _cycles(d: Integers, e: float, f: float, divide: float, drain: float, out: Floats) -> None:
    """Cycles of a tile where nothing waits for the memory: (sum, QK, softmax, AV, busy 2D, busy 1D) into ``out``.

    Args:
        d: the design.
        e: E.
        f: F.
        divide: cycles of a tile's share of the final division, on as many lanes as the tile has rows.
        drain: cycles in which a tile leaves the array before the next phase, D.
        out: (6,).
    """
    cascade, array = d[_CASCADE], d[_ARRAY]
    # The edge of the 2D array passes D words a cycle, so further lanes only help scores that stay in the lanes.
    r = max(d[_SIDE] / d[_LANES], 1.0)
    one_pass = cascade == 0
    if array == 0:
        # A three-pass cascade keeps its sums in the lanes; the others also keep maxima for every tile.
        rows = (_ROW_FIRST[cascade] if cascade != 3 else 0.0) + _ROW_LAST_UNIT[cascade]
        if one_pass:
            rows += 2.0 * f + divide
        vector = max(_SCORE_1D[cascade] * d[_SIDE] / d[_LANES], 1.0) * d[_SIDE] + rows * r
        out[1], out[2], out[3] = e, vector, f
        out[0] = max(e + f, vector) if d[_FUSION] else 0.0
        out[4], out[5] = e + f, vector
        return
    first = _FIRST_2D[cascade]
    last = _LAST_2D[cascade]
    row_first = _ROW_FIRST[cascade] + (divide if one_pass else 0.0)
    row_last = _ROW_LAST_MACS[cascade] + (f if one_pass else 0.0)
    renew = f if one_pass else 0.0
    fill = drain * _PASSES[cascade]
    if array == 1:
        # The array fills and drains before the next phase; new sums of values wait for the product.
        out[0] = max(e + first, row_first * r) + fill + max(last + f, row_last * r) + renew * r
    else:
        out[0] = max(e + first, (row_first + renew) * r) + max(last + f, row_last * r)
    out[1], out[2], out[3] = e, max(first, row_first * r) + fill + max(last, row_last * r), f
    out[4], out[5] = e + first + last + f, (row_first + row_last + renew) * r


@inner_kernel
def _capacity(d: Integers, rows: float, keys: float, e: float, f: float) -> tuple[float, float]:
    """Bytes of L3 that a design cannot do without, and bytes of scores that it wants to keep there."""
    side = d[_SIDE]
    resident = (0.0 if d[_QK_OUTPUT] else e) + (0.0 if d[_AV_OUTPUT] else f)
    if d[_FUSION] == 0:
        # The phases follow each other: the larger of the two products counts.
        resident = max(0.0 if d[_QK_OUTPUT] else e, 0.0 if d[_AV_OUTPUT] else f)
        return 2.0 * side * max(e, f) + 2.0 * rows * resident, 0.0
    if d[_CASCADE] == 0:
        waiting = 2.0 * side if d[_ARRAY] == 0 else 0.0
        return 2.0 * side * (e + f) + 2.0 * rows * (resident + 2.0 + waiting), 0.0
    need = 8.0 * side * (e + f) + 2.0 * rows * resident
    return need, 0.0 if d[_OFF_CHIP] else 2.0 * rows * keys


@inner_kernel
def _crossings(d: Integers, keys: float, need: float, total: float) -> Any:
    """How often a score crosses the chip's edge."""
    cascade, l3 = d[_CASCADE], d[_L3]
    every_pass = _WRITES[cascade] + _READS[cascade]
    if d[_FUSION] and cascade == 0:
        return 0.0
    if d[_FUSION] == 0 or d[_OFF_CHIP]:
        # Off the chip by plan: a row of scores is brought in for all passes, if L3 holds one.
        return 4.0 if need + 2.0 * keys <= l3 else every_pass
    return every_pass * max(0.0, 1.0 - l3 / total)


@inner_kernel
def _energy_per_score(d: Integers, e: float, f: float, p: Parts) -> Any:
    """Arithmetic and registers of one score, and its row operations' share of a tile."""
    cascade, plain = d[_CASCADE], d[_ARRAY] == 0
    exponential = p.exponential if plain else 6.0 * p.mac
    registers = p.plain_register if plain else p.pe_register
    score = (e + f) * p.mac + p.maximum + _EXPONENTIALS[cascade] * (exponential + p.add) + p.add + e * registers
    score += _SCALES[cascade] * (p.divide if plain and cascade == 3 else p.mac)
    rows = p.maximum + p.add
    if cascade < 2:
        rows += exponential + p.add + p.mac
    if cascade == 0:
        rows += f * (p.mac + p.add) + p.add
    return score + rows / d[_SIDE]


@inner_kernel
def _one(d: Integers, s: Integers, p: Parts, tile: Floats, out: Floats) -> None:
    """`QUANTITIES` of design ``d`` (12,) on shape ``s`` (6,) into ``out``; ``tile`` (6,) is room for `_cycles`."""
    groups, keys, queries = float(s[0] * s[1]), float(s[2]), float(s[3])
    e, f = float(s[4]), float(s[5])
    side = float(d[_SIDE])
    key_tiles, query_tiles = math.ceil(keys / side), math.ceil(queries / side)
    tiles = groups * key_tiles * query_tiles
    rows = queries if d[_FUSION] == 1 else min(queries, side * d[_TILES])
    need, scores = _capacity(d, rows, keys, e, f)
    crossings = _crossings(d, keys, need, need + scores)
    words = groups * keys * queries
    key_reads = query_tiles if d[_QK_OUTPUT] else math.ceil(queries / rows)
    value_reads = query_tiles if d[_AV_OUTPUT] else math.ceil(queries / rows)
    qk_words = groups * (queries * e * (key_tiles if d[_QK_OUTPUT] else 1.0) + keys * e * key_reads)
    av_words = groups * (queries * f + keys * f * value_reads)
    traffic = 2.0 * (qk_words + av_words + words * crossings)
    _cycles(d, e, f, f / key_tiles, side, tile)
    rate = d[_BANDWIDTH] * 2.0**30
    hz = d[_CLOCK] * 1e3
    if d[_FUSION]:
        out[0] = tile[0] * tiles
        out[3] = max(out[0] / hz, traffic / rate)
    else:
        out[0] = (tile[1] + tile[2] + tile[3]) * tiles
        out[3] = max(tile[1] * tiles / hz, 2.0 * (qk_words + words) / rate)
        out[3] += max(tile[2] * tiles / hz, 2.0 * words * (crossings - 2.0) / rate)
        out[3] += max(tile[3] * tiles / hz, 2.0 * (av_words + words) / rate)
    out[1], out[2] = tile[4] * tiles, tile[5] * tiles
    out[4] = traffic
    keeps = d[_CASCADE] != 0 or d[_ARRAY] == 0
    l3_reads = tiles * side * (e + f) + (words * _READS[d[_CASCADE]] if keeps else 0.0)
    l3_writes = traffic / 2.0 + (words * _WRITES[d[_CASCADE]] if keeps else 0.0)
    size = d[_L3] / 2.0**24
    l3 = l3_reads * p.l3_read * size**0.61 + l3_writes * p.l3_write * size**0.49
    division = groups * queries * f * p.divide if d[_CASCADE] == 0 else 0.0
    out[5] = words * _energy_per_score(d, e, f, p) + division + l3 + traffic * p.dram_byte
    out[6], out[7] = need, need + scores


@kernel
def attention_costs(designs: Integers, shape: Integers, parts: Parts) -> Floats:
    """What N designs cost: (N, 8), columns `QUANTITIES`.

    Args:
        designs: (N, 12) int64, `COLUMNS` and the clock in kHz.
        shape: (6,) int64: B, H, M, P, E, F.
        parts: energies.
    """
    out = np.empty((len(designs), 8))
    tile = np.empty(6)
    for i in range(len(designs)):
        _one(designs[i], shape, parts, tile, out[i])
    return out
