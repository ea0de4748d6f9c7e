"""Mappings as a simulator: `model.simulate` bound to layers, hardware and an area class."""

from __future__ import annotations

__all__ = ["MaestroSimulator"]

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.components.parts import NODES, WORD_BYTES
from archgym_simulators.constraints import Reason
from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.layers.features import FEATURE_NAMES
from archgym_simulators.layers.splits import draw_layers
from archgym_simulators.layers.workloads import workload as make_workload
from archgym_simulators.layers.workloads import workload_descriptions
from archgym_simulators.maestro.costs import area_mm2, energy_pj
from archgym_simulators.maestro.design import AREA_CLASSES, SPACES, baseline_row, maestro_space, table_of
from archgym_simulators.maestro.model import Hardware, MaestroResult, simulate_table
from archgym_simulators.maestro.parity import as_maestro
from archgym_simulators.maestro.workloads import nests
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Simulator, Workload
from archgym_simulators.space import Rows

METRICS = (
    Metric("cycles", "from the first word that arrives to the last multiply-accumulate"),
    Metric("latency_ns", "the same in time"),
    Metric("energy_pj", "of PEs, buffers, memory off the chip and leakage"),
    Metric("area_mm2", "of PEs and of buffers as large as the mapping needs"),
    Metric("power_mw", "energy over latency"),
    Metric("throughput", "multiply-accumulates a cycle", direction="max"),
    Metric("utilisation", "throughput over PEs", direction="max"),
    Metric("l1_bytes", "buffer of each PE"),
    Metric("l2_bytes", "buffer of all clusters"),
    Metric("dram_bytes", "bytes that cross the chip's edge"),
)
OBJECTIVES = (
    NamedObjective("energy-delay", "energy_pj * latency_ns", "energy times latency", aliases=("edp",)),
    NamedObjective("latency", "latency_ns", "finish sooner, within the area class", aliases=("runtime",)),
    NamedObjective("energy", "energy_pj", "spend less energy"),
    NamedObjective(
        "energy-delay-area", "energy_pj * latency_ns * area_mm2", "energy times latency times area", aliases=("edap",)
    ),
    NamedObjective("area", "area_mm2", "the smallest buffers win", requires=("latency_ns", "cycles")),
    NamedObjective("power", "power_mw", "the slowest mapping wins", requires=("latency_ns", "cycles")),
)
TOO_LARGE = Reason(
    "buffers-too-large",
    "the mapping needs {l1:,.0f} bytes a PE, {l2:,.0f} KiB of L2, {area:,.2f} mm2 in all; its class allows {limit:g}",
    ("l1", "l2", "area", "limit"),
)
RULES = ("realistic", "maestro")
DIAGNOSTICS = (
    *("l2_weight_reads", "l2_input_reads", "l2_output_writes", "l2_output_reads"),
    *("l1_weight_writes", "l1_input_writes"),
)


class MaestroSimulator(Simulator):
    """Dataflow mappings on two levels of clusters, after MAESTRO, with GAMMA's genome (Kao and Krishna, ICCAD 2020).

    Args:
        workload: spec of `archgym_simulators.layers.workloads`; several layers run with one mapping.
        space: ``"shared"``: the same space for every workload, so that one policy trains over many. ``"layer"``: the
            tiles that suit the layer, for a workload of one shape.
        pes: processing elements.
        noc_words: 16-bit words a cycle between a buffer and its clusters or PEs, each way.
        off_chip_words: words a cycle off the chip, each way.
        node_nm: technology, a key of `archgym_simulators.components.parts.NODES`.
        area_class: ``"edge"`` (2 mm2), ``"mobile"`` (10) or ``"cloud"`` (200); mappings that need more are invalid.
        clock_mhz: of everything.
        rules: ``"realistic"``, or ``"maestro"`` for the tool's own count of cycles, buffers and accesses of L2; slow.

    Attributes:
        nests: (L, 9) the layers, columns `archgym_simulators.maestro.workloads.NEST_COLUMNS`.

    Raises:
        InputError: for an unknown workload, space, node or class, or a number out of range.
    """

    metrics: tuple[Metric, ...] = METRICS
    version = "1"
    objectives: tuple[NamedObjective, ...] = OBJECTIVES
    default_objective = "energy-delay"
    pareto_objectives = ("latency", "energy", "area_mm2")
    reasons: ClassVar[tuple[Reason, ...]] = (TOO_LARGE,)
    diagnostic_names: ClassVar[tuple[str, ...]] = DIAGNOSTICS

    def __init__(
        self,
        workload: str = "resnet18/conv2_*",
        *,
        space: str = "shared",
        pes: int = 256,
        noc_words: int = 64,
        off_chip_words: int = 16,
        node_nm: int = 28,
        area_class: str = "edge",
        clock_mhz: float = 1000.0,
        rules: str = "realistic",
    ) -> None:
        _require("rules", rules, RULES)
        _require("node_nm", node_nm, tuple(NODES))
        _require("area_class", area_class, tuple(AREA_CLASSES))
        if isinstance(clock_mhz, bool) or not 1.0 <= clock_mhz < 1e6:
            raise InputError(f"clock_mhz must be a number from 1 and below 1e6, not {clock_mhz!r}")
        self._rules = rules
        self._hardware = Hardware(pes, noc_words, off_chip_words)
        self._node, self._limit = NODES[node_nm], AREA_CLASSES[area_class]
        self._period_ns = 1e3 / clock_mhz
        described = make_workload(workload)
        self.nests = nests(described.layers)
        _require("space", space, SPACES)
        if space == "layer" and len(self.nests) > 1:
            raise InputError(
                f"space 'layer' needs a workload of one shape, {described.name!r} has {len(self.nests)}; name one "
                "layer of it, or take space 'shared'"
            )
        self.space = maestro_space(self.nests[0, :6].tolist() if space == "layer" else None, pes)
        self.workload = Workload(described.name, described.features, FEATURE_NAMES, described.digest)
        self.baseline = Baseline("NVDLA-like", baseline_row(self.space))

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return workload_descriptions()

    @classmethod
    def draw_workload(cls, split: str, rng: np.random.Generator) -> str:
        return draw_layers(split, rng)

    def simulate(self, rows: Rows) -> Evaluation:
        table = table_of(self.space, rows)
        result = simulate_table(self.nests, table, hardware=self._hardware)
        if self._rules == "maestro":
            result = as_maestro(result, self.nests, table, self._hardware)
        area = area_mm2(self._node, result, pes=self._hardware.pes)
        l1_bytes, l2_bytes = result.l1_words * float(WORD_BYTES), result.l2_words * float(WORD_BYTES)
        return Evaluation.of(
            self._values(result, area),
            reasons=self.all_reasons,
            reason_code=np.where(area > self._limit, 0, -1),
            violation=np.maximum(np.log(area / self._limit), 0.0),
            reason_detail=np.stack([l1_bytes, l2_bytes / 1024.0, area, np.full(len(rows), self._limit)], axis=1),
            diagnostics=np.stack([getattr(result, name) for name in DIAGNOSTICS], axis=1),
        )

    def _values(self, result: MaestroResult, area: NDArray[np.float64]) -> NDArray[np.float64]:
        latency_ns = result.cycles.astype(np.float64) * self._period_ns
        energy = energy_pj(self._node, result, pes=self._hardware.pes, latency_ns=latency_ns)
        throughput = result.macs / result.cycles
        columns = (
            result.cycles,
            latency_ns,
            energy,
            area,
            energy / latency_ns,
            throughput,
            throughput / self._hardware.pes,
            result.l1_words * WORD_BYTES,
            result.l2_words * WORD_BYTES,
            result.off_chip_words * WORD_BYTES,
        )
        return np.stack(columns, axis=1)


def _require(option: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        names = ", ".join(str(name) for name in allowed)
        raise InputError(f"unknown {option} {value!r}{did_you_mean(value, allowed)}; allowed: {names}")
