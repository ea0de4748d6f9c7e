"""A second, slow model of the DRAM controller, for comparison with the compiled one.

It keeps what the description has: lists of requests per bank, the last command of every kind and bank, a queue of
responses. No keys, links, lower bounds or compiled code; only the table of distances is shared.
"""

from dataclasses import dataclass, field

from archgym_simulators.dram.device import AddressMap, Device
from archgym_simulators.dram.standards import timing_tables
from archgym_simulators.dram.timing import ACT, COMMANDS, PRE, PREA, RD, RDA, REFA, WR, WRA

NEVER = 10**15
WRITES = (WR, WRA)


@dataclass
class Request:
    position: int
    is_write: bool
    bank: int
    row: int
    address: int


@dataclass
class Bank:
    waiting: list = field(default_factory=list)
    row: int | None = None
    history: dict = field(default_factory=dict)  # command -> last cycle


@dataclass
class Rank:
    trigger: int
    postponed: int = 0
    pulling: bool = False
    wanted: int | None = None
    forced: bool = False
    activations: list = field(default_factory=list)
    history: dict = field(default_factory=dict)  # command to the whole rank -> last cycle


class PlainController:
    """One run; after `run`, ``commands`` is [(cycle, name, bank, position)], ``sent`` and ``done`` are lists."""

    def __init__(self, trace, design, device: Device, mapping: AddressMap):
        self.design, self.device, self.tables = design, device, timing_tables(device)
        bank, row = mapping.bank_index(trace.address, device), mapping.extract(trace.address, "row")
        self.requests = [
            Request(p, bool(trace.is_write[p]), int(bank[p]), int(row[p]), int(trace.address[p]))
            for p in range(len(trace))
        ]
        self.arrival, self.relative = [int(c) for c in trace.cycle], trace.relative
        self.banks = [Bank() for _ in range(device.banks * device.ranks)]
        interval = self.tables.refresh_interval
        never = NEVER if design.refresh_policy == "NoRefresh" else 0
        self.ranks = [Rank(never or interval - r * (interval // device.ranks)) for r in range(device.ranks)]
        self.direction = False
        self.commands = []

    # --- timing -------------------------------------------------------------------------------------------------

    def rank_of(self, bank):
        return bank // self.device.banks

    def distance(self, issued, issued_bank, command, bank):
        """Cycles from one command to another; a bank of None means the whole rank's command, found by its rank."""
        per_group = self.device.banks // self.device.bank_groups
        same_rank = self.rank_of(issued_bank) == self.rank_of(bank)
        group = issued_bank // per_group == bank // per_group
        relation = 0 if group else 1 if same_rank else 2
        return self.tables.relations[relation, issued, command]

    def earliest(self, command, bank, now):
        """First cycle in which a command may go to a bank (PREA, REFA: the first bank of their rank)."""
        cycle = now
        for other, state in enumerate(self.banks):
            for issued, last in state.history.items():
                cycle = max(cycle, last + self.distance(issued, other, command, bank))
        for number, rank in enumerate(self.ranks):
            for issued, last in rank.history.items():
                cycle = max(cycle, last + self.distance(issued, number * self.device.banks, command, bank))
        if command not in (PREA, REFA):
            for issued, last in self.banks[bank].history.items():
                cycle = max(cycle, last + self.tables.same_bank[issued, command])
        activations = self.ranks[self.rank_of(bank)].activations
        if command == ACT and len(activations) >= 4:
            cycle = max(cycle, activations[-4] + self.tables.window)
        return int(cycle)

    # --- scheduler and page policy ------------------------------------------------------------------------------

    def hits(self, bank):
        return [request for request in bank.waiting if request.row == bank.row]

    def choose(self, bank):
        oldest, hits = bank.waiting[0], self.hits(bank)
        if bank.row is None or not hits or self.design.scheduler == "Fifo":
            return oldest
        if self.design.scheduler == "FrFcfsGrp":
            for n, request in enumerate(hits):
                clear = all(older.address != request.address for older in hits[:n])
                if request.is_write == self.direction and clear:
                    return request
        return hits[0]

    def further_hit(self, bank):
        if self.design.scheduler == "Fifo":
            return len(bank.waiting) > 1 and bank.waiting[1].row == bank.row
        return len(self.hits(bank)) > 1

    def candidate(self, bank):
        """(command, request) that a bank wants, None if nothing."""
        if not bank.waiting:
            return None
        request = self.choose(bank)
        if bank.row is None:
            return ACT, request
        if request.row != bank.row:
            return PRE, request
        policy = self.design.page_policy
        auto = policy == "Closed" or (policy == "ClosedAdaptive" and not self.further_hit(bank))
        auto = auto or (policy == "OpenAdaptive" and len(bank.waiting) > 1 and not self.further_hit(bank))
        return (WRA if auto else WR) if request.is_write else (RDA if auto else RD), request

    def pick(self, now):
        """(cycle, end, command, bank, request) that goes first among all banks, None if none wants anything."""
        found = []
        for number, bank in enumerate(self.banks):
            wanted = None if number in self.blocked else self.candidate(bank)
            if wanted:
                cycle = self.earliest(wanted[0], number, now)
                end = cycle + int(self.tables.length[wanted[0]])
                found.append((end, wanted[1].position, cycle, wanted[0], number, wanted[1]))
        if not found:
            return None
        if not self.tables.two_buses:
            end, _, cycle, command, number, request = min(found, key=lambda entry: entry[:2])
            return cycle, end, command, number, request
        buses = [[f for f in found if f[3] in (ACT, PRE)], [f for f in found if f[3] not in (ACT, PRE)]]
        best = [min(bus, key=lambda entry: entry[:2]) for bus in buses if bus]
        end, _, cycle, command, number, request = min(best, key=lambda entry: (entry[2], entry[1]))
        return cycle, end, command, number, request

    # --- refresh ------------------------------------------------------------------------------------------------

    def banks_of(self, rank):
        return range(rank * self.device.banks, (rank + 1) * self.device.banks)

    def refresh_command(self, rank):
        return PREA if any(self.banks[b].row is not None for b in self.banks_of(rank)) else REFA

    def update(self, number, now):
        rank, interval = self.ranks[number], self.tables.refresh_interval
        rank.wanted = None
        if now < rank.trigger:
            return
        if now >= rank.trigger + interval:
            rank.trigger += interval
            rank.pulling = False
        busy = any(self.banks[b].waiting for b in self.banks_of(number))
        if not rank.pulling and rank.postponed == self.design.refresh_max_postponed:
            rank.forced = True
        elif busy:
            rank.postponed += not rank.pulling
            rank.pulling = False
            rank.trigger += interval
            return
        rank.wanted = self.refresh_command(number)

    def next_refresh(self, now):
        """(cycle, rank); rank None: an interval ends."""
        found = [(NEVER, 0, None)]
        for number, rank in enumerate(self.ranks):
            if rank.wanted is None:
                found.append((max(rank.trigger, now), number, None))
            else:
                rank.wanted = self.refresh_command(number)
                found.append((self.earliest(rank.wanted, number * self.device.banks, now), number, number))
        cycle, _, number = min(found, key=lambda entry: (entry[0], entry[1]))
        return cycle, number

    def end_interval(self, now, best):
        for number, rank in enumerate(self.ranks):
            if rank.wanted is None and now >= rank.trigger:
                self.update(number, now)
                if rank.forced:
                    end = self.earliest(rank.wanted, number * self.device.banks, now)
                    end += int(self.tables.length[rank.wanted])
                    slips = best is not None and best[0] == now and best[1] < end
                    self.blocked |= set(self.banks_of(number)) - ({best[3]} if slips else set())

    def issue_refresh(self, number, now):
        rank = self.ranks[number]
        self.log(now, rank.wanted, number * self.device.banks, -1)
        rank.history[rank.wanted] = now
        for b in self.banks_of(number):
            self.banks[b].row = None
        if rank.wanted == REFA:
            rank.forced = False
            rank.postponed -= rank.pulling
            rank.pulling = True
            if rank.postponed == -self.design.refresh_max_pulledin:
                rank.pulling = False
                rank.trigger += self.tables.refresh_interval
            self.blocked -= set(self.banks_of(number))
            self.update(number, now)

    # --- player, arbiter, responses -----------------------------------------------------------------------------

    def log(self, cycle, command, bank, position):
        self.commands.append((cycle, COMMANDS[command], bank, position))

    def has_room(self):
        size = self.design.request_buffer_size
        waiting = [request for bank in self.banks for request in bank.waiting]
        if self.design.scheduler_buffer == "Bankwise":
            return len(self.banks[self.last_bank].waiting) < size
        if self.design.scheduler_buffer == "Shared":
            return len(waiting) < size
        writes = sum(request.is_write for request in waiting)
        return writes < size and len(waiting) - writes < size

    def send(self, position, after):
        previous = self.sent[-1] if self.sent else 0
        due = self.arrival[position] + (previous if self.relative else 0)
        self.sent.append(max(due, after))

    def offer(self):
        """Half cycle in which the next request stands at the controller's input, None if not known yet."""
        position = self.entered
        if position == len(self.requests):
            return None
        if self.design.arbiter == "Simple":
            if len(self.sent) == position:
                self.send(position, self.taken + 1)
            return 2 * self.sent[position] + 1
        while len(self.accepted) <= position:
            p = len(self.accepted)
            if len(self.sent) == p:
                self.send(p, self.accepted[-1] + 1 if p else 0)
            most = self.design.max_active_transactions
            if p >= most and len(self.delivered) <= p - most:
                return None
            self.accepted.append(max(self.sent[p], self.delivered[p - most] if p >= most else 0))
        fresh = self.accepted[position] > self.taken
        return 2 * self.accepted[position] + 1 if fresh else 2 * (self.taken + 1)

    def respond(self, request, ready):
        """A column command's data: queue it, and hand over what may leave."""
        in_column_order = self.design.response_queue == "Fifo"
        if in_column_order:
            ready = self.released = max(ready, self.released + 1)
        if in_column_order and self.design.arbiter != "Reorder":
            self.deliver(request.position, ready)
            return
        self.due[request.position] = ready
        while len(self.delivered) in self.due:
            position = len(self.delivered)
            self.deliver(position, max(self.due[position], (self.delivered or [-1])[-1] + 1))

    def deliver(self, position, cycle):
        self.delivered.append(cycle)
        self.done[position] = cycle

    # --- the loop -----------------------------------------------------------------------------------------------

    def enter(self, now):
        request = self.requests[self.entered]
        self.banks[request.bank].waiting.append(request)
        self.last_bank, self.taken = request.bank, now
        self.entered += 1
        rank = self.ranks[self.rank_of(request.bank)]
        if rank.wanted is not None and not rank.forced:
            self.update(self.rank_of(request.bank), now)

    def issue(self, now, command, number, request):
        bank, rank = self.banks[number], self.ranks[self.rank_of(number)]
        self.log(now, command, number, request.position)
        bank.history[command] = now
        if command == ACT:
            bank.row = request.row
            rank.activations.append(now)
        if command in (PRE, RDA, WRA):
            bank.row = None
        if command in (RD, WR, RDA, WRA):
            bank.waiting.remove(request)
            self.direction = request.is_write
            tables = self.tables
            self.respond(request, now + (tables.write_latency if command in WRITES else tables.read_latency))
            offer = self.offer()
            if offer is not None and offer <= 2 * now and self.has_room():
                self.enter(now)
        if rank.forced:
            self.blocked.add(number)

    def run(self):
        self.entered, self.last_bank, self.taken, self.released = 0, 0, -1, -1
        self.sent, self.accepted, self.delivered, self.due = [], [], [], {}
        self.done, self.blocked = [None] * len(self.requests), set()
        now = 0
        while True:
            best = self.pick(now)
            refresh, rank = self.next_refresh(now)
            offer = self.offer() if self.has_room() else None
            command = best[0] if best else NEVER
            if offer is not None and offer <= 2 * command and offer <= 2 * refresh:
                now = offer // 2
                self.enter(now)
            elif command < refresh:
                now = command
                self.issue(now, *best[2:])
            elif None not in self.done and refresh > max(self.done):
                return self
            elif rank is None:
                now = refresh
                self.end_interval(now, best)
            else:
                now = refresh
                self.issue_refresh(rank, now)
