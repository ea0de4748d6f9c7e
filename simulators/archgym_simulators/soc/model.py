"""FARSI's model of a system on chip, callable on any design object or on arrays of designs.

Written from a description of the mechanism (Boroujerdian et al., "FARSI: An Early-stage Design Space Exploration
Framework to Tame the Domain-specific System-on-Chip Complexity", ACM TECS 22(2), 2023); the equations are in the
kernels: `topology` (pruning, ways), `phases` (rates, buffers), `pricing` (energy, power, area).
"""

from __future__ import annotations

__all__ = ["BUDGETS", "RULES", "PreparedGraph", "SocResult", "simulate", "simulate_arrays"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.soc.arrays import RANKS, Designs, Floats, Graph, Ints, Rules, graph_arrays, scratch
from archgym_simulators.soc.blocks import SocDesign, pack
from archgym_simulators.soc.graph import Budget, TaskGraph
from archgym_simulators.soc.technology import (
    BANK_PORT_BYTES,
    BITS_PER_BYTE,
    LOGIC_LEAKAGE_W_PER_M2,
    MEMORY_BLOCK_BYTES,
    REFRESH_PERIOD_S,
    SMALLEST_MEMORY_BYTES,
    SRAM_LEAKAGE_W_PER_BYTE,
    WINDOW_S,
    WIRE_J_PER_BIT_M,
    WIRE_PITCH_M,
    memory_table,
)

RULES = ("realistic", "farsi")
BUDGETS = ("tight", "farsi")
_MET = 1e-9  # what FARSI lets a metric within its budget add to the distance


@dataclass(frozen=True, eq=False)
class PreparedGraph:
    """A task graph with its budgets, ready for the kernels.

    Attributes:
        graph: as given.
        arrays: for the kernels.
        budgets: latency budgets by application (A,) in s; power in W and area in m2 of the whole.
    """

    graph: TaskGraph
    arrays: Graph
    latency_budget_s: Floats
    power_budget_w: float
    area_budget_m2: float

    @staticmethod
    def build(graph: TaskGraph, *, budgets: str = "tight") -> PreparedGraph:
        """Prepare a graph.

        Args:
            graph: with at least one application.
            budgets: ``"tight"``: power and area budgets of a mix are the sums of those of its applications.
                ``"farsi"``: FARSI's common budget file, where there is one; its scaling study, from which the published
                designs come, multiplies the power and area budgets by the number of applications, which is the same.
        """
        if budgets not in BUDGETS:
            raise InputError(
                f"unknown budgets {budgets!r}{did_you_mean(budgets, BUDGETS)}; allowed: {', '.join(BUDGETS)}"
            )
        chosen: list[Budget] = [
            app.published_budget if budgets == "farsi" and app.published_budget else app.budget
            for app in graph.applications
        ]
        latency = np.array([budget.latency_ms for budget in chosen]) * 1e-3
        return PreparedGraph(
            graph,
            graph_arrays(graph, latency),
            latency,
            sum(budget.power_mw for budget in chosen) * 1e-3,
            sum(budget.area_mm2 for budget in chosen) * 1e-6,
        )


@dataclass(frozen=True, eq=False)
class SocResult:
    """What N designs cost, in SI units. NaN where a memory is larger than the table.

    Attributes:
        latency_s: (N, A) by application.
        makespan_s: (N,) until everything is done.
        power_w: (N,) largest mean over 10 ms.
        energy_j: (N,) of the whole run; by part in the ``energy_*`` attributes.
        area_m2: (N,); by part in the ``area_*`` attributes.
        phases: (N,) number of phases.
        peak_bytes: (N, M) largest content of each memory.
        bottleneck: (N, RANKS, 10) see `bottleneck.find_bottlenecks`.
        too_large: (N,) number of the first memory that is larger than the table, -1 where none is.
        blocks_needed: (N,) its size in blocks of the table.
        arrays_needed: (N,) number of arrays side by side that it has.
        latency_distance: (N, A) (value - budget) / budget.
        power_distance: (N,)
        area_distance: (N,)
        budget_distance: (N,) FARSI's distance to the goal.
    """

    latency_s: Floats
    makespan_s: Floats
    power_w: Floats
    energy_j: Floats
    energy_processing_j: Floats
    energy_memory_j: Floats
    energy_bus_j: Floats
    energy_idle_j: Floats
    area_m2: Floats
    area_cpu_m2: Floats
    area_accelerator_m2: Floats
    area_sram_m2: Floats
    area_dram_m2: Floats
    area_bus_m2: Floats
    phases: Ints
    peak_bytes: Floats
    bottleneck: Ints
    too_large: Ints
    blocks_needed: Floats
    arrays_needed: Floats
    latency_distance: Floats
    power_distance: Floats
    area_distance: Floats
    budget_distance: Floats


def simulate(
    prepared: PreparedGraph, designs: Sequence[SocDesign], *, rules: str = "realistic", prune: bool = False
) -> SocResult:
    """Simulate design objects.

    Args:
        prepared: what they run.
        designs: N of them, of any shapes.
        rules: ``"realistic"`` or ``"farsi"``.
        prune: take out buses as FARSI does with a proposed design before it simulates.

    Raises:
        InputError: unknown rules, or a design that cannot be built, by its number from 1.
    """
    _check_rules(rules)
    arrays = pack(prepared.graph, designs, realistic=rules == "realistic")
    return simulate_arrays(prepared, arrays, rules=rules, prune=prune)


def simulate_arrays(prepared: PreparedGraph, designs: Designs, *, rules: str, prune: bool) -> SocResult:
    """As `simulate`, for designs that are arrays and known to be right."""
    from archgym_simulators.soc.kernel import COLUMNS, simulate_batch

    _check_rules(rules)
    n, memories = designs.memory_bus.shape
    tasks, elements, buses = designs.rate.shape[1], designs.pe_bus.shape[1], designs.bus_parent.shape[1]
    out = np.full((n, len(COLUMNS)), np.nan)
    latency = np.full((n, len(prepared.latency_budget_s)), np.nan)
    peak = np.zeros((n, memories))
    bottleneck = np.zeros((n, RANKS, 10), dtype=np.int64)
    too_large = np.full(n, -1, dtype=np.int64)
    # One layout for all, or numba would compile the kernel again for another.
    designs = Designs._make(np.require(array, requirements=("C", "W")) for array in designs)
    space = scratch(tasks, elements, memories, buses)
    simulate_batch(prepared.arrays, designs, _rules(rules), space, prune, out, latency, peak, bottleneck, too_large)
    out[too_large >= 0] = np.nan
    columns = dict(zip(COLUMNS, out.T, strict=True))
    area = sum((columns[f"area_{part}_m2"] for part in ("cpu", "accelerator", "sram", "dram")), np.zeros(n))
    area = area + columns["area_bus_m2"]
    energy = columns["energy_processing_j"] + columns["energy_memory_j"]
    energy = energy + columns["energy_bus_j"] + columns["energy_idle_j"]
    phases = np.where(too_large >= 0, 0, columns.pop("phases")).astype(np.int64)
    largest = peak[np.arange(n), np.maximum(too_large, 0)] if memories else np.zeros(n)
    return SocResult(
        **columns,
        latency_s=latency,
        energy_j=energy,
        area_m2=area,
        phases=phases,
        peak_bytes=peak,
        bottleneck=bottleneck,
        too_large=too_large,
        blocks_needed=largest / MEMORY_BLOCK_BYTES,
        arrays_needed=_arrays(designs, too_large, rules),
        **_distances(prepared, latency, columns["power_w"], area, columns["area_dram_m2"]),
    )


def _distances(
    prepared: PreparedGraph, latency: Floats, power: Floats, area: Floats, dram: Floats
) -> dict[str, Floats]:
    """Distances to the budgets; FARSI holds DRAM, which is stacked, and the rest against the area budget separately."""
    by_app = latency / prepared.latency_budget_s - 1.0
    power_distance = power / prepared.power_budget_w - 1.0
    parts = [*by_app.T, power_distance]
    parts += [(area - dram) / prepared.area_budget_m2 - 1.0, dram / prepared.area_budget_m2 - 1.0]
    total = np.zeros(len(power))
    for part in parts:
        total += np.where(part > 0.0, part, np.where(np.isnan(part), np.nan, _MET))
    return {
        "latency_distance": by_app,
        "power_distance": power_distance,
        "area_distance": area / prepared.area_budget_m2 - 1.0,
        "budget_distance": total,
    }


def _arrays(designs: Designs, too_large: Ints, rules: str) -> Floats:
    if rules == "farsi":
        return np.ones(len(too_large))
    width = designs.memory_width[np.arange(len(too_large)), np.maximum(too_large, 0)]
    return np.maximum(width // BANK_PORT_BYTES, 1).astype(np.float64)


def _check_rules(rules: str) -> None:
    if rules not in RULES:
        raise InputError(f"unknown rules {rules!r}{did_you_mean(rules, RULES)}; allowed: {', '.join(RULES)}")


def _rules(name: str) -> Rules:
    realistic = name == "realistic"
    return Rules(
        realistic=realistic,
        complete=1.0 - 1e-12 if realistic else 0.99,
        table=memory_table(),
        block_bytes=float(MEMORY_BLOCK_BYTES),
        smallest_bytes=float(SMALLEST_MEMORY_BYTES),
        window_s=WINDOW_S,
        port_bytes=BANK_PORT_BYTES,
        wire_j_per_byte_m=WIRE_J_PER_BIT_M * BITS_PER_BYTE,
        wire_pitch_m=WIRE_PITCH_M,
        logic_leakage_w_per_m2=LOGIC_LEAKAGE_W_PER_M2,
        sram_leakage_w_per_byte=SRAM_LEAKAGE_W_PER_BYTE,
        refresh_period_s=REFRESH_PERIOD_S,
    )
