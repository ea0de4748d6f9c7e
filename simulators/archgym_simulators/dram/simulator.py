"""The DRAM controller as a simulator: `model.simulate` bound to a workload, a device and a set of rules."""

from __future__ import annotations

__all__ = ["DramSimulator"]

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.controller import ControllerDesign
from archgym_simulators.dram.design import BASELINE, PARAMETERS, controller_space
from archgym_simulators.dram.device import device as device_by_name
from archgym_simulators.dram.features import FEATURE_NAMES
from archgym_simulators.dram.model import (
    DIAGNOSTICS,
    DesignArrays,
    PreparedTrace,
    SimulationResult,
    simulate,
    simulate_all,
)
from archgym_simulators.dram.splits import draw
from archgym_simulators.dram.workloads import RULES, WORKLOADS
from archgym_simulators.dram.workloads import workload as make_workload
from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.nearest import did_you_mean
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
        address_map: name of an address map; the device's own where None.
        player_clock_mhz: clock of the trace's time stamps; the device's command clock where None.

    Raises:
        InputError: for an unknown workload, device, map or set of rules, or a malformed trace.
    """

    metrics: tuple[Metric, ...] = TIME_METRICS + ENERGY_METRICS
    version = "1"
    objectives: tuple[NamedObjective, ...] = OBJECTIVES
    default_objective = "total-time"
    pareto_objectives: tuple[str, ...] = ("total-time", "mean-latency", "power_mw")
    diagnostic_names = DIAGNOSTICS

    def __init__(
        self,
        workload: str = "random",
        *,
        device: str = "DDR3-1600",
        rules: str = "realistic",
        address_map: str | None = None,
        player_clock_mhz: float | None = None,
    ) -> None:
        if rules not in RULES:
            raise InputError(f"unknown rules {rules!r}{did_you_mean(rules, RULES)}; allowed: {', '.join(RULES)}")
        memory = device_by_name(device)
        described = make_workload(workload, capacity_bytes=memory.capacity_bytes, rules=rules)
        self._rules = rules
        self._prepared = PreparedTrace.build(
            described.trace, device=memory, address_map=address_map, player_clock_mhz=player_clock_mhz
        )
        if not memory.power:
            self.metrics, self.objectives = TIME_METRICS, _without_energy(OBJECTIVES)
            self.pareto_objectives = ("total-time", "mean-latency")
        self.space = controller_space(rules)
        features = tuple(described.features.tolist())
        self.workload = Workload(described.name, features, FEATURE_NAMES, described.trace.digest)
        row = self.space.canonical(self.space.encode_row(BASELINE)[None])[0]
        self.baseline = Baseline("open-page FR-FCFS", tuple(row.tolist()))

    def describe_options(self) -> dict[str, Any]:
        prepared = self._prepared
        return {
            "device": prepared.device.name,
            "rules": self._rules,
            "address_map": prepared.map.name,
            "player_clock_mhz": prepared.player_clock_mhz,
        }

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return {name: kind.description for name, kind in WORKLOADS.items()}

    @classmethod
    def draw_workload(cls, split: str, rng: np.random.Generator) -> str:
        return draw(split, rng)

    def simulate(self, rows: Rows) -> Evaluation:
        return self._as_evaluation(simulate(self._prepared, _designs(rows), rules=self._rules))

    def simulate_all(self, rows: Rows, *, threads: int = 1) -> Evaluation:
        result = simulate_all(self._prepared, _designs(rows), rules=self._rules, threads=threads)
        return self._as_evaluation(result)

    def _as_evaluation(self, result: SimulationResult) -> Evaluation:
        values = np.stack([getattr(result, metric.name) for metric in self.metrics], axis=1)
        diagnostics = np.stack([getattr(result, name) for name in DIAGNOSTICS], axis=1)
        return Evaluation.of(values, reasons=self.reasons, diagnostics=diagnostics)


def _codes() -> list[NDArray[np.int64]]:
    """By parameter: what the model computes with for each index, the code of a word or the number itself."""
    tables = []
    for position, parameter in enumerate(PARAMETERS):
        everything = np.arange(parameter.size)[:, None]
        values = parameter.readable(everything).tolist()
        designs = [replace(ControllerDesign(), **{parameter.name: value}) for value in values]
        tables.append(np.array([design.codes[position] for design in designs], dtype=np.int64))
    return tables


_CODES = _codes()


def _designs(rows: Rows) -> DesignArrays:
    return DesignArrays(*(_CODES[c][rows[:, c]] for c in range(rows.shape[1])))


def _without_energy(objectives: tuple[NamedObjective, ...]) -> tuple[NamedObjective, ...]:
    return tuple(named for named in objectives if "energy" not in named.expression and "power" not in named.expression)
