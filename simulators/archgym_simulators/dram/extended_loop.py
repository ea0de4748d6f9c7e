"""The event loop for what the standard one leaves out: channels, power-down, per-bank refresh.

The same rules as in `event_loop`, with four kinds of event for each channel (a response leaves, a request enters, a
refresh manager acts, a command issues); the earliest of all channels happens next. It is split into kernels of its own
and half as fast; the standard loop stays as it is.
"""

from __future__ import annotations

__all__ = ["run_extended"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, loop_kernel
from archgym_simulators.dram import extended_layout as ext
from archgym_simulators.dram import layout as lay
from archgym_simulators.dram.account import note_close, write_log
from archgym_simulators.dram.channel_banks import (
    push_channel_bounds,
    put_on_channel,
    renew,
    take_off_channel,
    window_after,
)
from archgym_simulators.dram.extended_player import (
    SIMPLE,
    accept_requests,
    expect_response,
    hand_over,
    offer_next,
    respond,
    send_simple,
)
from archgym_simulators.dram.extended_refresh import next_refresh, refresh, request_while_refreshing
from archgym_simulators.dram.power_down import wake
from archgym_simulators.dram.refresh import push_window
from archgym_simulators.dram.scheduler import GROUPED, has_room, next_command, next_not_served
from archgym_simulators.dram.timing import ACT, PRE, PREA, RD, RDA, REFA

Ints = NDArray[np.int64]
Flags = NDArray[np.uint8]


@loop_kernel
def run_extended(
    design: Ints, s: Ints, x: Ints, packed: Ints, arrival: Ints, twin: Ints, following: Ints, served: Flags,
    due: Ints, chain: Ints, accepted: Ints, delivered: Ints, latency: Ints, log: Ints,
) -> int:  # fmt: skip
    """Simulate one design and return the cycle of the last response.

    Args:
        design: (13,) codes and numbers, see `extended_design`; the first ten as in `event_loop`.
        s: State, see `layout`; its ranks are those of all channels.
        x: State, see `extended_layout`.
        packed: (R + 2,) links of the requests, see `layout`.
        arrival: (R,) time stamps in player clocks.
        twin: (R + 2,) previous request to the same address, R + 1 if there is none.
        following: (R,) next request of the same channel, R if there is none.
        served: (R + 2,) which requests have had their column command.
        due: (R,) when a response may leave the controller.
        chain: (R,) response behind each one in its channel's queue.
        accepted: (R,) cycle in which a queueing arbiter accepted a request.
        delivered: (R,) cycle of the n-th response at the player.
        latency: (R,) first the player clock in which a request was sent, from its response on its latency.
        log: (L, 4) receives the first L commands.
    """
    if design[8] == SIMPLE:
        send_simple(0, -1, design, s, x, packed, arrival, latency)
    else:
        accept_requests(design, s, x, packed, arrival, accepted, delivered, latency)
    for channel in range(x[ext.CHANNELS]):
        plan(channel, 0, design, s, x, packed, served, twin)
    while True:
        event = earliest_event(x)
        now = x[ext.EVENT + event] >> ext.PHASE_BITS
        channel = event >> 2
        what = event & 3
        if what == ext.RESPONSE_EVENT:
            respond(channel, now, design, s, x, due, chain, following, delivered, latency)
            if design[8] != SIMPLE:
                accept_requests(design, s, x, packed, arrival, accepted, delivered, latency)
            continue
        if what == ext.COMMAND_EVENT:
            issue(channel, now, design, s, x, packed, following, arrival, served, due, chain, accepted, latency, log)
        elif what == ext.ENTRY_EVENT:
            enter(channel, now, design, s, x, packed, following, arrival, accepted, latency, log)
        else:
            if x[ext.DELIVERIES] == arrival.size and now > x[ext.RESPONDED]:
                return int(x[ext.RESPONDED])
            refresh(channel, now, design[6], design[7], s, x, log)
        plan(channel, now, design, s, x, packed, served, twin)


@inner_kernel
def earliest_event(x: Ints) -> int:
    best = x[ext.EVENT]
    chosen = 0
    for event in range(1, 4 * x[ext.CHANNELS]):
        if x[ext.EVENT + event] < best:
            best = x[ext.EVENT + event]
            chosen = event
    return chosen


@inner_kernel
def plan(channel: int, now: int, design: Ints, s: Ints, x: Ints, packed: Ints, served: Flags, twin: Ints) -> None:
    """Choose what the channel's banks do next where that may have changed; schedule its next command and refresh."""
    start = lay.LIVE + channel * x[ext.CHANNEL_BANKS]
    now_key = now << s[lay.SHIFT]
    low = (1 << s[lay.SHIFT]) - 1
    row = column = lay.INF
    for at in range(start, start + x[ext.LIVE_COUNT + channel]):
        key = s[at]
        if key >> lay.KEY_BITS == 0:  # not chosen yet
            key = choose(key & lay.BANK_MASK, channel, now_key, design, s, x, packed, served, twin)
            s[at] = key
        key = max(key, s[lay.BOUND + ((key >> lay.BANK_BITS) & lay.SLOT_MASK)] | (key & low))
        if s[lay.TWO_BUSES] == 0 or (key >> lay.BANK_BITS) & RD == 0:
            row = min(row, key)
        else:
            column = min(column, key)
    best = min(row, column)
    if row < lay.INF and column < lay.INF:
        row_start = row - s[lay.LENGTH + ((row >> lay.BANK_BITS) & lay.KIND_MASK)]
        best = row if row_start < column else column
    x[ext.BEST + channel] = best
    event = ext.FOREVER
    if best < lay.INF:
        cycle = ((best & ~low) - s[lay.LENGTH + ((best >> lay.BANK_BITS) & lay.KIND_MASK)]) >> s[lay.SHIFT]
        event = max(cycle, now) << ext.PHASE_BITS | ext.COMMAND
    x[ext.EVENT + channel * 4 + ext.COMMAND_EVENT] = event
    follow_forced(channel, s, x)
    cycle = next_refresh(channel, now, s, x)
    x[ext.EVENT + channel * 4 + ext.REFRESH_EVENT] = cycle << ext.PHASE_BITS | ext.REFRESH


@inner_kernel
def choose(
    bank: int, channel: int, now_key: int, design: Ints, s: Ints, x: Ints, packed: Ints, served: Flags, twin: Ints
) -> int:
    """Return the key of the command that a bank with requests wants."""
    at = bank * 16
    entered = 2 * x[ext.NEXT + channel]
    chosen = next_command(
        bank, s[lay.HEAD + at], s[lay.HIT + at], entered, x[ext.DIRECTION + channel], design[0], design[1],
        s, packed, served, twin,
    )  # fmt: skip
    kind = chosen & lay.KIND_MASK
    end = max(now_key + s[lay.LENGTH + kind], s[lay.OWN + at + kind])
    return int(end | (chosen >> lay.KIND_BITS) << lay.KEY_BITS | kind << lay.BANK_BITS | s[lay.BASE + at])


@inner_kernel
def follow_forced(channel: int, s: Ints, x: Ints) -> None:
    """The command that slipped in before a forced refresh may have opened or closed the rank's only bank."""
    for rank in range(channel * x[ext.CHANNEL_RANKS], (channel + 1) * x[ext.CHANNEL_RANKS]):
        if s[lay.FORCED + rank] == 1:
            s[lay.WANTED + rank] = PREA if s[lay.OPEN_BANKS + rank] > 0 else REFA


@inner_kernel
def issue(
    channel: int, now: int, design: Ints, s: Ints, x: Ints, packed: Ints, following: Ints, arrival: Ints,
    served: Flags, due: Ints, chain: Ints, accepted: Ints, latency: Ints, log: Ints,
) -> None:  # fmt: skip
    """Issue the channel's best command."""
    best = x[ext.BEST + channel]
    bank = best & lay.BANK_MASK
    kind = (best >> lay.BANK_BITS) & lay.KIND_MASK
    name = (best & ((1 << s[lay.SHIFT]) - 1)) >> lay.KEY_BITS
    rank = s[lay.RANK + bank * 16]
    key = now << s[lay.SHIFT]
    if log.shape[0] > 0:
        x[ext.LOGGED] = write_log(x[ext.LOGGED], now, kind, bank, name >> 1, log)
    s[lay.LAST + rank * 8 + kind] = now
    s[lay.ISSUED + kind] += 1
    push_channel_bounds((best >> lay.GROUP_AT) & lay.GROUP_MASK, kind, key, s, x)
    own, row = lay.OWN + bank * 16, lay.SAME_BANK + kind * 8
    for after in range(8):
        s[own + after] = max(s[own + after], key + s[row + after])
    s[lay.LIVE + channel * x[ext.CHANNEL_BANKS] + s[lay.PLACE + bank * 16]] = s[lay.BASE + bank * 16]
    if kind == ACT:
        push_window(rank, window_after(rank, now, key, s, x), s)
        s[lay.HIT + bank * 16] = name
        s[lay.OPENED + bank * 16] = now
    elif kind == PRE:
        s[lay.HIT + bank * 16] = lay.CLOSED
        note_close(rank, now, s)
    else:
        if kind >= RDA:
            close_after(bank, rank, now, name & 1, s)
        serve(channel, bank, name, design, s, x, packed, served)
        x[ext.RANK_WAITING + rank] -= 1
        if x[ext.RANK_WAITING + rank] == 0:
            x[ext.IDLE_SINCE + rank] = now
        expect_response(channel, name >> 1, now + s[lay.READ_LATENCY + (name & 1)], design, x, due, chain)
        retry(channel, now, design, s, x, packed, following, arrival, accepted, latency, log)
    if s[lay.FORCED + rank] == 1:
        # This command slipped in before the banks are blocked.
        take_off_channel(bank, s, x)
        renew(channel, s, x)


@inner_kernel
def close_after(bank: int, rank: int, now: int, is_write: int, s: Ints) -> None:
    """Account for the precharge of a column command with auto-precharge."""
    close = now + s[lay.WRITE_CLOSE]
    if not is_write:
        close = max(now + s[lay.READ_CLOSE], s[lay.OPENED + bank * 16] + s[lay.ACTIVE_MINIMUM])
    note_close(rank, close, s)


@inner_kernel
def serve(channel: int, bank: int, name: int, design: Ints, s: Ints, x: Ints, packed: Ints, served: Flags) -> None:
    """Take a served request out of the buffer."""
    at = bank * 16
    request = name >> 1
    served[request] = 1
    links = packed[request]
    kind = (x[ext.BEST + channel] >> lay.BANK_BITS) & lay.KIND_MASK
    if kind >= RDA:
        s[lay.HIT + at] = lay.CLOSED
    elif name == s[lay.HIT + at]:
        s[lay.HIT + at] = next_not_served((links >> lay.ROW_LINK) & lay.NAME_MASK, lay.ROW_LINK, packed, served)
    if name == s[lay.HEAD + at]:
        s[lay.HEAD + at] = next_not_served((links >> lay.BANK_LINK) & lay.NAME_MASK, lay.BANK_LINK, packed, served)
    s[lay.COUNT + at] -= 1
    if s[lay.COUNT + at] == 0:
        take_off_channel(bank, s, x)
    is_write = name & 1
    if is_write != x[ext.DIRECTION + channel]:
        x[ext.DIRECTION + channel] = is_write
        if design[1] == GROUPED:
            # Every bank may now prefer another of its row hits.
            renew(channel, s, x)
    x[ext.WAITING + channel] -= 1
    x[ext.WAITING_WRITES + channel] -= is_write


@inner_kernel
def retry(
    channel: int, now: int, design: Ints, s: Ints, x: Ints, packed: Ints, following: Ints, arrival: Ints,
    accepted: Ints, latency: Ints, log: Ints,
) -> None:  # fmt: skip
    """Take the request that waited for room, if there is room now."""
    offer = x[ext.OFFER + channel]
    if offer == ext.FOREVER or x[ext.EVENT + channel * 4 + ext.ENTRY_EVENT] < ext.FOREVER:
        return
    at = lay.COUNT + x[ext.LAST_BANK + channel] * 16
    if has_room(design[2], design[3], s[at], x[ext.WAITING + channel], x[ext.WAITING_WRITES + channel]):
        if offer <= 2 * now:
            enter(channel, now, design, s, x, packed, following, arrival, accepted, latency, log)
        else:
            offer_next(channel, offer, design, s, x)


@inner_kernel
def enter(
    channel: int, now: int, design: Ints, s: Ints, x: Ints, packed: Ints, following: Ints, arrival: Ints,
    accepted: Ints, latency: Ints, log: Ints,
) -> None:  # fmt: skip
    """Put the channel's next request into its buffer."""
    request = x[ext.NEXT + channel]
    bank = (packed[request] >> 1) & lay.BANK_MASK
    rank = s[lay.RANK + bank * 16]
    if x[ext.RANK_WAITING + rank] == 0:
        wake(rank, now, s, x, log)
    before = s[lay.COUNT + bank * 16]
    s[lay.COUNT + bank * 16] = before + 1
    x[ext.RANK_WAITING + rank] += 1
    x[ext.WAITING + channel] += 1
    x[ext.WAITING_WRITES + channel] += packed[request] & 1
    x[ext.LAST_BANK + channel] = bank
    x[ext.TAKEN + channel] = now
    x[ext.NEXT + channel] = following[request]
    x[ext.OFFER + channel] = ext.FOREVER
    x[ext.EVENT + channel * 4 + ext.ENTRY_EVENT] = ext.FOREVER
    request_while_refreshing(rank, now, design[6], s, x)
    if s[lay.FORCED + rank] == 0 and x[ext.BLOCKED + rank] != bank:
        if before > 0:
            take_off_channel(bank, s, x)
        put_on_channel(bank, s, x)
    if design[8] == SIMPLE:
        send_simple(request + 1, now, design, s, x, packed, arrival, latency)
    else:
        hand_over(channel, design, s, x, accepted)
