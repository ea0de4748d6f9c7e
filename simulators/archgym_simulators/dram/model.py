"""The DRAM-controller model: designs and a trace in, times, energies and command counts out."""

from __future__ import annotations

__all__ = [
    "DIAGNOSTICS", "METRICS", "CommandTrace", "ControllerDesign", "DesignArrays", "PreparedTrace",
    "SimulationResult", "command_trace", "prepare", "simulate", "simulate_all",
]  # fmt: skip

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.controller import ControllerDesign, DesignArrays
from archgym_simulators.dram.device import AddressMap, Device
from archgym_simulators.dram.equal_runs import run_once_each
from archgym_simulators.dram.extended_trace import ExtendedTrace
from archgym_simulators.dram.prepared import PreparedTrace, resolve
from archgym_simulators.dram.results import DIAGNOSTICS, METRICS, SimulationResult, result_of
from archgym_simulators.dram.timing import COMMANDS
from archgym_simulators.dram.trace import Trace
from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean

RULES = ("realistic", "archgym")

# Designs differ in cost by a factor of ten, so threads take turns at slices of about this many.
_SLICE = 16

Counts = NDArray[np.int64]


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
    trace: Trace | PreparedTrace | ExtendedTrace,
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
    prepared: PreparedTrace | ExtendedTrace
    if isinstance(trace, Trace):
        prepared = prepare(trace, device=device, address_map=address_map, player_clock_mhz=player_clock_mhz)
    else:
        prepared = trace
    rows = designs.stack() if isinstance(designs, DesignArrays) else DesignArrays.of(designs).stack()
    if not isinstance(prepared, PreparedTrace):
        return _run_channels(prepared, rows, rules)
    return result_of(prepared, _run(prepared, rows, threads), charge_debt=rules == "realistic")


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
    return result_of(prepared, counters, charge_debt=rules == "realistic")


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
        kernel.simulate_slice(0, 1, rows, prepared.kernel_arguments, log, counters)
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


def prepare(
    trace: Trace,
    *,
    device: Device | str = "DDR3-1600",
    address_map: AddressMap | str | None = None,
    player_clock_mhz: float | None = None,
) -> PreparedTrace | ExtendedTrace:
    """Prepare a trace for many calls of `simulate`; the arguments are those of `simulate`."""
    memory, mapping = resolve(device, address_map)
    if memory.channels == 1:
        return PreparedTrace.build(trace, device=memory, address_map=mapping, player_clock_mhz=player_clock_mhz)
    return ExtendedTrace.build(
        trace, device=memory, mapping=mapping, channels=memory.channels, player_clock_mhz=player_clock_mhz
    )


def _run_channels(trace: ExtendedTrace, rows: Counts, rules: str) -> SimulationResult:
    """Standard designs on a device of several channels: the extended loop, always awake, queues free."""
    from archgym_simulators.dram.extended_model import run_extended_designs

    awake = np.zeros((len(rows), 3), dtype=np.int64)
    return run_extended_designs(trace, np.hstack([rows, awake]), rules=rules, charge_queues=False)


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
        kernel.simulate_slice(low, high, rows, prepared.kernel_arguments, no_log, counters)

    size = max(1, len(rows)) if threads == 1 else min(_SLICE, -(-len(rows) // threads) or 1)
    starts = range(0, len(rows), size)
    if threads == 1 or len(starts) == 1:
        for low in starts:
            simulate_slice(low)
        return counters
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(simulate_slice, starts))
    return counters
