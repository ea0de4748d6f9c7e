"""Runs of row hits: a lean copy of the event loop for as long as one open row is all that there is to do.

A stream spends nine tenths of its events there. Of what the event loop computes at each command only the last value
matters afterwards, because lower bounds never fall; so a run of hits keeps a dozen numbers, and writes the state once.
"""

from __future__ import annotations

__all__ = ["SHORTEST_RUN", "serve_hits"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import loop_kernel
from archgym_simulators.dram import layout as lay
from archgym_simulators.dram.scheduler import CLOSED_ADAPTIVE, REORDER_RESPONSES, SIMPLE
from archgym_simulators.dram.timing import PRE, RD, RDA

Ints = NDArray[np.int64]
Flags = NDArray[np.uint8]

SHORTEST_RUN = 4  # requests still to enter; fewer are not worth the call
NOT_YET = lay.INF >> 2  # a cycle that can be doubled


@loop_kernel
def serve_hits(
    design: Ints, in_order: bool, request: int, last: int, entered: int, bank: int, kind: int, command_at: int,
    refresh_at: int, now: int, sent: int, accepted: int, taken: int, offer: int, entry: int, released: int,
    responded: int, s: Ints, packed: Ints, arrival: Ints, served: Flags, delivered: Ints, latency: Ints,
) -> tuple[int, int, int, int, int, int, int, int, int, int]:  # fmt: skip
    """Serve requests of one run until another one enters, a refresh is due, or the row is to be closed.

    Every request before ``request`` has been served, and the buffer holds ``request`` to ``entered - 1``, all of one
    run: neighbours in the trace with the same bank, row and direction, which is that of the last column command. So
    they are served, and their responses return, in the order of the trace, whatever the scheduler and the response
    queue; a buffer of any kind has room below ``size``; and no page policy closes the row, but ClosedAdaptive behind
    the only request in the buffer.

    Arguments are called as in `event_loop`. ``request`` is the oldest in the buffer or the next to enter, ``last`` is
    one past the last of the run, ``bank`` is its bank, ``kind`` its command, RD or WR, and ``command_at`` the cycle of
    the first such command.

    Returns:
        now, request, entered, sent, accepted, taken, offer, entry, released and responded after the last event.
    """
    page, size, response_queue, straight, most_active = design[0], design[3], design[4], design[8] == SIMPLE, design[9]
    if response_queue == REORDER_RESPONSES:
        released = -1  # such a queue holds nothing back: what an earlier run of hits has left there is void
    first = request
    spacing = s[lay.SAME_GROUP + (kind << 3) + kind] >> s[lay.SHIFT]
    delay = s[lay.READ_LATENCY + kind - RD]
    all_requests = arrival.size
    waiting = entered - request
    free_at = command_at
    while True:
        if entry <= 2 * command_at and entry <= 2 * refresh_at:
            if entered == last:
                break
            now = entry >> 1
            entered += 1
            waiting += 1
            taken = now
            entry = lay.INF
            offer = lay.INF
            if waiting == 1:
                command_at = max(now, free_at)
            if entered < all_requests:
                if straight:
                    accepted = now
                sent = max(accepted + 1, arrival[entered])
                latency[entered] = sent
                accepted = sent
                if straight:
                    offer = 2 * accepted + 1

        elif command_at < refresh_at and (waiting > 1 or page != CLOSED_ADAPTIVE):
            now = command_at
            free_at = now + spacing
            released = max(now + delay, released + 1)
            responded = max(released, responded + 1)
            response = responded if in_order else released
            latency[request] = response - latency[request]
            delivered[request] = response
            request += 1
            waiting -= 1
            command_at = free_at if waiting > 0 else NOT_YET

        else:
            break

        if offer == lay.INF and not straight and entered < all_requests and waiting < most_active:
            if entered >= most_active:
                accepted = max(accepted, delivered[entered - most_active])
            offer = 2 * accepted + 1 if accepted > taken else 2 * (taken + 1)
        if entry == lay.INF and offer < lay.INF and waiting < size:
            entry = max(offer, 2 * now)
    s[lay.COUNT + (bank << 4)] = waiting
    if request > first:
        _note_hits(bank, kind, first, request, free_at - spacing, s, packed, served)
    return now, request, entered, sent, accepted, taken, offer, entry, released, responded


@loop_kernel
def _note_hits(bank: int, kind: int, first: int, request: int, at: int, s: Ints, packed: Ints, served: Flags) -> None:
    """Leave the state as after serving ``first`` to ``request - 1``, the last of them in cycle ``at``."""
    key = at << s[lay.SHIFT]
    s[lay.LAST + kind] = at
    for following in range(lay.CLASS_MASK + 1):
        distance = s[lay.SAME_GROUP + (kind << 3) + following]
        s[lay.BOUND + following] = max(s[lay.BOUND + following], key + distance)
    own = lay.OWN + (bank << 4)
    for following in (PRE, RDA):
        s[own + following] = max(s[own + following], key + s[lay.SAME_BANK + (kind << 3) + following])
    served[first:request] = 1
    links = packed[request - 1]
    s[lay.HIT + (bank << 4)] = (links >> lay.ROW_LINK) & lay.NAME_MASK
    s[lay.HEAD + (bank << 4)] = (links >> lay.BANK_LINK) & lay.NAME_MASK
