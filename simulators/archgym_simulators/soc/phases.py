"""Kernels for the phases: tasks start, share elements, links and memories, and end."""

from __future__ import annotations

__all__ = ["run_phases"]

import numpy as np

from archgym_simulators._jit import inner_kernel
from archgym_simulators.soc.arrays import Designs, Graph, Progress, Record, Rules, Sharing, Tree, Ways

LAUNCHED, DONE = 1, 2


@inner_kernel
def run_phases(
    graph: Graph,
    designs: Designs,
    n: int,
    rules: Rules,
    tree: Tree,
    ways: Ways,
    sharing: Sharing,
    progress: Progress,
    record: Record,
) -> int:
    """Simulate one design; fills the phases and times of the scratch and returns the number of phases.

    In each phase the speed of every running task is constant; it ends when the first of them is done. The first
    phase is FARSI's: it has no length and nothing in it.
    """
    clear(graph, progress, record)
    base = n * (graph.work.size + 3)  # stamps never repeat in a batch, so their tables need no clearing
    phases, now, done, running, waiting = 1, 0.0, 0, 0, 0
    while done < graph.work.size:
        running, waiting = launch_and_seat(graph, designs, n, sharing, progress, running, waiting, now, base + phases)
        step = set_speeds(graph, designs, n, tree, ways, sharing, progress, running, base + phases)
        advance(graph, designs, n, tree, ways, sharing, progress, record, running, phases, step)
        now += step
        phases += 1
        still = 0
        for r in range(running):
            task = progress.running[r]
            if graph.work[task] == 0.0 or 1.0 - progress.left[task] / graph.work[task] >= rules.complete:
                done += 1
                complete(graph, designs, n, rules, progress, task, now)
            else:
                progress.running[still] = task
                still += 1
        running = still
    return phases


@inner_kernel
def clear(graph: Graph, progress: Progress, record: Record) -> None:
    progress.left[:] = graph.work
    progress.state[:] = 0
    progress.in_done_list[:] = False
    progress.bound_time[:] = 0.0
    progress.executed[:] = 0.0
    progress.allocated[:] = 0.0
    progress.peak[:] = 0.0
    record.phase_s[0] = 0.0
    record.phase_pe_j[0] = 0.0
    record.phase_memory[0] = 0.0
    record.phase_bus[0] = 0.0
    for task in range(graph.work.size):
        progress.missing[task] = graph.parent_start[task + 1] - graph.parent_start[task]
        progress.undone_children[task] = graph.child_start[task + 1] - graph.child_start[task]


@inner_kernel
def output_bytes(graph: Graph, task: int) -> float:
    amount = 0.0
    for place in range(graph.child_start[task], graph.child_start[task + 1]):
        amount += graph.bytes[graph.child_edges[place]]
    return amount


@inner_kernel
def launch_and_seat(  # type: ignore[no-untyped-def]
    graph: Graph,
    designs: Designs,
    n: int,
    sharing: Sharing,
    progress: Progress,
    running: int,
    waiting: int,
    now: float,
    stamp: int,
):
    """Launch what has its inputs; of all that want an element, the first takes it: running, launched, waiting."""
    count = running
    progress.candidates[:running] = progress.running[:running]
    for task in range(graph.work.size):
        if progress.state[task] == 0 and progress.missing[task] == 0:
            progress.state[task] = LAUNCHED
            progress.launch[task] = now
            progress.begin[task] = -1.0
            progress.candidates[count] = task
            count += 1
            memory = designs.memory_of_task[n, task]
            if memory >= 0:
                progress.allocated[memory] += output_bytes(graph, task)
                progress.peak[memory] = max(progress.peak[memory], progress.allocated[memory])
    progress.candidates[count : count + waiting] = progress.waiting[:waiting]
    count += waiting
    running, waiting = 0, 0
    for c in range(count):
        task = progress.candidates[c]
        element = designs.pe_of_task[n, task]
        if sharing.busy[element] == stamp:
            progress.waiting[waiting] = task
            waiting += 1
            continue
        sharing.busy[element] = stamp
        if progress.begin[task] < 0.0:
            progress.begin[task] = now
        progress.running[running] = task
        running += 1
    return running, waiting


@inner_kernel
def set_speeds(
    graph: Graph,
    designs: Designs,
    n: int,
    tree: Tree,
    ways: Ways,
    sharing: Sharing,
    progress: Progress,
    running: int,
    stamp: int,
) -> float:
    """Instructions/s of the running tasks; returns the time to the first end, 0 while a task without work runs."""
    for r in range(running):
        if graph.work[progress.running[r]] == 0.0:
            for other in range(running):
                sharing.speed[progress.running[other]] = 0.0
            return 0.0
    share_links(ways, sharing, progress, running, stamp)
    step = np.inf
    for r in range(running):
        task = progress.running[r]
        set_speed(graph, designs, n, tree, ways, sharing, task)
        step = min(step, progress.left[task] / sharing.speed[task])
    return step


@inner_kernel
def share_links(ways: Ways, sharing: Sharing, progress: Progress, running: int, stamp: int) -> None:
    """Bursts on every entry link, and entry links that compete for every exit link, of the running tasks."""
    blocks = ways.entry.shape[1]
    for r in range(running):
        task = progress.running[r]
        for direction in range(2):
            for block in range(blocks):
                if ways.moved[task, direction, block] > 0.0:
                    sharing.total[direction, ways.entry[task, block]] = 0.0
            for way in range(ways.way_count[task, direction]):
                sharing.active[direction, ways.way_exit[task, direction, way]] = 0
    for r in range(running):
        task = progress.running[r]
        for direction in range(2):
            for block in range(blocks):
                if ways.moved[task, direction, block] > 0.0:
                    sharing.total[direction, ways.entry[task, block]] += ways.units[task, direction, block]
            for way in range(ways.way_count[task, direction]):
                entry = ways.entry[task, ways.way_block[task, direction, way]]
                leaving = ways.way_exit[task, direction, way]
                if sharing.seen[direction, leaving, entry] != stamp:
                    sharing.seen[direction, leaving, entry] = stamp
                    sharing.active[direction, leaving] += 1


@inner_kernel
def set_speed(graph: Graph, designs: Designs, n: int, tree: Tree, ways: Ways, sharing: Sharing, task: int) -> None:
    """The least of what its element, its ways through buses and its memories let a task do.

    A channel is a bus's exit link, or a memory, in one direction, at the block's full bandwidth. Its entry links with
    traffic take turns; on one entry link, tasks share by bursts.
    """
    buses = tree.alive.size
    speed, bound = designs.rate[n, task], 0
    for direction in range(2):
        for way in range(ways.way_count[task, direction]):
            bus = ways.way_block[task, direction, way]
            units = ways.units[task, direction, bus]
            if units == 0.0:
                continue
            share = units / sharing.total[direction, ways.entry[task, bus]]
            share /= sharing.active[direction, ways.way_exit[task, direction, way]]
            limit = designs.bus_rate[n, bus] * share / (ways.moved[task, direction, bus] / graph.work[task])
            if limit < speed:
                speed, bound = limit, 1 + bus
        for block in range(buses, ways.entry.shape[1]):
            units = ways.units[task, direction, block]
            if units == 0.0:
                continue
            share = units / sharing.total[direction, ways.entry[task, block]]
            bandwidth = designs.memory_rate[n, block - buses]
            limit = bandwidth * share / (ways.moved[task, direction, block] / graph.work[task])
            if limit < speed:
                speed, bound = limit, 1 + block
    sharing.speed[task] = speed
    sharing.bound[task] = bound


@inner_kernel
def advance(
    graph: Graph,
    designs: Designs,
    n: int,
    tree: Tree,
    ways: Ways,
    sharing: Sharing,
    progress: Progress,
    record: Record,
    running: int,
    phase: int,
    step: float,
) -> None:
    """Do the work of a phase and note its time, its energy in elements and its bytes by memory and bus."""
    buses = tree.alive.size
    record.phase_s[phase] = step
    record.phase_memory[phase] = 0.0
    record.phase_bus[phase] = 0.0
    energy = 0.0
    for r in range(running):
        task = progress.running[r]
        if step == 0.0:
            continue
        amount = sharing.speed[task] * step
        progress.left[task] -= amount
        progress.executed[task] += amount
        energy += amount * designs.joules[n, task]
        progress.bound_time[task, sharing.bound[task]] += step
        share = amount / graph.work[task]
        for direction in range(2):
            for bus in range(buses):
                record.phase_bus[phase, bus] += share * ways.moved[task, direction, bus]
            for memory in range(progress.peak.size):
                record.phase_memory[phase, memory, direction] += share * ways.moved[task, direction, buses + memory]
    record.phase_pe_j[phase] = energy


@inner_kernel
def complete(graph: Graph, designs: Designs, n: int, rules: Rules, progress: Progress, task: int, now: float) -> None:
    """End a task: tell its children, and free the buffers of parents that nobody needs any more."""
    progress.state[task] = DONE
    progress.end[task] = now
    progress.in_done_list[task] = True
    for place in range(graph.child_start[task], graph.child_start[task + 1]):
        progress.missing[graph.target[graph.child_edges[place]]] -= 1
    for place in range(graph.parent_start[task], graph.parent_start[task + 1]):
        parent = graph.source[graph.parent_edges[place]]
        memory = designs.memory_of_task[n, parent]
        progress.undone_children[parent] -= 1
        if rules.realistic:
            if progress.undone_children[parent] == 0:
                progress.allocated[memory] -= output_bytes(graph, parent)
        elif children_listed(graph, progress, parent):
            # FARSI strikes the children off its list, so a child of several parents frees the first of them only.
            if not graph.is_source[parent]:
                progress.allocated[memory] -= output_bytes(graph, parent)
            for child in range(graph.child_start[parent], graph.child_start[parent + 1]):
                progress.in_done_list[graph.target[graph.child_edges[child]]] = False


@inner_kernel
def children_listed(graph: Graph, progress: Progress, parent: int) -> bool:
    for place in range(graph.child_start[parent], graph.child_start[parent + 1]):
        if not progress.in_done_list[graph.target[graph.child_edges[place]]]:
            return False
    return True
