"""The systolic array as a simulator: `model.simulate` bound to a workload, a technology and a memory."""

from __future__ import annotations

__all__ = ["SystolicSimulator"]

from collections.abc import Mapping
from typing import Any

import numpy as np

from archgym_simulators.components.parts import DRAM_PJ_PER_WORD, NODES, WORD_BYTES
from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.layers.features import FEATURE_NAMES
from archgym_simulators.layers.splits import draw_layers
from archgym_simulators.layers.workloads import workload as make_workload
from archgym_simulators.layers.workloads import workload_descriptions
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Simulator, Workload
from archgym_simulators.space import Rows
from archgym_simulators.systolic.costs import area_mm2, unit_costs
from archgym_simulators.systolic.design import AREA_CLASSES, PARAMETERS, baseline_design, systolic_space
from archgym_simulators.systolic.model import RULES, DesignArrays, SystolicResult, simulate

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

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return workload_descriptions()

    @classmethod
    def draw_workload(cls, split: str, rng: np.random.Generator) -> str:
        return draw_layers(split, rng)

    def simulate(self, rows: Rows) -> Evaluation:
        dataflow, height, width, *kibibytes = (table[rows[:, c]] for c, table in enumerate(_VALUES))
        sizes = np.stack(kibibytes, axis=1)  # (N, 3)
        half_words = sizes * (1024 // WORD_BYTES // 2)
        table = np.concatenate([np.stack([dataflow, height, width], axis=1), half_words], axis=1)
        result = simulate(self._layers, DesignArrays(table), bandwidth=self._bandwidth, rules=self._rules)
        latency_ns = result.total_cycles * self._period_ns
        costs = unit_costs(self._node, height, width, sizes)
        energy_pj = _energy_pj(result, costs.mac_pj, costs.read_pj, costs.write_pj) + costs.leak_mw * latency_ns
        columns = (
            result.total_cycles,
            latency_ns,
            energy_pj,
            area_mm2(self._node, height, width, sizes),
            energy_pj / latency_ns,
            result.utilisation,
            result.stall_cycles,
            result.ifmap_reads + result.filter_reads + result.ofmap_reads,
            result.ofmap_writes,
            result.dram_words * WORD_BYTES,
        )
        diagnostics = np.stack([getattr(result, name) for name in DIAGNOSTICS], axis=1)
        return Evaluation.of(np.stack(columns, axis=1), reasons=self.reasons, diagnostics=diagnostics)


def _energy_pj(result: SystolicResult, mac_pj: float, read_pj: Any, write_pj: Any) -> Any:
    """Energy (N,) without leakage; pJ = mW x ns, so leakage is added by the caller.

    What comes from off the chip is written to its buffer and read from it; outputs are read once more to leave.
    """
    inputs = result.ifmap_reads * read_pj[:, 0] + result.dram_ifmap_reads * write_pj[:, 0]
    weights = result.filter_reads * read_pj[:, 1] + result.dram_filter_reads * write_pj[:, 1]
    output_reads = result.ofmap_reads + result.dram_ofmap_writes
    outputs = output_reads * read_pj[:, 2] + (result.ofmap_writes + result.dram_ofmap_reads) * write_pj[:, 2]
    return result.macs * mac_pj + inputs + weights + outputs + result.dram_words * DRAM_PJ_PER_WORD


def _require(option: str, value: object, allowed: Any) -> None:
    if value not in allowed:
        names = ", ".join(str(name) for name in allowed)
        raise InputError(f"unknown {option} {value!r}{did_you_mean(value, allowed)}; allowed: {names}")


def _values() -> list[Any]:
    """By parameter: what the model computes with for each index."""
    tables = []
    for parameter in PARAMETERS:
        values = parameter.readable(np.arange(parameter.size)[:, None]).tolist()
        codes = range(len(values)) if parameter.name == "dataflow" else values
        tables.append(np.array(list(codes), dtype=np.int64))
    return tables


_VALUES = _values()
