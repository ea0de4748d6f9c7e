"""What a command does to the other banks of its channel: bounds, the bus, and the list of banks that want something."""

from __future__ import annotations

__all__ = [
    "hold_bus", "push_channel_bounds", "put_on_channel", "renew", "revive", "take_off_channel", "window_after",
]  # fmt: skip

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel
from archgym_simulators.dram import extended_layout as ext
from archgym_simulators.dram import layout as lay
from archgym_simulators.dram.account import note_activation
from archgym_simulators.dram.timing import ACT, PRE, RD, RDA, WR, WRA

Ints = NDArray[np.int64]


@inner_kernel
def window_after(rank: int, now: int, key: int, s: Ints, x: Ints) -> int:
    """Account for an activation; return from when the rank may have the next, by its window, as key."""
    fourth = note_activation(rank, now, key, s)
    if x[ext.WINDOW_DEPTH] == 4:
        return fourth
    at = (s[lay.RECENT_AT + rank] + 4 - x[ext.WINDOW_DEPTH]) & 3
    return int(s[lay.RECENT + rank * 4 + at] + s[lay.WINDOW])


@inner_kernel
def hold_bus(rank: int, now: int, s: Ints, x: Ints) -> None:
    """Keep the commands of a channel off the bus while a refresh command is on it."""
    key = (now + x[ext.ROW_LENGTH]) << s[lay.SHIFT]
    first = rank // x[ext.CHANNEL_RANKS] * x[ext.CHANNEL_GROUPS]
    for group in range(first, first + x[ext.CHANNEL_GROUPS]):
        bound = lay.BOUND + group * 8
        for command in (ACT, PRE, RD, WR, RDA, WRA):
            if s[lay.TWO_BUSES] == 0 or command in (ACT, PRE):
                s[bound + command] = max(s[bound + command], key + s[lay.LENGTH + command])


@inner_kernel
def push_channel_bounds(own_group: int, command: int, key: int, s: Ints, x: Ints) -> None:
    """Raise the lower bounds of every bank group of a channel for a command issued now in one of them."""
    first = own_group & -x[ext.CHANNEL_GROUPS]  # a power of two
    for group in range(first, first + x[ext.CHANNEL_GROUPS]):
        row = lay.SAME_GROUP + s[lay.RELATION_OF + own_group * s[lay.GROUPS] + group] + command * 8
        bound = lay.BOUND + group * 8
        for following in (ACT, PRE, RD, WR):
            s[bound + following] = max(s[bound + following], key + s[row + following])
        s[bound + RDA] = s[bound + RD]
        s[bound + WRA] = s[bound + WR]


@inner_kernel
def take_off_channel(bank: int, s: Ints, x: Ints) -> None:
    """Take a bank off its channel's list of live banks, if it is there."""
    channel = bank >> x[ext.CHANNEL_BANK_BITS]
    start = lay.LIVE + channel * x[ext.CHANNEL_BANKS]
    place = s[lay.PLACE + bank * 16]
    live = x[ext.LIVE_COUNT + channel]
    if place >= live or s[start + place] & lay.BANK_MASK != bank:
        return
    last = s[start + live - 1]
    s[start + place] = last
    s[lay.PLACE + (last & lay.BANK_MASK) * 16] = place
    x[ext.LIVE_COUNT + channel] = live - 1


@inner_kernel
def put_on_channel(bank: int, s: Ints, x: Ints) -> None:
    """Put a bank on its channel's list of live banks, its command to be chosen."""
    channel = bank >> x[ext.CHANNEL_BANK_BITS]
    live = x[ext.LIVE_COUNT + channel]
    s[lay.LIVE + channel * x[ext.CHANNEL_BANKS] + live] = s[lay.BASE + bank * 16]
    s[lay.PLACE + bank * 16] = live
    x[ext.LIVE_COUNT + channel] = live + 1


@inner_kernel
def revive(rank: int, s: Ints, x: Ints) -> None:
    """Put the rank's banks with requests back on the list of live banks."""
    per_rank = s[lay.BANKS] // s[lay.RANKS]
    for bank in range(rank * per_rank, (rank + 1) * per_rank):
        take_off_channel(bank, s, x)
        if s[lay.COUNT + bank * 16] > 0:
            put_on_channel(bank, s, x)


@inner_kernel
def renew(channel: int, s: Ints, x: Ints) -> None:
    """Have the commands of all live banks of a channel chosen anew."""
    start = lay.LIVE + channel * x[ext.CHANNEL_BANKS]
    for place in range(x[ext.LIVE_COUNT + channel]):
        bank = s[start + place] & lay.BANK_MASK
        s[start + place] = s[lay.BASE + bank * 16]
