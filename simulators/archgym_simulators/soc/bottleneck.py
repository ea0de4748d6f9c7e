"""Kernels that name what holds a design back: tasks and blocks, the worst first, by metric."""

from __future__ import annotations

__all__ = ["find_bottlenecks"]

from archgym_simulators._jit import inner_kernel
from archgym_simulators.soc.arrays import ABSENT, Designs, Floats, Graph, Ints, Prices, Progress, Sharing, Tree, Ways
from archgym_simulators.soc.phases import output_bytes
from archgym_simulators.soc.pricing import computes

LATENCY, POWER, AREA, CONTESTED = 0, 3, 6, 9
TASK, BLOCK, DATA = 0, 1, 2


@inner_kernel
def find_bottlenecks(
    graph: Graph,
    designs: Designs,
    n: int,
    tree: Tree,
    ways: Ways,
    sharing: Sharing,
    progress: Progress,
    prices: Prices,
    latency: Floats,
    found: Ints,
) -> None:
    """Fill ``found`` (RANKS, 10): task, block and data that weigh on latency, power and area, and who competes.

    Blocks are numbered: elements, then memories, then buses. For latency it is the task that runs longest in the
    applications that miss their budget (in all, where none does) and the block that limited it longest; competed for
    (1) or not (0) by other tasks at the same time. For power it is the task with the most energy and the largest part
    of it; for area the largest block and the task with the most work, or output, on it. Data is the task whose outputs
    are the most of what moves by way of the block. What there are fewer of is repeated.
    """
    scores = progress.left  # the simulation is over, so what is left of tasks is nothing
    weigh_times(graph, progress, latency, scores)
    for rank in range(found.shape[0]):
        task = take_largest(scores, found, rank, LATENCY + TASK)
        bound = longest_bound(progress, task)
        found[rank, LATENCY + BLOCK] = block_number(designs.pe_of_task[n, task], bound, tree, progress)
        found[rank, CONTESTED] = is_contested(designs, n, ways, progress, task, bound)
    weigh_energies(graph, designs, n, tree, ways, progress, prices, scores, progress.candidates)
    for rank in range(found.shape[0]):
        task = take_largest(scores, found, rank, POWER + TASK)
        found[rank, POWER + BLOCK] = progress.candidates[task]
    areas = sharing.total[0]  # nobody shares a link any more; there are more links than blocks
    weigh_areas(graph, designs, n, tree, progress, prices, areas)
    for rank in range(found.shape[0]):
        block = take_largest(areas, found, rank, AREA + BLOCK)
        found[rank, AREA + TASK] = owner_of(graph, designs, n, tree, ways, progress, block)
        found[rank, AREA + DATA] = found[rank, AREA + TASK]
    for rank in range(found.shape[0]):
        for goal in (LATENCY, POWER):
            found[rank, goal + DATA] = heaviest_data(
                graph, designs, n, tree, progress, found[rank, goal + TASK], found[rank, goal + BLOCK]
            )


@inner_kernel
def take_largest(scores: Floats, found: Ints, rank: int, column: int) -> int:
    """The number with the largest score, which it loses; the first found again where all have lost theirs."""
    best = 0
    for number in range(scores.size):
        if scores[number] > scores[best]:
            best = number
    if scores[best] <= 0.0 and rank > 0:
        best = found[0, column]
    scores[best] = 0.0
    found[rank, column] = best
    return best


@inner_kernel
def weigh_times(graph: Graph, progress: Progress, latency: Floats, scores: Floats) -> None:
    """How long each task ran; where applications miss their budgets, only of their tasks."""
    late = False
    for application in range(latency.size):
        if latency[application] > graph.latency_budget[application]:
            late = True
    for task in range(graph.work.size):
        counts = not late
        for application in range(latency.size):
            if graph.members[application, task] and latency[application] > graph.latency_budget[application]:
                counts = True
        scores[task] = progress.end[task] - progress.begin[task] if counts and graph.work[task] > 0.0 else 0.0


@inner_kernel
def longest_bound(progress: Progress, task: int) -> int:
    """The block on the way of data that limited a task longest, -1 for its element."""
    best = 0
    for bound in range(1, progress.bound_time.shape[1]):
        if progress.bound_time[task, bound] > progress.bound_time[task, best]:
            best = bound
    return best - 1


@inner_kernel
def block_number(element: int, block: int, tree: Tree, progress: Progress) -> int:
    """From a block on the way of data (-1 for the element, then buses, then memories) to the number outside."""
    buses, elements = tree.alive.size, tree.pe_bus.size
    if block < 0:
        return element
    if block < buses:
        return elements + progress.peak.size + block
    return elements + block - buses


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
def weigh_energies(
    graph: Graph,
    designs: Designs,
    n: int,
    tree: Tree,
    ways: Ways,
    progress: Progress,
    prices: Prices,
    scores: Floats,
    parts: Ints,
) -> None:
    """Energy of each task, in its element, in memories and on buses, and the block with the largest part of it."""
    buses, memories, elements = tree.alive.size, progress.peak.size, tree.pe_bus.size
    for task in range(graph.work.size):
        largest = progress.executed[task] * designs.joules[n, task]
        scores[task], parts[task] = largest, designs.pe_of_task[n, task]
        for block in range(buses + memories):
            read, written = ways.moved[task, 0, block], ways.moved[task, 1, block]
            if block < buses:
                energy, number = (read + written) * prices.bus_cost[block, 0], elements + memories + block
            else:
                memory = block - buses
                energy = read * prices.memory_cost[memory, 0] + written * prices.memory_cost[memory, 1]
                number = elements + memory
            scores[task] += energy
            if energy > largest:
                largest, parts[task] = energy, number


@inner_kernel
def weigh_areas(
    graph: Graph, designs: Designs, n: int, tree: Tree, progress: Progress, prices: Prices, areas: Floats
) -> None:
    """Area of each block that is built."""
    elements, memories = tree.pe_bus.size, progress.peak.size
    areas[:] = 0.0
    for element in range(elements):
        if designs.pe_bus[n, element] == ABSENT:
            continue
        if not designs.pe_is_cpu[n, element] or computes(graph, designs, n, element):
            areas[element] = designs.pe_area[n, element]
    for memory in range(memories):
        areas[elements + memory] = prices.memory_cost[memory, 2]
    for bus in range(tree.alive.size):
        areas[elements + memories + bus] = prices.bus_cost[bus, 1]


@inner_kernel
def owner_of(graph: Graph, designs: Designs, n: int, tree: Tree, ways: Ways, progress: Progress, block: int) -> int:
    """The task with the most work on an element, output in a memory, or bytes over a bus."""
    elements, memories = tree.pe_bus.size, progress.peak.size
    heaviest, owner = -1.0, 0
    for task in range(graph.work.size):
        weight = -1.0
        if block < elements:
            if designs.pe_of_task[n, task] == block:
                weight = graph.work[task]
        elif block < elements + memories:
            if designs.memory_of_task[n, task] == block - elements:
                weight = output_bytes(graph, task)
        else:
            bus = block - elements - memories
            weight = ways.moved[task, 0, bus] + ways.moved[task, 1, bus]
        if weight > heaviest:
            heaviest, owner = weight, task
    return owner


@inner_kernel
def heaviest_data(graph: Graph, designs: Designs, n: int, tree: Tree, progress: Progress, task: int, block: int) -> int:
    """Of what a task reads and writes by way of a block, whose outputs are the most; the task itself where none are."""
    memories, place = progress.peak.size, block - tree.pe_bus.size
    best, most = task, 0.0
    if place < 0:
        return task
    start = tree.pe_bus[designs.pe_of_task[n, task]]
    for number in range(graph.parent_start[task], graph.parent_start[task + 1] + 1):
        if number < graph.parent_start[task + 1]:
            edge = graph.parent_edges[number]
            source, amount = graph.source[edge], graph.bytes[edge]
        else:
            source, amount = task, output_bytes(graph, task)
        memory = designs.memory_of_task[n, source]
        if amount <= most or memory < 0:
            continue
        if place < memories:
            concerned = place == memory
        else:
            concerned = leads_over(tree, start, tree.memory_bus[memory], place - memories)
        if concerned:
            best, most = source, amount
    return best


@inner_kernel
def leads_over(tree: Tree, start: int, goal: int, bus: int) -> bool:
    here = start
    while here != goal and here != bus:
        here = tree.hop[here, goal]
    return here == bus
