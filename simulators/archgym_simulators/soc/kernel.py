"""The batched kernel: prune, route, simulate and price every design."""

from __future__ import annotations

__all__ = ["COLUMNS", "simulate_batch"]

from archgym_simulators._jit import inner_kernel, kernel
from archgym_simulators.soc.arrays import Designs, Floats, Graph, Ints, Rules, Scratch, Tree
from archgym_simulators.soc.bottleneck import find_bottlenecks
from archgym_simulators.soc.phases import run_phases
from archgym_simulators.soc.pricing import price_blocks, price_phases, windowed_power
from archgym_simulators.soc.topology import find_ways, prune_buses

COLUMNS = (
    "makespan_s",
    "power_w",
    "energy_processing_j",
    "energy_memory_j",
    "energy_bus_j",
    "energy_idle_j",
    "area_cpu_m2",
    "area_accelerator_m2",
    "area_sram_m2",
    "area_dram_m2",
    "area_bus_m2",
    "phases",
)
"""What ``out`` holds for each design."""


@kernel
def simulate_batch(
    graph: Graph,
    designs: Designs,
    rules: Rules,
    s: Scratch,
    prune: bool,
    out: Floats,  # (N, len(COLUMNS))
    latency: Floats,  # (N, A) s
    peak: Floats,  # (N, M) bytes
    bottleneck: Ints,  # (N, RANKS, 10), see `find_bottlenecks`
    too_large: Ints,  # (N,) first memory beyond the table, -1 where there is none
) -> None:
    """Fill the outputs for N designs."""
    tree, ways, sharing, progress, record, prices = s
    for n in range(designs.rate.shape[0]):
        if prune:
            prune_buses(designs, n, tree)
        else:
            keep_buses(designs, n, tree)
        find_ways(graph, designs, n, tree, ways)
        phases = run_phases(graph, designs, n, rules, tree, ways, sharing, progress, record)
        peak[n] = progress.peak
        row = out[n]
        too_large[n] = price_blocks(graph, designs, n, rules, tree, ways, sharing, progress, prices, row[6:11])
        if too_large[n] >= 0:
            continue
        price_phases(designs, n, rules, tree, progress, record, prices, phases, row[6:11], row[2:6])
        row[0] = progress.end.max()
        row[1] = windowed_power(rules, record, phases)
        row[11] = phases
        for application in range(latency.shape[1]):
            last = 0.0
            for task in range(graph.work.size):
                if graph.ends[application, task]:
                    last = max(last, progress.end[task])
            latency[n, application] = last
        find_bottlenecks(graph, designs, n, tree, ways, sharing, progress, prices, latency[n], bottleneck[n])


@inner_kernel
def keep_buses(designs: Designs, n: int, tree: Tree) -> None:
    """The tree as it is given."""
    tree.linked[:] = False
    for bus in range(tree.alive.size):
        parent = designs.bus_parent[n, bus]
        if parent >= 0:
            tree.linked[bus, parent] = True
            tree.linked[parent, bus] = True
    tree.pe_bus[:] = designs.pe_bus[n]
    tree.memory_bus[:] = designs.memory_bus[n]
