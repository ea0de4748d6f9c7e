"""Whether a design object can be built at all."""

from __future__ import annotations

__all__ = ["check_design"]

from collections.abc import Mapping, Sequence

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean
from archgym_simulators.soc.arrays import ROOT
from archgym_simulators.soc.blocks import KINDS, Bus, Memory, Processor, SocDesign
from archgym_simulators.soc.graph import Task, TaskGraph
from archgym_simulators.soc.technology import CLOCKS_MHZ, WIDTHS_BYTES


def check_design(graph: TaskGraph, design: SocDesign) -> None:
    """Refuse a design that cannot be built.

    Raises:
        InputError: naming the block or task and what is wrong.
    """
    _check_tree(design)
    by_name = {task.name: task for task in graph.tasks}
    hanging = {"processor": [unit.bus for unit in design.processors], "memory": [m.bus for m in design.memories]}
    for what, places in hanging.items():
        for number, bus in enumerate(places):
            if not 0 <= bus < len(design.buses):
                raise InputError(f"{what} {number} hangs on bus {bus}; there are buses 0..{len(design.buses) - 1}")
    for number, unit in enumerate(design.processors):
        _check_accelerator(number, unit, by_name)
    for unit in design.processors:
        if unit.task:
            _one_of("clock_mhz", unit.clock_mhz, CLOCKS_MHZ)
    for port in _ports(design):
        _one_of("clock_mhz", port.clock_mhz, CLOCKS_MHZ)
        _one_of("width_bytes", port.width_bytes, WIDTHS_BYTES)
    for memory in design.memories:
        _one_of("kind", memory.kind, KINDS)
    sources = {edge.source for edge in graph.edges}
    for task in graph.tasks:
        _check_mapping(task, design, has_output=task.name in sources)


def _check_accelerator(number: int, unit: Processor, by_name: Mapping[str, Task]) -> None:
    if not unit.task:
        return
    if unit.task not in by_name:
        raise InputError(f"processor {number} is for the unknown task {unit.task!r}{did_you_mean(unit.task, by_name)}")
    hardware = by_name[unit.task].accelerator
    if hardware is None:
        raise InputError(f"task {unit.task!r} of processor {number} has no accelerator")
    _one_of(f"copies of the accelerator of {unit.task!r}", unit.copies, hardware.copies)


def _check_mapping(task: Task, design: SocDesign, *, has_output: bool) -> None:
    place = design.runs_on.get(task.name)
    if place is None or not 0 <= place < len(design.processors):
        raise InputError(f"task {task.name!r} must run on a processor 0..{len(design.processors) - 1}, not {place}")
    unit = design.processors[place]
    if unit.task and unit.task != task.name:
        raise InputError(f"task {task.name!r} cannot run on processor {place}, the accelerator of {unit.task!r}")
    if not unit.task and task.cpu_cycles is None:
        raise InputError(f"task {task.name!r} runs on its accelerator only, not on processor {place}")
    memory = design.memory_of.get(task.name)
    if has_output and memory is None:
        raise InputError(f"task {task.name!r} has outputs, but no memory for them")
    if memory is not None and not 0 <= memory < len(design.memories):
        raise InputError(f"outputs of {task.name!r} must be in a memory 0..{len(design.memories) - 1}, not {memory}")


def _check_tree(design: SocDesign) -> None:
    count = len(design.buses)
    if not count:
        raise InputError("a design needs a bus")
    roots = [b for b, bus in enumerate(design.buses) if bus.parent == ROOT]
    if len(roots) != 1:
        raise InputError(f"the buses must form one tree, but {len(roots)} of them have no parent")
    for number, bus in enumerate(design.buses):
        seen, here = {number}, bus.parent
        while here != ROOT:
            if not 0 <= here < count:
                raise InputError(f"bus {number} leads to bus {here}; there are buses 0..{count - 1}")
            if here in seen:
                raise InputError(f"bus {number} is on a loop of buses")
            seen.add(here)
            here = design.buses[here].parent


def _ports(design: SocDesign) -> list[Memory | Bus]:
    return [*design.memories, *design.buses]


def _one_of(what: str, value: object, allowed: Sequence[object]) -> None:
    if value not in allowed:
        hint = did_you_mean(value, allowed)
        raise InputError(f"{what} must be one of {allowed_values(allowed)}, not {value!r}{hint}")
