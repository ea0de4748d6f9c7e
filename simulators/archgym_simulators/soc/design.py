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
        sources = {edge.source for edge in graph.edges}
        targets = {edge.target for edge in graph.edges}
        parameters, inert = hardware_parameters(), list[InertWhen]()
        for number, task in enumerate(graph.tasks):
            mapping = f"mapping{1 + number * _MAPPING_GROUPS // len(graph.tasks)}"
            outside = task.work == 0 and not (task.name in sources and task.name in targets)
            parameters += _task_parameters(task, mapping, places=not outside, has_output=task.name in sources)
            inert += _inert(task, parameters)
        self.space = DesignSpace(parameters, inert=inert)
        self.choice_names = names = tuple(task.name for task in graph.tasks)
        self._forced = np.array([task.cpu_cycles is None for task in graph.tasks])
        self._runs_on = _Columns(self.space, [f"{name}.runs_on" for name in names])
        self._copies = _Columns(self.space, [f"{name}.copies" for name in names], 1.0)
        self._clock = _Columns(self.space, [f"{name}.clock" for name in names], CLOCKS_MHZ[0])
        self._bus = _Columns(self.space, [f"{name}.bus" for name in names])
        self._memory = _Columns(self.space, [f"{name}.memory" for name in names])
        self._hardware = _HardwareColumns(self.space)

    def choices(self, rows: Rows) -> Choices:
        """What rows (N, D) mean; processor 0 stands for the world of sources and sinks."""
        place = self._runs_on.indices(rows)
        on = (place == CPUS) | self._forced
        return Choices(
            on_accelerator=on,
            cpu=np.where(on, 0, place),
            copies=self._copies.values(rows),
            clock_mhz=self._clock.values(rows),
            bus=self._bus.indices(rows),
            memory=self._memory.indices(rows),
            hardware=self._hardware.read(rows),
        )


class GroupedSpace:
    """Parameters for twelve groups of tasks, ranked by work: the same for every graph."""

    def __init__(self, graph: TaskGraph) -> None:
        tasks = graph.tasks
        work = np.array([task.work for task in tasks])
        rank = np.empty(len(work), dtype=np.int64)
        rank[np.argsort(-work, kind="stable")] = np.arange(len(work))
        group = [group_of_rank(r, len(work)) for r in rank.tolist()]
        self.space = _grouped_space()
        self.choice_names = tuple(f"group{g}" for g in group)
        self._runs_on, self._copies, self._clock, self._bus, self._memory = (
            _Columns(self.space, [f"{name}.{what}" for name in self.choice_names])
            for what in ("runs_on", "copies", "clock", "bus", "memory")
        )
        self._hardware = _HardwareColumns(self.space)
        self._possible = np.array([task.accelerator is not None for task in tasks])
        self._forced = np.array([task.cpu_cycles is None for task in tasks])
        self._idle = work == 0
        self._offered = np.ones((len(tasks), len(_COPY_LIMITS)))
        for t, task in enumerate(tasks):
            if task.accelerator is not None:
                offered = np.array(task.accelerator.copies)
                within = np.searchsorted(offered, np.array(_COPY_LIMITS), side="right") - 1
                self._offered[t] = offered[within]

    def choices(self, rows: Rows) -> Choices:
        """What rows (N, D) mean: a task takes its group's choices as far as it can."""
        place = self._runs_on.indices(rows)
        on = ((place == CPUS) & self._possible) | self._forced
        return Choices(
            on_accelerator=on,
            cpu=np.where(on | self._idle | (place == CPUS), 0, place),
            copies=self._offered[np.arange(len(self._offered)), self._copies.indices(rows)],
            clock_mhz=self._clock.values(rows),
            bus=self._bus.indices(rows),
            memory=self._memory.indices(rows),
            hardware=self._hardware.read(rows),
        )


def group_of_rank(rank: int, tasks: int) -> int:
    """The group of the task with the rank-th most work: the heaviest has one of its own, later groups grow.

    Group g ends before rank ``tasks ** ((g + 1) / 12)``, and holds at least one task while there are any.
    """
    last = 0
    for group in range(GROUPS):
        if rank <= last:
            return group
        last = max(last + 1, round(tasks ** ((group + 2) / GROUPS)) - 1)
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


class _Columns:
    """Columns of a space gathered in one step; a parameter that the space does not have reads as a stand-in."""

    def __init__(self, space: DesignSpace, names: Sequence[str], otherwise: float = 0.0) -> None:
        place = {name: c for c, name in enumerate(space.columns)}
        self._column = np.array([place.get(name, -1) for name in names])
        self._missing = self._column < 0
        known = [space.parameter(name) if name in place else None for name in names]
        self._table = np.full((len(names), max([p.size if p else 1 for p in known], default=1)), otherwise)
        for n, parameter in enumerate(known):
            if isinstance(parameter, Ordinal):
                self._table[n, : parameter.size] = parameter.values
        self._numbers = np.arange(len(names))

    def indices(self, rows: Rows) -> Ints:
        """Indices or values by name: (N, names)."""
        found = rows[:, self._column]
        found[:, self._missing] = 0
        return found

    def values(self, rows: Rows) -> Floats:
        """Indices or values by name: (N, names)."""
        return self._table[self._numbers, self.indices(rows)]


class _HardwareColumns:
    """Where a space keeps what `hardware_parameters` made."""

    def __init__(self, space: DesignSpace) -> None:
        def columns(pattern: str, count: int) -> _Columns:
            return _Columns(space, [pattern.format(k) for k in range(count)])

        self._cpu_bus = columns("cpu{}_bus", CPUS)
        self._memory = [columns(f"memory{{}}_{what}", MEMORIES) for what in ("kind", "width", "clock", "bus")]
        self._bus = [columns(f"bus{{}}_{what}", BUSES) for what in ("width", "clock", "parent")]

    def read(self, rows: Rows) -> Hardware:
        kind, memory_width, memory_clock, memory_bus = self._memory
        bus_width, bus_clock, bus_parent = self._bus
        parent = bus_parent.indices(rows)
        parent[:, 0] = ROOT
        return Hardware(
            cpu_bus=self._cpu_bus.indices(rows),
            memory_kind=kind.indices(rows),
            memory_width=memory_width.values(rows).astype(np.int64),
            memory_clock_mhz=memory_clock.values(rows),
            memory_bus=memory_bus.indices(rows),
            bus_width=bus_width.values(rows).astype(np.int64),
            bus_clock_mhz=bus_clock.values(rows),
            bus_parent=parent,
        )
