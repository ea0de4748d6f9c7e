"""Memory map of a run: where the kernels keep what, in one flat array of int64.

One base address with constant offsets leaves the registers of the event loop to its variables; thirty separate
arrays cost it a factor of two.
"""

from __future__ import annotations

from itertools import accumulate

INF = 2**62

# A bank's key, from the lowest bit: bank, its next command, bank group, request, end of the command. The request
# number is its age, so the smallest key is the earliest command, ties to the oldest. Command and group together
# say which lower bound of the rank applies.
BANK_BITS = 6
BANK_MASK = 2**BANK_BITS - 1
KIND_BITS = 3
KIND_MASK = 2**KIND_BITS - 1
CLASS_MASK = 3  # activate, precharge, read, write: with or without auto-precharge
GROUP_BITS = 4
GROUP_AT = BANK_BITS + KIND_BITS
GROUP_MASK = 2**GROUP_BITS - 1
SLOT_MASK = 2 ** (KIND_BITS + GROUP_BITS) - 1
KEY_BITS = GROUP_AT + GROUP_BITS

# Requests are named by twice their position plus one for a write. A packed request, from the lowest bit: is it a
# write, bank, name of the next request of the bank, name of the next of the bank and row. Name 2 R ends a chain.
NAME_BITS = 25
NAME_MASK = 2**NAME_BITS - 1
BANK_LINK = 1 + BANK_BITS
ROW_LINK = BANK_LINK + NAME_BITS
MOST_REQUESTS = 2 ** (NAME_BITS - 1) - 4
POSITION_MASK = 2 ** (NAME_BITS - 1) - 1
CLOSED = -1  # instead of the oldest request to the open row

MOST_BANKS = 2**BANK_BITS
MOST_GROUPS = 2**GROUP_BITS
MOST_RANKS = 4
RANK_MASK = MOST_RANKS - 1
NO_BANK = MOST_BANKS
BANK_FIELDS = 16

# In this order, nothing that the loop touches for a small device has the twelve low address bits of anything else
# that it touches: a load that follows a store to such an address waits for it.
_SIZES = {
    "relation": 2 * 8 * 8,  # [same rank, other rank][issued, next] as key
    "same_group": 8 * 8,  # [issued, next] as key
    "same_bank": 8 * 8,  # [issued, next] as key
    "live": MOST_BANKS,  # keys of the banks that have a request and are not blocked, dense
    # Of each rank.
    "last": MOST_RANKS * 8,  # [rank, command] cycle of the last one
    "recent": MOST_RANKS * 4,  # last four activations, as key
    "recent_at": MOST_RANKS,  # the oldest of them
    "trigger": MOST_RANKS,  # when the next refresh is due
    "postponed": MOST_RANKS,  # refreshes postponed; negative: done early
    "pulling": MOST_RANKS,  # 1 while refreshes are done early
    "wanted": MOST_RANKS,  # PREA or REFA, -1 none
    "forced": MOST_RANKS,  # 1 while the banks are blocked for a refresh
    "open_banks": MOST_RANKS,
    "closed_at": MOST_RANKS,  # latest close of a bank, auto-precharges included
    "active_since": MOST_RANKS,
    "active_cycles": MOST_RANKS,  # with a bank open, before active_since
    "refreshes": MOST_RANKS,
    "postponed_most": MOST_RANKS,  # where that was compared with the bound
    "postponed_least": MOST_RANKS,  # the same for refreshes done early, negative
    # Of the run.
    "issued": 8,  # commands by kind
    "closed_together": 1,  # banks closed by PREA
    # Of the device; times in cycles, "as key" shifted to the time of a key.
    "banks": 1,
    "groups": 1,
    "ranks": 1,
    "shift": 1,
    "read_latency": 1,
    "write_latency": 1,  # right behind the other one: the kernel adds the direction
    "window": 1,  # as key
    "refresh_interval": 1,
    "refresh_duration": 1,
    "precharge": 1,
    "active_minimum": 1,
    "read_close": 1,
    "write_close": 1,
    "period_ps": 1,
    "player_period_ps": 1,
    "two_buses": 1,
    "simple": 1,  # see `event_loop`
    "writes": 1,  # of the trace
    "relative": 1,  # mask: -1 where time stamps count from the previous send, else 0
    "length": 8,  # of each command, as key
    "completion": 8,
    "bound": MOST_GROUPS * 8,  # [group, command] earliest end by the rank's and the bus's history, as key
    "relation_of": MOST_GROUPS * MOST_GROUPS,  # where the relation of two groups starts, from same_group
    "padding": 0,
    "bank": MOST_BANKS * BANK_FIELDS,
}
_PAGE = 4096 // 8
_SIZES["padding"] = -(sum(_SIZES.values()) - _SIZES["bank"]) % _PAGE
OFFSETS = dict(zip(_SIZES, accumulate(_SIZES.values(), initial=0), strict=False))
SIZE = sum(_SIZES.values())

RELATION = OFFSETS["relation"]
SAME_GROUP = OFFSETS["same_group"]
SAME_BANK = OFFSETS["same_bank"]
LIVE = OFFSETS["live"]
LAST = OFFSETS["last"]
RECENT = OFFSETS["recent"]
RECENT_AT = OFFSETS["recent_at"]
TRIGGER = OFFSETS["trigger"]
POSTPONED = OFFSETS["postponed"]
PULLING = OFFSETS["pulling"]
WANTED = OFFSETS["wanted"]
FORCED = OFFSETS["forced"]
OPEN_BANKS = OFFSETS["open_banks"]
CLOSED_AT = OFFSETS["closed_at"]
ACTIVE_SINCE = OFFSETS["active_since"]
ACTIVE_CYCLES = OFFSETS["active_cycles"]
REFRESHES = OFFSETS["refreshes"]
POSTPONED_MOST = OFFSETS["postponed_most"]
POSTPONED_LEAST = OFFSETS["postponed_least"]
ISSUED = OFFSETS["issued"]
CLOSED_TOGETHER = OFFSETS["closed_together"]
BANKS = OFFSETS["banks"]
GROUPS = OFFSETS["groups"]
RANKS = OFFSETS["ranks"]
SHIFT = OFFSETS["shift"]
READ_LATENCY = OFFSETS["read_latency"]
WRITE_LATENCY = OFFSETS["write_latency"]
WINDOW = OFFSETS["window"]
REFRESH_INTERVAL = OFFSETS["refresh_interval"]
REFRESH_DURATION = OFFSETS["refresh_duration"]
PRECHARGE = OFFSETS["precharge"]
ACTIVE_MINIMUM = OFFSETS["active_minimum"]
READ_CLOSE = OFFSETS["read_close"]
WRITE_CLOSE = OFFSETS["write_close"]
PERIOD_PS = OFFSETS["period_ps"]
PLAYER_PERIOD_PS = OFFSETS["player_period_ps"]
TWO_BUSES = OFFSETS["two_buses"]
SIMPLE = OFFSETS["simple"]
RELATIVE = OFFSETS["relative"]
WRITES = OFFSETS["writes"]
LENGTH = OFFSETS["length"]
COMPLETION = OFFSETS["completion"]
BOUND = OFFSETS["bound"]
RELATION_OF = OFFSETS["relation_of"]

# A bank's fields, found at these places plus BANK_FIELDS times the bank.
OWN = OFFSETS["bank"]  # [command] earliest end by the bank's own history, as key
HEAD = OWN + 8  # oldest request not served
HIT = OWN + 9  # oldest such request to the open row, CLOSED without one
COUNT = OWN + 10  # requests in the buffer
OPENED = OWN + 11  # cycle of the last activation
PLACE = OWN + 12  # where in live it is
BASE = OWN + 13  # constant bits of its key
RANK = OWN + 14
