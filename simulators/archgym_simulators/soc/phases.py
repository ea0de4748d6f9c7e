"""Kernels for the phases: tasks start, share elements, links and memories, and end."""

from __future__ import annotations

__all__ = ["run_phases"]

import numpy as np

from archgym_simulators._jit import kernel
from archgym_simulators.soc.arrays import Designs, Graph, Rules, Scratch

LAUNCHED, DONE = 1, 2


@kernel
def run_phases(graph: Graph, designs: Designs, n: int, rules: Rules, s: Scratch) -> int:
    """Simulate one design; fills the phases and times of the scratch and returns the number of phases.

    In each phase the speed of every running task is constant; it ends when the first of them is done. The first
    phase is FARSI's: it has no length and nothing in it.
    """
    clear(graph, s)
    base = n * (graph.work.size + 3)  # stamps never repeat in a batch, so their tables need no clearing
    phases, now, done, running, waiting = 1, 0.0, 0, 0, 0
    while done < graph.work.size:
        running, waiting = launch_and_seat(graph, designs, n, s, running, waiting, now, base + phases)
        step = set_speeds(graph, designs, n, s, running, base + phases)
        advance(graph, designs, n, s, running, phases, step)
        now += step
        phases += 1
        still = 0
        for r in range(running):
            task = s.running[r]
            if graph.work[task] == 0.0 or 1.0 - s.left[task] / graph.work[task] >= rules.complete:
                done += 1
                complete(graph, designs, n, rules, s, task, now)
            else:
                s.running[still] = task
                still += 1
        running = still
    return phases


@kernel
def clear(graph: Graph, s: Scratch) -> None:
    s.left[:] = graph.work
    s.state[:] = 0
    s.in_done_list[:] = False
    s.bound_time[:] = 0.0
    s.executed[:] = 0.0
    s.allocated[:] = 0.0
    s.peak[:] = 0.0
    s.phase_s[0] = 0.0
    s.phase_pe_j[0] = 0.0
    s.phase_memory[0] = 0.0
    s.phase_bus[0] = 0.0
    for task in range(graph.work.size):
        s.missing[task] = graph.parent_start[task + 1] - graph.parent_start[task]
        s.undone_children[task] = graph.child_start[task + 1] - graph.child_start[task]


@kernel
def output_bytes(graph: Graph, task: int) -> float:
    amount = 0.0
    for place in range(graph.child_start[task], graph.child_start[task + 1]):
        amount += graph.bytes[graph.child_edges[place]]
    return amount


@kernel
def launch_and_seat(  # type: ignore[no-untyped-def]
    graph: Graph, designs: Designs, n: int, s: Scratch, running: int, waiting: int, now: float, stamp: int
):
    """Launch what has its inputs; of all that want an element, the first takes it: running, launched, waiting."""
    count = running
    s.candidates[:running] = s.running[:running]
    for task in range(graph.work.size):
        if s.state[task] == 0 and s.missing[task] == 0:
            s.state[task] = LAUNCHED
            s.launch[task] = now
            s.begin[task] = -1.0
            s.candidates[count] = task
            count += 1
            memory = designs.memory_of_task[n, task]
            if memory >= 0:
                s.allocated[memory] += output_bytes(graph, task)
                s.peak[memory] = max(s.peak[memory], s.allocated[memory])
    s.candidates[count : count + waiting] = s.waiting[:waiting]
    count += waiting
    running, waiting = 0, 0
    for c in range(count):
        task = s.candidates[c]
        element = designs.pe_of_task[n, task]
        if s.busy[element] == stamp:
            s.waiting[waiting] = task
            waiting += 1
            continue
        s.busy[element] = stamp
        if s.begin[task] < 0.0:
            s.begin[task] = now
        s.running[running] = task
        running += 1
    return running, waiting


@kernel
def set_speeds(graph: Graph, designs: Designs, n: int, s: Scratch, running: int, stamp: int) -> float:
    """Instructions/s of the running tasks; returns the time to the first end, 0 while a task without work runs."""
    for r in range(running):
        if graph.work[s.running[r]] == 0.0:
            for other in range(running):
                s.speed[s.running[other]] = 0.0
            return 0.0
    share_links(s, running, stamp)
    step = np.inf
    for r in range(running):
        task = s.running[r]
        set_speed(graph, designs, n, s, task)
        step = min(step, s.left[task] / s.speed[task])
    return step


@kernel
def share_links(s: Scratch, running: int, stamp: int) -> None:
    """Bursts on every entry link, and entry links that compete for every exit link, of the running tasks."""
    blocks = s.entry.shape[1]
    for r in range(running):
        task = s.running[r]
        for direction in range(2):
            for block in range(blocks):
                if s.moved[task, direction, block] > 0.0:
                    s.total[direction, s.entry[task, block]] = 0.0
            for way in range(s.way_count[task, direction]):
                s.active[direction, s.way_exit[task, direction, way]] = 0
    for r in range(running):
        task = s.running[r]
        for direction in range(2):
            for block in range(blocks):
                if s.moved[task, direction, block] > 0.0:
                    s.total[direction, s.entry[task, block]] += s.units[task, direction, block]
            for way in range(s.way_count[task, direction]):
                entry = s.entry[task, s.way_block[task, direction, way]]
                leaving = s.way_exit[task, direction, way]
                if s.seen[direction, leaving, entry] != stamp:
                    s.seen[direction, leaving, entry] = stamp
                    s.active[direction, leaving] += 1


@kernel
def set_speed(graph: Graph, designs: Designs, n: int, s: Scratch, task: int) -> None:
    """The least of what its element, its ways through buses and its memories let a task do.

    A channel is a bus's exit link, or a memory, in one direction, at the block's full bandwidth. Its entry links with
    traffic take turns; on one entry link, tasks share by bursts.
    """
    buses = s.alive.size
    speed, bound = designs.rate[n, task], 0
    for direction in range(2):
        for way in range(s.way_count[task, direction]):
            bus = s.way_block[task, direction, way]
            units = s.units[task, direction, bus]
            if units == 0.0:
                continue
            share = units / s.total[direction, s.entry[task, bus]]
            share /= s.active[direction, s.way_exit[task, direction, way]]
            limit = designs.bus_rate[n, bus] * share / (s.moved[task, direction, bus] / graph.work[task])
            if limit < speed:
                speed, bound = limit, 1 + bus
        for block in range(buses, s.entry.shape[1]):
            units = s.units[task, direction, block]
            if units == 0.0:
                continue
            share = units / s.total[direction, s.entry[task, block]]
            bandwidth = designs.memory_rate[n, block - buses]
            limit = bandwidth * share / (s.moved[task, direction, block] / graph.work[task])
            if limit < speed:
                speed, bound = limit, 1 + block
    s.speed[task] = speed
    s.bound[task] = bound


@kernel
def advance(graph: Graph, designs: Designs, n: int, s: Scratch, running: int, phase: int, step: float) -> None:
    """Do the work of a phase and note its time, its energy in elements and its bytes by memory and bus."""
    buses = s.alive.size
    s.phase_s[phase] = step
    s.phase_memory[phase] = 0.0
    s.phase_bus[phase] = 0.0
    energy = 0.0
    for r in range(running):
        task = s.running[r]
        if step == 0.0:
            continue
        amount = s.speed[task] * step
        s.left[task] -= amount
        s.executed[task] += amount
        energy += amount * designs.joules[n, task]
        s.bound_time[task, s.bound[task]] += step
        share = amount / graph.work[task]
        for direction in range(2):
            for bus in range(buses):
                s.phase_bus[phase, bus] += share * s.moved[task, direction, bus]
            for memory in range(s.peak.size):
                s.phase_memory[phase, memory, direction] += share * s.moved[task, direction, buses + memory]
    s.phase_pe_j[phase] = energy


@kernel
def complete(graph: Graph, designs: Designs, n: int, rules: Rules, s: Scratch, task: int, now: float) -> None:
    """End a task: tell its children, and free the buffers of parents that nobody needs any more."""
    s.state[task] = DONE
    s.end[task] = now
    s.in_done_list[task] = True
    for place in range(graph.child_start[task], graph.child_start[task + 1]):
        s.missing[graph.target[graph.child_edges[place]]] -= 1
    for place in range(graph.parent_start[task], graph.parent_start[task + 1]):
        parent = graph.source[graph.parent_edges[place]]
        memory = designs.memory_of_task[n, parent]
        s.undone_children[parent] -= 1
        if rules.realistic:
            if s.undone_children[parent] == 0:
                s.allocated[memory] -= output_bytes(graph, parent)
        elif children_listed(graph, s, parent):
            # FARSI strikes the children off its list, so a child of several parents frees the first of them only.
            if not graph.is_source[parent]:
                s.allocated[memory] -= output_bytes(graph, parent)
            for child in range(graph.child_start[parent], graph.child_start[parent + 1]):
                s.in_done_list[graph.target[graph.child_edges[child]]] = False


@kernel
def children_listed(graph: Graph, s: Scratch, parent: int) -> bool:
    for place in range(graph.child_start[parent], graph.child_start[parent + 1]):
        if not s.in_done_list[graph.target[graph.child_edges[place]]]:
            return False
    return True
