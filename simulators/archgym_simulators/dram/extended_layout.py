"""Memory map of what the extended event loop keeps beside `layout`: several channels, power-down, per-bank refresh.

Events of a channel have a key each: cycle times 8, plus their order within a cycle. Times are cycles; "as key" means
shifted to the time of a bank's key.
"""

from __future__ import annotations

from itertools import accumulate

from archgym_simulators.dram import layout as lay

MOST_CHANNELS = lay.MOST_RANKS
FOREVER = 2**60  # an event that never comes

# Order within a cycle.
RESPOND, EARLY_ENTRY, REFRESH, COMMAND, LATE_ENTRY = range(5)
PHASE_BITS = 3
# Places of a channel's events.
RESPONSE_EVENT, ENTRY_EVENT, REFRESH_EVENT, COMMAND_EVENT = range(4)

# Power-down policies and refresh policies by code.
NO_POWER_DOWN, STAGGERED, ACTIVE_IDLE, PRECHARGE_IDLE, SELF_REFRESH_IDLE = range(5)
PER_BANK = 2

# Commands beyond those of `timing`: what a rank may want, and what the log shows.
REFB, SREN, SREX, PDEA, PDEP, PDX = range(8, 14)
MORE_COMMANDS = ("REFB", "SREN", "SREX", "PDEA", "PDEP", "PDX")

_CHANNEL = MOST_CHANNELS
_RANK = lay.MOST_RANKS
_SIZES = {
    "event": MOST_CHANNELS * 4,  # [channel, event] as event key
    # Of each channel.
    "live_count": _CHANNEL,
    "waiting": _CHANNEL,
    "waiting_writes": _CHANNEL,
    "last_bank": _CHANNEL,  # that a request entered
    "direction": _CHANNEL,  # of the last column command
    "taken": _CHANNEL,  # cycle in which the controller took a request
    "next": _CHANNEL,  # the request that enters next
    "offer": _CHANNEL,  # half cycle in which it stands at the input, FOREVER: not known yet
    "best": _CHANNEL,  # key of the command that goes first
    "refresh_rank": _CHANNEL,  # whose refresh event comes first
    "head": _CHANNEL,  # response that leaves next; the number of requests: none
    "tail": _CHANNEL,
    "acknowledged": _CHANNEL,  # cycle of the last response
    # Of each rank.
    "rank_waiting": _RANK,
    "idle_since": _RANK,  # when the last request was served
    "awake_at": _RANK,  # first cycle for a command after power-down
    "woken": _RANK,  # cycle of the last exit
    "self_since": _RANK,  # cycle of self-refresh entry, -1 outside
    "active_down": _RANK,  # cycles in active power-down
    "precharge_down": _RANK,
    "self_refresh": _RANK,
    "remaining": _RANK,  # banks not yet refreshed in this round, one bit each
    "target": _RANK,  # bank that a per-bank refresh is meant for
    "blocked": _RANK,  # bank that takes no commands until its refresh, -1 none
    "last_refb": _RANK,
    "refreshes_bank": _RANK,
    # Of the run.
    "accepted": 1,  # requests that a queueing arbiter has accepted
    "accepted_at": 1,  # cycle of the last one
    "sent": 1,  # player clock of the last request
    "deliveries": 1,
    "responded": 1,  # cycle of the last response at the player
    "logged": 1,
    # Of the design.
    "policy": 1,
    "idle_limit": 1,
    "slow_exit": 1,
    "per_bank": 1,
    # Of the device.
    "channels": 1,
    "channel_banks": 1,
    "channel_bank_bits": 1,
    "channel_ranks": 1,
    "channel_groups": 1,
    "before_down": 8,  # cycles from each command to power-down entry
    "cke": 1,
    "exit": 1,
    "exit_slow": 1,
    "self_minimum": 1,
    "self_exit": 1,
    "self_exit_column": 1,
    "window_depth": 1,  # activations that a window holds
    "bank_interval": 1,  # tREFI per bank
    "bank_duration": 1,  # tRFC per bank
    "bank_to_act": 1,  # from a per-bank refresh to an activation of the same bank
    "bank_to_other": 1,  # to an activation of another bank
    "bank_to_bank": 1,  # to the refresh of another bank
    "row_length": 1,  # of a refresh command, as key
}
OFFSETS = dict(zip(_SIZES, accumulate(_SIZES.values(), initial=0), strict=False))
SIZE = sum(_SIZES.values())

EVENT = OFFSETS["event"]
LIVE_COUNT = OFFSETS["live_count"]
WAITING = OFFSETS["waiting"]
WAITING_WRITES = OFFSETS["waiting_writes"]
LAST_BANK = OFFSETS["last_bank"]
DIRECTION = OFFSETS["direction"]
TAKEN = OFFSETS["taken"]
NEXT = OFFSETS["next"]
OFFER = OFFSETS["offer"]
BEST = OFFSETS["best"]
REFRESH_RANK = OFFSETS["refresh_rank"]
HEAD = OFFSETS["head"]
TAIL = OFFSETS["tail"]
ACKNOWLEDGED = OFFSETS["acknowledged"]
RANK_WAITING = OFFSETS["rank_waiting"]
IDLE_SINCE = OFFSETS["idle_since"]
AWAKE_AT = OFFSETS["awake_at"]
WOKEN = OFFSETS["woken"]
SELF_SINCE = OFFSETS["self_since"]
ACTIVE_DOWN = OFFSETS["active_down"]
PRECHARGE_DOWN = OFFSETS["precharge_down"]
SELF_REFRESH = OFFSETS["self_refresh"]
REMAINING = OFFSETS["remaining"]
TARGET = OFFSETS["target"]
BLOCKED = OFFSETS["blocked"]
LAST_REFB = OFFSETS["last_refb"]
REFRESHES_BANK = OFFSETS["refreshes_bank"]
ACCEPTED = OFFSETS["accepted"]
ACCEPTED_AT = OFFSETS["accepted_at"]
SENT = OFFSETS["sent"]
DELIVERIES = OFFSETS["deliveries"]
RESPONDED = OFFSETS["responded"]
LOGGED = OFFSETS["logged"]
POLICY = OFFSETS["policy"]
IDLE_LIMIT = OFFSETS["idle_limit"]
SLOW_EXIT = OFFSETS["slow_exit"]
IS_PER_BANK = OFFSETS["per_bank"]
CHANNELS = OFFSETS["channels"]
CHANNEL_BANKS = OFFSETS["channel_banks"]
CHANNEL_BANK_BITS = OFFSETS["channel_bank_bits"]
CHANNEL_RANKS = OFFSETS["channel_ranks"]
CHANNEL_GROUPS = OFFSETS["channel_groups"]
BEFORE_DOWN = OFFSETS["before_down"]
CKE = OFFSETS["cke"]
EXIT = OFFSETS["exit"]
EXIT_SLOW = OFFSETS["exit_slow"]
SELF_MINIMUM = OFFSETS["self_minimum"]
SELF_EXIT = OFFSETS["self_exit"]
SELF_EXIT_COLUMN = OFFSETS["self_exit_column"]
WINDOW_DEPTH = OFFSETS["window_depth"]
BANK_INTERVAL = OFFSETS["bank_interval"]
BANK_DURATION = OFFSETS["bank_duration"]
BANK_TO_ACT = OFFSETS["bank_to_act"]
BANK_TO_OTHER = OFFSETS["bank_to_other"]
BANK_TO_BANK = OFFSETS["bank_to_bank"]
ROW_LENGTH = OFFSETS["row_length"]
