"""What a bank does next, and which bank goes first: scheduler, page policy and command multiplexer."""

from __future__ import annotations

__all__ = ["earliest_command", "earliest_of_two_buses", "has_room", "next_command", "next_not_served", "take_off"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inlined, inner_kernel
from archgym_simulators.dram import layout as lay
from archgym_simulators.dram.timing import ACT, PRE, RD

Ints = NDArray[np.int64]
Flags = NDArray[np.uint8]

# Codes of the design's words: their positions in `controller`.
FIFO, GROUPED = 0, 2
OPEN_ADAPTIVE, CLOSED_PAGE, CLOSED_ADAPTIVE = 1, 2, 3
BANKWISE, READ_WRITE = 0, 1
REORDER_RESPONSES = 1
SIMPLE = 0  # arbiter
WITH_AUTO_PRECHARGE = 4


@inlined
def next_command(
    bank: int, head: int, hit: int, entered: int, direction: int, page: int, scheduler: int,
    s: Ints, packed: Ints, served: Flags, twin: Ints,
) -> int:  # fmt: skip
    """Return the command that a bank with requests wants, plus the request's name times 8.

    Args:
        bank: The bank.
        head: Name of its oldest request.
        hit: Name of its oldest request to the open row, entered or not; negative: the bank is closed.
        entered: Twice the number of requests that have entered the buffer.
        direction: 1 if the last column command anywhere was a write.
        page: Page policy.
        scheduler: Scheduler.
        s: State of the run.
        packed: Links of the requests.
        served: Requests that have had their column command.
        twin: Previous request to the same address.
    """
    if hit < 0:
        return head << lay.KIND_BITS | ACT
    if not (hit == head if scheduler == FIFO else hit < entered):
        return head << lay.KIND_BITS | PRE
    name = hit
    if scheduler == GROUPED and (hit & 1) != direction:
        name = first_of_direction(hit, entered, direction, packed, served, twin)
    kind = RD + (name & 1)
    if page == CLOSED_PAGE:
        kind += WITH_AUTO_PRECHARGE
    elif page != 0:
        further = has_further_hit(hit, entered, scheduler, packed, served)
        if not further and (page == CLOSED_ADAPTIVE or s[lay.COUNT + (bank << 4)] >= 2):
            kind += WITH_AUTO_PRECHARGE
    return name << lay.KIND_BITS | kind


@inner_kernel
def first_of_direction(hit: int, entered: int, direction: int, packed: Ints, served: Flags, twin: Ints) -> int:
    """Return the oldest row hit of a direction without an older one to its address; the oldest if there is none."""
    name = row_link(hit, packed)
    while name < entered:
        if (name & 1) == direction and served[name >> 1] == 0 and served[twin[name >> 1]] == 1:
            return name
        name = row_link(name, packed)
    return hit


@inlined
def has_further_hit(hit: int, entered: int, scheduler: int, packed: Ints, served: Flags) -> bool:
    """Whether a second request to the open row waits; a Fifo scheduler looks at the next in line only."""
    name = row_link(hit, packed)
    if scheduler == FIFO:
        return name < entered and name == (packed[(hit >> 1) & lay.POSITION_MASK] >> lay.BANK_LINK) & lay.NAME_MASK
    return next_not_served(name, lay.ROW_LINK, packed, served) < entered


@inlined
def row_link(name: int, packed: Ints) -> int:
    """Return the name of the next request to the same bank and row."""
    return int((packed[(name >> 1) & lay.POSITION_MASK] >> lay.ROW_LINK) & lay.NAME_MASK)


@inlined
def next_not_served(name: int, link: int, packed: Ints, served: Flags) -> int:
    """Follow a chain from ``name`` on to the first request that is not served."""
    while served[name >> 1] == 1:
        name = (packed[name >> 1] >> link) & lay.NAME_MASK
    return name


@inlined
def earliest_command(live: int, low: int, slot_mask: int, s: Ints) -> int:
    """Return the smallest key of the live banks, each raised to the lower bound of its command."""
    best = lay.INF
    for i in range(live):
        key = s[lay.LIVE + i]
        # Never true: it keeps the loop scalar. Vector loads would wait for the scalar stores of a moment ago.
        if key < 0:
            break
        best = min(best, max(key, s[lay.BOUND + ((key >> lay.BANK_BITS) & slot_mask)] | (key & low)))
    return best


@inner_kernel
def earliest_of_two_buses(live: int, low: int, s: Ints) -> int:
    """Row and column commands have buses of their own: the best of each, then the earlier, then the older."""
    row = lay.INF
    column = lay.INF
    for i in range(live):
        key = s[lay.LIVE + i]
        key = max(key, s[lay.BOUND + ((key >> lay.BANK_BITS) & lay.SLOT_MASK)] | (key & low))
        if (key >> lay.BANK_BITS) & RD == 0:
            row = min(row, key)
        else:
            column = min(column, key)
    if row == lay.INF or column == lay.INF:
        return min(row, column)
    row_start = row - s[lay.LENGTH + ((row >> lay.BANK_BITS) & lay.KIND_MASK)]
    return row if row_start < column else column


@inlined
def take_off(bank: int, live: int, s: Ints) -> int:
    """Take a bank off the list of live banks; return the new length."""
    live -= 1
    last = s[lay.LIVE + live]
    place = s[lay.PLACE + (bank << 4)] & lay.BANK_MASK
    s[lay.LIVE + place] = last
    s[lay.PLACE + ((last & lay.BANK_MASK) << 4)] = place
    return live


@inlined
def has_room(buffer: int, size: int, in_last_bank: int, requests: int, writes: int) -> bool:
    """Whether the request buffer takes another request.

    Bankwise looks at the bank of the last request that entered, not of the one that waits (as DRAMSys does).
    """
    if buffer == BANKWISE:
        return in_last_bank < size
    if buffer == READ_WRITE:
        return requests - writes < size and writes < size
    return requests < size
