"""The accelerator as a simulator: `model.map_network` bound to a workload, a technology and a memory."""

from __future__ import annotations

__all__ = ["AcceleratorSimulator"]

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from archgym_simulators.accelerator.archgym_space import archgym_baseline, archgym_space, build_archgym_chips
from archgym_simulators.accelerator.costs import AREA_CLASSES, Chips, Floats, Integers
from archgym_simulators.accelerator.design import (
    EFFORTS,
    accelerator_space,
    baseline_design,
    build_chips,
    template_codes,
)
from archgym_simulators.accelerator.model import MappedLayers, map_network
from archgym_simulators.accelerator.templates import TEMPLATES, template_tables
from archgym_simulators.accelerator.workloads import layer_table
from archgym_simulators.components.parts import NODES, WORD_BYTES
from archgym_simulators.constraints import Columns, Reason
from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.layers.features import FEATURE_NAMES
from archgym_simulators.layers.splits import draw_layers
from archgym_simulators.layers.workloads import workload as make_workload
from archgym_simulators.layers.workloads import workload_descriptions
from archgym_simulators.mapping.results import RESULT_NAMES
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Simulator, Workload
from archgym_simulators.space import Rows

METRICS = (
    Metric("cycles", "of all layers, one after another"),
    Metric("latency_ns", "the same in time"),
    Metric("energy_pj", "of PEs, buffers, memory off the chip and leakage"),
    Metric("energy_mac_pj", "of the multipliers, padding included", scale="linear"),
    Metric("energy_pe_pj", "of the buffers in the PEs", scale="linear"),
    Metric("energy_glb_pj", "of the global buffer and its bus", scale="linear"),
    Metric("energy_dram_pj", "of the memory off the chip"),
    Metric("energy_leak_pj", "of leakage"),
    Metric("area_mm2", "of PEs, buffers and the bus"),
    Metric("power_mw", "energy over latency"),
    Metric("utilisation", "multiply-accumulates of the network per PE and cycle", direction="max"),
    Metric("dram_bytes", "bytes that cross the chip's edge"),
)
OBJECTIVES = (
    NamedObjective("energy-delay", "energy_pj * latency_ns", "energy times latency", aliases=("edp",)),
    NamedObjective("latency", "latency_ns", "finish sooner, within the area class"),
    NamedObjective("energy", "energy_pj", "spend less energy"),
    NamedObjective(
        "energy-delay-area", "energy_pj * latency_ns * area_mm2", "energy times latency times area", aliases=("edap",)
    ),
    NamedObjective("area", "area_mm2", "the smallest chip wins", requires=("latency_ns", "cycles")),
    NamedObjective("power", "power_mw", "the slowest chip wins", requires=("latency_ns", "cycles")),
)
SPACES = {"templates": (28, "mobile"), "archgym": (45, "any")}
"""Spaces with the technology node and area class that they have by default."""
_LEVEL_ENERGIES = ("energy_mac_pj", "energy_pe_pj", "energy_glb_pj", "energy_dram_pj")
_UNMAPPED = Reason(
    "no-mapping",
    "layer {layer:.0f} of the workload has no mapping: a tile needs {need:,.0f} words, its buffer has {room:,.0f}",
    ("layer", "need", "room"),
)


class AcceleratorSimulator(Simulator):
    """An accelerator whose embedded mapper places every layer: the model of `archgym/Mapping-v0` and a search.

    ``space="templates"`` has ten genes, the dataflow and the mapper's effort among them. ``space="archgym"`` has the 26
    of ArchGym's Timeloop environment: an Eyeriss-like chip, mapped with normal effort.

    Diagnostics: cycles of computation alone, the layer that takes most cycles, mappings that the mapper priced.

    Args:
        workload: spec of `archgym_simulators.layers.workloads`: a network, layers, shapes or a table's path.
        space: ``"templates"`` or ``"archgym"``.
        node_nm: technology, a key of `archgym_simulators.components.parts.NODES`; None: 28, in ArchGym's space 45.
        area_class: ``"edge"`` (2 mm2), ``"mobile"`` (10), ``"cloud"`` (200) or ``"any"``; larger designs are invalid.
            None: mobile, in ArchGym's space any.
        bandwidth: 16-bit words a cycle off the chip, each for reads and for writes; 16 at 1 GHz are 32 GB/s.
        clock_mhz: of array and memory channel.

    Raises:
        InputError: for an unknown workload, space, node or area class, or a bandwidth or clock that is not above 0.
    """

    metrics: tuple[Metric, ...] = METRICS
    version = "2"
    objectives: tuple[NamedObjective, ...] = OBJECTIVES
    default_objective = "energy-delay"
    pareto_objectives = ("latency", "energy", "area_mm2")
    reasons: ClassVar[tuple[Reason, ...]] = (_UNMAPPED,)
    diagnostic_names = ("compute_cycles", "slowest_layer", "mappings_per_layer")
    cost_unit = "mapping evaluations"
    rows_per_record = 64

    def __init__(
        self,
        workload: str = "resnet18",
        *,
        space: str = "templates",
        node_nm: int | None = None,
        area_class: str | None = None,
        bandwidth: float = 16.0,
        clock_mhz: float = 1000.0,
    ) -> None:
        _require("space", space, SPACES)
        default_node, default_class = SPACES[space]
        node_nm = default_node if node_nm is None else node_nm
        area_class = default_class if area_class is None else area_class
        _require("node_nm", node_nm, NODES)
        _require("area_class", area_class, AREA_CLASSES)
        _require_above_zero("bandwidth", bandwidth)
        _require_above_zero("clock_mhz", clock_mhz)
        self._node, self._bandwidth, self._period_ns = NODES[node_nm], float(bandwidth), 1e3 / clock_mhz
        described = make_workload(workload)
        self._layers = layer_table(described.layers)
        self._tables = template_tables(tuple(TEMPLATES.values()))
        self._is_archgym = space == "archgym"
        if self._is_archgym:
            self.space, reference = archgym_space(self._node, area_class), archgym_baseline()
            name = "ArchGym's Eyeriss"
        else:
            self.space = accelerator_space(self._node, area_class)
            reference = baseline_design(self._node, AREA_CLASSES[area_class])
            name = f"NVDLA-like {reference['rows']} x {reference['columns']}"
        self.workload = Workload(described.name, described.features, FEATURE_NAMES, described.digest)
        row = self.space.canonical(self.space.encode_row(reference)[None])[0]
        self.baseline = Baseline(name, tuple(row.tolist()))

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return workload_descriptions()

    @classmethod
    def draw_workload(cls, split: str, rng: np.random.Generator) -> str:
        return draw_layers(split, rng)

    def simulate(self, rows: Rows) -> Evaluation:
        columns = self.space.values(rows)
        if self._is_archgym:
            chips = build_archgym_chips(self._node, columns, self._bandwidth)
            flows = np.full(len(rows), list(TEMPLATES).index("eyeriss"))
            efforts = np.full(len(rows), EFFORTS.index("normal"))
        else:
            chips = build_chips(self._node, columns, self._bandwidth)
            flows = template_codes(columns["dataflow"])
            efforts = _codes_of(columns, "mapper_effort", EFFORTS)
        mapped = map_network(
            self._layers.shapes,
            chips,
            period_ns=self._period_ns,
            flows=flows,
            efforts=efforts,
            tables=self._tables,
        )
        return self._priced(chips, mapped)

    def _priced(self, chips: Chips, mapped: MappedLayers) -> Evaluation:
        times = self._layers.times
        per_layer = {name: mapped.results[:, :, at] for at, name in enumerate(RESULT_NAMES)}
        totals = {name: _sum_layers(per_layer[name], times) for name in ("cycles", "compute_cycles", *_LEVEL_ENERGIES)}
        latency_ns = totals["cycles"] * self._period_ns
        leak_pj = chips.leak_mw * latency_ns
        energy_pj = leak_pj + sum(totals[name] for name in _LEVEL_ENERGIES)
        pes = chips.vectors[:, 0] * chips.vectors[:, 1]
        broken = per_layer["broken"] >= 0  # (N, L)
        first = broken.argmax(axis=1)
        each = np.arange(len(first))
        with np.errstate(divide="ignore", invalid="ignore"):
            values = (
                totals["cycles"],
                latency_ns,
                energy_pj,
                *(totals[name] for name in _LEVEL_ENERGIES),
                leak_pj,
                chips.area_mm2,
                energy_pj / latency_ns,
                self._layers.macs / (totals["cycles"] * pes),
                _sum_layers(mapped.counts[:, :, 18:].sum(axis=2), times) * WORD_BYTES,
            )
        slowest = (per_layer["cycles"] * times).argmax(axis=1)
        evaluations = mapped.evaluations.sum(axis=1)
        return Evaluation.of(
            np.stack(values, axis=1),
            reasons=self.all_reasons,
            reason_code=np.where(broken.any(axis=1), 0, -1),
            violation=_sum_layers(np.where(broken, per_layer["violation"], 0.0), np.ones_like(times)),
            reason_detail=np.stack(
                [first + 1.0, per_layer["need"][each, first], per_layer["room"][each, first]], axis=1
            ),
            cost=evaluations,
            diagnostics=np.stack([totals["compute_cycles"], slowest + 1.0, evaluations / len(times)], axis=1),
        )


def _sum_layers(table: Any, times: Floats) -> Floats:
    """Sum over layers (N, L), one after another so that a batch's size changes no bit."""
    total = np.zeros(len(table))
    for layer, count in enumerate(times.tolist()):
        total += table[:, layer] * count
    return total


def _codes_of(columns: Columns, name: str, values: tuple[str, ...]) -> Integers:
    codes = np.zeros(len(columns[name]), dtype=np.int64)
    for code, value in enumerate(values):
        codes[columns[name] == value] = code
    return codes


def _require(option: str, value: object, allowed: Any) -> None:
    if value not in allowed:
        names = ", ".join(str(name) for name in allowed)
        raise InputError(f"unknown {option} {value!r}{did_you_mean(value, allowed)}; allowed: {names}")


def _require_above_zero(option: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value < 1e6:
        raise InputError(f"{option} must be a number above 0 and below 1e6, not {value!r}")
