"""The attention accelerator as a simulator: `model.simulate` bound to a layer, an area class and a clock."""

from __future__ import annotations

__all__ = ["AttentionSimulator"]

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from archgym_simulators.attention.design import AREA_CLASSES, attention_space, baseline_design, table_of
from archgym_simulators.attention.model import CLOCK_MHZ, AttentionResult, simulate_table
from archgym_simulators.attention.workloads import FEATURE_NAMES, draw, features, parse, workload_descriptions
from archgym_simulators.constraints import Reason
from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Simulator, Workload
from archgym_simulators.space import Rows

METRICS = (
    Metric("latency_ns", "of the layer, waiting for the memory included"),
    Metric("energy_pj", "of arithmetic, registers, on-chip memory and memory off the chip"),
    Metric("area_mm2", "of arrays, on-chip memory and memory interface at 45 nm"),
    Metric("power_mw", "energy over latency"),
    Metric("traffic_bytes", "bytes that cross the chip's edge"),
    Metric("utilisation_2d", "share of the time in which the 2D array works", direction="max"),
    Metric("utilisation_1d", "share of the time in which the 1D array works", direction="max"),
)
OBJECTIVES = (
    NamedObjective("energy-delay", "energy_pj * latency_ns", "energy times latency", aliases=("edp",)),
    NamedObjective("latency", "latency_ns", "finish sooner, within the area class"),
    NamedObjective("energy", "energy_pj", "spend less energy"),
    NamedObjective(
        "energy-delay-area", "energy_pj * latency_ns * area_mm2", "energy times latency times area", aliases=("edap",)
    ),
    NamedObjective("delay-area", "latency_ns * area_mm2", "the most attention from a mm2"),
    NamedObjective("area", "area_mm2", "the smallest chip wins", requires=("latency_ns",)),
    NamedObjective("power", "power_mw", "the slowest chip wins", requires=("latency_ns",)),
)
L3_TOO_SMALL = Reason(
    "l3-too-small",
    "the tiles and rows that must stay on the chip take {need:,.0f} KiB, the on-chip memory has {room:,.0f}",
    ("need", "room"),
)
DIAGNOSTICS = ("compute_cycles", "l3_need", "l3_total")


class AttentionSimulator(Simulator):
    """Attention on a 2D and a 1D array, after FuseMax (Nayak et al., MICRO 2024) and FLAT (Kao et al., ASPLOS 2023).

    Args:
        workload: a layer: ``"bert:seq=65536"``, ``"t5:seq=2048,queries=1,batch=8"``, ``"attention:BxHxMxPxExF"``.
        area_class: ``"edge"`` (50 mm2 at 45 nm) or ``"cloud"`` (1,400); larger designs are invalid.
        clock_mhz: of both arrays.

    Raises:
        InputError: for an unknown workload or area class, or a clock out of range.
    """

    metrics: tuple[Metric, ...] = METRICS
    version = "1"
    objectives: tuple[NamedObjective, ...] = OBJECTIVES
    default_objective = "energy-delay"
    pareto_objectives = ("latency", "energy", "area_mm2")
    reasons: ClassVar[tuple[Reason, ...]] = (L3_TOO_SMALL,)
    diagnostic_names: ClassVar[tuple[str, ...]] = DIAGNOSTICS

    def __init__(
        self, workload: str = "bert:seq=65536", *, area_class: str = "cloud", clock_mhz: float = CLOCK_MHZ
    ) -> None:
        if area_class not in AREA_CLASSES:
            hint = did_you_mean(area_class, AREA_CLASSES)
            raise InputError(f"unknown area_class {area_class!r}{hint}; allowed: {', '.join(AREA_CLASSES)}")
        if isinstance(clock_mhz, bool) or not 1.0 <= clock_mhz < 1e6:
            raise InputError(f"clock_mhz must be a number from 1 and below 1e6, not {clock_mhz!r}")
        name, self._shape = parse(workload)
        self._clock_mhz = clock_mhz
        self.space = attention_space(area_class)
        self.workload = Workload(name, features(self._shape), FEATURE_NAMES, repr(self._shape))
        row = self.space.canonical(self.space.encode_row(baseline_design(area_class))[None])[0]
        self.baseline = Baseline("FLAT with four query tiles", tuple(row.tolist()))

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return workload_descriptions()

    @classmethod
    def draw_workload(cls, split: str, rng: np.random.Generator) -> str:
        return draw(split, rng)

    def simulate(self, rows: Rows) -> Evaluation:
        table = table_of(rows)
        result = simulate_table(self._shape, table, clock_mhz=self._clock_mhz)
        room = table[:, 8].astype(np.float64)
        code = np.where(result.l3_need > room, 0, -1)
        return Evaluation.of(
            _metrics(result, self._clock_mhz * 1e6),
            reasons=self.all_reasons,
            reason_code=code,
            violation=np.maximum(np.log(result.l3_need / room), 0.0),
            reason_detail=np.stack([result.l3_need, room], axis=1) / 1024.0,
            diagnostics=np.stack([getattr(result, name) for name in DIAGNOSTICS], axis=1),
        )


def _metrics(result: AttentionResult, hz: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    latency_ns = result.latency_s * 1e9
    cycles = result.latency_s * hz
    columns = (
        latency_ns,
        result.energy_pj,
        result.area_mm2,
        result.energy_pj / latency_ns,
        result.traffic_bytes,
        result.busy_2d / cycles,
        result.busy_1d / cycles,
    )
    return np.stack(columns, axis=1)
