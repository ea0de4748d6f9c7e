"""ArchGym's own encoding of a system on chip: 18 + 2 T whole numbers, most of which no design can follow.

Three processing elements, memories and buses of a few types, what hangs where, and where each of T tasks computes and
keeps its outputs: 34 numbers for edge detection, 36 for CAVA, 54 for the audio decoder. Here for comparison: it cannot
reach SRAM, wide buses or most accelerators.
"""

from __future__ import annotations

__all__ = ["ArchgymSpace"]

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.constraints import Columns, Constraint, Reason
from archgym_simulators.errors import InputError
from archgym_simulators.parameters import Integer, Parameter
from archgym_simulators.soc.arrays import ABSENT, ROOT, Designs, Floats, Ints
from archgym_simulators.soc.blocks import accelerator_area, accelerator_joules, accelerator_rate
from archgym_simulators.soc.graph import TaskGraph
from archgym_simulators.soc.technology import (
    CLOCKS_MHZ,
    CPU_AREA_M2,
    CPU_INSTRUCTIONS_PER_J,
    CPU_RATE,
    WIDTHS_BYTES,
    relative_energy,
)
from archgym_simulators.space import DesignSpace, Rows

SLOTS = 3


@dataclass(frozen=True)
class TaskReason(Reason):
    """A reason in which the detail ``task`` is the number of a task, and is written as its name."""

    tasks: tuple[str, ...] = ()

    def sentence(self, numbers: Floats) -> str:
        values = dict(zip(self.details, numbers.tolist(), strict=False))
        named = {k: self.tasks[int(v)] if k == "task" else f"{v:.0f}" for k, v in values.items()}
        return self.template.format(**named)


class ArchgymSpace:
    """The encoding for one graph, its rules, and its meaning."""

    def __init__(self, graph: TaskGraph, *, realistic: bool) -> None:
        self._graph = graph
        self._realistic = realistic
        own = [t for t, task in enumerate(graph.tasks) if task.accelerator is not None]
        if not own:
            raise InputError(f"space 'archgym' needs a task with an accelerator; workload {graph.name!r} has none")
        self._special = own[0]
        self._names = tuple(task.name for task in graph.tasks)
        index = {name: t for t, name in enumerate(self._names)}
        self._ways = _ways(graph, index)
        self._has_output = np.array([any(edge.source == name for edge in graph.edges) for name in self._names])
        self.space = DesignSpace(self._parameters(), constraints=self._constraints())

    def designs(self, rows: Rows) -> Designs:
        """The designs of valid rows (N, D)."""
        values = self.space.values(rows)
        n, special = len(rows), self._special
        task = self._graph.tasks[special]
        is_cpu = _stack(values, "pe_allocation_{}") == 0
        memory_clock = _clocks(_stack(values, "mem_allocation_{}"))
        bus_clock = _clocks(_stack(values, "bus_allocation_{}"))
        pe_of_task, memory_of_task = self._mapping(values)
        on_special = ~np.take_along_axis(is_cpu, pe_of_task, axis=1)
        ones = np.ones((n, SLOTS))
        return Designs(
            pe_of_task=pe_of_task,
            memory_of_task=np.where(self._has_output, memory_of_task, ABSENT),
            rate=np.where(on_special, accelerator_rate(task, 1, 100), CPU_RATE),
            joules=np.where(
                on_special, accelerator_joules(task, 1) * self._scale(np.array(100.0)), 1.0 / CPU_INSTRUCTIONS_PER_J
            ),
            pe_bus=_stack(values, "pe_to_bus_{}"),
            pe_area=np.where(is_cpu, CPU_AREA_M2, accelerator_area(task, 1)),
            pe_is_cpu=is_cpu,
            memory_bus=_memory_bus(values),
            memory_kind=np.ones((n, SLOTS), dtype=np.int64),
            memory_width=np.full((n, SLOTS), WIDTHS_BYTES[0], dtype=np.int64),
            memory_rate=WIDTHS_BYTES[0] * memory_clock * 1e6,
            memory_scale=ones,
            bus_parent=_bus_parents(values),
            bus_width=np.full((n, SLOTS), WIDTHS_BYTES[0], dtype=np.int64),
            bus_rate=WIDTHS_BYTES[0] * bus_clock * 1e6,
            bus_scale=self._scale(bus_clock),
        )

    def baseline(self) -> list[int]:
        """Three processors, memories and buses in a row, of which the first do everything."""
        row = self.space.encode_row(
            {parameter.name: 0 for parameter in self.space.parameters}
            | {"bus_to_bus_0": -1, "bus_to_bus_1": 0, "bus_to_bus_2": 1}
            | {f"bus_to_mem_{b}": b for b in range(SLOTS)}
        )
        return [int(digit) for digit in row]

    def _scale(self, clock_mhz: Floats) -> Floats:
        return relative_energy(clock_mhz) if self._realistic else np.ones(clock_mhz.shape)

    def _parameters(self) -> list[Parameter]:
        task = self._names[self._special]
        kinds = (
            (
                "pe_allocation",
                0,
                1,
                f"Type of element {{}}: 0 an A53, 1 the smallest accelerator of {task}.",
                "processors",
            ),
            ("mem_allocation", 0, 3, "Clock of DRAM {}, 4 bytes wide: 100, 400, 600 or 800 MHz.", "memory-system"),
            ("bus_allocation", 0, 3, "Clock of bus {}, 4 bytes wide: 100, 400, 600 or 800 MHz.", "memory-system"),
            ("pe_to_bus", 0, 2, "Bus on which element {} hangs.", "processors"),
            ("bus_to_bus", -1, 2, "Bus to which bus {} is linked; -1 for none.", "memory-system"),
            ("bus_to_mem", -1, 2, "Memory that hangs on bus {}; -1 for none.", "memory-system"),
        )
        parameters: list[Parameter] = [
            Integer(f"{name}_{slot}", low, high, description=sentence.format(slot), group=group)
            for name, low, high, sentence, group in kinds
            for slot in range(SLOTS)
        ]
        for what, sentence in (("pe", "Element on which {} runs."), ("mem", "Memory for the outputs of {}.")):
            parameters += [
                Integer(f"task_to_{what}_{name}", 0, SLOTS - 1, description=sentence.format(name), group="mapping1")
                for name in self._names
            ]
        return parameters

    def _constraints(self) -> list[Constraint]:
        special = self._names[self._special]
        incompatible = TaskReason(
            "incompatible-pe",
            f"task {{task}} cannot run on element {{element}}, the accelerator of {special}",
            ("task", "element"),
            self._names,
        )
        routes = TaskReason(
            "no-route",
            "no buses lead from the element of task {task} to memory {memory}",
            ("task", "memory"),
            self._names,
        )
        return [
            Constraint(
                Reason("bus-self-loop", "bus {bus:.0f} is linked to itself", ("bus",)),
                lambda columns: _self_loops(columns).sum(axis=1).astype(np.float64),
                lambda columns: _first(_self_loops(columns)),
            ),
            Constraint(
                Reason("bus-loop", "the three buses are linked in a circle, so ways are ambiguous"),
                lambda columns: (_link_count(columns) == SLOTS).astype(np.float64),
            ),
            Constraint(
                Reason(
                    "memory-on-several-buses", "memory {memory:.0f} hangs on {count:.0f} buses", ("memory", "count")
                ),
                lambda columns: np.maximum(_hangings(columns) - 1, 0).sum(axis=1).astype(np.float64),
                lambda columns: _first_with(_hangings(columns) > 1, _hangings(columns)),
            ),
            Constraint(
                Reason("memory-without-bus", "memory {memory:.0f} hangs on no bus", ("memory",)),
                lambda columns: (_hangings(columns) == 0).sum(axis=1).astype(np.float64),
                lambda columns: _first(_hangings(columns) == 0),
            ),
            Constraint(
                incompatible,
                lambda columns: self._misplaced(columns).mean(axis=1),
                lambda columns: _first_with(self._misplaced(columns), self._mapping(columns)[0]),
            ),
            Constraint(
                routes,
                lambda columns: self._cut(columns).mean(axis=1),
                lambda columns: self._first_cut(columns),
            ),
        ]

    def _mapping(self, values: Columns) -> tuple[Ints, Ints]:
        """Element and memory of every task: (N, T) each."""
        elements = np.stack([values[f"task_to_pe_{name}"] for name in self._names], axis=1)
        return elements, np.stack([values[f"task_to_mem_{name}"] for name in self._names], axis=1)

    def _misplaced(self, values: Columns) -> NDArray[np.bool_]:
        """Tasks on an element that cannot run them: (N, T)."""
        accelerators = _stack(values, "pe_allocation_{}") == 1
        on = np.take_along_axis(accelerators, self._mapping(values)[0], axis=1)
        cpu_less = np.array([task.cpu_cycles is None for task in self._graph.tasks])
        wrong = np.where(np.arange(len(self._names)) == self._special, cpu_less & ~on, on | cpu_less)
        return np.asarray(wrong)

    def _cut(self, values: Columns) -> NDArray[np.bool_]:
        """Transfers without a way over buses: (N, W)."""
        elements, memories = self._mapping(values)
        reach = _reachable(values)
        n = np.arange(len(elements))
        pe_bus, memory_bus = _stack(values, "pe_to_bus_{}"), _memory_bus(values)
        cut = np.zeros((len(elements), max(1, len(self._ways))), dtype=np.bool_)
        for w, (task, holder) in enumerate(self._ways):
            here = pe_bus[n, elements[:, task]]
            there = memory_bus[n, memories[:, holder]]
            cut[:, w] = (there != ABSENT) & ~reach[n, here, np.maximum(there, 0)]
        return cut

    def _first_cut(self, values: Columns) -> Floats:
        memories = self._mapping(values)[1]
        ways = np.array(self._ways)
        first = self._cut(values).argmax(axis=1)
        task, holder = ways[first, 0], ways[first, 1]
        return np.stack([task, memories[np.arange(len(first)), holder]], axis=1).astype(np.float64)


def _ways(graph: TaskGraph, index: dict[str, int]) -> list[tuple[int, int]]:
    """(task, task whose memory it reads or writes) for every transfer of a task with work."""
    ways: dict[tuple[int, int], None] = {}
    for edge in graph.edges:
        source, target = index[edge.source], index[edge.target]
        if graph.tasks[target].work > 0:
            ways[target, source] = None
        if graph.tasks[source].work > 0:
            ways[source, source] = None
    return list(ways)


def _stack(values: Columns, pattern: str) -> Ints:
    return np.stack([values[pattern.format(slot)] for slot in range(SLOTS)], axis=1)


def _clocks(types: Ints) -> Floats:
    return np.array(CLOCKS_MHZ, dtype=np.float64)[types]


def _self_loops(values: Columns) -> NDArray[np.bool_]:
    return np.asarray(_stack(values, "bus_to_bus_{}") == np.arange(SLOTS))


def _links(values: Columns) -> NDArray[np.bool_]:
    """Which buses are linked: (N, 3, 3), symmetric, without links of a bus to itself."""
    to = _stack(values, "bus_to_bus_{}")
    linked = to[:, :, None] == np.arange(SLOTS)
    linked |= linked.transpose(0, 2, 1)
    return np.asarray(linked & ~np.eye(SLOTS, dtype=np.bool_))


def _link_count(values: Columns) -> Ints:
    return np.asarray(_links(values).sum(axis=(1, 2)) // 2)


def _reachable(values: Columns) -> NDArray[np.bool_]:
    """Which bus leads to which: (N, 3, 3)."""
    step = _links(values) | np.eye(SLOTS, dtype=np.bool_)
    return np.asarray((step[:, :, :, None] & step[:, None, :, :]).any(axis=2))


def _hangings(values: Columns) -> Ints:
    """Number of buses on which each memory hangs: (N, 3)."""
    to = _stack(values, "bus_to_mem_{}")
    return np.asarray((to[:, :, None] == np.arange(SLOTS)).sum(axis=1))


def _memory_bus(values: Columns) -> Ints:
    """First bus on which each memory hangs, or ABSENT: (N, 3)."""
    on = _stack(values, "bus_to_mem_{}")[:, :, None] == np.arange(SLOTS)
    return np.where(on.any(axis=1), on.argmax(axis=1), ABSENT)


def _bus_parents(values: Columns) -> Ints:
    """Parents of the buses, bus 0 as root; a bus that is not linked to it hangs below the one it is linked to."""
    linked = _links(values)
    reach = _reachable(values)[:, 0]
    parents = np.full(linked.shape[:2], ROOT, dtype=np.int64)
    for bus in (1, 2):
        other = 3 - bus
        parents[:, bus] = np.where(linked[:, 0, bus], 0, np.where(linked[:, bus, other] & reach[:, other], other, ROOT))
    alone = ~reach[:, 1] & linked[:, 1, 2]
    parents[alone, 2] = 1
    return parents


def _first(wrong: NDArray[np.bool_]) -> Floats:
    return np.asarray(wrong.argmax(axis=1)[:, None], dtype=np.float64)


def _first_with(wrong: NDArray[np.bool_], numbers: Ints) -> Floats:
    """Number of the first wrong item and what belongs to it: (N, 2)."""
    first = wrong.argmax(axis=1)
    return np.stack([first, numbers[np.arange(len(first)), first]], axis=1).astype(np.float64)
