"""What attention costs on an accelerator, for any design: FuseMax's model, continued between its points."""

from __future__ import annotations

__all__ = [
    "ARRAYS",
    "CASCADES",
    "CLOCK_MHZ",
    "FUSIONS",
    "STATIONARITIES",
    "AttentionDesign",
    "AttentionResult",
    "design_table",
    "simulate",
    "simulate_table",
]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.attention.kernel import COLUMNS, QUANTITIES, attention_costs
from archgym_simulators.attention.parts import PARTS, area_mm2
from archgym_simulators.attention.workloads import AttentionShape
from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CASCADES = ("1-pass", "2-pass", "2-pass-xnnpack", "3-pass")
ARRAYS = ("1d", "2d", "2d-interleaved")
FUSIONS = ("none", "head", "row")
SCORES = ("on-chip", "off-chip")
STATIONARITIES = ("weight", "output")
CLOCK_MHZ = 940.0

_NAMES = {
    "cascade": CASCADES,
    "softmax_on": ARRAYS,
    "fusion": FUSIONS,
    "scores": SCORES,
    "qk_stationarity": STATIONARITIES,
    "av_stationarity": STATIONARITIES,
}
_SIZES = {"pe_dim": 2**12, "lanes": 2**13, "l3_bytes": 2**40, "bandwidth_gib_s": 2**20, "query_tiles": 2**24}


@dataclass(frozen=True)
class AttentionDesign:
    """One accelerator and its schedule; any positive sizes, inside the index space or not.

    Attributes:
        cascade: passes of softmax over a row of scores, one of `CASCADES`.
        softmax_on: ``"1d"`` array, ``"2d"`` array phase by phase, or ``"2d-interleaved"`` with the products.
        fusion: ``"none"``: QK, softmax and AV follow each other; ``"head"`` and ``"row"``: a head's rows, or some of
            its tiles of rows, pass through all three.
        scores: of several passes, between them: ``"on-chip"`` as far as L3 has room, or ``"off-chip"`` all of them.
        qk_stationarity: ``"weight"``: queries stay in L3 while keys stream; ``"output"``: both stream for every tile.
        av_stationarity: ``"weight"``: sums of values stay in L3 while values stream; ``"output"``: values stream for
            every tile of queries.
        pe_dim: D, rows and columns of the 2D array.
        lanes: W, of the 1D array.
        l3_bytes: on-chip memory.
        bandwidth_gib_s: off the chip.
        query_tiles: tiles of D rows that are in L3 together; of no effect for fusion ``"head"``.
    """

    cascade: str
    softmax_on: str
    fusion: str
    scores: str
    qk_stationarity: str
    av_stationarity: str
    pe_dim: int
    lanes: int
    l3_bytes: int
    bandwidth_gib_s: int
    query_tiles: int

    def __post_init__(self) -> None:
        for field, names in _NAMES.items():
            value = getattr(self, field)
            if value not in names:
                hint = did_you_mean(value, names)
                raise InputError(f"{field} must be one of {', '.join(names)}, not {value!r}{hint}")
        for field, high in _SIZES.items():
            value = getattr(self, field)
            if type(value) is not int or not 1 <= value <= high:
                raise InputError(f"{field} must be a whole number 1..{high}, not {value!r}")
        if self.fusion == "none" and (self.cascade == "1-pass" or self.softmax_on == "2d-interleaved"):
            what = "cascade '1-pass'" if self.cascade == "1-pass" else "softmax_on '2d-interleaved'"
            raise InputError(f"{what} needs fusion: it works on products that fusion 'none' separates")


@dataclass(frozen=True, eq=False)
class AttentionResult:
    """Of N designs, each (N,) float64.

    Attributes:
        compute_cycles: where nothing waits for the memory.
        busy_2d: cycles in which the 2D array works.
        busy_1d: cycles in which the 1D array works.
        latency_s: with waiting for the memory, which overlaps with computing in each phase.
        traffic_bytes: across the chip's edge.
        energy_pj: arithmetic, registers of the first product, L3 and memory.
        area_mm2: at 45 nm.
        l3_need: bytes that the design cannot do without; above its L3 it cannot run.
        l3_total: with all scores that wait between passes; what is above L3 spills.
    """

    compute_cycles: Floats
    busy_2d: Floats
    busy_1d: Floats
    latency_s: Floats
    traffic_bytes: Floats
    energy_pj: Floats
    area_mm2: Floats
    l3_need: Floats
    l3_total: Floats


def simulate(
    shape: AttentionShape, designs: Sequence[AttentionDesign], *, clock_mhz: float = CLOCK_MHZ
) -> AttentionResult:
    """Run one layer of attention on every design.

    Equations: FuseMax (Nayak et al., MICRO 2024) and its artifact; see docs/environments/attention.md.

    Args:
        shape: of the layer.
        designs: N of them.
        clock_mhz: of both arrays.
    """
    return simulate_table(shape, design_table(designs), clock_mhz=clock_mhz)


def design_table(designs: Sequence[AttentionDesign]) -> Integers:
    """Designs as the kernel takes them: (N, 11) int64, columns `kernel.COLUMNS`."""
    sizes = [[getattr(design, field) for field in _SIZES] for design in designs]
    codes = [[names.index(getattr(design, field)) for field, names in _NAMES.items()] for design in designs]
    return np.concatenate(
        [np.array(codes, dtype=np.int64).reshape(-1, 6), np.array(sizes, dtype=np.int64).reshape(-1, 5)], axis=1
    )


def simulate_table(shape: AttentionShape, table: Integers, *, clock_mhz: float = CLOCK_MHZ) -> AttentionResult:
    """As `simulate`, for designs (N, 11) in the columns of `kernel.COLUMNS`."""
    sizes = np.array([shape.batch, shape.heads, shape.keys, shape.queries, shape.e, shape.f], dtype=np.int64)
    clocks = np.full((len(table), 1), round(clock_mhz * 1e3), dtype=np.int64)
    costs = attention_costs(np.concatenate([table, clocks], axis=1), sizes, PARTS)  # (N, 8)
    column = {name: table[:, position] for position, name in enumerate(COLUMNS)}
    area = area_mm2(column["softmax_on"] == 0, column["side"], column["lanes"], column["l3_bytes"], column["gib_s"])
    return AttentionResult(**{name: costs[:, c].copy() for c, name in enumerate(QUANTITIES)}, area_mm2=area)
