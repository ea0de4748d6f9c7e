"""Kernels for the tree of buses: which of them a design really has, and the ways of its data."""

from __future__ import annotations

__all__ = ["find_ways", "prune_buses"]

from archgym_simulators._jit import kernel
from archgym_simulators.soc.arrays import ABSENT, Designs, Graph, Scratch


@kernel
def prune_buses(designs: Designs, n: int, s: Scratch) -> None:
    """Take out the buses that FARSI takes out before it simulates; what hung on them moves to the neighbour.

    A bus with nothing on it goes when it is a leaf, or joins two others, which are then joined directly. Then, once
    and depth-first from the first processing element's bus, a leaf without memories or without elements goes.
    """
    buses = s.alive.size
    s.linked[:] = False
    for bus in range(buses):
        parent = designs.bus_parent[n, bus]
        s.alive[bus] = parent != ABSENT
        if parent >= 0:
            s.linked[bus, parent] = True
            s.linked[parent, bus] = True
    s.pe_bus[:] = designs.pe_bus[n]
    s.memory_bus[:] = designs.memory_bus[n]
    drop_empty(s)
    first = -1
    for bus in s.pe_bus:
        if bus >= 0:
            first = bus
            break
    if first < 0:
        return
    visited = 0
    s.stack[0] = first
    depth = 1
    while depth > 0:
        depth -= 1
        bus = s.stack[depth]
        if visited >> bus & 1:
            continue
        visited |= 1 << bus
        for other in range(buses - 1, -1, -1):
            if s.linked[bus, other]:
                s.stack[depth] = other
                depth += 1
        if degree(s, bus) == 1 and not (hosts(s.pe_bus, bus) and hosts(s.memory_bus, bus)):
            merge_leaf(s, bus)


@kernel
def drop_empty(s: Scratch) -> None:
    changed = True
    while changed:
        changed = False
        for bus in range(s.alive.size):
            if not s.alive[bus] or hosts(s.pe_bus, bus) or hosts(s.memory_bus, bus):
                continue
            links = degree(s, bus)
            if links == 1:
                merge_leaf(s, bus)
                changed = True
            elif links == 2:
                bypass(s, bus)
                changed = True


@kernel
def degree(s: Scratch, bus: int) -> int:
    count = 0
    for other in range(s.alive.size):
        if s.linked[bus, other]:
            count += 1
    return count


@kernel
def hosts(bus_of, bus: int) -> bool:  # type: ignore[no-untyped-def]
    count = 0
    for other in bus_of:
        count += other == bus
    return count > 0


@kernel
def merge_leaf(s: Scratch, bus: int) -> None:
    near = 0
    while not s.linked[bus, near]:
        near += 1
    s.linked[bus, near] = False
    s.linked[near, bus] = False
    s.alive[bus] = False
    for p in range(s.pe_bus.size):
        if s.pe_bus[p] == bus:
            s.pe_bus[p] = near
    for m in range(s.memory_bus.size):
        if s.memory_bus[m] == bus:
            s.memory_bus[m] = near


@kernel
def bypass(s: Scratch, bus: int) -> None:
    first = -1
    for other in range(s.alive.size):
        if s.linked[bus, other]:
            s.linked[bus, other] = False
            s.linked[other, bus] = False
            if first < 0:
                first = other
            else:
                s.linked[first, other] = True
                s.linked[other, first] = True
    s.alive[bus] = False


@kernel
def find_hops(s: Scratch) -> None:
    """``hop[a, b]``: the neighbour of bus a on the way to bus b, by walking the tree outwards from b."""
    buses = s.alive.size
    s.hop[:] = -1
    for goal in range(buses):
        s.stack[0] = goal
        depth = 1
        while depth > 0:
            depth -= 1
            bus = s.stack[depth]
            for other in range(buses):
                if s.linked[bus, other] and other != goal and s.hop[other, goal] < 0:
                    s.hop[other, goal] = bus
                    s.stack[depth] = other
                    depth += 1


@kernel
def find_ways(graph: Graph, designs: Designs, n: int, s: Scratch) -> None:
    """Bytes, bursts and links of every task with work, in both directions, at every block on its ways."""
    find_hops(s)
    s.moved[:] = 0.0
    s.units[:] = 0.0
    s.way_count[:] = 0
    for task in range(graph.work.size):
        if graph.work[task] == 0.0:
            continue
        s.exit_used[:] = False
        for place in range(graph.parent_start[task], graph.parent_start[task + 1]):
            edge = graph.parent_edges[place]
            memory = designs.memory_of_task[n, graph.source[edge]]
            add_way(s, task, designs.pe_of_task[n, task], memory, 0, graph.bytes[edge], graph.read_units[edge])
        for place in range(graph.child_start[task], graph.child_start[task + 1]):
            edge = graph.child_edges[place]
            memory = designs.memory_of_task[n, task]
            add_way(s, task, designs.pe_of_task[n, task], memory, 1, graph.bytes[edge], graph.write_units[edge])


@kernel
def add_way(  # type: ignore[no-untyped-def]
    s: Scratch, task: int, element: int, memory: int, direction: int, amount: float, units
) -> None:
    buses, elements = s.alive.size, s.pe_bus.size
    bus, goal = s.pe_bus[element], s.memory_bus[memory]
    entry = element
    while True:
        s.moved[task, direction, bus] += amount
        s.units[task, direction, bus] += units
        s.entry[task, bus] = entry
        following = s.hop[bus, goal] if bus != goal else -1
        way_out = elements + bus * buses + following if following >= 0 else elements + buses * buses + memory
        if not s.exit_used[direction, way_out]:
            s.exit_used[direction, way_out] = True
            count = s.way_count[task, direction]
            s.way_block[task, direction, count] = bus
            s.way_exit[task, direction, count] = way_out
            s.way_count[task, direction] = count + 1
        entry = way_out
        if following < 0:
            break
        bus = following
    block = buses + memory
    s.moved[task, direction, block] += amount
    s.units[task, direction, block] += units
    s.entry[task, block] = entry
