"""The DRAM controller as a simulator: `model.simulate` bound to a workload, a device and a set of rules."""

from __future__ import annotations

__all__ = ["DramSimulator"]

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.controller import ControllerDesign
from archgym_simulators.dram.design import BASELINE, PARAMETERS, controller_space
from archgym_simulators.dram.device import Device
from archgym_simulators.dram.device import device as device_by_name
from archgym_simulators.dram.extended_design import EXTENDED_BASELINE, ExtendedDesign, extended_space
from archgym_simulators.dram.extended_model import PARAMETERS as MODEL_PARAMETERS
from archgym_simulators.dram.extended_model import ExtendedTraces, simulate_extended
from archgym_simulators.dram.extended_results import MORE_DIAGNOSTICS
from archgym_simulators.dram.features import FEATURE_NAMES
from archgym_simulators.dram.model import (
    DIAGNOSTICS,
    DesignArrays,
    PreparedTrace,
    SimulationResult,
    prepare,
    simulate,
    simulate_all,
)
from archgym_simulators.dram.splits import draw
from archgym_simulators.dram.trace import Trace
from archgym_simulators.dram.workloads import RULES, WORKLOADS
from archgym_simulators.dram.workloads import workload as make_workload
from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.parameters import Parameter
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Simulator, Workload
from archgym_simulators.space import Rows

TIME_METRICS = (
    Metric("total_time_ns", "from time 0 to the last response at the requester"),
    Metric("bandwidth_gbps", "gigabits moved per second of total time", direction="max"),
    Metric("latency_mean_ns", "mean time from a request's sending to its response"),
    Metric("latency_p50_ns", "median time from a request's sending to its response"),
    Metric("latency_p99_ns", "99th percentile of the time from a request's sending to its response"),
)
ENERGY_METRICS = (
    Metric("energy_pj", "energy of all devices, without I/O and termination"),
    Metric("power_mw", "energy over the time that it is accounted for"),
    Metric("energy_activate_pj", "energy of opening rows", scale="linear"),
    Metric("energy_precharge_pj", "energy of closing rows", scale="linear"),
    Metric("energy_read_pj", "energy of read bursts", scale="linear"),
    Metric("energy_write_pj", "energy of write bursts", scale="linear"),
    Metric("energy_refresh_pj", "energy of refreshes", scale="linear"),
    Metric("energy_background_pj", "energy of standing by", scale="linear"),
)
QUEUE_ENERGY = Metric("energy_queue_pj", "energy of the request queues, part of energy_pj", scale="linear")
QUEUE_AREA = Metric("queue_area_um2", "area of the request queues", scale="linear")
SPACES = ("standard", "extended")
QUEUES = ("charged", "free")
OBJECTIVES = (
    NamedObjective("total-time", "total_time_ns", "finish the trace sooner", aliases=("latency",)),
    NamedObjective("mean-latency", "latency_mean_ns", "answer sooner on average"),
    NamedObjective("p99-latency", "latency_p99_ns", "answer sooner in the slowest hundredth"),
    NamedObjective("energy", "energy_pj", "spend less energy on the trace"),
    NamedObjective("energy-delay", "energy_pj * total_time_ns", "energy times total time", aliases=("edp",)),
    NamedObjective(
        "power", "power_mw", "the slowest design wins", requires=("total_time_ns", "latency_mean_ns", "latency_p99_ns")
    ),
    NamedObjective("paper:archgym-latency", "pole(total_time_ns, 1e5)", "ArchGym's reward: nearest to 0.1 ms wins"),
    NamedObjective("paper:archgym-power", "pole(power_mw, 1e3)", "ArchGym's reward: nearest to 1 W wins"),
    NamedObjective(
        "paper:archgym-both",
        "pole(power_mw, 1e3) * pole(total_time_ns, 1e5)",
        "ArchGym's reward: product of both poles",
    ),
)


class DramSimulator(Simulator):
    """Cycle-exact memory controller and DRAM: what a controller design costs on a trace.

    The model is `archgym_simulators.dram.model`: DRAMSys 4.0's behaviour, event by event, and DRAMPower's energy. Under
    ``rules="realistic"`` a design without refresh is invalid and refreshes still owed at the end are paid for; under
    ``rules="archgym"`` neither holds, as in the original. A device without published currents has no energy metrics.

    Args:
        workload: spec of `archgym_simulators.dram.workloads` or path of a trace.
        device: a name of ``device_names()``; the baseline system has ``"DDR3-1600"``.
        rules: ``"realistic"`` or ``"archgym"``.
        address_map: name of an address map; the device's own where None. In the extended space designs choose it.
        player_clock_mhz: clock of the trace's time stamps; the device's command clock where None.
        space: ``"standard"``, ArchGym's ten parameters, or ``"extended"``: address map, channels, power-down, per-bank
            refresh and deep queues too (`archgym_simulators.dram.extended_design`).
        queues: of the extended space: ``"charged"`` or ``"free"`` of area and power.

    Raises:
        InputError: for an unknown workload, device, map, space or set of rules, or a malformed trace.
    """

    metrics: tuple[Metric, ...] = TIME_METRICS + ENERGY_METRICS
    version = "1"
    objectives: tuple[NamedObjective, ...] = OBJECTIVES
    default_objective = "total-time"
    pareto_objectives: tuple[str, ...] = ("total-time", "mean-latency", "power_mw")
    diagnostic_names: tuple[str, ...] = DIAGNOSTICS  # type: ignore[misc]

    def __init__(
        self,
        workload: str = "random",
        *,
        device: str = "DDR3-1600",
        rules: str = "realistic",
        address_map: str | None = None,
        player_clock_mhz: float | None = None,
        space: str = "standard",
        queues: str = "charged",
    ) -> None:
        _check("rules", rules, RULES)
        _check("space", space, SPACES)
        _check("queues", queues, QUEUES)
        memory = device_by_name(device)
        described = make_workload(workload, capacity_bytes=memory.capacity_bytes, rules=rules)
        self._rules = rules
        features = tuple(described.features.tolist())
        self.workload = Workload(described.name, features, FEATURE_NAMES, described.trace.digest)
        if space == "extended":
            _refuse_map(address_map)
            self._model: _Model = _Extended(described.trace, memory, player_clock_mhz, rules, queues)
        else:
            self._model = _Standard(described.trace, memory, address_map, player_clock_mhz, rules)
        self._bind(memory)

    def _bind(self, memory: Device) -> None:
        """Take over the space of the model, and the metrics that the device has."""
        model = self._model
        self.diagnostic_names = model.diagnostics
        self.metrics = TIME_METRICS + (ENERGY_METRICS + model.energy_metrics if memory.power else ()) + model.metrics
        if not memory.power:
            self.objectives = _without_energy(OBJECTIVES)
            self.pareto_objectives = ("total-time", "mean-latency")
        self.space = model.space
        design = {name: value for name, value in model.baseline.items() if name in self.space.names}
        row = self.space.canonical(self.space.encode_row(design)[None])[0]
        self.baseline = Baseline("open-page FR-FCFS", tuple(row.tolist()))

    def describe_options(self) -> dict[str, Any]:
        return self._model.options()

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return {name: kind.description for name, kind in WORKLOADS.items()}

    @classmethod
    def draw_workload(cls, split: str, rng: np.random.Generator) -> str:
        return draw(split, rng)

    def simulate(self, rows: Rows) -> Evaluation:
        return self._as_evaluation(self._model.run(rows))

    def simulate_all(self, rows: Rows, *, threads: int = 1) -> Evaluation:
        result = self._model.run_all(rows, threads)
        return super().simulate_all(rows, threads=threads) if result is None else self._as_evaluation(result)

    def _as_evaluation(self, result: SimulationResult) -> Evaluation:
        values = _columns(result, [metric.name for metric in self.metrics])
        diagnostics = _columns(result, self.diagnostic_names)
        return Evaluation.of(values, reasons=self.reasons, diagnostics=diagnostics)


class _Standard:
    """ArchGym's ten parameters on one device and address map."""

    diagnostics = DIAGNOSTICS
    energy_metrics: tuple[Metric, ...] = ()
    metrics: tuple[Metric, ...] = ()
    baseline = BASELINE

    def __init__(
        self, trace: Trace, memory: Device, address_map: str | None, player_clock_mhz: float | None, rules: str
    ) -> None:
        self.space = controller_space(rules)
        self._rules = rules
        self._device = memory
        self._prepared = prepare(trace, device=memory, address_map=address_map, player_clock_mhz=player_clock_mhz)

    def options(self) -> dict[str, Any]:
        trace = self._prepared
        prepared = trace if isinstance(trace, PreparedTrace) else trace.prepared
        return {
            "device": self._device.name,
            "rules": self._rules,
            "address_map": prepared.map.name,
            "player_clock_mhz": prepared.player_clock_mhz,
        }

    def run(self, rows: Rows) -> SimulationResult:
        return simulate(self._prepared, _designs(rows), rules=self._rules)

    def run_all(self, rows: Rows, threads: int) -> SimulationResult | None:
        if not isinstance(self._prepared, PreparedTrace):
            return None
        return simulate_all(self._prepared, _designs(rows), rules=self._rules, threads=threads)


class _Extended:
    """The extended space, where designs choose the map."""

    diagnostics = DIAGNOSTICS + MORE_DIAGNOSTICS
    energy_metrics = (QUEUE_ENERGY,)
    metrics = (QUEUE_AREA,)

    def __init__(self, trace: Trace, memory: Device, player_clock_mhz: float | None, rules: str, queues: str) -> None:
        self.space = extended_space(memory, rules)
        self.baseline = {**EXTENDED_BASELINE, "channels": memory.channels}
        self._traces = ExtendedTraces(trace, memory, player_clock_mhz)
        self._rules = rules
        self._queues = queues
        example = ExtendedDesign()
        by_name = {p.name: _codes_of(p, example, MODEL_PARAMETERS.index(p.name)) for p in self.space.parameters}
        self._codes = [by_name.get(name) for name in MODEL_PARAMETERS]
        self._columns = [self.space.names.index(name) if name in by_name else -1 for name in MODEL_PARAMETERS]

    def options(self) -> dict[str, Any]:
        clock = self._traces.player_clock_mhz or self._traces.device.clock_mhz
        return {
            "device": self._traces.device.name,
            "rules": self._rules,
            "player_clock_mhz": clock,
            "space": "extended",
            "queues": self._queues,
        }

    def run(self, rows: Rows) -> SimulationResult:
        codes = np.zeros((len(rows), len(MODEL_PARAMETERS)), dtype=np.int64)
        for place, (column, table) in enumerate(zip(self._columns, self._codes, strict=True)):
            if table is not None:
                codes[:, place] = table[rows[:, column]]
        return simulate_extended(self._traces, codes, rules=self._rules, charge_queues=self._queues == "charged")

    def run_all(self, rows: Rows, threads: int) -> SimulationResult | None:
        return None


_Model = _Standard | _Extended


def _codes_of(parameter: Parameter, example: ControllerDesign, position: int) -> NDArray[np.int64]:
    """What the model computes with for each index of a parameter: the code of a word or the number itself."""
    values = parameter.readable(np.arange(parameter.size)[:, None]).tolist()
    designs = [replace(example, **{parameter.name: value}) for value in values]
    return np.array([design.codes[position] for design in designs], dtype=np.int64)


_CODES = [_codes_of(parameter, ControllerDesign(), position) for position, parameter in enumerate(PARAMETERS)]


def _designs(rows: Rows) -> DesignArrays:
    return DesignArrays(*(_CODES[c][rows[:, c]] for c in range(rows.shape[1])))


def _columns(result: SimulationResult, names: Sequence[str]) -> NDArray[np.float64]:
    """Fields of a result side by side, (N, K); a third of the time of `numpy.stack` for one design."""
    values = np.empty((len(result.total_time_ns), len(names)))
    for place, name in enumerate(names):
        values[:, place] = getattr(result, name)
    return values


def _check(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"unknown {what} {value!r}{did_you_mean(value, allowed)}; allowed: {', '.join(allowed)}")


def _refuse_map(address_map: str | None) -> None:
    if address_map is not None:
        raise InputError(f"address_map {address_map!r}: designs of the extended space choose it; leave the option away")


def _without_energy(objectives: tuple[NamedObjective, ...]) -> tuple[NamedObjective, ...]:
    return tuple(named for named in objectives if "energy" not in named.expression and "power" not in named.expression)
