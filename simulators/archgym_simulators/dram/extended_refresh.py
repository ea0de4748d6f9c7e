"""The refresh managers of the extended loop: all banks together or bank by bank, over channels, with self-refresh.

All-bank refresh is `refresh`, rank by rank. Per-bank refresh has the same rules for one bank at a time: every tREFI per
bank one of the banks that this round has not refreshed yet, an idle one if there is one; while there is none it is
postponed, up to the bound times the number of banks, and then forced on the first of them. Idle ranks may close their
banks and enter self-refresh here.
"""

from __future__ import annotations

__all__ = ["next_refresh", "refresh", "request_while_refreshing"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel
from archgym_simulators.dram import extended_layout as ext
from archgym_simulators.dram import layout as lay
from archgym_simulators.dram.account import note_close, write_log
from archgym_simulators.dram.channel_banks import (
    hold_bus,
    push_channel_bounds,
    renew,
    revive,
    take_off_channel,
    window_after,
)
from archgym_simulators.dram.power_down import note, wake
from archgym_simulators.dram.refresh import close_all, push_window, update
from archgym_simulators.dram.timing import ACT, PRE, PREA, REFA

Ints = NDArray[np.int64]

TRIGGERED = -1
CLOSING = 16  # plus the rank: an idle rank closes its banks


@inner_kernel
def next_refresh(channel: int, now: int, s: Ints, x: Ints) -> int:
    """Return the cycle of a channel's next refresh event; REFRESH_RANK says what it is."""
    cycle = ext.FOREVER >> ext.PHASE_BITS
    chosen = TRIGGERED
    for rank in range(channel * x[ext.CHANNEL_RANKS], (channel + 1) * x[ext.CHANNEL_RANKS]):
        wanted = s[lay.WANTED + rank]
        if wanted >= 0:
            due = max(earliest(rank, wanted, s, x), now)
            if due < cycle:
                cycle, chosen = due, rank
        elif x[ext.SELF_SINCE + rank] < 0:
            due = max(s[lay.TRIGGER + rank], now)
            if due < cycle:
                cycle, chosen = due, TRIGGERED
            if closes_when_idle(rank, s, x):
                due = max(x[ext.IDLE_SINCE + rank] + x[ext.IDLE_LIMIT], max(earliest(rank, PREA, s, x), now))
                if due < cycle:
                    cycle, chosen = due, CLOSING + rank
    x[ext.REFRESH_RANK + channel] = chosen
    return int(cycle)


@inner_kernel
def closes_when_idle(rank: int, s: Ints, x: Ints) -> bool:
    is_idle = x[ext.RANK_WAITING + rank] == 0
    return bool(x[ext.POLICY] >= ext.PRECHARGE_IDLE and is_idle and s[lay.OPEN_BANKS + rank] > 0)


@inner_kernel
def earliest(rank: int, command: int, s: Ints, x: Ints) -> int:
    """Return the first cycle in which a rank may get what it wants."""
    cycle = x[ext.AWAKE_AT + rank]
    if command == PRE or command == ext.REFB:
        bank = x[ext.TARGET + rank]
        # As an activation of the bank, which it also counts as; both end at the same cycle.
        kind = PRE if command == PRE else ACT
        length = s[lay.LENGTH + PRE] if command == PRE else s[lay.LENGTH + REFA]
        group = (s[lay.BASE + bank * 16] >> lay.GROUP_AT) & lay.GROUP_MASK
        end = max(s[lay.OWN + bank * 16 + kind], s[lay.BOUND + group * 8 + kind])
        if command == ext.REFB:
            cycle = max(cycle, x[ext.LAST_REFB + rank] + x[ext.BANK_TO_BANK])
        return int(max(cycle, (end - length) >> s[lay.SHIFT]))
    cycle = max(cycle, x[ext.LAST_REFB + rank] + x[ext.BANK_DURATION])
    like = REFA if command == ext.SREN else command
    first = rank - rank % x[ext.CHANNEL_RANKS]
    for other in range(first, first + x[ext.CHANNEL_RANKS]):
        # Commands to a rank do not look at bank groups.
        row = lay.RELATION + (0 if other == rank else 64) + like
        for issued in range(8):
            distance = (s[row + issued * 8] - s[lay.LENGTH + like]) >> s[lay.SHIFT]
            cycle = max(cycle, s[lay.LAST + other * 8 + issued] + distance)
        cycle = max(cycle, x[ext.LAST_REFB + other] + x[ext.ROW_LENGTH])
        cycle = max(cycle, x[ext.SELF_SINCE + other] + x[ext.ROW_LENGTH])
    return int(cycle)


@inner_kernel
def refresh(channel: int, now: int, postpone: int, pull_in: int, s: Ints, x: Ints, log: Ints) -> None:
    """Let a channel's refresh event happen."""
    which = x[ext.REFRESH_RANK + channel]
    if which == TRIGGERED:
        trigger(channel, now, postpone, s, x, log)
        return
    if which >= CLOSING:
        close_banks(which - CLOSING, now, s, x, log)
        return
    wanted = s[lay.WANTED + which]
    if wanted == PREA:
        close_banks(which, now, s, x, log)
        s[lay.WANTED + which] = REFA
        prefer_self_refresh(which, now, s, x)
    elif wanted == REFA:
        refresh_rank(which, now, postpone, pull_in, s, x, log)
    elif wanted == ext.SREN:
        note(now, ext.SREN, which, s, x, log)
        hold_bus(which, now, s, x)
        x[ext.SELF_SINCE + which] = now
        s[lay.WANTED + which] = -1
    elif wanted == PRE:
        close_target(which, now, s, x, log)
    else:
        refresh_target(which, now, postpone, pull_in, s, x, log)
    renew(channel, s, x)


@inner_kernel
def trigger(channel: int, now: int, postpone: int, s: Ints, x: Ints, log: Ints) -> None:
    """Start what is due in every rank of a channel; block the banks that a forced refresh is meant for."""
    for rank in range(channel * x[ext.CHANNEL_RANKS], (channel + 1) * x[ext.CHANNEL_RANKS]):
        if s[lay.WANTED + rank] >= 0 or x[ext.SELF_SINCE + rank] >= 0 or now < s[lay.TRIGGER + rank]:
            continue
        wake(rank, now, s, x, log)
        decide(rank, now, postpone, s, x)
        if s[lay.FORCED + rank] == 1:
            best = x[ext.BEST + channel]
            at = x[ext.EVENT + channel * 4 + ext.COMMAND_EVENT] >> ext.PHASE_BITS
            wanted = s[lay.WANTED + rank]
            end = (max(earliest(rank, wanted, s, x), now) << s[lay.SHIFT]) + s[lay.LENGTH + wanted]
            # The command that was about to issue in this very cycle still does, unless the refresh can go first.
            kept = best & lay.BANK_MASK if at == now and best < end else -1
            for bank in range(rank * (s[lay.BANKS] // s[lay.RANKS]), (rank + 1) * (s[lay.BANKS] // s[lay.RANKS])):
                if bank != kept:
                    take_off_channel(bank, s, x)
        elif x[ext.BLOCKED + rank] >= 0:
            take_off_channel(x[ext.BLOCKED + rank], s, x)


@inner_kernel
def decide(rank: int, now: int, postpone: int, s: Ints, x: Ints) -> None:
    """Decide what the manager of a rank wants now."""
    if x[ext.IS_PER_BANK] == 1:
        update_per_bank(rank, now, postpone, s, x)
    else:
        update(rank, now, postpone, s)
    if s[lay.WANTED + rank] >= 0:
        prefer_self_refresh(rank, now, s, x)


@inner_kernel
def prefer_self_refresh(rank: int, now: int, s: Ints, x: Ints) -> None:
    """A rank that has been idle for a whole refresh interval refreshes itself instead, if the policy has that."""
    policy = x[ext.POLICY]
    if policy != ext.STAGGERED and policy != ext.SELF_REFRESH_IDLE:
        return
    if x[ext.RANK_WAITING + rank] == 0 and now - x[ext.IDLE_SINCE + rank] >= s[lay.REFRESH_INTERVAL]:
        s[lay.WANTED + rank] = PREA if s[lay.OPEN_BANKS + rank] > 0 else ext.SREN
        s[lay.FORCED + rank] = 0
        x[ext.BLOCKED + rank] = -1


@inner_kernel
def update_per_bank(rank: int, now: int, postpone: int, s: Ints, x: Ints) -> None:
    s[lay.WANTED + rank] = -1
    if now < s[lay.TRIGGER + rank]:
        return
    interval = x[ext.BANK_INTERVAL]
    if now >= s[lay.TRIGGER + rank] + interval:
        s[lay.TRIGGER + rank] += interval
        s[lay.PULLING + rank] = 0
    per_rank = s[lay.BANKS] // s[lay.RANKS]
    bank = first_remaining(rank, True, s, x)
    if s[lay.PULLING + rank] == 0 and s[lay.POSTPONED + rank] == postpone * per_rank:
        if bank < 0:
            bank = first_remaining(rank, False, s, x)
        x[ext.BLOCKED + rank] = bank
    elif bank < 0:
        if s[lay.PULLING + rank] == 0:
            s[lay.POSTPONED + rank] += 1
        s[lay.PULLING + rank] = 0
        s[lay.TRIGGER + rank] += interval
        return
    x[ext.TARGET + rank] = bank
    s[lay.WANTED + rank] = PRE if s[lay.HIT + bank * 16] >= 0 else ext.REFB


@inner_kernel
def first_remaining(rank: int, idle: bool, s: Ints, x: Ints) -> int:
    """Return the rank's first bank that this round has not refreshed yet, of the idle ones or of all; -1 if none."""
    per_rank = s[lay.BANKS] // s[lay.RANKS]
    for bank in range(per_rank):
        waiting = s[lay.COUNT + (rank * per_rank + bank) * 16]
        if (x[ext.REMAINING + rank] >> bank) & 1 == 1 and not (idle and waiting > 0):
            return int(rank * per_rank + bank)
    return -1


@inner_kernel
def request_while_refreshing(rank: int, now: int, postpone: int, s: Ints, x: Ints) -> None:
    """A request for a rank that wanted a refresh without blocking: what it wants may change."""
    if s[lay.WANTED + rank] >= 0 and s[lay.FORCED + rank] == 0 and x[ext.BLOCKED + rank] < 0:
        decide(rank, now, postpone, s, x)


@inner_kernel
def close_banks(rank: int, now: int, s: Ints, x: Ints, log: Ints) -> None:
    note(now, PREA, rank, s, x, log)
    s[lay.LAST + rank * 8 + PREA] = now
    s[lay.ISSUED + PREA] += 1
    push_channel_bounds(rank * (s[lay.GROUPS] // s[lay.RANKS]), PREA, now << s[lay.SHIFT], s, x)
    close_all(rank, now, s)


@inner_kernel
def refresh_rank(rank: int, now: int, postpone: int, pull_in: int, s: Ints, x: Ints, log: Ints) -> None:
    note(now, REFA, rank, s, x, log)
    s[lay.LAST + rank * 8 + REFA] = now
    s[lay.ISSUED + REFA] += 1
    s[lay.REFRESHES + rank] += 1
    push_channel_bounds(rank * (s[lay.GROUPS] // s[lay.RANKS]), REFA, now << s[lay.SHIFT], s, x)
    s[lay.FORCED + rank] = 0
    if x[ext.IS_PER_BANK] == 1:
        x[ext.REMAINING + rank] = (1 << (s[lay.BANKS] // s[lay.RANKS])) - 1
        s[lay.TRIGGER + rank] += x[ext.BANK_INTERVAL]
    else:
        count_refresh(rank, pull_in, s[lay.REFRESH_INTERVAL], s)
    revive(rank, s, x)
    decide(rank, now, postpone, s, x)


@inner_kernel
def count_refresh(rank: int, most_early: int, interval: int, s: Ints) -> None:
    if s[lay.PULLING + rank] == 1:
        s[lay.POSTPONED + rank] -= 1
    s[lay.PULLING + rank] = 1
    if s[lay.POSTPONED + rank] == -most_early:
        s[lay.PULLING + rank] = 0
        s[lay.TRIGGER + rank] += interval


@inner_kernel
def close_target(rank: int, now: int, s: Ints, x: Ints, log: Ints) -> None:
    """Precharge the bank that a refresh is meant for."""
    bank = x[ext.TARGET + rank]
    if log.shape[0] > 0:
        x[ext.LOGGED] = write_log(x[ext.LOGGED], now, PRE, bank, -1, log)
    own = lay.OWN + bank * 16
    key = now << s[lay.SHIFT]
    s[own] = max(s[own], key + s[lay.SAME_BANK + PRE * 8])
    s[lay.HIT + bank * 16] = lay.CLOSED
    s[lay.LAST + rank * 8 + PRE] = now
    s[lay.ISSUED + PRE] += 1
    push_channel_bounds((s[lay.BASE + bank * 16] >> lay.GROUP_AT) & lay.GROUP_MASK, PRE, key, s, x)
    note_close(rank, now, s)
    s[lay.WANTED + rank] = ext.REFB


@inner_kernel
def refresh_target(rank: int, now: int, postpone: int, pull_in: int, s: Ints, x: Ints, log: Ints) -> None:
    """Refresh one bank; to its rank it is like an activation of the bank."""
    bank = x[ext.TARGET + rank]
    per_rank = s[lay.BANKS] // s[lay.RANKS]
    if log.shape[0] > 0:
        x[ext.LOGGED] = write_log(x[ext.LOGGED], now, ext.REFB, bank, -1, log)
    key = now << s[lay.SHIFT]
    own = lay.OWN + bank * 16
    s[own] = max(s[own], ((now + x[ext.BANK_TO_ACT]) << s[lay.SHIFT]) + s[lay.LENGTH + ACT])
    hold_bus(rank, now, s, x)
    other = ((now + x[ext.BANK_TO_OTHER]) << s[lay.SHIFT]) + s[lay.LENGTH + ACT]
    push_window(rank, other, s)
    push_window(rank, window_after(rank, now, key, s, x), s)
    note_close(rank, now + x[ext.BANK_DURATION] - s[lay.PRECHARGE], s)
    x[ext.LAST_REFB + rank] = now
    x[ext.REFRESHES_BANK + rank] += 1
    x[ext.REMAINING + rank] &= ~(1 << (bank - rank * per_rank))
    if x[ext.REMAINING + rank] == 0:
        x[ext.REMAINING + rank] = (1 << per_rank) - 1
    x[ext.BLOCKED + rank] = -1
    count_refresh(rank, pull_in * per_rank, x[ext.BANK_INTERVAL], s)
    revive(rank, s, x)
    decide(rank, now, postpone, s, x)
