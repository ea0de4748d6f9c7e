"""Player, arbiter and responses of the extended loop, where several channels share them.

The player sends one request at a time, to whichever channel its address selects. A Simple arbiter has it wait for that
channel's controller; Fifo and Reorder arbiters accept requests while there are few enough in flight and queue them for
each channel. Each controller releases at most one response a cycle, and the player takes at most one a cycle, in the
order in which they come to the arbiter (Reorder: in the order of requests).
"""

from __future__ import annotations

__all__ = ["accept_requests", "expect_response", "offer_next", "respond", "send_simple"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel
from archgym_simulators.dram import extended_layout as ext
from archgym_simulators.dram import layout as lay
from archgym_simulators.dram.clocks import next_tick, since, to_cycle
from archgym_simulators.dram.scheduler import has_room

Ints = NDArray[np.int64]

SIMPLE, FIFO, REORDER = range(3)
IN_ORDER_OF_DATA = 0  # response queue
UNKNOWN, ARRIVED = -1, -2  # instead of when a response is ready


@inner_kernel
def channel_of(request: int, packed: Ints, x: Ints) -> int:
    return int(((packed[request] >> 1) & lay.BANK_MASK) >> x[ext.CHANNEL_BANK_BITS])


@inner_kernel
def offer_next(channel: int, offer: int, design: Ints, s: Ints, x: Ints) -> None:
    """A request stands at a controller's input from a half cycle on; it enters then if there is room."""
    x[ext.OFFER + channel] = offer
    at = lay.COUNT + x[ext.LAST_BANK + channel] * 16
    if has_room(design[2], design[3], s[at], x[ext.WAITING + channel], x[ext.WAITING_WRITES + channel]):
        phase = ext.LATE_ENTRY if offer & 1 else ext.EARLY_ENTRY
        x[ext.EVENT + channel * 4 + ext.ENTRY_EVENT] = (offer >> 1) << ext.PHASE_BITS | phase


@inner_kernel
def send_simple(
    request: int, now: int, design: Ints, s: Ints, x: Ints, packed: Ints, arrival: Ints, latency: Ints
) -> None:
    """Send the player's next request after the previous one was taken at ``now`` (-1: it is the first)."""
    if request >= arrival.size:
        return
    sent = arrival[request]
    if request > 0:
        sent = max(next_tick(now, False, s), sent + (x[ext.SENT] & s[lay.RELATIVE]))
    x[ext.SENT] = sent
    latency[request] = sent
    offer_next(channel_of(request, packed, x), 2 * to_cycle(sent, False, s) + 1, design, s, x)


@inner_kernel
def accept_requests(
    design: Ints, s: Ints, x: Ints, packed: Ints, arrival: Ints, accepted: Ints, delivered: Ints, latency: Ints
) -> None:
    """Let a queueing arbiter accept all requests for which the time of acceptance is known."""
    most_active = design[9]
    request = x[ext.ACCEPTED]
    while request < arrival.size and x[ext.DELIVERIES] > request - most_active:
        sent = arrival[request]
        if request > 0:
            sent = max(next_tick(x[ext.ACCEPTED_AT], False, s), sent + (x[ext.SENT] & s[lay.RELATIVE]))
        x[ext.SENT] = sent
        latency[request] = sent
        cycle = to_cycle(sent, False, s)
        if request >= most_active:
            cycle = max(cycle, delivered[request - most_active])
        accepted[request] = cycle
        x[ext.ACCEPTED_AT] = cycle
        channel = channel_of(request, packed, x)
        request += 1
        x[ext.ACCEPTED] = request
        if x[ext.NEXT + channel] == request - 1:
            hand_over(channel, design, s, x, accepted)


@inner_kernel
def hand_over(channel: int, design: Ints, s: Ints, x: Ints, accepted: Ints) -> None:
    """Offer a channel the oldest request accepted for it, a cycle later if it comes behind another."""
    request = x[ext.NEXT + channel]
    if request < x[ext.ACCEPTED]:
        cycle, taken = accepted[request], x[ext.TAKEN + channel]
        offer_next(channel, 2 * cycle + 1 if cycle > taken else 2 * (taken + 1), design, s, x)


@inner_kernel
def expect_response(channel: int, request: int, ready: int, design: Ints, x: Ints, due: Ints, chain: Ints) -> None:
    """A column command's data will be there at ``ready``: put its response into the channel's queue."""
    due[request] = ready
    if design[4] == IN_ORDER_OF_DATA:
        chain[request] = due.size
        if x[ext.HEAD + channel] == due.size:
            x[ext.HEAD + channel] = request
        else:
            chain[x[ext.TAIL + channel]] = request
        x[ext.TAIL + channel] = request
    if x[ext.HEAD + channel] == request:
        schedule_response(channel, x, due)


@inner_kernel
def schedule_response(channel: int, x: Ints, due: Ints) -> None:
    head = x[ext.HEAD + channel]
    event = ext.FOREVER
    if head < due.size and due[head] >= 0:
        event = max(due[head], x[ext.ACKNOWLEDGED + channel] + 1) << ext.PHASE_BITS | ext.RESPOND
    x[ext.EVENT + channel * 4 + ext.RESPONSE_EVENT] = event


@inner_kernel
def respond(
    channel: int, now: int, design: Ints, s: Ints, x: Ints, due: Ints, chain: Ints, following: Ints,
    delivered: Ints, latency: Ints,
) -> None:  # fmt: skip
    """Take the next response from a controller and hand it, and what waited for it, to the player."""
    request = x[ext.HEAD + channel]
    x[ext.HEAD + channel] = chain[request] if design[4] == IN_ORDER_OF_DATA else following[request]
    x[ext.ACKNOWLEDGED + channel] = now
    if design[8] == REORDER:
        due[request] = ARRIVED
        while x[ext.DELIVERIES] < due.size and due[x[ext.DELIVERIES]] == ARRIVED:
            deliver(x[ext.DELIVERIES], now, s, x, delivered, latency)
    else:
        deliver(request, now, s, x, delivered, latency)
        if design[8] == SIMPLE:
            x[ext.ACKNOWLEDGED + channel] = x[ext.RESPONDED]
    schedule_response(channel, x, due)


@inner_kernel
def deliver(request: int, now: int, s: Ints, x: Ints, delivered: Ints, latency: Ints) -> None:
    cycle = max(now, x[ext.RESPONDED] + 1)
    x[ext.RESPONDED] = cycle
    delivered[x[ext.DELIVERIES]] = cycle
    x[ext.DELIVERIES] += 1
    latency[request] = since(latency[request], cycle, False, s)
