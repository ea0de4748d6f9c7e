"""The event loop of the memory controller.

Only two kinds of event exist: a request enters the controller, and a command issues. Player, arbiter and responses
are recurrences over the requests, evaluated when their arguments are known. Time inside a cycle has an order: a
request that was held back, the refresh managers, the command, a request fresh from the player or arbiter. Entries
are therefore counted in half cycles: even for the first kind, odd for the last.

One run has one player and one controller, that is one channel. Several channels, power-down and per-bank refresh are
the matter of `extended_loop`.
"""

from __future__ import annotations

__all__ = ["event_loop"]

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import loop_kernel
from archgym_simulators.dram import layout as lay
from archgym_simulators.dram.account import note_activation, note_close, write_log
from archgym_simulators.dram.clocks import next_tick, since, to_cycle
from archgym_simulators.dram.refresh import (
    enter_while_refreshing,
    follow_banks,
    issue_refresh,
    next_refresh,
    push_bound,
    push_bounds,
    push_window,
    trigger_refreshes,
)
from archgym_simulators.dram.row_hits import SHORTEST_RUN, serve_hits
from archgym_simulators.dram.scheduler import (
    GROUPED,
    REORDER_RESPONSES,
    SIMPLE,
    earliest_command,
    earliest_of_two_buses,
    has_room,
    next_command,
    next_not_served,
    take_off,
)
from archgym_simulators.dram.timing import ACT, PRE, RD, RDA, WRA

Ints = NDArray[np.int64]
Flags = NDArray[np.uint8]


def event_loop(simple: bool) -> Callable[..., int]:
    """Compile the loop for all devices, or for simple ones only, which takes a tenth off its time.

    Simple: one bank group, one rank, one command bus, commands of one length; and a player that counts the
    controller's clocks from time 0.
    """

    @loop_kernel
    def run(
        design: Ints, in_order: bool, s: Ints, packed: Ints, arrival: Ints, twin: Ints, run_end: Ints, served: Flags,
        due: Ints, delivered: Ints, latency: Ints, log: Ints,
    ) -> int:  # fmt: skip
        """Simulate one design and return the cycle of the last response.

        One function on purpose: its twenty variables live in registers, which no call boundary would let them.

        Args:
            design: (10,) codes and numbers, see `controller.DesignArrays`.
            in_order: Responses reach the player in the order of requests.
            s: State, see `layout`.
            packed: (R + 2,) links of the requests, see `layout`.
            arrival: (R,) time stamps in player clocks.
            twin: (R + 2,) previous request to the same address, R + 1 if there is none.
            run_end: (R,) one past the last of its neighbours with the same bank, row and direction.
            served: (R + 2,) which requests have had their column command.
            due: (R,) when a response may leave the controller, -1 unknown; for `in_order` only.
            delivered: (R,) cycle of the n-th response at the player.
            latency: (R,) first the player clock in which a request was sent, from its response on its latency.
            log: (L, 4) receives the first L commands.
        """
        page, scheduler, buffer, size, response_queue = design[0], design[1], design[2], design[3], design[4]
        postpone, pull_in, arbiter, most_active = design[6], design[7], design[8], design[9]
        shift = s[lay.SHIFT]
        request_bits = (1 << shift) - 1
        time_bits = ~request_bits
        all_requests = arrival.size
        logging = log.shape[0] > 0
        relative = 0 if simple else s[lay.RELATIVE]
        # Not a literal: numba compiles what these are passed to for literals, and then again for numbers.
        zero = 0 * s[lay.SHIFT]
        logged = zero

        # Requests and the buffer.
        entered = 0
        waiting = 0
        writes = 0
        last_bank = 0
        direction = zero
        # Player and arbiter: the request after those that have entered.
        sent = arrival[0]
        latency[0] = sent
        accepted = to_cycle(sent, simple, s)  # by the arbiter (Fifo, Reorder); sent to the controller (Simple)
        taken = -1  # cycle in which the controller took the previous one
        offer = 2 * accepted + 1  # half cycle in which it stands at the controller's input, INF: not known yet
        entry = offer  # the same if there is room, else INF
        # Responses.
        released = -1
        responded = -1
        deliveries = 0
        # Commands.
        live = zero
        bank = lay.NO_BANK  # banks whose next command must be chosen anew: bank, then second, then sweep of live
        second = lay.NO_BANK
        sweep = 0
        head = 0
        hit = 0
        now = zero
        now_key = zero
        precharges = 0
        reads_auto = 0
        writes_auto = 0
        refresh_at, refresh_rank, refreshing = next_refresh(now, s)

        while True:
            while bank < lay.NO_BANK:
                bank &= lay.BANK_MASK
                chosen = next_command(bank, head, hit, 2 * entered, direction, page, scheduler, s, packed, served, twin)
                kind = chosen & lay.KIND_MASK
                end = now_key
                if not simple:
                    end += s[lay.LENGTH + kind]
                end = max(end, s[lay.OWN + (bank << 4) + kind])
                end |= (chosen >> lay.KIND_BITS) << lay.KEY_BITS
                key = end | kind << lay.BANK_BITS | s[lay.BASE + (bank << 4)]
                s[lay.LIVE + (s[lay.PLACE + (bank << 4)] & lay.BANK_MASK)] = key
                if sweep > 0:
                    sweep -= 1
                    bank = s[lay.LIVE + sweep] & lay.BANK_MASK
                    head = s[lay.HEAD + (bank << 4)]
                    hit = s[lay.HIT + (bank << 4)]
                elif second < lay.NO_BANK:
                    bank = second & lay.BANK_MASK
                    second = lay.NO_BANK
                    head = s[lay.HEAD + (bank << 4)]
                    hit = s[lay.HIT + (bank << 4)]
                else:
                    bank = lay.NO_BANK

            if simple:
                best = earliest_command(live, request_bits, lay.CLASS_MASK, s)
            elif s[lay.TWO_BUSES] == 1:
                best = earliest_of_two_buses(live, request_bits, s)
            else:
                best = earliest_command(live, request_bits, lay.SLOT_MASK, s)
            kind = (best >> lay.BANK_BITS) & lay.KIND_MASK
            start = best & time_bits
            if not simple:
                start = max(start - s[lay.LENGTH + kind], now_key)
            command_at = start >> shift
            enters = False

            if simple and live == 1 and kind == RD + direction and not refreshing and not logging:
                request = ((best & request_bits) >> (lay.KEY_BITS + 1)) & lay.POSITION_MASK
                last = run_end[request]
                if entered + SHORTEST_RUN <= last and waiting == entered - request and command_at < refresh_at:
                    bank = best & lay.BANK_MASK
                    now, request, entered, sent, accepted, taken, offer, entry, released, responded = serve_hits(
                        design, in_order, request, last, entered, bank, kind, command_at, refresh_at,
                        now, sent, accepted, taken, offer, entry, released, responded,
                        s, packed, arrival, served, delivered, latency,
                    )  # fmt: skip
                    now_key = now << shift
                    last_bank = bank
                    deliveries = request
                    waiting = entered - request
                    writes = waiting * direction
                    head = s[lay.HEAD + (bank << 4)]
                    hit = s[lay.HIT + (bank << 4)]
                    if waiting == 0:
                        live = zero
                        bank = lay.NO_BANK
                    continue

            if entry <= 2 * command_at and entry <= 2 * refresh_at:
                now = entry >> 1
                now_key = now << shift
                enters = True

            elif command_at < refresh_at:
                now = command_at
                now_key = start
                bank = best & lay.BANK_MASK
                at = bank << 4
                name = ((best & request_bits) >> lay.KEY_BITS) & lay.NAME_MASK
                if logging:
                    logged = write_log(logged, now, kind, bank, name >> 1, log)
                rank = 0
                row = lay.SAME_GROUP + (kind << 3)
                if simple:
                    s[lay.LAST + kind] = now
                    push_bound(lay.BOUND, row, now_key, s)
                else:
                    rank = s[lay.RANK + at] & lay.RANK_MASK
                    s[lay.LAST + (rank << 3) + kind] = now
                    push_bounds((best >> lay.GROUP_AT) & lay.GROUP_MASK, kind, now_key, s)
                own = lay.OWN + at
                row = lay.SAME_BANK + (kind << 3)

                if kind == ACT:
                    s[own] = now_key + s[row]
                    s[own + 1] = now_key + s[row + 1]
                    s[own + 2] = now_key + s[row + 2]
                    s[own + 3] = now_key + s[row + 3]
                    s[own + 6] = now_key + s[row + 6]
                    s[own + 7] = now_key + s[row + 7]
                    window = note_activation(0 if simple else rank, now, now_key, s)
                    if simple:
                        s[lay.BOUND] = max(s[lay.BOUND], window)
                    else:
                        push_window(rank, window, s)
                    s[lay.HIT + at] = name
                    hit = name
                    head = name
                    s[lay.OPENED + at] = now
                    if not refreshing:
                        continue

                elif kind == PRE:
                    s[own] = max(s[own], now_key + s[row])
                    s[lay.HIT + at] = lay.CLOSED
                    hit = lay.CLOSED
                    head = name
                    precharges += 1
                    note_close(0 if simple else rank, now, s)
                    if not refreshing:
                        continue

                else:
                    request = name >> 1
                    links = packed[request]
                    is_write = name & 1
                    hit = s[lay.HIT + at]
                    if kind >= RDA:
                        s[own] = max(s[own], now_key + s[row])
                        if is_write:
                            close = now + s[lay.WRITE_CLOSE]
                            writes_auto += 1
                        else:
                            close = max(now + s[lay.READ_CLOSE], s[lay.OPENED + at] + s[lay.ACTIVE_MINIMUM])
                            reads_auto += 1
                        s[lay.HIT + at] = lay.CLOSED
                        hit = lay.CLOSED
                        note_close(0 if simple else rank, close, s)
                    else:
                        s[own + 1] = max(s[own + 1], now_key + s[row + 1])
                        if is_write:
                            s[own + 6] = max(s[own + 6], now_key + s[row + 6])
                    served[request] = 1
                    if name == hit:
                        hit = next_not_served((links >> lay.ROW_LINK) & lay.NAME_MASK, lay.ROW_LINK, packed, served)
                        s[lay.HIT + at] = hit
                    head = s[lay.HEAD + at]
                    if name == head:
                        head = (links >> lay.BANK_LINK) & lay.NAME_MASK
                        if head != hit:
                            head = next_not_served(head, lay.BANK_LINK, packed, served)
                        s[lay.HEAD + at] = head
                    left = s[lay.COUNT + at] - 1
                    s[lay.COUNT + at] = left
                    if left == 0:
                        live = take_off(bank, live, s)
                        bank = lay.NO_BANK
                    if is_write != direction:
                        direction = is_write
                        if scheduler == GROUPED and live > 0:
                            # Every bank may now prefer another of its row hits.
                            sweep = live - 1
                            bank = s[lay.LIVE + sweep] & lay.BANK_MASK
                            head = s[lay.HEAD + (bank << 4)]
                            hit = s[lay.HIT + (bank << 4)]
                    waiting -= 1
                    writes -= is_write

                    ready = now + s[lay.READ_LATENCY + is_write]
                    if not in_order:
                        released = max(ready, released + 1)
                        latency[request] = since(latency[request], released, simple, s)
                        if arbiter != SIMPLE:
                            delivered[deliveries & lay.POSITION_MASK] = released
                            deliveries += 1
                    else:
                        if response_queue != REORDER_RESPONSES:
                            released = max(ready, released + 1)
                            ready = released
                        due[request] = ready
                        while deliveries < all_requests and due[deliveries] >= 0:
                            responded = max(due[deliveries], responded + 1)
                            delivered[deliveries] = responded
                            latency[deliveries] = since(latency[deliveries], responded, simple, s)
                            deliveries += 1

                    if entry == lay.INF and offer < lay.INF:
                        in_last_bank = s[lay.COUNT + ((last_bank & lay.BANK_MASK) << 4)]
                        if has_room(buffer, size, in_last_bank, waiting, writes):
                            if offer <= 2 * now:
                                enters = True
                            else:
                                entry = offer

                if refreshing and s[lay.FORCED + rank] == 1:
                    # This command slipped in before the banks are blocked.
                    slipped = best & lay.BANK_MASK
                    if s[lay.COUNT + (slipped << 4)] > 0:
                        live = take_off(slipped, live, s)
                        sweep = max(live - 1, 0)
                        bank = s[lay.LIVE + sweep] & lay.BANK_MASK if live > 0 else lay.NO_BANK
                        head = s[lay.HEAD + ((bank & lay.BANK_MASK) << 4)]
                        hit = s[lay.HIT + ((bank & lay.BANK_MASK) << 4)]

            else:
                now = max(now, refresh_at)
                if entered == all_requests and waiting == 0 and now > (responded if in_order else released):
                    break
                now_key = now << shift
                refreshing = True
                if refresh_rank < 0:
                    live = trigger_refreshes(now, best, command_at, live, postpone, s)
                else:
                    if logging:
                        first_bank = refresh_rank * (s[lay.BANKS] // s[lay.RANKS])
                        logged = write_log(logged, now, s[lay.WANTED + refresh_rank], first_bank, -1, log)
                    live = issue_refresh(refresh_rank, now, live, postpone, pull_in, s)
                    sweep = max(live - 1, 0)
                    bank = s[lay.LIVE + sweep] & lay.BANK_MASK if live > 0 else lay.NO_BANK
                    head = s[lay.HEAD + ((bank & lay.BANK_MASK) << 4)]
                    hit = s[lay.HIT + ((bank & lay.BANK_MASK) << 4)]

            if enters:
                links = packed[entered & lay.POSITION_MASK]
                second = (links >> 1) & lay.BANK_MASK
                at = second << 4
                last_bank = second
                before = s[lay.COUNT + at]
                s[lay.COUNT + at] = before + 1
                waiting += 1
                writes += links & 1
                entered += 1
                taken = now
                entry = lay.INF
                offer = lay.INF
                blocked = False
                if refreshing:
                    enter_while_refreshing(s[lay.RANK + at], now, postpone, s)
                    blocked = s[lay.FORCED + s[lay.RANK + at]] == 1
                if blocked:
                    second = lay.NO_BANK
                else:
                    if before == 0:
                        s[lay.LIVE + live] = s[lay.BASE + at]
                        s[lay.PLACE + at] = live
                        live += 1
                    if bank == lay.NO_BANK:
                        bank = second
                        head = s[lay.HEAD + at]
                        hit = s[lay.HIT + at]
                        second = lay.NO_BANK
                    elif bank == second:
                        second = lay.NO_BANK
                if entered < all_requests:
                    if arbiter == SIMPLE:
                        accepted = now
                    position = entered & lay.POSITION_MASK
                    sent = max(next_tick(accepted, simple, s), arrival[position] + (sent & relative))
                    latency[position] = sent
                    accepted = to_cycle(sent, simple, s)
                    if arbiter == SIMPLE:
                        offer = 2 * accepted + 1
                        if has_room(buffer, size, before + 1, waiting, writes):
                            entry = offer

            if offer == lay.INF and arbiter != SIMPLE and entered < all_requests and deliveries > entered - most_active:
                if entered >= most_active:
                    accepted = max(accepted, delivered[entered - most_active])
                # Behind the previous one it is held back, and early in its cycle.
                offer = 2 * accepted + 1 if accepted > taken else 2 * (taken + 1)
                if has_room(buffer, size, s[lay.COUNT + ((last_bank & lay.BANK_MASK) << 4)], waiting, writes):
                    entry = offer
            if refreshing:
                follow_banks(s)
                refresh_at, refresh_rank, refreshing = next_refresh(now, s)

        s[lay.ISSUED + PRE] = precharges
        s[lay.ISSUED + RDA] = reads_auto
        s[lay.ISSUED + WRA] = writes_auto
        return responded if in_order else released

    return run
