"""Kernels for the tree of buses: which of them a design really has, and the ways of its data."""

from __future__ import annotations

__all__ = ["find_ways", "prune_buses"]

from archgym_simulators._jit import inner_kernel
from archgym_simulators.soc.arrays import ABSENT, Designs, Graph, Tree, Ways


@inner_kernel
def prune_buses(designs: Designs, n: int, tree: Tree) -> None:
    """Take out the buses that FARSI takes out before it simulates; what hung on them moves to the neighbour.

    A bus with nothing on it goes when it is a leaf, or joins two others, which are then joined directly. Then, once
    and depth-first from the first processing element's bus, a leaf without memories or without elements goes.
    """
    buses = tree.alive.size
    tree.linked[:] = False
    for bus in range(buses):
        parent = designs.bus_parent[n, bus]
        tree.alive[bus] = parent != ABSENT
        if parent >= 0:
            tree.linked[bus, parent] = True
            tree.linked[parent, bus] = True
    tree.pe_bus[:] = designs.pe_bus[n]
    tree.memory_bus[:] = designs.memory_bus[n]
    drop_empty(tree)
    first = -1
    for bus in tree.pe_bus:
        if bus >= 0:
            first = bus
            break
    if first < 0:
        return
    visited = 0
    tree.stack[0] = first
    depth = 1
    while depth > 0:
        depth -= 1
        bus = tree.stack[depth]
        if visited >> bus & 1:
            continue
        visited |= 1 << bus
        for other in range(buses - 1, -1, -1):
            if tree.linked[bus, other]:
                tree.stack[depth] = other
                depth += 1
        if degree(tree, bus) == 1 and not (hosts(tree.pe_bus, bus) and hosts(tree.memory_bus, bus)):
            merge_leaf(tree, bus)


@inner_kernel
def drop_empty(tree: Tree) -> None:
    changed = True
    while changed:
        changed = False
        for bus in range(tree.alive.size):
            if not tree.alive[bus] or hosts(tree.pe_bus, bus) or hosts(tree.memory_bus, bus):
                continue
            links = degree(tree, bus)
            if links == 1:
                merge_leaf(tree, bus)
                changed = True
            elif links == 2:
                bypass(tree, bus)
                changed = True


@inner_kernel
def degree(tree: Tree, bus: int) -> int:
    count = 0
    for other in range(tree.alive.size):
        if tree.linked[bus, other]:
            count += 1
    return count


@inner_kernel
def hosts(bus_of, bus: int) -> bool:  # type: ignore[no-untyped-def]
    count = 0
    for other in bus_of:
        count += other == bus
    return count > 0


@inner_kernel
def merge_leaf(tree: Tree, bus: int) -> None:
    near = 0
    while not tree.linked[bus, near]:
        near += 1
    tree.linked[bus, near] = False
    tree.linked[near, bus] = False
    tree.alive[bus] = False
    for p in range(tree.pe_bus.size):
        if tree.pe_bus[p] == bus:
            tree.pe_bus[p] = near
    for m in range(tree.memory_bus.size):
        if tree.memory_bus[m] == bus:
            tree.memory_bus[m] = near


@inner_kernel
def bypass(tree: Tree, bus: int) -> None:
    first = -1
    for other in range(tree.alive.size):
        if tree.linked[bus, other]:
            tree.linked[bus, other] = False
            tree.linked[other, bus] = False
            if first < 0:
                first = other
            else:
                tree.linked[first, other] = True
                tree.linked[other, first] = True
    tree.alive[bus] = False


@inner_kernel
def find_hops(tree: Tree) -> None:
    """``hop[a, b]``: the neighbour of bus a on the way to bus b, by walking the tree outwards from b."""
    buses = tree.alive.size
    tree.hop[:] = -1
    for goal in range(buses):
        tree.stack[0] = goal
        depth = 1
        while depth > 0:
            depth -= 1
            bus = tree.stack[depth]
            for other in range(buses):
                if tree.linked[bus, other] and other != goal and tree.hop[other, goal] < 0:
                    tree.hop[other, goal] = bus
                    tree.stack[depth] = other
                    depth += 1


@inner_kernel
def find_ways(graph: Graph, designs: Designs, n: int, tree: Tree, ways: Ways) -> None:
    """Bytes, bursts and links of every task with work, in both directions, at every block on its ways."""
    find_hops(tree)
    ways.moved[:] = 0.0
    ways.units[:] = 0.0
    ways.way_count[:] = 0
    for task in range(graph.work.size):
        if graph.work[task] == 0.0:
            continue
        ways.exit_used[:] = False
        for place in range(graph.parent_start[task], graph.parent_start[task + 1]):
            edge = graph.parent_edges[place]
            memory = designs.memory_of_task[n, graph.source[edge]]
            add_way(tree, ways, task, designs.pe_of_task[n, task], memory, 0, graph.bytes[edge], graph.read_units[edge])
        for place in range(graph.child_start[task], graph.child_start[task + 1]):
            edge = graph.child_edges[place]
            memory = designs.memory_of_task[n, task]
            add_way(
                tree, ways, task, designs.pe_of_task[n, task], memory, 1, graph.bytes[edge], graph.write_units[edge]
            )


@inner_kernel
def add_way(  # type: ignore[no-untyped-def]
    tree: Tree, ways: Ways, task: int, element: int, memory: int, direction: int, amount: float, units
) -> None:
    buses, elements = tree.alive.size, tree.pe_bus.size
    bus, goal = tree.pe_bus[element], tree.memory_bus[memory]
    entry = element
    while True:
        ways.moved[task, direction, bus] += amount
        ways.units[task, direction, bus] += units
        ways.entry[task, bus] = entry
        following = tree.hop[bus, goal] if bus != goal else -1
        way_out = elements + bus * buses + following if following >= 0 else elements + buses * buses + memory
        if not ways.exit_used[direction, way_out]:
            ways.exit_used[direction, way_out] = True
            count = ways.way_count[task, direction]
            ways.way_block[task, direction, count] = bus
            ways.way_exit[task, direction, count] = way_out
            ways.way_count[task, direction] = count + 1
        entry = way_out
        if following < 0:
            break
        bus = following
    block = buses + memory
    ways.moved[task, direction, block] += amount
    ways.units[task, direction, block] += units
    ways.entry[task, block] = entry
