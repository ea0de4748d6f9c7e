"""The refresh managers, one per rank: the slow branch of the event loop."""

from __future__ import annotations

__all__ = ["enter_while_refreshing", "issue_refresh", "next_refresh", "trigger_refreshes"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inlined, inner_kernel
from archgym_simulators.dram import layout as lay
from archgym_simulators.dram.timing import PREA, REFA

State = NDArray[np.int64]


@inner_kernel
def next_refresh(now: int, s: State) -> tuple[int, int, bool]:
    """Return the cycle of the next refresh event, its rank (-1: an interval ends), and if a command is wanted."""
    cycle = (lay.INF >> s[lay.SHIFT]) - 64
    chosen = -1
    pending = False
    for rank in range(s[lay.RANKS]):
        wanted = s[lay.WANTED + rank]
        if wanted < 0:
            due = max(s[lay.TRIGGER + rank], now)
            if due < cycle:
                cycle = due
                chosen = -1
        else:
            pending = True
            due = max(earliest(rank, wanted, s), now)
            if due < cycle:
                cycle = due
                chosen = rank
    return cycle, chosen, pending


@inner_kernel
def earliest(rank: int, command: int, s: State) -> int:
    """Return the first cycle in which a rank may get PREA or REFA."""
    cycle = 0
    for other in range(s[lay.RANKS]):
        # Commands to a rank do not look at bank groups.
        row = lay.RELATION + (0 if other == rank else 64) + command
        for issued in range(8):
            distance = (s[row + issued * 8] - s[lay.LENGTH + command]) >> s[lay.SHIFT]
            cycle = max(cycle, s[lay.LAST + other * 8 + issued] + distance)
    return cycle


@inner_kernel
def is_busy(rank: int, s: State) -> bool:
    """Whether a bank of the rank has a request."""
    per_rank = s[lay.BANKS] // s[lay.RANKS]
    waiting = 0
    for bank in range(rank * per_rank, (rank + 1) * per_rank):
        waiting += s[lay.COUNT + (bank << 4)]
    return waiting > 0


@inner_kernel
def update(rank: int, now: int, postpone: int, s: State) -> None:
    """Decide what the manager of a rank wants now."""
    s[lay.WANTED + rank] = -1
    if now < s[lay.TRIGGER + rank]:
        return
    if now >= s[lay.TRIGGER + rank] + s[lay.REFRESH_INTERVAL]:
        s[lay.TRIGGER + rank] += s[lay.REFRESH_INTERVAL]
        s[lay.PULLING + rank] = 0
    if s[lay.PULLING + rank] == 0:
        s[lay.POSTPONED_MOST + rank] = max(s[lay.POSTPONED_MOST + rank], s[lay.POSTPONED + rank])
    if s[lay.PULLING + rank] == 0 and s[lay.POSTPONED + rank] == postpone:
        s[lay.FORCED + rank] = 1
    elif is_busy(rank, s):
        if s[lay.PULLING + rank] == 0:
            s[lay.POSTPONED + rank] += 1
        s[lay.PULLING + rank] = 0
        s[lay.TRIGGER + rank] += s[lay.REFRESH_INTERVAL]
        return
    s[lay.WANTED + rank] = PREA if s[lay.OPEN_BANKS + rank] > 0 else REFA


@inner_kernel
def trigger_refreshes(now: int, best: int, best_cycle: int, live: int, postpone: int, s: State) -> int:
    """Start what is due in every rank; block the banks of a forced rank. Return the number of live banks.

    The command that was about to issue in this very cycle still does, unless the refresh command can go first.
    """
    for rank in range(s[lay.RANKS]):
        if s[lay.WANTED + rank] >= 0 or now < s[lay.TRIGGER + rank]:
            continue
        update(rank, now, postpone, s)
        if s[lay.FORCED + rank] == 1:
            wanted = s[lay.WANTED + rank]
            end = (max(earliest(rank, wanted, s), now) << s[lay.SHIFT]) + s[lay.LENGTH + wanted]
            kept = best & lay.BANK_MASK if best_cycle == now and best < end else -1
            live = block(rank, kept, live, s)
    return live


@inner_kernel
def block(rank: int, kept: int, live: int, s: State) -> int:
    """Take the banks of a rank, but for one, off the list of live banks; return the new length."""
    left = 0
    for i in range(live):
        bank = s[lay.LIVE + i] & lay.BANK_MASK
        if s[lay.RANK + (bank << 4)] != rank or bank == kept:
            s[lay.LIVE + left] = s[lay.LIVE + i]
            s[lay.PLACE + (bank << 4)] = left
            left += 1
    return left


@inner_kernel
def enter_while_refreshing(rank: int, now: int, postpone: int, s: State) -> None:
    """A request for an idle rank that wanted a refresh: the rank is busy now and postpones."""
    if s[lay.WANTED + rank] >= 0 and s[lay.FORCED + rank] == 0:
        update(rank, now, postpone, s)


@inner_kernel
def follow_banks(s: State) -> None:
    """The command that slipped in before a forced refresh may have opened or closed the rank's only bank."""
    for rank in range(s[lay.RANKS]):
        if s[lay.WANTED + rank] >= 0:
            s[lay.WANTED + rank] = PREA if s[lay.OPEN_BANKS + rank] > 0 else REFA


@inner_kernel
def issue_refresh(rank: int, now: int, live: int, postpone: int, pull_in: int, s: State) -> int:
    """Issue the PREA or REFA that a rank wants; return the number of live banks."""
    command = s[lay.WANTED + rank]
    s[lay.LAST + rank * 8 + command] = now
    s[lay.ISSUED + command] += 1
    push_bounds(rank * (s[lay.GROUPS] // s[lay.RANKS]), command, now << s[lay.SHIFT], s)
    if command == PREA:
        close_all(rank, now, s)
        s[lay.WANTED + rank] = REFA
        return live
    s[lay.REFRESHES + rank] += 1
    s[lay.FORCED + rank] = 0
    if s[lay.PULLING + rank] == 1:
        s[lay.POSTPONED + rank] -= 1
    s[lay.PULLING + rank] = 1
    s[lay.POSTPONED_LEAST + rank] = min(s[lay.POSTPONED_LEAST + rank], s[lay.POSTPONED + rank])
    if s[lay.POSTPONED + rank] == -pull_in:
        s[lay.PULLING + rank] = 0
        s[lay.TRIGGER + rank] += s[lay.REFRESH_INTERVAL]
    live = revive(rank, live, s)
    update(rank, now, postpone, s)
    return live


@inlined
def push_bounds(own_group: int, command: int, key: int, s: State) -> None:
    """Raise the lower bounds of every bank group for a command issued now in one of them."""
    groups = s[lay.GROUPS]
    for group in range(groups):
        row = lay.SAME_GROUP + s[lay.RELATION_OF + own_group * groups + group] + (command << 3)
        bound = lay.BOUND + (group << 3)
        push_bound(bound, row, key, s)
        s[bound + 6] = s[bound + 2]
        s[bound + 7] = s[bound + 3]


@inlined
def push_bound(bound: int, row: int, key: int, s: State) -> None:
    """Raise the four lower bounds at a place, by the distances at another."""
    activate = max(s[bound], key + s[row])
    precharge = max(s[bound + 1], key + s[row + 1])
    read = max(s[bound + 2], key + s[row + 2])
    write = max(s[bound + 3], key + s[row + 3])
    s[bound] = activate
    s[bound + 1] = precharge
    s[bound + 2] = read
    s[bound + 3] = write


@inlined
def push_window(rank: int, key: int, s: State) -> None:
    """Keep a rank from a fifth activation within its window."""
    per_rank = s[lay.GROUPS] // s[lay.RANKS]
    for group in range(rank * per_rank, (rank + 1) * per_rank):
        at = lay.BOUND + group * 8
        s[at] = max(s[at], key)


@inner_kernel
def close_all(rank: int, now: int, s: State) -> None:
    s[lay.CLOSED_TOGETHER] += s[lay.OPEN_BANKS + rank]
    s[lay.OPEN_BANKS + rank] = 0
    s[lay.CLOSED_AT + rank] = max(s[lay.CLOSED_AT + rank], now)
    per_rank = s[lay.BANKS] // s[lay.RANKS]
    for bank in range(rank * per_rank, (rank + 1) * per_rank):
        s[lay.HIT + (bank << 4)] = lay.CLOSED


@inner_kernel
def revive(rank: int, live: int, s: State) -> int:
    """Put the rank's banks with requests back on the list of live banks; return the new length."""
    per_rank = s[lay.BANKS] // s[lay.RANKS]
    live = block(rank, -1, live, s)
    for bank in range(rank * per_rank, (rank + 1) * per_rank):
        if s[lay.COUNT + (bank << 4)] > 0:
            s[lay.LIVE + live] = s[lay.BASE + (bank << 4)]
            s[lay.PLACE + (bank << 4)] = live
            live += 1
    return live
