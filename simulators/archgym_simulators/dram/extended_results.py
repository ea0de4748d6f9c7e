"""From the counters of extended runs to times, energies and the cost of queues."""

from __future__ import annotations

__all__ = ["MORE_DIAGNOSTICS", "ExtendedResult", "extended_result_of"]

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.energy import Activity, EnergyBreakdown, down_energy, energy_of
from archgym_simulators.dram.extended_trace import ExtendedTrace
from archgym_simulators.dram.queues import QueueCost, queue_cost
from archgym_simulators.dram.results import SimulationResult, activity_of, divide, energies_of, result_fields

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Ints = NDArray[np.int64]

MORE_DIAGNOSTICS = ("refreshes_bank", "active_down_cycles", "precharge_down_cycles", "self_refresh_cycles")
SLOW_EXIT = 12  # column of a design


@dataclass(frozen=True, eq=False)
class ExtendedResult(SimulationResult):
    """As `SimulationResult`, for all channels together; every array is (N,).

    Attributes:
        energy_queue_pj: Request queues, part of ``energy_pj``; 0 where they are free.
        queue_area_um2: Area of the request queues; 0 where they are free.
        refreshes_bank: Per-bank refreshes issued.
        active_down_cycles: Cycles in active power-down, summed over ranks; ``active_cycles`` has the others.
        precharge_down_cycles: Cycles in precharge power-down.
        self_refresh_cycles: Cycles in self-refresh.
    """

    energy_queue_pj: Floats
    queue_area_um2: Floats
    refreshes_bank: Counts
    active_down_cycles: Counts
    precharge_down_cycles: Counts
    self_refresh_cycles: Counts


def extended_result_of(
    trace: ExtendedTrace, designs: Ints, counters: Ints, *, charge_debt: bool, charge_queues: bool
) -> ExtendedResult:
    """Derive the results of N runs.

    Refreshes owed are paid as in `model.simulate`; those owed bank by bank as refreshes of all banks as far as they
    make whole rounds, the rest one after another.

    Args:
        trace: trace, device and channels of the runs.
        designs: (N, 13) as the kernel got them.
        counters: (N, len(extended_kernel.COUNTER_NAMES)).
        charge_debt: whether refreshes owed are charged.
        charge_queues: whether queues cost area and power.
    """
    from archgym_simulators.dram.extended_kernel import COUNTER_NAMES

    device = trace.device
    column = dict(zip(COUNTER_NAMES, counters.T, strict=True))
    cycles, activity, bank_refreshes = column["end_cycle"], activity_of(column), column["refreshes_bank"]
    asleep = column["active_down_cycles"] + column["precharge_down_cycles"] + column["self_refresh_cycles"]
    if charge_debt:
        activity, paying = _with_debt(activity, column, trace)
        cycles, bank_refreshes = cycles + paying, bank_refreshes + column["banks_owed"]
    energy = energy_of(activity, device, trace.prepared.tables)
    energy = _with_states(energy, trace, column, designs[:, SLOW_EXIT] == 1, bank_refreshes)
    total_time_ns = cycles * (device.period_ps * 1e-3)
    queues = queue_cost(designs, device, trace.channels) if charge_queues else _free(len(designs))
    energy_queue_pj = queues.energy_pj(len(trace), total_time_ns)
    accounted = activity.active_cycles + activity.precharged_cycles + asleep
    accounted_ns = accounted * (1e3 / device.clock_mhz / (device.ranks * trace.channels))
    fields = result_fields(trace.prepared, column, activity, total_time_ns, energies_of(energy))
    fields["energy_pj"] = energy.total + energy_queue_pj
    return ExtendedResult(
        **fields,
        power_mw=divide(energy.total, accounted_ns) + divide(energy_queue_pj, total_time_ns),
        energy_queue_pj=energy_queue_pj,
        queue_area_um2=queues.area_um2,
        **{name: column[name] for name in MORE_DIAGNOSTICS},
    )


def _with_debt(run: Activity, column: dict[str, Counts], trace: ExtendedTrace) -> tuple[Activity, Counts]:
    """Add the refreshes owed but for per-bank ones, and return how many cycles paying takes; ranks pay side by side."""
    tables, per_bank = trace.prepared.tables, trace.device.timing.get("rfc_pb", 0)
    rounds, banks = column["rounds_owed"], column["banks_owed"]
    paying = column["most_rounds_owed"] * tables.refresh_duration + column["most_banks_owed"] * per_bank
    working = rounds * (tables.refresh_duration - tables.precharge) + banks * (per_bank - tables.precharge)
    idle = paying * (trace.device.ranks * trace.channels) - working
    paid = replace(
        run,
        refreshes=run.refreshes + rounds,
        active_cycles=run.active_cycles + working,
        precharged_cycles=run.precharged_cycles + idle,
    )
    return paid, paying


def _with_states(
    energy: EnergyBreakdown, trace: ExtendedTrace, column: dict[str, Counts], slow: NDArray[np.bool_], refreshes: Counts
) -> EnergyBreakdown:
    """Add per-bank refreshes and what power-down and self-refresh draw."""
    down, bank_refresh = down_energy(
        trace.device,
        trace.prepared.tables,
        active_down=column["active_down_cycles"],
        precharge_down=column["precharge_down_cycles"],
        self_refresh=column["self_refresh_cycles"],
        slow_exit=slow,
        bank_refreshes=refreshes,
    )
    return replace(energy, background=energy.background + down, refresh=energy.refresh + bank_refresh)


def _free(count: int) -> QueueCost:
    return QueueCost(np.zeros(count), np.zeros(count), np.zeros(count))
