"""The design spaces of a system on chip.

In ``"tasks"`` and ``"shared"`` every design can be built. A task says where it runs, its accelerator and its outputs
say on which bus and in which memory they are, and what nobody uses is not built; four bus slots always form a tree, of
which unused leaves are taken out. In ``"shared"`` tasks are ranked by work and decided on in twelve groups, so that the
space is the same for every workload.
"""

from __future__ import annotations

__all__ = ["SPACES", "Choices", "GroupedSpace", "TaskSpace", "group_of_rank"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.constraints import InertWhen
from archgym_simulators.parameters import Categorical, Ordinal, Parameter
from archgym_simulators.soc.arrays import ROOT, Floats, Ints
from archgym_simulators.soc.blocks import KINDS
from archgym_simulators.soc.graph import Task, TaskGraph
from archgym_simulators.soc.technology import CLOCKS_MHZ, MOST_COPIES, WIDTHS_BYTES
from archgym_simulators.space import DesignSpace, Rows

SPACES = ("tasks", "shared", "archgym")
CPUS, MEMORIES, BUSES = 3, 4, 4
GROUPS = 12
_MAPPING_GROUPS = 4
_CPU_NAMES = tuple(f"cpu{k}" for k in range(CPUS))
_BUS_NAMES = tuple(f"bus{b}" for b in range(BUSES))
_MEMORY_NAMES = tuple(f"memory{m}" for m in range(MEMORIES))
ACCELERATOR = "accelerator"
_UNLIMITED = 2**31 - 1
_COPY_LIMITS = (*(2**k for k in range(MOST_COPIES.bit_length())), _UNLIMITED)


@dataclass(frozen=True, eq=False)
class Hardware:
    """Processors, memories and buses of N rows."""

    cpu_bus: Ints  # (N, CPUS)
    memory_kind: Ints  # (N, MEMORIES)
    memory_width: Ints
    memory_clock_mhz: Floats
    memory_bus: Ints
    bus_width: Ints  # (N, BUSES)
    bus_clock_mhz: Floats
    bus_parent: Ints


@dataclass(frozen=True, eq=False)
class Choices:
    """What N rows say, in the same form for every space that decides by task."""

    on_accelerator: NDArray[np.bool_]  # (N, T)
    cpu: Ints  # (N, T) number of the processor where it is not on its accelerator
    copies: Floats  # (N, T)
    clock_mhz: Floats  # (N, T)
    bus: Ints  # (N, T) of its accelerator
    memory: Ints  # (N, T)
    hardware: Hardware


def hardware_parameters() -> list[Parameter]:
    """Buses, memories and processors: the same in both spaces."""
    parameters: list[Parameter] = []
    for b in range(BUSES):
        about = {"group": "memory-system"}
        parameters += [
            Ordinal(f"bus{b}_width", WIDTHS_BYTES, "bytes", description=f"Data width of bus {b}.", **about),
            Ordinal(f"bus{b}_clock", CLOCKS_MHZ, "MHz", description=f"Clock of bus {b}.", **about),
        ]
        if b >= 2:
            above = _BUS_NAMES[:b]
            sentence = f"Bus towards the root of the tree to which bus {b} is linked; bus 1 is linked to bus 0."
            parameters.append(Categorical(f"bus{b}_parent", above, description=sentence, **about))
    for m in range(MEMORIES):
        name = f"memory{m}"
        parameters += [
            Categorical(f"{name}_kind", KINDS, description=f"Whether memory {m} is SRAM or stacked DRAM.", **about),
            Ordinal(f"{name}_width", WIDTHS_BYTES, "bytes", description=f"Width of the port of memory {m}.", **about),
            Ordinal(f"{name}_clock", CLOCKS_MHZ, "MHz", description=f"Clock of memory {m}.", **about),
            Categorical(f"{name}_bus", _BUS_NAMES, description=f"Bus on which memory {m} hangs.", **about),
        ]
    for k in range(CPUS):
        sentence = f"Bus on which processor {k} hangs; a processor on which nothing runs is not built."
        parameters.append(Categorical(f"cpu{k}_bus", _BUS_NAMES, description=sentence, group="processors"))
    return parameters


class TaskSpace:
    """Parameters for every task of a graph, and their meaning."""

    def __init__(self, graph: TaskGraph) -> None:
        self._tasks = graph.tasks
        sources = {edge.source for edge in graph.edges}
        targets = {edge.target for edge in graph.edges}
        parameters, inert = hardware_parameters(), list[InertWhen]()
        for number, task in enumerate(graph.tasks):
            mapping = f"mapping{1 + number * _MAPPING_GROUPS // len(graph.tasks)}"
            outside = task.work == 0 and not (task.name in sources and task.name in targets)
            parameters += _task_parameters(task, mapping, places=not outside, has_output=task.name in sources)
            inert += _inert(task, parameters)
        self.space = DesignSpace(parameters, inert=inert)

    def choices(self, rows: Rows) -> Choices:
        """What rows (N, D) mean; processor 0 stands for the world of sources and sinks."""
        values = _Values(self.space, rows)
        columns = [self._task_choices(values, task) for task in self._tasks]
        on, cpu, copies, clock, bus, memory = (np.stack(part, axis=1) for part in zip(*columns, strict=True))
        return Choices(on, cpu, copies, clock, bus, memory, _hardware(values))

    def _task_choices(self, values: _Values, task: Task) -> tuple[NDArray[np.generic], ...]:
        place = values.index(f"{task.name}.runs_on", 0)
        only_hardware = task.cpu_cycles is None
        on = (place == CPUS) | only_hardware
        copies = values.number(f"{task.name}.copies", 1.0)
        clock = values.number(f"{task.name}.clock", 100.0)
        bus, memory = values.index(f"{task.name}.bus", 0), values.index(f"{task.name}.memory", 0)
        return on, np.where(on, 0, place), copies, clock, bus, memory


class GroupedSpace:
    """Parameters for twelve groups of tasks, ranked by work: the same for every graph."""

    def __init__(self, graph: TaskGraph) -> None:
        self._tasks = graph.tasks
        work = np.array([task.work for task in graph.tasks])
        rank = np.empty(len(work), dtype=np.int64)
        rank[np.argsort(-work, kind="stable")] = np.arange(len(work))
        self._group = np.array([group_of_rank(int(r), len(work)) for r in rank])
        self.space = _grouped_space()

    def choices(self, rows: Rows) -> Choices:
        """What rows (N, D) mean: a task takes its group's choices as far as it can."""
        values = _Values(self.space, rows)
        names = [f"group{g}" for g in range(GROUPS)]
        place = np.stack([values.index(f"{name}.runs_on", 0) for name in names], axis=1)[:, self._group]
        limit = np.stack([values.number(f"{name}.copies", 1.0) for name in names], axis=1)[:, self._group]
        clock = np.stack([values.number(f"{name}.clock", 100.0) for name in names], axis=1)[:, self._group]
        bus = np.stack([values.index(f"{name}.bus", 0) for name in names], axis=1)[:, self._group]
        memory = np.stack([values.index(f"{name}.memory", 0) for name in names], axis=1)[:, self._group]
        possible = np.array([task.accelerator is not None for task in self._tasks])
        forced = np.array([task.cpu_cycles is None for task in self._tasks])
        on = ((place == CPUS) & possible) | forced
        idle = np.array([task.work == 0 for task in self._tasks])
        cpu = np.where(on | idle | (place == CPUS), 0, place)
        copies = np.ones(limit.shape)
        for t, task in enumerate(self._tasks):
            if task.accelerator is not None:
                offered = np.array(task.accelerator.copies, dtype=np.float64)
                copies[:, t] = offered[np.searchsorted(offered, limit[:, t], side="right") - 1]
        return Choices(on, cpu, copies, clock, bus, memory, _hardware(values))


def group_of_rank(rank: int, tasks: int) -> int:
    """The group of the task with the rank-th most work: the heaviest tasks have groups of their own.

    Group g ends at rank ``tasks ** ((g + 1) / 12)``, or at g where that is later.
    """
    for group in range(GROUPS):
        if rank <= max(group, round(tasks ** ((group + 1) / GROUPS)) - 1):
            return group
    return GROUPS - 1


def _grouped_space() -> DesignSpace:
    parameters = hardware_parameters()
    for g in range(GROUPS):
        who = "of the task with the most work" if g == 0 else f"of the tasks of rank group {g} by work"
        about = {"group": f"mapping{1 + g * _MAPPING_GROUPS // GROUPS}"}
        places = (*_CPU_NAMES, ACCELERATOR)
        parameters += [
            Categorical(f"group{g}.runs_on", places, description=f"Place {who}, where it can run there.", **about),
            Ordinal(
                f"group{g}.copies", _COPY_LIMITS, "copies", description=f"Most copies of the loop body {who}.", **about
            ),
            Ordinal(f"group{g}.clock", CLOCKS_MHZ, "MHz", description=f"Clock of the accelerators {who}.", **about),
            Categorical(f"group{g}.bus", _BUS_NAMES, description=f"Bus of the accelerators {who}.", **about),
            Categorical(f"group{g}.memory", _MEMORY_NAMES, description=f"Memory for the outputs {who}.", **about),
        ]
    return DesignSpace(parameters)


def _task_parameters(task: Task, mapping: str, *, places: bool, has_output: bool) -> list[Parameter]:
    about = {"group": mapping}
    name, parameters = task.name, list[Parameter]()
    on_cpu = _CPU_NAMES if task.cpu_cycles is not None else ()
    where = (*on_cpu, ACCELERATOR) if task.accelerator else on_cpu
    if places and len(where) > 1:
        sentence = f"Where task {name} runs: on a shared processor, or on an accelerator of its own."
        parameters.append(Categorical(f"{name}.runs_on", where, description=sentence, **about))
    if task.accelerator:
        unit, copies = {"group": "processors"}, task.accelerator.copies
        sentence = f"Copies of the loop body in the accelerator of {name}: faster, larger, more energy a run."
        if len(copies) > 1:
            parameters.append(Ordinal(f"{name}.copies", copies, "copies", description=sentence, **unit))
        sentence = f"Clock of the accelerator of {name}."
        parameters.append(Ordinal(f"{name}.clock", CLOCKS_MHZ, "MHz", description=sentence, **unit))
        sentence = f"Bus on which the accelerator of {name} hangs."
        parameters.append(Categorical(f"{name}.bus", _BUS_NAMES, description=sentence, **unit))
    if has_output:
        sentence = f"Memory that holds the outputs of {name} until they are read."
        parameters.append(Categorical(f"{name}.memory", _MEMORY_NAMES, description=sentence, **about))
    return parameters


def _inert(task: Task, parameters: Sequence[Parameter]) -> list[InertWhen]:
    """An accelerator that is not there has no properties."""
    if task.accelerator is None or task.cpu_cycles is None:
        return []
    names = {parameter.name for parameter in parameters}
    own = [f"{task.name}.{what}" for what in ("copies", "clock", "bus")]
    return [InertWhen(name, f"{task.name}.runs_on", _CPU_NAMES) for name in own if name in names]


class _Values:
    """Columns of rows by parameter name, with a stand-in for parameters that the space does not have."""

    def __init__(self, space: DesignSpace, rows: Rows) -> None:
        self._space = space
        self._rows = rows
        self._column = {name: c for c, name in enumerate(space.columns)}

    def index(self, name: str, otherwise: int) -> Ints:
        if name not in self._column:
            return np.full(len(self._rows), otherwise, dtype=np.int64)
        return self._rows[:, self._column[name]]

    def number(self, name: str, otherwise: float) -> Floats:
        if name not in self._column:
            return np.full(len(self._rows), otherwise)
        parameter = self._space.parameter(name)
        assert isinstance(parameter, Ordinal)
        return np.array(parameter.values, dtype=np.float64)[self.index(name, 0)]


def _hardware(values: _Values) -> Hardware:
    def indices(pattern: str, count: int) -> Ints:
        return np.stack([values.index(pattern.format(k), 0) for k in range(count)], axis=1)

    def numbers(pattern: str, count: int) -> Floats:
        return np.stack([values.number(pattern.format(k), 0.0) for k in range(count)], axis=1)

    parent = indices("bus{}_parent", BUSES)
    parent[:, 0] = ROOT
    return Hardware(
        cpu_bus=indices("cpu{}_bus", CPUS),
        memory_kind=indices("memory{}_kind", MEMORIES),
        memory_width=numbers("memory{}_width", MEMORIES).astype(np.int64),
        memory_clock_mhz=numbers("memory{}_clock", MEMORIES),
        memory_bus=indices("memory{}_bus", MEMORIES),
        bus_width=numbers("bus{}_width", BUSES).astype(np.int64),
        bus_clock_mhz=numbers("bus{}_clock", BUSES),
        bus_parent=parent,
    )
