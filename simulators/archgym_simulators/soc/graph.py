"""Task graphs: what a system on chip has to run, and within which budgets."""

from __future__ import annotations

__all__ = ["Accelerator", "Application", "Budget", "Edge", "Task", "TaskGraph", "merged"]

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from math import isfinite

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.parameters import is_plain
from archgym_simulators.soc.technology import CPU_INSTRUCTIONS_PER_CYCLE, MOST_COPIES

_SMALLEST, _LARGEST = 1e-6, 1e15


@dataclass(frozen=True)
class Accelerator:
    """Hardware for one task, as high-level synthesis gives it; u copies of its loop body are u times as fast.

    Attributes:
        cycles: for one run of the task at 100 MHz with one copy.
        energy_fj: of one run with one copy, in the library's 40 nm; u copies spend u times as much.
        area_um2: of one copy, in the library's 40 nm.
        iterations: of the loop: the most copies that make sense.
    """

    cycles: float
    energy_fj: float
    area_um2: float
    iterations: int = 1

    @property
    def copies(self) -> tuple[int, ...]:
        """Numbers of copies on offer: powers of two, and all iterations."""
        powers = [2**k for k in range(MOST_COPIES.bit_length()) if 2**k <= self.iterations]
        return tuple(sorted({*powers, self.iterations}))


@dataclass(frozen=True)
class Task:
    """A piece of work that runs on one processor, or on an accelerator of its own.

    Attributes:
        name: unique in a graph.
        cpu_cycles: of the reference processor at 1 GHz; 0 for a source, sink or join; None where it cannot run there.
        accelerator: None where there is none.
    """

    name: str
    cpu_cycles: float | None
    accelerator: Accelerator | None = None

    @property
    def work(self) -> float:
        """Instructions; of a task that no processor can run, its accelerator's cycles."""
        if self.cpu_cycles is not None:
            return CPU_INSTRUCTIONS_PER_CYCLE * self.cpu_cycles
        return self.accelerator.cycles if self.accelerator else 0.0


@dataclass(frozen=True)
class Edge:
    """``target`` reads, from the memory that holds the outputs of ``source``, so many bytes a run."""

    source: str
    target: str
    bytes: float


@dataclass(frozen=True)
class Budget:
    """What an application may take."""

    latency_ms: float
    power_mw: float
    area_mm2: float


@dataclass(frozen=True)
class Application:
    """A named part of a graph with a deadline.

    Attributes:
        name: of the workload.
        tasks: names of its tasks.
        last: the task whose end is the application's latency; "" for the last of all its tasks with work.
        budget: its own.
        published_budget: FARSI's looser one, where that is another.
    """

    name: str
    tasks: tuple[str, ...]
    last: str
    budget: Budget
    published_budget: Budget | None = None


@dataclass(frozen=True)
class TaskGraph:
    """Tasks, edges and applications, checked.

    Raises:
        InputError: one line that names the task, edge or number that is wrong.
    """

    name: str
    tasks: tuple[Task, ...]
    edges: tuple[Edge, ...]
    applications: tuple[Application, ...]

    def __post_init__(self) -> None:
        names = [task.name for task in self.tasks]
        for task in self.tasks:
            _check_task(self.name, task)
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"graph {self.name!r} has two tasks named {name!r}")
        for edge in self.edges:
            _check_edge(self.name, edge, names)
        _check_repeats(self.name, self.edges)
        self._check_order()
        for application in self.applications:
            _check_application(application, names)

    def _check_order(self) -> None:
        sorter: TopologicalSorter[str] = TopologicalSorter()
        for edge in self.edges:
            sorter.add(edge.target, edge.source)
        try:
            sorter.prepare()
        except CycleError as error:
            circle = " -> ".join(error.args[1])
            raise InputError(f"graph {self.name!r} has a cycle: {circle}") from None

    @property
    def digest(self) -> str:
        """Content hash."""
        content = repr((self.tasks, self.edges, self.applications))
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def merged(graphs: Sequence[TaskGraph]) -> TaskGraph:
    """Several graphs that run at once; sources and sinks of the same name become one, as in FARSI.

    Raises:
        InputError: two graphs have a task with work of the same name.
    """
    ordered = sorted(graphs, key=lambda graph: graph.name)
    tasks: dict[str, Task] = {}
    for graph in ordered:
        for task in graph.tasks:
            known = tasks.setdefault(task.name, task)
            if known is not task and (known.work or task.work):
                raise InputError(f"a mix cannot hold two tasks named {task.name!r}, as {graph.name!r} and another do")
    return TaskGraph(
        "+".join(graph.name for graph in ordered),
        tuple(tasks.values()),
        tuple(edge for graph in ordered for edge in graph.edges),
        tuple(application for graph in ordered for application in graph.applications),
    )


def _check_task(graph: str, task: Task) -> None:
    where = f"graph {graph!r}, task {task.name!r}"
    if not is_plain(task.name) or any(c in task.name for c in ',.+"'):
        raise InputError(f"{where}: a task's name must be text on one line, without commas, dots, plus signs or quotes")
    if task.cpu_cycles is None and task.accelerator is None:
        raise InputError(f"{where} has no implementation: give cpu_cycles, an accelerator, or both")
    numbers = {} if task.cpu_cycles is None else {"cpu_cycles": task.cpu_cycles}
    for name, number in numbers.items():
        if not number >= 0:
            raise InputError(f"{where}: {name} must be at least 0, not {number:g}")
        _check_magnitude(where, name, number)
    hardware = task.accelerator
    if hardware is None:
        return
    for name in ("cycles", "energy_fj", "area_um2", "iterations"):
        number = getattr(hardware, name)
        if not number > 0:
            raise InputError(f"{where}: the accelerator's {name} must be above 0, not {number:g}")
        _check_magnitude(where, f"the accelerator's {name}", number)
    if task.cpu_cycles == 0:
        raise InputError(f"{where} has no work (cpu_cycles 0), so it cannot have an accelerator")


def _check_magnitude(where: str, name: str, number: float) -> None:
    # Beyond these, rates and times would leave the range of floating point and phases would never end.
    if number and not _SMALLEST <= number <= _LARGEST:
        raise InputError(f"{where}: {name} must be within {_SMALLEST:g}..{_LARGEST:g}, not {number:g}")


def _check_edge(graph: str, edge: Edge, names: Sequence[str]) -> None:
    where = f"graph {graph!r}, edge {edge.source!r} -> {edge.target!r}"
    for name in (edge.source, edge.target):
        if name not in names:
            raise InputError(f"{where}: unknown task {name!r}{did_you_mean(name, names)}")
    if edge.source == edge.target:
        raise InputError(f"{where}: a task cannot wait for itself")
    if not edge.bytes > 0:
        raise InputError(f"{where}: bytes must be above 0, not {edge.bytes:g}")
    _check_magnitude(where, "bytes", edge.bytes)


def _check_repeats(graph: str, edges: Sequence[Edge]) -> None:
    seen: set[tuple[str, str]] = set()
    for edge in edges:
        if (edge.source, edge.target) in seen:
            raise InputError(f"graph {graph!r} has two edges {edge.source!r} -> {edge.target!r}; add up their bytes")
        seen.add((edge.source, edge.target))


def _check_application(application: Application, names: Sequence[str]) -> None:
    where = f"application {application.name!r}"
    if application.last and application.last not in names:
        hint = did_you_mean(application.last, names)
        raise InputError(f"{where}: unknown last task {application.last!r}{hint}")
    for name in ("latency_ms", "power_mw", "area_mm2"):
        number = getattr(application.budget, name)
        if not (isfinite(number) and number > 0):
            raise InputError(f"{where}: the budget's {name} must be above 0, not {number:g}")
