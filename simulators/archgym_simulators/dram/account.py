"""Counters of a run: active cycles, commands, refreshes owed, latencies."""

from __future__ import annotations

__all__ = ["COUNTER_NAMES", "fill_counters", "note_activation", "note_close", "write_log"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inlined, inner_kernel
from archgym_simulators.dram import layout as lay
from archgym_simulators.dram.timing import PRE, PREA, RDA, REFA, WRA

Ints = NDArray[np.int64]
Bins = NDArray[np.int32]

COUNTER_NAMES = (
    "end_cycle", "activates", "precharges", "precharges_all", "reads", "reads_auto", "writes", "writes_auto",
    "refreshes", "precharged_banks", "commands", "active_cycles", "precharged_cycles", "refreshes_owed",
    "most_refreshes_owed", "latency_sum", "latency_p50", "latency_p99", "latency_max",
    "postponed_at_bound", "pulledin_at_bound",
)  # fmt: skip

# Equal latencies in a row would wait for each other's increment: they take turns in four histograms.
BIN_BITS = 11
BINS = 2**BIN_BITS
HISTOGRAMS = 4


@inlined
def note_activation(rank: int, now: int, key: int, s: Ints) -> int:
    """Account for a bank that opens; return when its rank may get the fourth activation after this one, as key."""
    oldest = s[lay.RECENT_AT + rank] & 3
    s[lay.RECENT + (rank << 2) + oldest] = key
    oldest = (oldest + 1) & 3
    s[lay.RECENT_AT + rank] = oldest
    open_banks = s[lay.OPEN_BANKS + rank]
    s[lay.OPEN_BANKS + rank] = open_banks + 1
    if open_banks == 0 and now >= s[lay.CLOSED_AT + rank]:
        s[lay.ACTIVE_CYCLES + rank] += s[lay.CLOSED_AT + rank] - s[lay.ACTIVE_SINCE + rank]
        s[lay.ACTIVE_SINCE + rank] = now
    return int(s[lay.RECENT + (rank << 2) + oldest] + s[lay.WINDOW])


@inlined
def note_close(rank: int, cycle: int, s: Ints) -> None:
    """Account for a bank that closes now or, after an auto-precharge, later."""
    s[lay.OPEN_BANKS + rank] -= 1
    s[lay.CLOSED_AT + rank] = max(s[lay.CLOSED_AT + rank], cycle)


@inner_kernel
def fill_counters(end: int, s: Ints, latency: Ints, bins: Bins, out: Ints) -> None:
    """Write the counters of a finished run to ``out`` (len(COUNTER_NAMES),)."""
    out[:] = 0
    fill_commands(end, latency.size, s, out)
    fill_cycles(end, s, out)
    fill_latencies(latency, bins, out)


@inner_kernel
def fill_commands(end: int, requests: int, s: Ints, out: Ints) -> None:
    precharges, reads_auto, writes_auto = s[lay.ISSUED + PRE], s[lay.ISSUED + RDA], s[lay.ISSUED + WRA]
    closed = precharges + reads_auto + writes_auto + s[lay.CLOSED_TOGETHER]
    activates = closed
    for rank in range(s[lay.RANKS]):
        activates += s[lay.OPEN_BANKS + rank]
    out[0] = end
    out[1] = activates
    out[2] = precharges
    out[3] = s[lay.ISSUED + PREA]
    out[4] = requests - s[lay.WRITES] - reads_auto
    out[5] = reads_auto
    out[6] = s[lay.WRITES] - writes_auto
    out[7] = writes_auto
    out[8] = s[lay.ISSUED + REFA]
    out[9] = closed
    out[10] = requests + activates + precharges + s[lay.ISSUED + PREA] + s[lay.ISSUED + REFA]


@inner_kernel
def fill_cycles(end: int, s: Ints, out: Ints) -> None:
    """Sum active and precharged cycles and refreshes owed over ranks.

    As in DRAMPower, a rank's account ends when its last command, auto-precharges included, has completed.
    """
    for rank in range(s[lay.RANKS]):
        at = -1
        last = 0
        for command in range(8):
            if s[lay.LAST + rank * 8 + command] >= at:
                at = s[lay.LAST + rank * 8 + command]
                last = at + s[lay.COMPLETION + command]
        if s[lay.CLOSED_AT + rank] > at:
            last = s[lay.CLOSED_AT + rank] + s[lay.COMPLETION + PRE]
        last = max(last - 1, 0)
        until = last if s[lay.OPEN_BANKS + rank] > 0 else s[lay.CLOSED_AT + rank]
        active = s[lay.ACTIVE_CYCLES + rank] + until - s[lay.ACTIVE_SINCE + rank]
        active += s[lay.REFRESHES + rank] * (s[lay.REFRESH_DURATION] - s[lay.PRECHARGE])
        owed = max(end // s[lay.REFRESH_INTERVAL] - s[lay.REFRESHES + rank], 0)
        out[11] += active
        out[12] += last - active
        out[13] += owed
        out[14] = max(out[14], owed)
        out[19] = max(out[19], s[lay.POSTPONED_MOST + rank])
        out[20] = max(out[20], -s[lay.POSTPONED_LEAST + rank])


@inner_kernel
def fill_latencies(latency: Ints, bins: Bins, out: Ints) -> None:
    """Sum, median, 99th percentile and maximum; ``bins`` holds the first digit's histogram, then the later ones'."""
    total = 0
    largest = 0
    for i in range(latency.size):
        total += latency[i]
        largest = max(largest, latency[i])
    shift = 0
    while (largest >> shift) >= BINS:
        shift += BIN_BITS
    later = bins[BINS * HISTOGRAMS :]
    bins[: ((largest >> shift) + 1) * HISTOGRAMS] = 0
    for i in range(latency.size):
        bins[((latency[i] >> shift) & (BINS - 1)) * HISTOGRAMS + (i & (HISTOGRAMS - 1))] += 1
    out[15] = total
    out[16] = ranked(int(latency.size * 0.5), shift, latency, bins, later)
    out[17] = ranked(int(latency.size * 0.99), shift, latency, bins, later)
    out[18] = largest


@inner_kernel
def ranked(rank: int, shift: int, latency: Ints, bins: Bins, later: Bins) -> int:
    """Return the latency at a position of the sorted latencies: digit by digit, by counting."""
    prefix, rank = digit_of(rank, bins)
    while shift > 0:
        shift -= BIN_BITS
        later[:] = 0
        for i in range(latency.size):
            if (latency[i] >> shift) >> BIN_BITS == prefix:
                later[((latency[i] >> shift) & (BINS - 1)) * HISTOGRAMS] += 1
        digit, rank = digit_of(rank, later)
        prefix = prefix << BIN_BITS | digit
    return prefix


@inner_kernel
def digit_of(rank: int, bins: Bins) -> tuple[int, int]:
    """Return the bin that holds a position, and the position within it."""
    digit = 0
    while True:
        at = digit * HISTOGRAMS
        inside = bins[at] + bins[at + 1] + bins[at + 2] + bins[at + 3]
        if rank < inside:
            return digit, rank
        rank -= inside
        digit += 1


@inner_kernel
def write_log(at: int, cycle: int, command: int, bank: int, request: int, log: Ints) -> int:
    """Note a command if there is room; return how many were issued."""
    if at < log.shape[0]:
        log[at, 0] = cycle
        log[at, 1] = command
        log[at, 2] = bank
        log[at, 3] = request
    return at + 1
