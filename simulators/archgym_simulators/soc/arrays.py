"""What the kernels compute with: a task graph, a batch of designs, the rules and working memory, all as arrays.

Letters of shapes: N designs, T tasks, E edges, A applications, P processing elements, M memories, B buses,
K = B + M blocks on the way of data (buses first), L links.
"""

from __future__ import annotations

__all__ = [
    "ABSENT",
    "RANKS",
    "ROOT",
    "Designs",
    "Floats",
    "Graph",
    "Ints",
    "Prices",
    "Progress",
    "Record",
    "Rules",
    "Scratch",
    "Sharing",
    "Tree",
    "Ways",
    "graph_arrays",
    "scratch",
]

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.soc.graph import Task, TaskGraph
from archgym_simulators.soc.technology import BURST_BYTES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ABSENT, ROOT = -2, -1
RANKS = 4
"""Tasks, or blocks, that are named for each metric that they hold back."""


class Graph(NamedTuple):
    """A task graph; edges keep the order of the table, which decides ties."""

    work: Floats  # (T,)
    parent_edges: Ints  # (E,) grouped by target
    parent_start: Ints  # (T + 1,)
    child_edges: Ints  # (E,) grouped by source
    child_start: Ints  # (T + 1,)
    source: Ints  # (E,)
    target: Ints  # (E,)
    bytes: Floats  # (E,)
    read_units: Ints  # (E,) bursts of the target's read
    write_units: Ints  # (E,) bursts of the source's write
    is_source: NDArray[np.bool_]  # (T,) no work, nothing before it
    is_sink: NDArray[np.bool_]  # (T,) no work, nothing after it
    members: NDArray[np.bool_]  # (A, T)
    ends: NDArray[np.bool_]  # (A, T) tasks whose end is the application's latency
    latency_budget: Floats  # (A,) s


class Designs(NamedTuple):
    """N designs, all with the same numbers of slots."""

    pe_of_task: Ints  # (N, T)
    memory_of_task: Ints  # (N, T) where its outputs are; ABSENT for a task without
    rate: Floats  # (N, T) instructions/s of the task where it runs
    joules: Floats  # (N, T) J/instruction there
    pe_bus: Ints  # (N, P), ABSENT where there is none
    pe_area: Floats  # (N, P) m2
    pe_is_cpu: NDArray[np.bool_]  # (N, P)
    memory_bus: Ints  # (N, M), ABSENT where there is none
    memory_kind: Ints  # (N, M) 0 SRAM, 1 DRAM
    memory_width: Ints  # (N, M) bytes
    memory_rate: Floats  # (N, M) bytes/s
    memory_scale: Floats  # (N, M) switching energy relative to that of the table
    bus_parent: Ints  # (N, B) ROOT or ABSENT
    bus_width: Ints  # (N, B) bytes
    bus_rate: Floats  # (N, B) bytes/s
    bus_scale: Floats  # (N, B)


class Rules(NamedTuple):
    """FARSI's ways, or realistic ones, with the constants of `technology`."""

    realistic: bool
    complete: float  # share of its work at which a task is done
    table: Floats  # (2, blocks, 3)
    block_bytes: float
    smallest_bytes: float
    window_s: float
    port_bytes: int
    wire_j_per_byte_m: float
    wire_pitch_m: float
    logic_leakage_w_per_m2: float
    sram_leakage_w_per_byte: float
    refresh_period_s: float


class Tree(NamedTuple):
    """Buses of a design after pruning."""

    linked: NDArray[np.bool_]  # (B, B)
    alive: NDArray[np.bool_]  # (B,)
    pe_bus: Ints  # (P,) after pruning
    memory_bus: Ints  # (M,)
    stack: Ints  # (B * B + 1,)
    hop: Ints  # (B, B) next bus on the way


class Ways(NamedTuple):
    """What every task moves, and where."""

    moved: Floats  # (T, 2, K) bytes through a block, by direction: 0 read, 1 write
    units: Floats  # (T, 2, K)
    entry: Ints  # (T, K) link by which the task's data enters a block
    way_count: Ints  # (T, 2)
    way_block: Ints  # (T, 2, W)
    way_exit: Ints  # (T, 2, W) link by which it leaves
    exit_used: NDArray[np.bool_]  # (2, L)


class Sharing(NamedTuple):
    """Who shares what in the current phase."""

    total: Floats  # (2, L) bursts of the running tasks on an entry link
    active: Ints  # (2, L) entry links that lead to an exit link
    seen: Ints  # (2, L, L) stamp of the phase in which entry and exit link met
    busy: Ints  # (P,) stamp of the phase in which the element was taken
    speed: Floats  # (T,)
    bound: Ints  # (T,) what limits the task now: 0 its processing element, 1 + block


class Progress(NamedTuple):
    """How far the tasks are, and what is in the memories."""

    left: Floats  # (T,)
    missing: Ints  # (T,) parents that are not done
    state: Ints  # (T,) 0 waiting for parents, 1 launched, 2 done
    in_done_list: NDArray[np.bool_]  # (T,)
    undone_children: Ints  # (T,)
    running: Ints  # (T,)
    waiting: Ints  # (T,)
    candidates: Ints  # (T,)
    bound_time: Floats  # (T, 1 + K)
    begin: Floats  # (T,)
    end: Floats  # (T,)
    launch: Floats  # (T,)
    executed: Floats  # (T,)
    allocated: Floats  # (M,)
    peak: Floats  # (M,)


class Record(NamedTuple):
    """What happened in each phase."""

    phase_s: Floats  # (F,)
    phase_pe_j: Floats  # (F,)
    phase_memory: Floats  # (F, M, 2) bytes
    phase_bus: Floats  # (F, B) bytes
    phase_j: Floats  # (F,)


class Prices(NamedTuple):
    """What blocks cost."""

    memory_cost: Floats  # (M, 4) J/byte read, J/byte written, m2, bytes
    bus_cost: Floats  # (B, 2) J/byte, m2


class Scratch(NamedTuple):
    """Working memory for one design at a time."""

    tree: Tree
    ways: Ways
    sharing: Sharing
    progress: Progress
    record: Record
    prices: Prices


def graph_arrays(graph: TaskGraph, latency_budgets_s: Floats) -> Graph:
    """The arrays of a graph whose applications have these latency budgets (A,)."""
    tasks = graph.tasks
    index = {task.name: t for t, task in enumerate(tasks)}
    source = np.array([index[edge.source] for edge in graph.edges], dtype=np.int64)
    target = np.array([index[edge.target] for edge in graph.edges], dtype=np.int64)
    moved = np.array([edge.bytes for edge in graph.edges], dtype=np.float64)
    work = np.array([task.work for task in tasks])
    parents, children = np.bincount(target, minlength=len(tasks)), np.bincount(source, minlength=len(tasks))
    grain = np.array([_grain(t, work[t], moved[target == t], moved[source == t]) for t in range(len(tasks))])
    members = np.array([[task.name in app.tasks for task in tasks] for app in graph.applications])
    ends = np.array(
        [[_is_end(task, app.last, app.tasks) for task in tasks] for app in graph.applications], dtype=np.bool_
    )
    return Graph(
        work=work,
        parent_edges=np.argsort(target, kind="stable"),
        parent_start=np.concatenate([[0], np.cumsum(parents)]).astype(np.int64),
        child_edges=np.argsort(source, kind="stable"),
        child_start=np.concatenate([[0], np.cumsum(children)]).astype(np.int64),
        source=source,
        target=target,
        bytes=moved,
        read_units=np.floor(moved / grain[target]).astype(np.int64),
        write_units=np.floor(moved / grain[source]).astype(np.int64),
        is_source=(work == 0) & (parents == 0),
        is_sink=(work == 0) & (children == 0),
        members=members,
        ends=ends,
        latency_budget=latency_budgets_s,
    )


def _is_end(task: Task, last: str, members: tuple[str, ...]) -> bool:
    return task.name == last if last else task.name in members and task.work > 0


def _grain(task: int, work: float, reads: Floats, writes: Floats) -> float:
    """Bytes of a unit of a task's transfers: what makes its smallest read one burst, unless others would vanish."""
    grain = float(reads.min() // BURST_BYTES) if reads.size else 1.0
    if grain <= 1.0:
        return 1.0
    vanishes = (writes.size and writes.min() // grain == 0) or work // grain == 0
    return 1.0 if vanishes else grain


def scratch(tasks: int, elements: int, memories: int, buses: int) -> Scratch:
    """Working memory for designs of T tasks, P elements, M memories and B buses."""
    blocks, links, ways = buses + memories, elements + buses * buses + memories, buses + memories
    phases = tasks + 2

    def reals(*shape: int) -> Floats:
        return np.zeros(shape)

    def whole(*shape: int) -> Ints:
        return np.zeros(shape, dtype=np.int64)

    def flags(*shape: int) -> NDArray[np.bool_]:
        return np.zeros(shape, dtype=np.bool_)

    return Scratch(
        Tree(
            linked=flags(buses, buses),
            alive=flags(buses),
            pe_bus=whole(elements),
            memory_bus=whole(memories),
            stack=whole(buses * buses + 1),
            hop=whole(buses, buses),
        ),
        Ways(
            moved=reals(tasks, 2, blocks),
            units=reals(tasks, 2, blocks),
            entry=whole(tasks, blocks),
            way_count=whole(tasks, 2),
            way_block=whole(tasks, 2, ways),
            way_exit=whole(tasks, 2, ways),
            exit_used=flags(2, links),
        ),
        Sharing(
            total=reals(2, links),
            active=whole(2, links),
            seen=whole(2, links, links),
            busy=whole(elements),
            speed=reals(tasks),
            bound=whole(tasks),
        ),
        Progress(
            left=reals(tasks),
            missing=whole(tasks),
            state=whole(tasks),
            in_done_list=flags(tasks),
            undone_children=whole(tasks),
            running=whole(tasks),
            waiting=whole(tasks),
            candidates=whole(tasks),
            bound_time=reals(tasks, 1 + blocks),
            begin=reals(tasks),
            end=reals(tasks),
            launch=reals(tasks),
            executed=reals(tasks),
            allocated=reals(memories),
            peak=reals(memories),
        ),
        Record(
            phase_s=reals(phases),
            phase_pe_j=reals(phases),
            phase_memory=reals(phases, memories, 2),
            phase_bus=reals(phases, buses),
            phase_j=reals(phases),
        ),
        Prices(
            memory_cost=reals(memories, 4),
            bus_cost=reals(buses, 2),
        ),
    )
