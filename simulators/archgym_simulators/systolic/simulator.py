"""The systolic array as a simulator: `model.simulate` bound to a workload, a technology and a memory."""

from __future__ import annotations

__all__ = ["SystolicSimulator"]

from collections.abc import Mapping
from typing import Any

import numpy as np

from archgym_simulators.components.parts import NODES, WORD_BYTES
from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.layers.features import FEATURE_NAMES
from archgym_simulators.layers.splits import draw_layers
from archgym_simulators.layers.workloads import workload as make_workload
from archgym_simulators.layers.workloads import workload_descriptions
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Simulator, Workload
from archgym_simulators.space import Rows
from archgym_simulators.systolic.costs import bank_table, part_costs, price
from archgym_simulators.systolic.design import AREA_CLASSES, PARAMETERS, baseline_design, systolic_space
from archgym_simulators.systolic.kernel import COUNTS, design_table, network_counts
from archgym_simulators.systolic.model import RULES, DesignArrays, simulate
from archgym_simulators.systolic.workloads import products

METRICS = (
    Metric("cycles", "from the first to the last cycle, waiting for the memory included"),
    Metric("latency_ns", "the same in time"),
    Metric("energy_pj", "of array, buffers, memory off the chip and leakage"),
    Metric("area_mm2", "of PEs and buffers"),
    Metric("power_mw", "energy over latency"),
    Metric("utilisation", "multiply-accumulates per PE and cycle without waiting", direction="max"),
    Metric("stall_cycles", "cycles in which the array waits for the memory", scale="linear"),
    Metric("sram_reads", "words read from the three buffers"),
    Metric("sram_writes", "words written to the output buffer"),
    Metric("dram_bytes", "bytes that cross the chip's edge"),
)
OBJECTIVES = (
    NamedObjective("energy-delay", "energy_pj * latency_ns", "energy times latency", aliases=("edp",)),
    NamedObjective("latency", "latency_ns", "finish sooner, within the area class"),
    NamedObjective("energy", "energy_pj", "spend less energy"),
    NamedObjective(
        "energy-delay-area", "energy_pj * latency_ns * area_mm2", "energy times latency times area", aliases=("edap",)
    ),
    NamedObjective("area", "area_mm2", "the smallest array wins", requires=("latency_ns", "cycles")),
    NamedObjective("power", "power_mw", "the slowest array wins", requires=("latency_ns", "cycles")),
)
DIAGNOSTICS = ("compute_cycles", "ifmap_reads", "filter_reads", "ofmap_reads", "dram_ifmap_reads", "dram_filter_reads")


class SystolicSimulator(Simulator):
    """A systolic array with three double buffers, after SCALE-Sim.

    Args:
        workload: spec of `archgym_simulators.layers.workloads`: a network, layers, shapes or a table's path.
        node_nm: technology, a key of `archgym_simulators.components.parts.NODES`.
        area_class: ``"edge"`` (2 mm2), ``"mobile"`` (10) or ``"cloud"`` (200); larger designs are invalid.
        bandwidth: 16-bit words a cycle off the chip; 16 at 1 GHz are 32 GB/s, as of two LPDDR4 channels.
        clock_mhz: of array and memory channel.
        rules: ``"realistic"``, or ``"scalesim"`` to replay that tool's prefetch and count OS writes as it does; slow.

    Raises:
        InputError: for an unknown workload, node, area class or set of rules.
    """

    metrics: tuple[Metric, ...] = METRICS
    version = "1"
    objectives: tuple[NamedObjective, ...] = OBJECTIVES
    default_objective = "energy-delay"
    pareto_objectives = ("latency", "energy", "area_mm2")
    diagnostic_names = DIAGNOSTICS

    def __init__(
        self,
        workload: str = "resnet18",
        *,
        node_nm: int = 28,
        area_class: str = "mobile",
        bandwidth: int = 16,
        clock_mhz: float = 1000.0,
        rules: str = "realistic",
    ) -> None:
        _require("node_nm", node_nm, NODES)
        _require("area_class", area_class, AREA_CLASSES)
        _require("rules", rules, RULES)
        if not 0.0 < clock_mhz < 1e6:
            raise InputError(f"clock_mhz must be a number above 0 and below 1e6, not {clock_mhz!r}")
        self._node, self._bandwidth, self._rules = NODES[node_nm], bandwidth, rules
        self._period_ns = 1e3 / clock_mhz
        described = make_workload(workload)
        self._layers = described.layers
        self.space = systolic_space(self._node, area_class)
        self.workload = Workload(described.name, described.features, FEATURE_NAMES, described.digest)
        reference = baseline_design(self._node, area_class)
        name = f"TPU-like {reference['rows']} x {reference['columns']}"
        self.baseline = Baseline(name, tuple(self.space.encode_row(reference).tolist()))
        simulate(self._layers, DesignArrays(np.zeros((0, 6), dtype=np.int64)), bandwidth=bandwidth)
        self._products = products(self._layers)
        self._macs = sum(layer.total_macs for layer in self._layers)
        self._banks = bank_table(self._node, _SIDES, _KIBIBYTES)
        self._parts = part_costs(self._node)

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return workload_descriptions()

    @classmethod
    def draw_workload(cls, split: str, rng: np.random.Generator) -> str:
        return draw_layers(split, rng)

    def simulate(self, rows: Rows) -> Evaluation:
        counts = self._counts(design_table(rows, _VALUES, 1024 // WORD_BYTES // 2))
        values, diagnostics = np.empty((len(rows), len(METRICS))), np.empty((len(rows), len(DIAGNOSTICS)))
        price(rows, _SIDES, counts, self._banks, self._parts, self._macs, self._period_ns, values, diagnostics)
        return Evaluation.of(values, reasons=self.reasons, diagnostics=diagnostics)

    def _counts(self, table: Any) -> Any:
        """Counts (N, COUNTS) under the rules."""
        if self._rules == "realistic":
            return network_counts(table, self._products, self._bandwidth)
        result = simulate(self._layers, DesignArrays(table), bandwidth=self._bandwidth, rules=self._rules)
        return np.stack([getattr(result, name) for name in COUNTS], axis=1)


def _require(option: str, value: object, allowed: Any) -> None:
    if value not in allowed:
        names = ", ".join(str(name) for name in allowed)
        raise InputError(f"unknown {option} {value!r}{did_you_mean(value, allowed)}; allowed: {names}")


def _values() -> Any:
    """What the model computes with for each index, by parameter: (6, K), padded."""
    table = np.zeros((len(PARAMETERS), max(parameter.size for parameter in PARAMETERS)), dtype=np.int64)
    for row, parameter in zip(table, PARAMETERS, strict=True):
        values = parameter.readable(np.arange(parameter.size)[:, None]).tolist()
        row[: parameter.size] = range(parameter.size) if parameter.name == "dataflow" else values
    return table


_VALUES = _values()
_SIDES, _KIBIBYTES = (_VALUES[at, : PARAMETERS[at].size].copy() for at in (1, 3))
