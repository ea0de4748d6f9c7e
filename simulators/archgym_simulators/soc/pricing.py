"""Kernels for what a simulated design costs: sizes of memories, energy, windowed power, area."""

from __future__ import annotations

__all__ = ["price_blocks", "price_phases", "windowed_power"]

from math import ceil, sqrt

from archgym_simulators._jit import inner_kernel, kernel
from archgym_simulators.soc.arrays import (
    ABSENT,
    Designs,
    Floats,
    Graph,
    Prices,
    Progress,
    Record,
    Rules,
    Sharing,
    Tree,
    Ways,
)

READ, WRITE, AREA, BYTES = 0, 1, 2, 3


@inner_kernel
def price_blocks(
    graph: Graph,
    designs: Designs,
    n: int,
    rules: Rules,
    tree: Tree,
    ways: Ways,
    sharing: Sharing,
    progress: Progress,
    prices: Prices,
    areas: Floats,
) -> int:
    """Energies per byte and areas of memories and buses; ``areas`` (5,) gets those of CPUs, accelerators, SRAM, DRAM
    and buses in m2. Returns the first memory that is larger than the table, or -1.
    """
    areas[:] = 0.0
    for element in range(tree.pe_bus.size):
        if designs.pe_bus[n, element] == ABSENT:
            continue
        if not designs.pe_is_cpu[n, element]:
            areas[1] += designs.pe_area[n, element]
        elif computes(graph, designs, n, element):
            areas[0] += designs.pe_area[n, element]
    for memory in range(progress.peak.size):
        prices.memory_cost[memory] = 0.0
        if designs.memory_bus[n, memory] == ABSENT:
            continue
        if not price_memory(designs, n, rules, progress, prices, memory):
            return memory
        areas[2 + designs.memory_kind[n, memory]] += prices.memory_cost[memory, AREA]
    prices.bus_cost[:] = 0.0
    if rules.realistic:
        areas[4] = price_buses(
            designs, n, rules, tree, ways, sharing, progress, prices, areas[0] + areas[1] + areas[2] + areas[3]
        )
    return -1


@inner_kernel
def computes(graph: Graph, designs: Designs, n: int, element: int) -> bool:
    """Whether a processor hosts more than sources and sinks, which stand for the world outside."""
    for task in range(graph.work.size):
        if designs.pe_of_task[n, task] == element and not (graph.is_source[task] or graph.is_sink[task]):
            return True
    return False


@inner_kernel
def price_memory(designs: Designs, n: int, rules: Rules, progress: Progress, prices: Prices, memory: int) -> bool:
    """Look up a memory of its peak size. A realistic one wider than an array's port is several arrays side by side."""
    size = max(progress.peak[memory], rules.smallest_bytes)
    arrays = 1
    if rules.realistic:
        arrays = max(1, designs.memory_width[n, memory] // rules.port_bytes)
    blocks = ceil(size / arrays / rules.block_bytes)
    if blocks > rules.table.shape[1]:
        return False
    entry = rules.table[designs.memory_kind[n, memory], blocks - 1]
    scale = designs.memory_scale[n, memory]
    prices.memory_cost[memory, READ] = entry[READ] * scale
    prices.memory_cost[memory, WRITE] = entry[WRITE] * scale
    prices.memory_cost[memory, AREA] = entry[AREA] * arrays
    prices.memory_cost[memory, BYTES] = arrays * blocks * rules.block_bytes
    return True


@inner_kernel
def price_buses(
    designs: Designs,
    n: int,
    rules: Rules,
    tree: Tree,
    ways: Ways,
    sharing: Sharing,
    progress: Progress,
    prices: Prices,
    block_area: float,
) -> float:
    """Energy per byte of every bus with traffic, and the area of all.

    A bus is two matrix crossbars, one for reads and one for writes, whose wires have the pitch of the technology, and
    wires that span its part of the blocks: the square root of their area over the number of buses.
    """
    buses, used = tree.alive.size, 0
    for bus in range(buses):
        if ports(ways, sharing, progress, bus, True) > 0:
            used += 1
    total = 0.0
    for bus in range(buses):
        entries, exits = ports(ways, sharing, progress, bus, True), ports(ways, sharing, progress, bus, False)
        if entries == 0:
            continue
        track = 8.0 * designs.bus_width[n, bus] * rules.wire_pitch_m
        length = sqrt(block_area / used) + (entries + exits) * track
        prices.bus_cost[bus, 0] = rules.wire_j_per_byte_m * length * designs.bus_scale[n, bus]
        prices.bus_cost[bus, 1] = 2.0 * entries * exits * track * track
        total += prices.bus_cost[bus, 1]
    return total


@inner_kernel
def ports(ways: Ways, sharing: Sharing, progress: Progress, bus: int, entering: bool) -> int:
    """Number of links by which data enters, or leaves, a bus."""
    links = sharing.total.shape[1]
    mark = ways.exit_used[0]
    mark[:] = False
    for task in range(progress.left.size):
        for direction in range(2):
            for way in range(ways.way_count[task, direction]):
                if ways.way_block[task, direction, way] == bus:
                    mark[ways.entry[task, bus] if entering else ways.way_exit[task, direction, way]] = True
    count = 0
    for link in range(links):
        if mark[link]:
            count += 1
    return count


@inner_kernel
def price_phases(
    designs: Designs,
    n: int,
    rules: Rules,
    tree: Tree,
    progress: Progress,
    record: Record,
    prices: Prices,
    phases: int,
    areas: Floats,
    parts: Floats,
) -> None:
    """Energy of every phase; ``parts`` (4,) gets that of processing, memories, buses and standing by, in J."""
    parts[:] = 0.0
    idle_w = idle_power(designs, n, rules, progress, prices, areas) if rules.realistic else 0.0
    for phase in range(phases):
        memory_j, bus_j = 0.0, 0.0
        for memory in range(progress.peak.size):
            memory_j += record.phase_memory[phase, memory, 0] * prices.memory_cost[memory, READ]
            memory_j += record.phase_memory[phase, memory, 1] * prices.memory_cost[memory, WRITE]
        if rules.realistic:
            for bus in range(tree.alive.size):
                bus_j += record.phase_bus[phase, bus] * prices.bus_cost[bus, 0]
        idle_j = idle_w * record.phase_s[phase]
        parts[0] += record.phase_pe_j[phase]
        parts[1] += memory_j
        parts[2] += bus_j
        parts[3] += idle_j
        record.phase_j[phase] = record.phase_pe_j[phase] + memory_j + bus_j + idle_j


@inner_kernel
def idle_power(designs: Designs, n: int, rules: Rules, progress: Progress, prices: Prices, areas: Floats) -> float:
    """Leakage of logic, buses and SRAM, and refresh of DRAM, in W."""
    power: float = rules.logic_leakage_w_per_m2 * (areas[0] + areas[1] + areas[4])
    for memory in range(progress.peak.size):
        size = prices.memory_cost[memory, BYTES]
        if designs.memory_kind[n, memory] == 0:
            power += size * rules.sram_leakage_w_per_byte
        else:
            power += size * prices.memory_cost[memory, READ] / rules.refresh_period_s
    return power


@kernel
def windowed_power(rules: Rules, record: Record, phases: int) -> float:
    """Largest mean power over a window, in W."""
    if rules.realistic:
        return sliding_power(rules, record, phases)
    return farsi_power(rules, record, phases)


@inner_kernel
def farsi_power(rules: Rules, record: Record, phases: int) -> float:
    """FARSI's windows: whole phases, cut where one is longer than what is left of 10 ms.

    Phases without length do not count in the index with which it walks, so its windows slip by one for each.
    """
    power, low, high, left, closed = 0.0, 0, 0, rules.window_s, False
    for phase in range(phases):
        length = record.phase_s[phase]
        if length == 0.0:
            continue
        if length > left:
            power = max(power, mean_power(record, low, high + 1))
            low, left, closed = high + 1, rules.window_s, True
        else:
            left -= length
        high += 1
    if not closed:
        return mean_power(record, 0, phases)
    if low < phases:
        power = max(power, mean_power(record, low, phases))
    return power


@inner_kernel
def mean_power(record: Record, low: int, high: int) -> float:
    energy, time = 0.0, 0.0
    for phase in range(low, high):
        energy += record.phase_j[phase]
        time += record.phase_s[phase]
    return energy / time if time > 0.0 else 0.0


@inner_kernel
def sliding_power(rules: Rules, record: Record, phases: int) -> float:
    """Over all windows of the full length, wherever they begin; of a shorter run, over the run.

    Power is constant in a phase, so the largest window begins or ends where a phase does.
    """
    time, energy = 0.0, 0.0
    for phase in range(phases):
        time += record.phase_s[phase]
        energy += record.phase_j[phase]
    if time <= rules.window_s:
        return energy / time if time > 0.0 else 0.0
    best = 0.0
    for forward in (True, False):
        best = max(best, largest_window(rules, record, phases, forward))
    return best / rules.window_s


@inner_kernel
def largest_window(rules: Rules, record: Record, phases: int, forward: bool) -> float:
    """Most energy in a window that begins with a phase, or that ends with one (the same, read backwards)."""
    best, inside, energy, head = 0.0, 0.0, 0.0, 0
    for tail in range(phases):
        while head < phases and inside < rules.window_s:
            phase = head if forward else phases - 1 - head
            inside += record.phase_s[phase]
            energy += record.phase_j[phase]
            head += 1
        if inside < rules.window_s:
            break
        last = head - 1 if forward else phases - head
        surplus = inside - rules.window_s
        cut = record.phase_j[last] * (surplus / record.phase_s[last]) if surplus > 0.0 else 0.0
        best = max(best, energy - cut)
        first = tail if forward else phases - 1 - tail
        inside -= record.phase_s[first]
        energy -= record.phase_j[first]
    return best
