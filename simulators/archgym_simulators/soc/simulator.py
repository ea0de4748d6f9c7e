"""Systems on chip as a simulator: `model` bound to a workload, a space, budgets and a set of rules."""

from __future__ import annotations

__all__ = ["SocSimulator"]

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.constraints import Reason
from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Simulator, Workload
from archgym_simulators.soc.archgym_space import SLOTS, ArchgymSpace
from archgym_simulators.soc.arrays import Designs, Floats
from archgym_simulators.soc.assembly import Assembly
from archgym_simulators.soc.design import BUSES, CPUS, MEMORIES, SPACES, GroupedSpace, TaskSpace
from archgym_simulators.soc.diagnosis import DIAGNOSTICS, Names, diagnostics, named
from archgym_simulators.soc.features import FEATURE_NAMES, graph_features
from archgym_simulators.soc.generator import GENERATED
from archgym_simulators.soc.model import BUDGETS, RULES, PreparedGraph, SocResult, simulate_arrays
from archgym_simulators.soc.splits import draw
from archgym_simulators.soc.technology import MEMORY_BLOCK_BYTES, memory_table
from archgym_simulators.soc.workloads import WORKLOADS, canonical_name
from archgym_simulators.soc.workloads import workload as make_graph
from archgym_simulators.space import DesignSpace, Rows

METRICS = (
    Metric("latency_ms", "until the last application is done"),
    Metric("latency_ratio", "largest latency of an application over its budget; met at 1 or below"),
    Metric("energy_uj", "energy of one run of everything"),
    Metric("power_mw", "largest mean power over 10 ms"),
    Metric("area_mm2", "area of everything that is built"),
    Metric("power_ratio", "power over its budget"),
    Metric("area_ratio", "area over its budget"),
    Metric("budget_distance", "FARSI's distance: by how many times its budget each metric misses it, added up"),
    Metric("energy_processing_uj", "energy of processors and accelerators", scale="linear"),
    Metric("energy_memory_uj", "energy of reads and writes of memories", scale="linear"),
    Metric("energy_bus_uj", "energy of buses; 0 under FARSI's rules", scale="linear"),
    Metric("energy_idle_uj", "leakage and refresh over the run; 0 under FARSI's rules", scale="linear"),
    Metric("area_cpu_mm2", "area of processors", scale="linear"),
    Metric("area_accelerator_mm2", "area of accelerators", scale="linear"),
    Metric("area_sram_mm2", "area of SRAM", scale="linear"),
    Metric("area_dram_mm2", "area of stacked DRAM", scale="linear"),
    Metric("area_bus_mm2", "area of buses; 0 under FARSI's rules", scale="linear"),
)
_RATIOS = ("latency_ratio", "power_ratio", "area_ratio")
OBJECTIVES = (
    NamedObjective("budget-distance", "budget_distance", "meet FARSI's budgets", aliases=("paper:farsi-distance",)),
    NamedObjective("energy", "energy_uj", "spend less energy; meant with the budgets as constraints"),
    NamedObjective("latency", "latency_ms", "finish sooner"),
    NamedObjective("energy-delay", "energy_uj * latency_ms", "energy times latency", aliases=("edp",)),
    NamedObjective("area", "area_mm2", "the slowest design wins", requires=("latency_ms", "latency_ratio")),
    NamedObjective("power", "power_mw", "the slowest design wins", requires=("latency_ms", "latency_ratio")),
)
TOO_LARGE = Reason(
    "memory-too-large",
    "memory {memory:.0f} would hold {need:,.1f} MB; the largest that its table has is {limit:,.1f} MB",
    ("memory", "need", "limit"),
)
_UNITS = {"_ms": 1e3, "_uj": 1e6, "_mw": 1e3, "_mm2": 1e6}


class SocSimulator(Simulator):
    """FARSI's model of a heterogeneous SoC: what blocks, buses and a mapping cost when they run task graphs.

    Under ``rules="farsi"`` numbers equal FARSI's. Under ``rules="realistic"`` buses cost energy and area, clocks need
    voltage, what is built leaks (DRAM is refreshed), wide memories are several arrays, buffers are freed when they have
    been read, tasks are done when all of their work is, and power is taken over every window of 10 ms.

    Diagnostics: signed distances to the budgets, then numbers of metrics (0 latency, 1 power, 2 area), tasks and blocks
    that hold the design back; `bottlenecks` gives their names. A mix adds the latency of each application, except in
    the shared space, where all workloads have the same diagnostics.

    Args:
        workload: see `archgym_simulators.soc.workloads`.
        space: ``"tasks"``: every task has parameters of its own. ``"shared"``: the same space for every workload.
            ``"archgym"``: ArchGym's encoding. By default ``"shared"`` for generated graphs, so that one policy trains
            over a split, else ``"tasks"``.
        rules: ``"realistic"`` or ``"farsi"``.
        budgets: ``"tight"`` (sums of the budgets of the applications) or ``"farsi"`` (its common file, looser); by
            default those that belong to the rules.

    Raises:
        InputError: for an unknown workload or option, or a malformed graph.
    """

    metrics: tuple[Metric, ...] = METRICS
    version = "2"
    objectives: tuple[NamedObjective, ...] = OBJECTIVES
    default_objective = "budget-distance"
    pareto_objectives = ("latency", "energy", "area_mm2")
    reasons: ClassVar[tuple[Reason, ...]] = (TOO_LARGE,)
    diagnostic_names: ClassVar[tuple[str, ...]] = DIAGNOSTICS

    def __init__(
        self,
        workload: str = "three-apps",
        *,
        space: str | None = None,
        rules: str = "realistic",
        budgets: str | None = None,
    ) -> None:
        space = space or ("shared" if workload.split(":")[0] == GENERATED else "tasks")
        _one_of("space", space, SPACES)
        _one_of("rules", rules, RULES)
        budgets = budgets or ("farsi" if rules == "farsi" else "tight")
        _one_of("budgets", budgets, BUDGETS)
        graph = make_graph(workload)
        self._prepared = PreparedGraph.build(graph, budgets=budgets)
        self._rules = rules
        self._space_kind = space
        realistic = rules == "realistic"
        if space == "archgym":
            self._encoding = ArchgymSpace(graph, realistic=realistic)
            self.space = self._encoding.space
            row = self._encoding.baseline()
        else:
            self._tasks = TaskSpace(graph) if space == "tasks" else GroupedSpace(graph)
            self._assembly = Assembly(graph, realistic=realistic)
            self.space = self._tasks.space
            row = self.space.canonical(_baseline_row(self.space)[None])[0].tolist()
        self.baseline = Baseline("everything on one processor", tuple(row))
        self._refuse_what_does_not_fit()
        self._names = self._names_of_numbers()
        names = [application.name for application in graph.applications]
        self._by_application = len(names) > 1 and space != "shared"
        if self._by_application:
            self.diagnostic_names = DIAGNOSTICS + tuple(_latency_name(name) for name in names)  # type: ignore[misc]
        features = graph_features(self._prepared)
        self.workload = Workload(canonical_name(workload), features, FEATURE_NAMES, graph.digest)

    def _names_of_numbers(self) -> Names:
        tasks = tuple(task.name for task in self._prepared.graph.tasks)
        if self._space_kind == "archgym":
            return Names(
                tasks, tuple(f"{what}{s}" for what in ("element", "memory", "bus") for s in range(SLOTS)), tasks
            )
        elements = (*(f"cpu{k}" for k in range(CPUS)), *(f"accelerator of {name}" for name in tasks))
        shared = (*(f"memory{m}" for m in range(MEMORIES)), *(f"bus{b}" for b in range(BUSES)))
        return Names(tasks, (*elements, *shared), self._tasks.choice_names)

    def _refuse_what_does_not_fit(self) -> None:
        row = np.array([self.baseline.row], dtype=np.int64)
        result = simulate_arrays(self._prepared, self.build(row), rules=self._rules, prune=True)
        if result.too_large[0] >= 0:
            raise InputError(
                f"workload {self._prepared.graph.name!r} holds {result.peak_bytes.max() / 1e6:,.1f} MB at once in one "
                f"memory; the largest of the library has {memory_table().shape[1] * MEMORY_BLOCK_BYTES / 1e6:,.1f} MB"
            )

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return dict(WORKLOADS)

    @classmethod
    def draw_workload(cls, split: str, rng: np.random.Generator) -> str:
        return draw(split, rng)

    def bottlenecks(self, evaluation: Evaluation) -> dict[str, NDArray[Any]]:
        """What holds each design back; see `diagnosis.named`."""
        return named(evaluation.diagnostics, self._names)

    def build(self, rows: Rows) -> Designs:
        """The blocks of valid rows (N, D)."""
        if self._space_kind == "archgym":
            return self._encoding.designs(rows)
        return self._assembly.build(self._tasks.choices(rows))

    def simulate(self, rows: Rows) -> Evaluation:
        result = simulate_arrays(self._prepared, self.build(rows), rules=self._rules, prune=True)
        code = np.where(result.too_large >= 0, 0, -1)
        limit = float(memory_table().shape[1])
        arrays = np.maximum(result.arrays_needed, 1.0)
        need = np.where(code == 0, result.blocks_needed, 0.0)
        scale = MEMORY_BLOCK_BYTES / 1e6
        detail = np.stack([np.maximum(result.too_large, 0), need * scale, limit * arrays * scale], axis=1)
        return Evaluation.of(
            self._values(result),
            reasons=self.all_reasons,
            reason_code=code,
            violation=np.where(code == 0, need / (limit * arrays) - 1.0, 0.0),
            reason_detail=detail,
            diagnostics=diagnostics(result, by_application=self._by_application),
        )

    def _values(self, result: SocResult) -> Floats:
        ratios = {
            "latency_ms": result.latency_s.max(axis=1) * 1e3,
            "latency_ratio": result.latency_distance.max(axis=1) + 1.0,
            "power_ratio": result.power_distance + 1.0,
            "area_ratio": result.area_distance + 1.0,
            "budget_distance": result.budget_distance,
        }
        columns = [ratios[m.name] if m.name in ratios else _in_unit(result, m.name) for m in METRICS]
        return np.stack(columns, axis=1)


def _latency_name(application: str) -> str:
    return f"latency_{''.join(c if c.isalnum() else '_' for c in application)}_ms"


def _in_unit(result: SocResult, metric: str) -> Floats:
    name, _, unit = metric.rpartition("_")
    si = {"uj": "j", "mw": "w", "mm2": "m2"}[unit]
    values: Floats = getattr(result, f"{name}_{si}") * _UNITS[f"_{unit}"]
    return values


def _baseline_row(space: DesignSpace) -> NDArray[np.int64]:
    """First processor, first memory (DRAM), first bus, all at 16 bytes and 400 MHz; smallest accelerators."""
    row = np.zeros(space.width, dtype=np.int64)
    wanted = {"bus0_width": 16, "bus0_clock": 400, "memory0_kind": "dram", "memory0_width": 16, "memory0_clock": 400}
    for name, value in wanted.items():
        row[space.columns_of(name)] = space.parameter(name).digits_of(value)
    return row


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"unknown {what} {value!r}{did_you_mean(value, allowed)}; allowed: {', '.join(allowed)}")
