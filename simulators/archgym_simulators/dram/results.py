"""From the counters of runs to times, energies and latencies."""

from __future__ import annotations

__all__ = [
    "DIAGNOSTICS", "METRICS", "SimulationResult", "activity_of", "divide", "energies_of", "result_fields", "result_of",
]  # fmt: skip

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.energy import Activity, EnergyBreakdown, energy_of
from archgym_simulators.dram.prepared import PreparedTrace

METRICS = (
    "total_time_ns", "energy_pj", "energy_activate_pj", "energy_precharge_pj", "energy_read_pj",
    "energy_write_pj", "energy_refresh_pj", "energy_background_pj", "power_mw", "bandwidth_gbps",
    "latency_mean_ns", "latency_p50_ns", "latency_p99_ns", "latency_max_ns",
)  # fmt: skip
DIAGNOSTICS = (
    "activates", "precharges", "precharges_all", "reads", "reads_auto", "writes", "writes_auto", "refreshes",
    "refreshes_owed", "precharged_banks", "active_cycles", "precharged_cycles",
)  # fmt: skip

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SimulationResult:
    """What N designs did on one trace; every array is (N,).

    Attributes:
        total_time_ns: From time 0 to the last response at the player, plus the refreshes owed (realistic rules).
        energy_pj: All devices, sum of the six parts below; NaN for a device without published currents.
        energy_activate_pj: Opening rows.
        energy_precharge_pj: Closing rows.
        energy_read_pj: Read bursts.
        energy_write_pj: Write bursts.
        energy_refresh_pj: Refreshes, with those owed under realistic rules.
        energy_background_pj: Standing by.
        power_mw: Energy over the time that it is accounted for.
        bandwidth_gbps: Gigabits moved per second of total time.
        latency_mean_ns: From the player's sending to the response at the player, mean over requests.
        latency_p50_ns: Latency at position floor(0.50 R) of the R sorted latencies.
        latency_p99_ns: Latency at position floor(0.99 R).
        latency_max_ns: Largest latency.
        activates: ACT commands.
        precharges: PRE commands.
        precharges_all: PREA commands.
        reads: RD commands.
        reads_auto: RDA commands.
        writes: WR commands.
        writes_auto: WRA commands.
        refreshes: REFA commands issued before the end.
        refreshes_owed: Refresh intervals gone by without their REFA at the end, summed over ranks.
        precharged_banks: Banks closed, by PRE, PREA or auto-precharge.
        active_cycles: Cycles with a bank open (in a refresh: all but its last tRP), summed over ranks.
        precharged_cycles: The other cycles of the energy account.
    """

    total_time_ns: Floats
    energy_pj: Floats
    energy_activate_pj: Floats
    energy_precharge_pj: Floats
    energy_read_pj: Floats
    energy_write_pj: Floats
    energy_refresh_pj: Floats
    energy_background_pj: Floats
    power_mw: Floats
    bandwidth_gbps: Floats
    latency_mean_ns: Floats
    latency_p50_ns: Floats
    latency_p99_ns: Floats
    latency_max_ns: Floats
    activates: Counts
    precharges: Counts
    precharges_all: Counts
    reads: Counts
    reads_auto: Counts
    writes: Counts
    writes_auto: Counts
    refreshes: Counts
    refreshes_owed: Counts
    precharged_banks: Counts
    active_cycles: Counts
    precharged_cycles: Counts


def result_of(prepared: PreparedTrace, counters: NDArray[np.int64], *, charge_debt: bool) -> SimulationResult:
    """Derive the results of N runs from their counters, (N, len(COUNTER_NAMES)).

    Args:
        prepared: The trace and device of the runs.
        counters: As the kernel returns them.
        charge_debt: Whether refreshes owed are charged, see `model.simulate`.
    """
    # The counters' names live beside the kernel, which loads numba.
    from archgym_simulators.dram import kernel

    device, tables = prepared.device, prepared.tables
    column = dict(zip(kernel.COUNTER_NAMES, counters.T, strict=True))
    cycles = column["end_cycle"]
    activity = activity_of(column)
    if charge_debt:
        cycles = cycles + column["most_refreshes_owed"] * tables.refresh_duration
        activity = _with_debt(activity, column, prepared)
    energy = energy_of(activity, device, tables)
    accounted = activity.active_cycles + activity.precharged_cycles
    accounted_ns = accounted * (1e3 / device.clock_mhz / device.ranks)
    fields = result_fields(prepared, column, activity, cycles * (device.period_ps * 1e-3), energies_of(energy))
    return SimulationResult(**fields, power_mw=divide(energy.total, accounted_ns))


def result_fields(
    prepared: PreparedTrace,
    column: dict[str, Counts],
    run: Activity,
    total_time_ns: Floats,
    energies: dict[str, Floats],
) -> dict[str, Any]:
    """The fields of a result but for power."""
    device = prepared.device
    bits = len(prepared) * device.access_bytes * 8
    same_clock = round(1e6 / prepared.player_clock_mhz) == device.period_ps
    unit_ns = device.period_ps * 1e-3 if same_clock else 1e-3
    counts = {name: column[name] for name in DIAGNOSTICS if name not in ("active_cycles", "precharged_cycles")}
    return dict(
        total_time_ns=total_time_ns,
        bandwidth_gbps=divide(np.full(len(total_time_ns), float(bits)), total_time_ns),
        latency_mean_ns=column["latency_sum"] * unit_ns / len(prepared),
        latency_p50_ns=column["latency_p50"] * unit_ns,
        latency_p99_ns=column["latency_p99"] * unit_ns,
        latency_max_ns=column["latency_max"] * unit_ns,
        active_cycles=run.active_cycles,
        precharged_cycles=run.precharged_cycles,
        **energies,
        **counts,
    )


def activity_of(column: dict[str, Counts]) -> Activity:
    """What the runs did, without debts."""
    return Activity(
        activates=column["activates"],
        precharged_banks=column["precharged_banks"],
        reads=column["reads"] + column["reads_auto"],
        writes=column["writes"] + column["writes_auto"],
        refreshes=column["refreshes"],
        active_cycles=column["active_cycles"],
        precharged_cycles=column["precharged_cycles"],
    )


def _with_debt(run: Activity, column: dict[str, Counts], prepared: PreparedTrace) -> Activity:
    """Add the refreshes owed; ranks that owe fewer than the worst wait precharged."""
    tables = prepared.tables
    owed = column["refreshes_owed"]
    waiting = column["most_refreshes_owed"] * prepared.device.ranks - owed
    precharged = owed * tables.precharge + waiting * tables.refresh_duration
    return Activity(
        activates=run.activates,
        precharged_banks=run.precharged_banks,
        reads=run.reads,
        writes=run.writes,
        refreshes=run.refreshes + owed,
        active_cycles=run.active_cycles + owed * (tables.refresh_duration - tables.precharge),
        precharged_cycles=run.precharged_cycles + precharged,
    )


def energies_of(energy: EnergyBreakdown) -> dict[str, Floats]:
    """Energies by the name of their metric."""
    parts = ("activate", "precharge", "read", "write", "refresh", "background")
    return {"energy_pj": energy.total} | {f"energy_{part}_pj": getattr(energy, part) for part in parts}


def divide(amount: Floats, time_ns: NDArray[np.floating[Any]]) -> Floats:
    """Amount per time, 0 where no time has passed."""
    quotient = np.zeros(amount.shape)
    np.divide(amount, time_ns, out=quotient, where=time_ns > 0)
    return quotient
