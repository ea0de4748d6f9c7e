"""The batched kernel: prune, route, simulate and price every design."""

from __future__ import annotations

__all__ = ["COLUMNS", "simulate_batch"]

from archgym_simulators._jit import kernel
from archgym_simulators.soc.arrays import Designs, Floats, Graph, Ints, Rules, Scratch
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
    bottleneck: Ints,  # (N, 7), see `find_bottlenecks`
    too_large: Ints,  # (N,) first memory beyond the table, -1 where there is none
) -> None:
    """Fill the outputs for N designs."""
    for n in range(designs.rate.shape[0]):
        if prune:
            prune_buses(designs, n, s)
        else:
            keep_buses(designs, n, s)
        find_ways(graph, designs, n, s)
        phases = run_phases(graph, designs, n, rules, s)
        peak[n] = s.peak
        row = out[n]
        too_large[n] = price_blocks(graph, designs, n, rules, s, row[6:11])
        if too_large[n] >= 0:
            continue
        price_phases(designs, n, rules, s, phases, row[6:11], row[2:6])
        row[0] = s.end.max()
        row[1] = windowed_power(rules, s, phases)
        row[11] = phases
        for application in range(latency.shape[1]):
            last = 0.0
            for task in range(graph.work.size):
                if graph.ends[application, task]:
                    last = max(last, s.end[task])
            latency[n, application] = last
        find_bottlenecks(graph, designs, n, s, latency[n], bottleneck[n])


@kernel
def keep_buses(designs: Designs, n: int, s: Scratch) -> None:
    """The tree as it is given."""
    s.linked[:] = False
    for bus in range(s.alive.size):
        parent = designs.bus_parent[n, bus]
        if parent >= 0:
            s.linked[bus, parent] = True
            s.linked[parent, bus] = True
    s.pe_bus[:] = designs.pe_bus[n]
    s.memory_bus[:] = designs.memory_bus[n]
