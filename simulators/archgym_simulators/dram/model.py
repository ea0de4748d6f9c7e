"""The DRAM-controller model: designs and a trace in, times, energies and command counts out."""

from __future__ import annotations

__all__ = [
    "DIAGNOSTICS", "METRICS", "CommandTrace", "ControllerDesign", "DesignArrays", "PreparedTrace",
    "SimulationResult", "command_trace", "simulate", "simulate_all",
]  # fmt: skip

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.controller import ControllerDesign, DesignArrays
from archgym_simulators.dram.device import AddressMap, Device
from archgym_simulators.dram.energy import Activity, EnergyBreakdown, energy_of
from archgym_simulators.dram.equal_runs import run_once_each
from archgym_simulators.dram.prepared import PreparedTrace
from archgym_simulators.dram.timing import COMMANDS
from archgym_simulators.dram.trace import Trace
from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean

RULES = ("realistic", "archgym")

METRICS = (
    "total_time_ns", "energy_pj", "energy_activate_pj", "energy_precharge_pj", "energy_read_pj",
    "energy_write_pj", "energy_refresh_pj", "energy_background_pj", "power_mw", "bandwidth_gbps",
    "latency_mean_ns", "latency_p50_ns", "latency_p99_ns", "latency_max_ns",
)  # fmt: skip
DIAGNOSTICS = (
    "activates", "precharges", "precharges_all", "reads", "reads_auto", "writes", "writes_auto", "refreshes",
    "refreshes_owed", "precharged_banks", "active_cycles", "precharged_cycles",
)  # fmt: skip

# Designs differ in cost by a factor of ten, so threads take turns at slices of about this many.
_SLICE = 16

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


@dataclass(frozen=True, eq=False)
class CommandTrace:
    """The commands of one run in order of issue; every array is (C,), refresh commands have row and column 0.

    Attributes:
        cycle: Cycle of issue on the command bus.
        command: Name: "ACT", "PRE", "RD", "WR", "RDA", "WRA", "PREA" or "REFA".
        rank: Rank.
        bank: Bank within the rank, counted over bank groups.
        row: Row of the request that the command serves.
        column: Column of that request.
    """

    cycle: Counts
    command: NDArray[np.str_]
    rank: Counts
    bank: Counts
    row: Counts
    column: Counts


def simulate(
    trace: Trace | PreparedTrace,
    designs: DesignArrays | Sequence[ControllerDesign],
    *,
    device: Device | str = "DDR3-1600",
    address_map: AddressMap | str | None = None,
    player_clock_mhz: float | None = None,
    rules: str = "realistic",
    threads: int = 1,
) -> SimulationResult:
    """Simulate every design on one trace, cycle by cycle where something happens.

    Under ``rules="archgym"`` the run ends with the last response, whatever refresh is still due: a run shorter
    than (refresh_max_postponed + 1) x tREFI never refreshes. Under ``rules="realistic"`` that debt is paid: a rank
    owes floor(end / tREFI) refreshes less the REFAs it issued, never less than none, so a refresh done early
    (pulled in) pays for a later interval within the run but earns nothing beyond its end. Each one owed adds tRFC
    to the total time, the ranks paying side by side, and the energy of one refresh with the background of its
    tRFC. Latencies are those of the requests and stay as they are. ``NoRefresh`` is simulated under both
    rules (realistic: it owes everything); whether it is a valid design is for the caller to say.

    Args:
        trace: R requests, or a trace prepared once for many calls (then device, address_map and
            player_clock_mhz are not used).
        designs: N designs.
        device: A device or its name.
        address_map: A map or its name; by default the device's own.
        player_clock_mhz: Clock of the trace's time stamps; by default the device's command clock.
        rules: "realistic" or "archgym".
        threads: Number of threads over designs; any number gives the same bits.

    Raises:
        InputError: for an unknown name or a value out of range.

    >>> from archgym_simulators.dram.trace import Trace
    >>> two = Trace.build("two", cycle=[0, 1], is_write=[False, False], address=[0, 64])
    >>> float(simulate(two, [ControllerDesign()], rules="archgym").total_time_ns[0])
    35.0
    """
    _check_choice("rules", rules, RULES)
    prepared = _prepare(trace, device, address_map, player_clock_mhz)
    rows = designs.stack() if isinstance(designs, DesignArrays) else DesignArrays.of(designs).stack()
    return _result(prepared, _run(prepared, rows, threads), charge_debt=rules == "realistic")


def simulate_all(
    prepared: PreparedTrace, designs: DesignArrays, *, rules: str = "realistic", threads: int = 1
) -> SimulationResult:
    """As `simulate`, to the bit, with one run for designs whose runs are proven equal.

    See `archgym_simulators.dram.equal_runs`. It pays where many of the N designs differ in their refresh bounds only,
    as in an enumeration.
    """
    from archgym_simulators.dram import kernel

    _check_choice("rules", rules, RULES)
    counters, _ = run_once_each(
        designs.stack(),
        lambda rows: _run(prepared, rows, threads),
        postponed_at_bound=kernel.COUNTER_NAMES.index("postponed_at_bound"),
        pulledin_at_bound=kernel.COUNTER_NAMES.index("pulledin_at_bound"),
    )
    return _result(prepared, counters, charge_debt=rules == "realistic")


def command_trace(
    trace: Trace | PreparedTrace,
    design: ControllerDesign,
    *,
    device: Device | str = "DDR3-1600",
    address_map: AddressMap | str | None = None,
    player_clock_mhz: float | None = None,
) -> CommandTrace:
    """Return every command that one design issues; arguments as in `simulate`."""
    from archgym_simulators.dram import kernel

    prepared = _prepare(trace, device, address_map, player_clock_mhz)
    rows = DesignArrays.of([design]).stack()
    log = np.empty((4 * len(prepared) + 64, 4), dtype=np.int64)
    while True:
        counters = np.zeros((1, kernel.COUNTERS), dtype=np.int64)
        kernel.simulate_slice(0, 1, rows, *prepared.kernel_arguments, log, counters)
        issued = int(counters[0, kernel.COMMANDS_ISSUED])
        if issued <= len(log):
            return _decode_log(prepared, log[:issued])
        log = np.empty((issued, 4), dtype=np.int64)


def _decode_log(prepared: PreparedTrace, log: NDArray[np.int64]) -> CommandTrace:
    request = log[:, 3]
    serves = request >= 0
    column = prepared.map.extract(prepared.trace.address, "column")
    return CommandTrace(
        cycle=log[:, 0].copy(),
        command=np.array(COMMANDS)[log[:, 1]],
        rank=log[:, 2] // prepared.device.banks,
        bank=log[:, 2] % prepared.device.banks,
        row=np.where(serves, prepared.row[request], 0),
        column=np.where(serves, column[request], 0),
    )


def _prepare(
    trace: Trace | PreparedTrace,
    device: Device | str,
    address_map: AddressMap | str | None,
    player_clock_mhz: float | None,
) -> PreparedTrace:
    if isinstance(trace, PreparedTrace):
        return trace
    return PreparedTrace.build(trace, device=device, address_map=address_map, player_clock_mhz=player_clock_mhz)


def _check_choice(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise InputError(f"unknown {name} {value!r}; allowed are {', '.join(allowed)}{did_you_mean(value, allowed)}")


def _run(prepared: PreparedTrace, rows: NDArray[np.int64], threads: int) -> NDArray[np.int64]:
    """Run the kernel over all rows and return its counters, (N, COUNTERS)."""
    from archgym_simulators.dram import kernel

    if threads < 1:
        raise InputError(f"threads {threads} is out of range; allowed are whole numbers from 1")
    counters = np.zeros((len(rows), kernel.COUNTERS), dtype=np.int64)
    no_log = np.empty((0, 4), dtype=np.int64)

    def simulate_slice(low: int) -> None:
        high = min(low + size, len(rows))
        kernel.simulate_slice(low, high, rows, *prepared.kernel_arguments, no_log, counters)

    size = max(1, len(rows)) if threads == 1 else min(_SLICE, -(-len(rows) // threads) or 1)
    starts = range(0, len(rows), size)
    if threads == 1 or len(starts) == 1:
        for low in starts:
            simulate_slice(low)
        return counters
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(simulate_slice, starts))
    return counters


def _result(prepared: PreparedTrace, counters: NDArray[np.int64], *, charge_debt: bool) -> SimulationResult:
    from archgym_simulators.dram import kernel

    device, tables = prepared.device, prepared.tables
    column = dict(zip(kernel.COUNTER_NAMES, counters.T, strict=True))
    owed = column["refreshes_owed"]
    period_ns = device.period_ps * 1e-3
    cycles = column["end_cycle"]
    activity = _activity(column)
    if charge_debt:
        cycles = cycles + column["most_refreshes_owed"] * tables.refresh_duration
        activity = _with_debt(activity, column, prepared)
    energy = energy_of(activity, device, tables)
    total_time_ns = cycles * period_ns
    accounted = activity.active_cycles + activity.precharged_cycles
    accounted_ns = accounted * (1e3 / device.clock_mhz / device.ranks)
    bits = len(prepared) * device.access_bytes * 8
    same_clock = round(1e6 / prepared.player_clock_mhz) == device.period_ps
    unit_ns = period_ns if same_clock else 1e-3
    counts = {name: column[name] for name in DIAGNOSTICS if name not in ("active_cycles", "precharged_cycles")}
    return SimulationResult(
        total_time_ns=total_time_ns,
        **_energies(energy),
        power_mw=_divide(energy.total, accounted_ns),
        bandwidth_gbps=_divide(np.full(len(cycles), float(bits)), total_time_ns),
        latency_mean_ns=column["latency_sum"] * unit_ns / len(prepared),
        latency_p50_ns=column["latency_p50"] * unit_ns,
        latency_p99_ns=column["latency_p99"] * unit_ns,
        latency_max_ns=column["latency_max"] * unit_ns,
        active_cycles=activity.active_cycles,
        precharged_cycles=activity.precharged_cycles,
        **(counts | {"refreshes_owed": owed}),
    )


def _activity(column: dict[str, Counts]) -> Activity:
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


def _energies(energy: EnergyBreakdown) -> dict[str, Floats]:
    parts = ("activate", "precharge", "read", "write", "refresh", "background")
    return {"energy_pj": energy.total} | {f"energy_{part}_pj": getattr(energy, part) for part in parts}


def _divide(amount: Floats, time_ns: Floats) -> Floats:
    return np.divide(amount, time_ns, out=np.zeros_like(amount), where=time_ns > 0)
