"""Kernels that name what holds a design back: task and block, by metric."""

from __future__ import annotations

__all__ = ["find_bottlenecks"]

from archgym_simulators._jit import kernel
from archgym_simulators.soc.arrays import ABSENT, Designs, Floats, Graph, Ints, Scratch
from archgym_simulators.soc.phases import output_bytes
from archgym_simulators.soc.pricing import computes


@kernel
def find_bottlenecks(graph: Graph, designs: Designs, n: int, s: Scratch, latency: Floats, found: Ints) -> None:
    """Fill ``found``: task and block that weigh most on latency, on power and on area, and whether tasks compete.

    Blocks are numbered: elements, then memories, then buses. For latency it is the task that runs longest in the
    applications that miss their budget (in all, where none does) and the block that limited it longest; competed for
    (1) or not (0) by other tasks at the same time. For power it is the task with the most energy and the part of it;
    for area the largest block and the task with the most work, or output, on it.
    """
    elements, memories = s.pe_bus.size, s.peak.size
    task = slowest_task(graph, s, latency)
    best = 0
    for bound in range(1, s.bound_time.shape[1]):
        if s.bound_time[task, bound] > s.bound_time[task, best]:
            best = bound
    found[0] = task
    found[1] = block_number(designs.pe_of_task[n, task], best - 1, elements, memories, s.alive.size)
    found[6] = 1 if is_contested(designs, n, s, task, best - 1) else 0
    hungriest(graph, designs, n, s, found)
    largest(graph, designs, n, s, found)


@kernel
def block_number(element: int, block: int, elements: int, memories: int, buses: int) -> int:
    """From a block on the way of data (-1 for the element, then buses, then memories) to the number outside."""
    if block < 0:
        return element
    if block < buses:
        return elements + memories + block
    return elements + block - buses


@kernel
def slowest_task(graph: Graph, s: Scratch, latency: Floats) -> int:
    late = False
    for application in range(latency.size):
        if latency[application] > graph.latency_budget[application]:
            late = True
    best, longest = 0, -1.0
    for task in range(graph.work.size):
        if graph.work[task] == 0.0:
            continue
        counts = not late
        for application in range(latency.size):
            if graph.members[application, task] and latency[application] > graph.latency_budget[application]:
                counts = True
        if counts and s.end[task] - s.begin[task] > longest:
            best, longest = task, s.end[task] - s.begin[task]
    return best


@kernel
def is_contested(designs: Designs, n: int, s: Scratch, task: int, block: int) -> bool:
    """Whether another task waited for the element, or moved data through the block, while the task ran."""
    for other in range(s.left.size):
        if other == task or s.launch[other] >= s.end[task] or s.end[other] <= s.begin[task]:
            continue
        if block < 0:
            if designs.pe_of_task[n, other] == designs.pe_of_task[n, task]:
                return True
        elif s.begin[other] < s.end[task] and s.moved[other, 0, block] + s.moved[other, 1, block] > 0.0:
            return True
    return False


@kernel
def hungriest(graph: Graph, designs: Designs, n: int, s: Scratch, found: Ints) -> None:
    buses, elements = s.alive.size, s.pe_bus.size
    most = -1.0
    for task in range(graph.work.size):
        if graph.work[task] == 0.0:
            continue
        own = s.executed[task] * designs.joules[n, task]
        total, largest_part, part = own, own, designs.pe_of_task[n, task]
        for memory in range(s.peak.size):
            energy = s.moved[task, 0, buses + memory] * s.memory_cost[memory, 0]
            energy += s.moved[task, 1, buses + memory] * s.memory_cost[memory, 1]
            total += energy
            if energy > largest_part:
                largest_part, part = energy, elements + memory
        if total > most:
            most = total
            found[2] = task
            found[3] = part


@kernel
def largest(graph: Graph, designs: Designs, n: int, s: Scratch, found: Ints) -> None:
    elements, memories = s.pe_bus.size, s.peak.size
    most, block = -1.0, 0
    for element in range(elements):
        built = not designs.pe_is_cpu[n, element] or computes(graph, designs, n, element)
        if built and designs.pe_bus[n, element] != ABSENT and designs.pe_area[n, element] > most:
            most, block = designs.pe_area[n, element], element
    for memory in range(memories):
        if s.memory_cost[memory, 2] > most:
            most, block = s.memory_cost[memory, 2], elements + memory
    for bus in range(s.alive.size):
        if s.bus_cost[bus, 1] > most:
            most, block = s.bus_cost[bus, 1], elements + memories + bus
    heaviest = -1.0
    for task in range(graph.work.size):
        weight = weight_on(graph, designs, n, s, task, block)
        if weight > heaviest:
            heaviest = weight
            found[4] = task
    found[5] = block


@kernel
def weight_on(graph: Graph, designs: Designs, n: int, s: Scratch, task: int, block: int) -> float:
    """Work on an element, output in a memory, or bytes over a bus; -1 for a task that is not there."""
    elements, memories = s.pe_bus.size, s.peak.size
    if block < elements:
        return graph.work[task] if designs.pe_of_task[n, task] == block else -1.0
    if block < elements + memories:
        return output_bytes(graph, task) if designs.memory_of_task[n, task] == block - elements else -1.0
    bus = block - elements - memories
    moved: float = s.moved[task, 0, bus] + s.moved[task, 1, bus]
    return moved
