"""The door to the extended event loop: one design after another over one prepared trace."""

from __future__ import annotations

__all__ = ["COUNTER_NAMES", "simulate_extended_slice"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel
from archgym_simulators.dram import extended_layout as ext
from archgym_simulators.dram import layout as lay
from archgym_simulators.dram.account import BINS, HISTOGRAMS, fill_commands, fill_latencies
from archgym_simulators.dram.account import COUNTER_NAMES as STANDARD_COUNTERS
from archgym_simulators.dram.extended_loop import run_extended
from archgym_simulators.dram.kernel import LONG_AGO, reset
from archgym_simulators.dram.power_down import asleep_since
from archgym_simulators.dram.timing import PRE

Ints = NDArray[np.int64]
Flags = NDArray[np.uint8]

COUNTER_NAMES = (
    *STANDARD_COUNTERS, "refreshes_bank", "rounds_owed", "most_rounds_owed", "banks_owed", "most_banks_owed",
    "active_down_cycles", "precharge_down_cycles", "self_refresh_cycles",
)  # fmt: skip
MORE = len(STANDARD_COUNTERS)
WIDTH = len(COUNTER_NAMES)


def simulate_extended_slice(
    low: int, high: int, designs: Ints, trace: tuple[Ints, Ints, Ints, Ints, Ints, Ints, Ints], log: Ints, out: Ints
) -> None:
    """Simulate designs ``low`` to ``high - 1``, without the interpreter's lock.

    Args:
        low: First row.
        high: One past the last row.
        designs: (N, 13), `extended_design.ExtendedDesign.codes`.
        trace: `ExtendedTrace.kernel_arguments`.
        log: (L, 4) receives cycle, command, bank and request (-1: none) of the first L commands of each run.
        out: (N, len(COUNTER_NAMES)) receives the counters.
    """
    template, more, packed, arrival, twin, first, following = trace
    requests = len(arrival)
    state, extension = np.empty(lay.SIZE, dtype=np.int64), np.empty(ext.SIZE, dtype=np.int64)
    served = np.empty(requests + 2, dtype=np.uint8)
    per_request = np.empty((5, requests), dtype=np.int64)
    bins = np.empty(2 * BINS * HISTOGRAMS, dtype=np.int32)
    _simulate(
        low, high, designs, template, more, packed, arrival, twin, first, following,
        state, extension, served, per_request, bins, log, out,
    )  # fmt: skip


@kernel
def _simulate(
    low: int, high: int, designs: Ints, template: Ints, more: Ints, packed: Ints, arrival: Ints, twin: Ints,
    first: Ints, following: Ints, state: Ints, extension: Ints, served: Flags, per_request: Ints,
    bins: NDArray[np.int32], log: Ints, out: Ints,
) -> None:  # fmt: skip
    state[:] = template
    due, chain, accepted, delivered, latency = (
        per_request[0], per_request[1], per_request[2], per_request[3], per_request[4],
    )  # fmt: skip
    for row in range(low, high):
        design = designs[row]
        reset(min(design[5], 1), True, state, first, served, due)
        reset_extension(design, more, packed, arrival.size, state, extension)
        end = run_extended(
            design, state, extension, packed, arrival, twin, following, served, due, chain, accepted,
            delivered, latency, log,
        )  # fmt: skip
        out[row, :] = 0
        fill_commands(end, latency.size, state, out[row])
        fill_cycles(end, state, extension, out[row])
        fill_latencies(latency, bins, out[row])


@inner_kernel
def reset_extension(design: Ints, more: Ints, packed: Ints, requests: int, s: Ints, x: Ints) -> None:
    """Return the extension to where a run starts, and put the design's policies into it."""
    x[:] = more
    x[ext.EVENT : ext.EVENT + 4 * x[ext.CHANNELS]] = ext.FOREVER
    x[ext.POLICY] = design[10]
    x[ext.IDLE_LIMIT] = 0 if design[10] == ext.STAGGERED else design[11]
    x[ext.SLOW_EXIT] = design[12]
    x[ext.IS_PER_BANK] = 1 if design[5] == ext.PER_BANK else 0
    interval = x[ext.BANK_INTERVAL] if x[ext.IS_PER_BANK] == 1 else s[lay.REFRESH_INTERVAL]
    per_channel = x[ext.CHANNEL_RANKS]
    for rank in range(s[lay.RANKS]):
        x[ext.SELF_SINCE + rank] = -1
        x[ext.BLOCKED + rank] = -1
        x[ext.WOKEN + rank] = LONG_AGO
        x[ext.LAST_REFB + rank] = LONG_AGO
        x[ext.REMAINING + rank] = (1 << (s[lay.BANKS] // s[lay.RANKS])) - 1
        if design[5] != 0:
            # The ranks of every channel take their turns evenly spread over an interval.
            s[lay.TRIGGER + rank] = interval - rank % per_channel * (interval // per_channel)
    for channel in range(x[ext.CHANNELS]):
        x[ext.OFFER + channel] = ext.FOREVER
        x[ext.NEXT + channel] = requests
        x[ext.LAST_BANK + channel] = channel * x[ext.CHANNEL_BANKS]
        x[ext.TAKEN + channel] = -1
        x[ext.ACKNOWLEDGED + channel] = -1
    x[ext.RESPONDED] = -1
    for request in range(requests - 1, -1, -1):
        x[ext.NEXT + ((packed[request] >> 1) & lay.BANK_MASK) // x[ext.CHANNEL_BANKS]] = request
    for channel in range(x[ext.CHANNELS]):
        x[ext.HEAD + channel] = requests if design[4] == 0 else x[ext.NEXT + channel]


@inner_kernel
def last_cycle(rank: int, s: Ints) -> int:
    """Return when the last command of a rank, auto-precharges included, has completed, as DRAMPower counts it."""
    at = -1
    last = 0
    for command in range(8):
        if s[lay.LAST + rank * 8 + command] >= at:
            at = s[lay.LAST + rank * 8 + command]
            last = at + s[lay.COMPLETION + command]
    if s[lay.CLOSED_AT + rank] > at:
        last = s[lay.CLOSED_AT + rank] + s[lay.COMPLETION + PRE]
    return int(max(last - 1, 0))


@inner_kernel
def fill_cycles(end: int, s: Ints, x: Ints, out: Ints) -> None:
    """Sum cycles by state and refreshes owed over ranks; every rank's account runs to the end of the longest one."""
    last = 0
    for rank in range(s[lay.RANKS]):
        last = max(last, last_cycle(rank, s))
    banks = s[lay.BANKS] // s[lay.RANKS]
    for rank in range(s[lay.RANKS]):
        sleep_on(rank, last, s, x)
        until = last if s[lay.OPEN_BANKS + rank] > 0 else s[lay.CLOSED_AT + rank]
        active = s[lay.ACTIVE_CYCLES + rank] + until - s[lay.ACTIVE_SINCE + rank]
        active += s[lay.REFRESHES + rank] * (s[lay.REFRESH_DURATION] - s[lay.PRECHARGE])
        asleep = x[ext.ACTIVE_DOWN + rank] + x[ext.PRECHARGE_DOWN + rank] + x[ext.SELF_REFRESH + rank]
        out[11] += active - x[ext.ACTIVE_DOWN + rank]
        out[12] += last - active - (asleep - x[ext.ACTIVE_DOWN + rank])
        awake = max(end - x[ext.SELF_REFRESH + rank], 0)
        rounds = awake // s[lay.REFRESH_INTERVAL] - s[lay.REFRESHES + rank]
        single = 0
        if x[ext.IS_PER_BANK] == 1:
            single = awake // x[ext.BANK_INTERVAL] - x[ext.REFRESHES_BANK + rank] - banks * s[lay.REFRESHES + rank]
            # What a whole round owes is paid for all banks together.
            rounds = max(single, 0) // banks
            single = max(single, 0) % banks
        rounds = max(rounds, 0)
        out[13] += rounds * (banks if x[ext.IS_PER_BANK] == 1 else 1) + single
        out[14] = max(out[14], rounds)
        out[MORE] += x[ext.REFRESHES_BANK + rank]
        out[MORE + 1] += rounds
        out[MORE + 2] = max(out[MORE + 2], rounds)
        out[MORE + 3] += single
        out[MORE + 4] = max(out[MORE + 4], single)
        out[MORE + 5] += x[ext.ACTIVE_DOWN + rank]
        out[MORE + 6] += x[ext.PRECHARGE_DOWN + rank]
        out[MORE + 7] += x[ext.SELF_REFRESH + rank]


@inner_kernel
def sleep_on(rank: int, last: int, s: Ints, x: Ints) -> None:
    """Count the power-down or self-refresh in which a rank is when the account ends."""
    if x[ext.SELF_SINCE + rank] >= 0:
        x[ext.SELF_REFRESH + rank] += max(last - x[ext.SELF_SINCE + rank], 0)
        return
    since = asleep_since(rank, s, x)
    if since < last:
        x[(ext.ACTIVE_DOWN if s[lay.OPEN_BANKS + rank] > 0 else ext.PRECHARGE_DOWN) + rank] += last - since
