"""A system on chip as an object: blocks, buses and where tasks run; what `model.simulate` takes beside index rows."""

from __future__ import annotations

__all__ = [
    "KINDS",
    "Bus",
    "Memory",
    "Processor",
    "SocDesign",
    "accelerator_area",
    "accelerator_joules",
    "accelerator_rate",
    "empty_designs",
    "pack",
]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archgym_simulators.errors import InputError
from archgym_simulators.soc.arrays import ABSENT, ROOT, Designs
from archgym_simulators.soc.graph import Task, TaskGraph
from archgym_simulators.soc.technology import (
    CLOCKS_MHZ,
    CPU_AREA_M2,
    CPU_INSTRUCTIONS_PER_J,
    CPU_RATE,
    ENERGY_SCALE,
    LOGIC_AREA_SCALE,
    relative_energy,
)

KINDS = ("sram", "dram")


@dataclass(frozen=True)
class Processor:
    """A reference processor (``task`` is ""), or the accelerator of a task with so many copies of its loop body."""

    bus: int
    task: str = ""
    copies: int = 1
    clock_mhz: int = 100


@dataclass(frozen=True)
class Memory:
    """A memory; it becomes as large as what is in it at the worst moment."""

    bus: int
    kind: str
    width_bytes: int
    clock_mhz: int


@dataclass(frozen=True)
class Bus:
    """A bus; ``parent`` is the number of the bus towards the root of the tree, -1 at the root."""

    width_bytes: int
    clock_mhz: int
    parent: int = ROOT


@dataclass(frozen=True)
class SocDesign:
    """Any design, inside or outside the index spaces.

    Attributes:
        processors: processors and accelerators.
        memories: memories.
        buses: a tree.
        runs_on: task -> number of its processor.
        memory_of: task -> number of the memory that holds its outputs; tasks without outputs may be left out.
    """

    processors: tuple[Processor, ...]
    memories: tuple[Memory, ...]
    buses: tuple[Bus, ...]
    runs_on: Mapping[str, int]
    memory_of: Mapping[str, int]


def accelerator_rate(task: Task, copies: float, clock_mhz: float) -> float:
    """Instructions/s of a task's accelerator."""
    assert task.accelerator is not None
    return clock_mhz / 100 * copies * task.work / (task.accelerator.cycles / 1e8)


def accelerator_joules(task: Task, copies: float) -> float:
    """J/instruction of a task's accelerator at the library's voltage."""
    assert task.accelerator is not None
    return copies * task.accelerator.energy_fj * 1e-15 * ENERGY_SCALE / task.work


def accelerator_area(task: Task, copies: float) -> float:
    """Area of a task's accelerator in m2."""
    assert task.accelerator is not None
    return copies * task.accelerator.area_um2 * 1e-12 * LOGIC_AREA_SCALE


def pack(graph: TaskGraph, designs: Sequence[SocDesign], *, realistic: bool) -> Designs:
    """Arrays of designs of any shape.

    Raises:
        InputError: naming the design (from 1), the block or task and what is wrong.
    """
    from archgym_simulators.soc.checks import check_design

    for number, design in enumerate(designs, start=1):
        try:
            check_design(graph, design)
        except InputError as error:
            raise InputError(f"design {number}: {error}") from None
    slots = [max((len(getattr(d, part)) for d in designs), default=1) for part in ("processors", "memories", "buses")]
    arrays = empty_designs(len(designs), len(graph.tasks), *slots)
    for n, design in enumerate(designs):
        _pack_one(graph, design, arrays, n, realistic)
    return arrays


def empty_designs(n: int, tasks: int, elements: int, memories: int, buses: int) -> Designs:
    """N designs with nothing in their slots."""

    def whole(width: int, fill: int = 0) -> Any:
        return np.full((n, width), fill, dtype=np.int64)

    def reals(width: int) -> Any:
        return np.ones((n, width))

    return Designs(
        pe_of_task=whole(tasks),
        memory_of_task=whole(tasks, ABSENT),
        rate=reals(tasks),
        joules=reals(tasks),
        pe_bus=whole(elements, ABSENT),
        pe_area=np.zeros((n, elements)),
        pe_is_cpu=np.zeros((n, elements), dtype=np.bool_),
        memory_bus=whole(memories, ABSENT),
        memory_kind=whole(memories),
        memory_width=whole(memories, 1),
        memory_rate=reals(memories),
        memory_scale=reals(memories),
        bus_parent=whole(buses, ABSENT),
        bus_width=whole(buses, 1),
        bus_rate=reals(buses),
        bus_scale=reals(buses),
    )


def _pack_one(graph: TaskGraph, design: SocDesign, arrays: Designs, n: int, realistic: bool) -> None:
    by_name = {task.name: task for task in graph.tasks}
    for p, unit in enumerate(design.processors):
        arrays.pe_bus[n, p] = unit.bus
        arrays.pe_is_cpu[n, p] = not unit.task
        arrays.pe_area[n, p] = accelerator_area(by_name[unit.task], unit.copies) if unit.task else CPU_AREA_M2
    scale = _scales(realistic)
    for m, memory in enumerate(design.memories):
        arrays.memory_bus[n, m], arrays.memory_kind[n, m] = memory.bus, KINDS.index(memory.kind)
        arrays.memory_width[n, m] = memory.width_bytes
        arrays.memory_rate[n, m] = memory.width_bytes * (memory.clock_mhz / 100) * 1e8
        arrays.memory_scale[n, m] = scale[memory.clock_mhz] if memory.kind == "sram" else 1.0
    for b, bus in enumerate(design.buses):
        arrays.bus_parent[n, b], arrays.bus_width[n, b] = bus.parent, bus.width_bytes
        arrays.bus_rate[n, b] = bus.width_bytes * (bus.clock_mhz / 100) * 1e8
        arrays.bus_scale[n, b] = scale[bus.clock_mhz]
    for t, task in enumerate(graph.tasks):
        place = design.runs_on[task.name]
        unit = design.processors[place]
        arrays.pe_of_task[n, t] = place
        arrays.memory_of_task[n, t] = design.memory_of.get(task.name, ABSENT)
        on_accelerator = bool(unit.task)
        arrays.rate[n, t] = accelerator_rate(task, unit.copies, unit.clock_mhz) if on_accelerator else CPU_RATE
        arrays.joules[n, t] = (
            accelerator_joules(task, unit.copies) * scale[unit.clock_mhz]
            if on_accelerator
            else 1.0 / CPU_INSTRUCTIONS_PER_J
        )


def _scales(realistic: bool) -> dict[int, float]:
    """Relative switching energy by clock; FARSI has clocks for nothing."""
    values = relative_energy(np.array(CLOCKS_MHZ, dtype=np.float64)) if realistic else np.ones(len(CLOCKS_MHZ))
    return dict(zip(CLOCKS_MHZ, values.tolist(), strict=True))
