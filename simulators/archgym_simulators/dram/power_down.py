"""Power-down of a rank, worked out when it ends.

An idle rank takes no commands, so nothing happens between the cycle in which it may enter power-down and the one in
which a request or a refresh wakes it: both follow from the history of the rank when it wakes. CKE goes down and up
without a slot on the command bus (JESD79-3: with NOP or DES). Self-refresh is entered by a command, see
`extended_refresh`.
"""

from __future__ import annotations

__all__ = ["asleep_since", "hold", "note", "wake"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel
from archgym_simulators.dram import extended_layout as ext
from archgym_simulators.dram import layout as lay
from archgym_simulators.dram.account import write_log
from archgym_simulators.dram.timing import ACT, PRE, RD, RDA, REFA, WR, WRA

Ints = NDArray[np.int64]


@inner_kernel
def asleep_since(rank: int, s: Ints, x: Ints) -> int:
    """Return the cycle in which an idle rank enters power-down if nothing wakes it before, FOREVER if it does not."""
    policy = x[ext.POLICY]
    if policy == ext.NO_POWER_DOWN or x[ext.RANK_WAITING + rank] > 0 or s[lay.WANTED + rank] >= 0:
        return ext.FOREVER
    if x[ext.SELF_SINCE + rank] >= 0 or (policy >= ext.PRECHARGE_IDLE and s[lay.OPEN_BANKS + rank] > 0):
        return ext.FOREVER
    since = max(x[ext.IDLE_SINCE + rank] + x[ext.IDLE_LIMIT], s[lay.CLOSED_AT + rank])
    since = max(since, x[ext.WOKEN + rank] + x[ext.CKE])
    since = max(since, x[ext.LAST_REFB + rank] + x[ext.BANK_DURATION])
    for command in range(8):
        since = max(since, s[lay.LAST + rank * 8 + command] + x[ext.BEFORE_DOWN + command])
    return int(since)


@inner_kernel
def wake(rank: int, now: int, s: Ints, x: Ints, log: Ints) -> None:
    """End the power-down or self-refresh that an idle rank is in; the bounds on its commands say when it is ready."""
    if x[ext.SELF_SINCE + rank] >= 0:
        leave_self_refresh(rank, now, s, x, log)
        return
    since = asleep_since(rank, s, x)
    if since >= now:
        return
    leaves = max(now, since + x[ext.CKE])
    is_active = s[lay.OPEN_BANKS + rank] > 0
    x[(ext.ACTIVE_DOWN if is_active else ext.PRECHARGE_DOWN) + rank] += leaves - since
    x[ext.WOKEN + rank] = leaves
    note(since, ext.PDEA if is_active else ext.PDEP, rank, s, x, log)
    note(leaves, ext.PDX, rank, s, x, log)
    slow = x[ext.SLOW_EXIT] == 1 and not is_active
    hold(rank, leaves + x[ext.EXIT], leaves + (x[ext.EXIT_SLOW] if slow else x[ext.EXIT]), s, x)


@inner_kernel
def leave_self_refresh(rank: int, now: int, s: Ints, x: Ints, log: Ints) -> None:
    """Leave self-refresh: one refresh first, and the refresh interval starts anew.

    What is postponed or done early stays so: self-refresh does not change it (JESD79-3, refresh command).
    """
    since = x[ext.SELF_SINCE + rank]
    leaves = max(now, since + x[ext.SELF_MINIMUM])
    x[ext.SELF_SINCE + rank] = -1
    x[ext.SELF_REFRESH + rank] += leaves - since
    x[ext.WOKEN + rank] = leaves
    note(leaves, ext.SREX, rank, s, x, log)
    hold(rank, leaves + x[ext.SELF_EXIT], leaves + x[ext.SELF_EXIT_COLUMN], s, x)
    s[lay.TRIGGER + rank] = leaves
    s[lay.PULLING + rank] = 0
    s[lay.FORCED + rank] = 1
    s[lay.WANTED + rank] = REFA


@inner_kernel
def hold(rank: int, ready: int, ready_column: int, s: Ints, x: Ints) -> None:
    """Keep a rank from commands until a cycle, and from column commands until another."""
    x[ext.AWAKE_AT + rank] = ready
    per_rank = s[lay.GROUPS] // s[lay.RANKS]
    row_key = ready << s[lay.SHIFT]
    column_key = ready_column << s[lay.SHIFT]
    for group in range(rank * per_rank, (rank + 1) * per_rank):
        bound = lay.BOUND + group * 8
        s[bound + ACT] = max(s[bound + ACT], row_key + s[lay.LENGTH + ACT])
        s[bound + PRE] = max(s[bound + PRE], row_key + s[lay.LENGTH + PRE])
        for command in (RD, WR, RDA, WRA):
            s[bound + command] = max(s[bound + command], column_key + s[lay.LENGTH + command])


@inner_kernel
def note(cycle: int, command: int, rank: int, s: Ints, x: Ints, log: Ints) -> None:
    """Log a command to a whole rank."""
    if log.shape[0] > 0:
        bank = rank * (s[lay.BANKS] // s[lay.RANKS])
        x[ext.LOGGED] = write_log(x[ext.LOGGED], cycle, command, bank, -1, log)
