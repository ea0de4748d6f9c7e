"""The slow model of `plain_controller`, extended: channels, and the ranks of `plain_power`.

Responses are queues that are looked at in every event. One object has the banks and ranks of all channels, in order.
"""

from dataclasses import dataclass, field

from archgym_simulators.dram.standards import timing_tables
from archgym_simulators.dram.timing import ACT, PRE, RDA, WRA
from tests.simulators.dram.plain_controller import NEVER, WRITES, Bank, Request
from tests.simulators.dram.plain_power import (
    COMMAND,
    EARLY,
    ENTRY,
    LATE,
    REFRESH,
    RESPONSE,
    PlainPower,
    PowerRank,
)


@dataclass
class Channel:
    next: list  # positions not entered
    last_bank: int
    direction: bool = False
    taken: int = -1
    released: int = -1
    queue: list = field(default_factory=list)  # [(position, ready)] in the order of data
    offered: int | None = None  # half cycle


class PlainMemory(PlainPower):
    """One run; after `run`: ``commands`` [(cycle, name, bank)], ``sent``, ``done``, and states in ``ranks``."""

    def __init__(self, trace, design, device, mapping, channels):
        self.design, self.device, self.tables = design, device, timing_tables(device)
        bank, row = mapping.bank_index(trace.address, device), mapping.extract(trace.address, "row")
        self.requests = [
            Request(p, bool(trace.is_write[p]), int(bank[p]), int(row[p]), int(trace.address[p]))
            for p in range(len(trace))
        ]
        self.arrival, self.relative = [int(c) for c in trace.cycle], trace.relative
        self.banks = [Bank() for _ in range(device.banks * device.ranks * channels)]
        self.per_bank = design.refresh_policy == "PerBank"
        interval = self.interval
        never = NEVER if design.refresh_policy == "NoRefresh" else 0
        self.ranks = []
        for r in range(device.ranks * channels):
            first = never or interval - r % device.ranks * (interval // device.ranks)
            self.ranks.append(PowerRank(first, round=list(range(device.banks))))
        self.per_channel = device.ranks * device.banks
        self.channels = [
            Channel([q.position for q in self.requests if q.bank // self.per_channel == c], c * self.per_channel)
            for c in range(channels)
        ]
        self.commands, self.blocked = [], set()

    # --- player, arbiter, responses -----------------------------------------------------------------------------

    def has_room_in(self, number):
        channel, size = self.channels[number], self.design.request_buffer_size
        mine = self.banks[number * self.per_channel : (number + 1) * self.per_channel]
        waiting = [request for bank in mine for request in bank.waiting]
        if self.design.scheduler_buffer == "Bankwise":
            return len(self.banks[channel.last_bank].waiting) < size
        if self.design.scheduler_buffer == "Shared":
            return len(waiting) < size
        writes = sum(request.is_write for request in waiting)
        return writes < size and len(waiting) - writes < size

    def offer_in(self, number):
        """Half cycle in which a channel's next request stands at its input, None if not known yet."""
        channel = self.channels[number]
        if not channel.next:
            return None
        position = channel.next[0]
        if self.design.arbiter == "Simple":
            if position != self.entered:
                return None
            if len(self.sent) == position:
                self.send(position, self.taken + 1)
            return 2 * self.sent[position] + 1
        if position >= len(self.accepted):
            return None
        fresh = self.accepted[position] > channel.taken
        return 2 * self.accepted[position] + 1 if fresh else 2 * (channel.taken + 1)

    def accept(self):
        most = self.design.max_active_transactions
        while len(self.accepted) < len(self.requests):
            p = len(self.accepted)
            if p >= most and len(self.delivered) <= p - most:
                return
            self.send(p, self.accepted[-1] + 1 if p else 0)
            self.accepted.append(max(self.sent[p], self.delivered[p - most] if p >= most else 0))

    def response_event(self, number):
        """Cycle in which a channel's next response leaves it, None if not known yet."""
        channel = self.channels[number]
        queue = channel.queue
        if self.design.response_queue == "Reorder":
            queue = [entry for entry in queue if entry[0] == channel.order[0]]
        return max(queue[0][1], channel.released + 1) if queue else None

    def release(self, number, now):
        channel = self.channels[number]
        if self.design.response_queue == "Reorder":
            entry = next(entry for entry in channel.queue if entry[0] == channel.order[0])
        else:
            entry = channel.queue[0]
        channel.queue.remove(entry)
        channel.order.remove(entry[0])
        channel.released = now
        if self.design.arbiter != "Reorder":
            self.hand_to_player(entry[0], now)
            if self.design.arbiter == "Simple":
                channel.released = self.delivered[-1]
        else:
            self.arrived.add(entry[0])
            while len(self.delivered) in self.arrived:
                self.hand_to_player(len(self.delivered), now)
        if self.design.arbiter != "Simple":
            self.accept()

    def hand_to_player(self, position, now):
        self.deliver(position, max(now, (self.delivered or [-1])[-1] + 1))

    # --- the loop -----------------------------------------------------------------------------------------------

    def enter_channel(self, number, now):
        channel = self.channels[number]
        request = self.requests[channel.next.pop(0)]
        rank_number = self.rank_of(request.bank)
        self.wake(rank_number, now)
        self.banks[request.bank].waiting.append(request)
        channel.last_bank, channel.taken, self.taken = request.bank, now, now
        self.entered += 1
        rank = self.ranks[rank_number]
        if rank.wanted is not None and not rank.forced and rank.blocked is None:
            self.decide(rank_number, now)

    def issue_in(self, channel_number, now, command, number, request):
        channel = self.channels[channel_number]
        bank, rank = self.banks[number], self.ranks[self.rank_of(number)]
        self.log(now, command, number, request.position)
        bank.history[command] = now
        if command == ACT:
            bank.row = request.row
            rank.activations.append(now)
        if command in (PRE, RDA, WRA):
            bank.row = None
            closes = now
            if command == RDA:
                closes = max(now + self.tables.read_close, bank.history[ACT] + self.tables.active_minimum)
            if command == WRA:
                closes = now + self.tables.write_close
            rank.closes = max(rank.closes, closes)
        if command not in (ACT, PRE):
            bank.waiting.remove(request)
            if not self.waits(self.rank_of(number)):
                rank.idle_since = now
            channel.direction = request.is_write
            latency = self.tables.write_latency if command in WRITES else self.tables.read_latency
            channel.queue.append((request.position, now + latency))
            offer = self.offer_in(channel_number)
            if offer is not None and offer <= 2 * now and self.has_room_in(channel_number):
                self.enter_channel(channel_number, now)
        if rank.forced:
            self.blocked.add(number)

    def pick_in(self, number, now):
        """As `pick`, among the banks of a channel."""
        outside = set(range(len(self.banks))) - set(range(number * self.per_channel, (number + 1) * self.per_channel))
        blocked, self.blocked = self.blocked, self.blocked | outside
        self.direction = self.channels[number].direction
        best = self.pick(now)
        self.blocked = blocked
        return best

    def events(self):
        """[(cycle, order in the cycle, channel or rank, what)] of everything that can happen next."""
        found = []
        for c in range(len(self.channels)):
            response = self.response_event(c)
            if response is not None:
                found.append((response, RESPONSE, c, None))
            offer = self.offer_in(c)
            if offer is not None and self.has_room_in(c):
                found.append((offer // 2, LATE if offer % 2 else EARLY, c, None))
            cycle, number, what = min(self.refresh_events(c) or [(NEVER, 0, "due")], key=lambda e: e[0])
            found.append((cycle, REFRESH, c, (number, what)))
            best = self.pick_in(c, self.now)
            if best:
                found.append((best[0], COMMAND, c, best))
        entries = [(self.entry(number), ENTRY, number, None) for number in range(len(self.ranks))]
        # Entered in the past: an event of this cycle made it possible for an earlier one.
        return found + [entry for entry in entries if entry[0] is not None]

    def run(self):
        self.entered, self.taken, self.now = 0, -1, 0
        self.sent, self.accepted, self.delivered, self.arrived = [], [], [], set()
        self.done = [None] * len(self.requests)
        for channel in self.channels:
            channel.order = list(channel.next)
        if self.design.arbiter != "Simple":
            self.accept()
        while True:
            cycle, order, where, what = min(self.events(), key=lambda event: event[:3])
            if None not in self.done and order == REFRESH and cycle > max(self.done):
                return self
            if order != ENTRY:
                self.now = max(self.now, cycle)
            self.happen(cycle, order, where, what)

    def happen(self, cycle, order, where, what):
        if order == RESPONSE:
            self.release(where, cycle)
        elif order in (EARLY, LATE):
            self.enter_channel(where, cycle)
        elif order == COMMAND:
            self.issue_in(where, cycle, *what[2:])
        elif order == ENTRY:
            self.fall_asleep(where, cycle)
        elif what[1] == "due":
            self.end_intervals(where, cycle, self.pick_in(where, self.now))
        elif what[1] == "close":
            self.close_rank(what[0], cycle)
        else:
            self.carry_out(what[0], cycle)
