"""Kernels that name what holds a design back: task and block, by metric."""

from __future__ import annotations

__all__ = ["find_bottlenecks"]

from archgym_simulators._jit import inner_kernel
from archgym_simulators.soc.arrays import ABSENT, Designs, Floats, Graph, Ints, Prices, Progress, Tree, Ways
from archgym_simulators.soc.phases import output_bytes
from archgym_simulators.soc.pricing import computes


@inner_kernel
def find_bottlenecks(
    graph: Graph,
    designs: Designs,
    n: int,
    tree: Tree,
    ways: Ways,
    progress: Progress,
    prices: Prices,
    latency: Floats,
    found: Ints,
) -> None:
    """Fill ``found`` (10,): task and block that weigh most on latency, on power and on area, whether tasks compete, and
    whose outputs weigh most in each of the three blocks.

    Blocks are numbered: elements, then memories, then buses. For latency it is the task that runs longest in the
    applications that miss their budget (in all, where none does) and the block that limited it longest; competed for
    (1) or not (0) by other tasks at the same time. For power it is the task with the most energy and the part of it;
    for area the largest block and the task with the most work, or output, on it.
    """
    elements, memories = tree.pe_bus.size, progress.peak.size
    task = slowest_task(graph, progress, latency)
    best = 0
    for bound in range(1, progress.bound_time.shape[1]):
        if progress.bound_time[task, bound] > progress.bound_time[task, best]:
            best = bound
    found[0] = task
    found[1] = block_number(designs.pe_of_task[n, task], best - 1, elements, memories, tree.alive.size)
    found[6] = 1 if is_contested(designs, n, ways, progress, task, best - 1) else 0
    hungriest(graph, designs, n, tree, ways, progress, prices, found)
    largest(graph, designs, n, tree, ways, progress, prices, found)
    found[7] = heaviest_data(graph, designs, n, tree, found[0], found[1], elements, memories)
    found[8] = heaviest_data(graph, designs, n, tree, found[2], found[3], elements, memories)
    found[9] = found[4]


@inner_kernel
def heaviest_data(
    graph: Graph, designs: Designs, n: int, tree: Tree, task: int, block: int, elements: int, memories: int
) -> int:
    """Of what a task reads and writes by way of a block, whose outputs are the most; the task itself where none are."""
    best, most = task, 0.0
    place = block - elements
    if place < 0:
        return task
    start = tree.pe_bus[designs.pe_of_task[n, task]]
    for edge in range(graph.source.size):
        source = graph.source[edge]
        if (source != task and graph.target[edge] != task) or graph.bytes[edge] <= most:
            continue
        memory = designs.memory_of_task[n, source]
        if place < memories:
            concerned = place == memory
        else:
            concerned = leads_over(tree, start, tree.memory_bus[memory], place - memories)
        if concerned:
            best, most = source, graph.bytes[edge]
    return best


@inner_kernel
def leads_over(tree: Tree, start: int, goal: int, bus: int) -> bool:
    here = start
    while here != goal and here != bus:
        here = tree.hop[here, goal]
    return here == bus


@inner_kernel
def block_number(element: int, block: int, elements: int, memories: int, buses: int) -> int:
    """From a block on the way of data (-1 for the element, then buses, then memories) to the number outside."""
    if block < 0:
        return element
    if block < buses:
        return elements + memories + block
    return elements + block - buses


@inner_kernel
def slowest_task(graph: Graph, progress: Progress, latency: Floats) -> int:
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
        if counts and progress.end[task] - progress.begin[task] > longest:
            best, longest = task, progress.end[task] - progress.begin[task]
    return best


@inner_kernel
def is_contested(designs: Designs, n: int, ways: Ways, progress: Progress, task: int, block: int) -> bool:
    """Whether another task waited for the element, or moved data through the block, while the task ran."""
    for other in range(progress.left.size):
        if other == task or progress.launch[other] >= progress.end[task] or progress.end[other] <= progress.begin[task]:
            continue
        if block < 0:
            if designs.pe_of_task[n, other] == designs.pe_of_task[n, task]:
                return True
        elif (
            progress.begin[other] < progress.end[task]
            and ways.moved[other, 0, block] + ways.moved[other, 1, block] > 0.0
        ):
            return True
    return False


@inner_kernel
def hungriest(
    graph: Graph, designs: Designs, n: int, tree: Tree, ways: Ways, progress: Progress, prices: Prices, found: Ints
) -> None:
    buses, elements = tree.alive.size, tree.pe_bus.size
    most = -1.0
    for task in range(graph.work.size):
        if graph.work[task] == 0.0:
            continue
        own = progress.executed[task] * designs.joules[n, task]
        total, largest_part, part = own, own, designs.pe_of_task[n, task]
        for memory in range(progress.peak.size):
            energy = ways.moved[task, 0, buses + memory] * prices.memory_cost[memory, 0]
            energy += ways.moved[task, 1, buses + memory] * prices.memory_cost[memory, 1]
            total += energy
            if energy > largest_part:
                largest_part, part = energy, elements + memory
        if total > most:
            most = total
            found[2] = task
            found[3] = part


@inner_kernel
def largest(
    graph: Graph, designs: Designs, n: int, tree: Tree, ways: Ways, progress: Progress, prices: Prices, found: Ints
) -> None:
    elements, memories = tree.pe_bus.size, progress.peak.size
    most, block = -1.0, 0
    for element in range(elements):
        built = not designs.pe_is_cpu[n, element] or computes(graph, designs, n, element)
        if built and designs.pe_bus[n, element] != ABSENT and designs.pe_area[n, element] > most:
            most, block = designs.pe_area[n, element], element
    for memory in range(memories):
        if prices.memory_cost[memory, 2] > most:
            most, block = prices.memory_cost[memory, 2], elements + memory
    for bus in range(tree.alive.size):
        if prices.bus_cost[bus, 1] > most:
            most, block = prices.bus_cost[bus, 1], elements + memories + bus
    heaviest = -1.0
    for task in range(graph.work.size):
        weight = weight_on(graph, designs, n, tree, ways, progress, task, block)
        if weight > heaviest:
            heaviest = weight
            found[4] = task
    found[5] = block


@inner_kernel
def weight_on(
    graph: Graph, designs: Designs, n: int, tree: Tree, ways: Ways, progress: Progress, task: int, block: int
) -> float:
    """Work on an element, output in a memory, or bytes over a bus; -1 for a task that is not there."""
    elements, memories = tree.pe_bus.size, progress.peak.size
    if block < elements:
        return graph.work[task] if designs.pe_of_task[n, task] == block else -1.0
    if block < elements + memories:
        return output_bytes(graph, task) if designs.memory_of_task[n, task] == block - elements else -1.0
    bus = block - elements - memories
    moved: float = ways.moved[task, 0, bus] + ways.moved[task, 1, bus]
    return moved
