"""Ranks of the slow model of `plain_memory`: distances between commands, power-down, self-refresh, per-bank refresh.

Power-down is a state that a rank enters and leaves by events of its own; nothing is worked out afterwards.
"""

from dataclasses import dataclass, field

from archgym_simulators.dram.timing import ACT, PRE, PREA, REFA, WRA
from tests.simulators.dram.plain_controller import NEVER, WRITES, PlainController, Rank

REFB, SREN = "REFB", "SREN"
AWAKE, ACTIVE_DOWN, PRECHARGE_DOWN, SELF = "awake", "PDEA", "PDEP", "SREN"
# Order of events within a cycle.
RESPONSE, EARLY, REFRESH, COMMAND, LATE, ENTRY = range(6)


@dataclass
class PowerRank(Rank):
    state: str = AWAKE
    since: int = 0
    idle_since: int = 0
    closes: int = 0  # auto-precharges done
    woken: int = -NEVER
    ready: int = 0  # for any command
    ready_column: int = 0
    refreshed_bank: int = -NEVER  # cycle of the last per-bank refresh
    round: list = field(default_factory=list)
    target: int | None = None
    blocked: int | None = None
    cycles: dict = field(default_factory=lambda: {ACTIVE_DOWN: 0, PRECHARGE_DOWN: 0, SELF: 0})


class PlainPower(PlainController):
    """What banks and ranks do; `PlainMemory` says what asks them."""

    @property
    def interval(self):
        return self.device.timing["refi_pb"] if self.per_bank else self.tables.refresh_interval

    # --- timing -------------------------------------------------------------------------------------------------

    def earliest(self, command, bank, now):
        """As for one channel, among the banks and ranks of the bank's channel; ranks may be waking up."""
        rank, number = self.ranks[self.rank_of(bank)], bank // self.per_channel
        cycle = max(now, rank.ready, rank.ready_column if command not in (ACT, PRE, PREA, REFA, REFB, SREN) else 0)
        if command == REFB:
            return max(cycle, self.earliest_bank_refresh(bank, now))
        like = REFA if command == SREN else command
        for other in range(number * self.per_channel, (number + 1) * self.per_channel):
            for issued, last in self.banks[other].history.items():
                if issued != REFB:
                    cycle = max(cycle, last + self.distance(issued, other, like, bank))
        for other in range(number * self.device.ranks, (number + 1) * self.device.ranks):
            for issued, last in self.ranks[other].history.items():
                if issued != SREN:
                    cycle = max(cycle, last + self.distance(issued, other * self.device.banks, like, bank))
        cycle = max(cycle, self.after_refresh_commands(like, bank))
        if like in (PREA, REFA):
            return int(max(cycle, rank.refreshed_bank + self.device.timing.get("rfc_pb", 0)))
        for issued, last in self.banks[bank].history.items():
            if issued != REFB:
                cycle = max(cycle, last + self.tables.same_bank[issued, command])
        depth = 2 if "taw" in self.device.timing else 4
        if command == ACT and len(rank.activations) >= depth:
            cycle = max(cycle, rank.activations[-depth] + self.tables.window)
        return int(cycle)

    def after_refresh_commands(self, command, bank):
        """Bounds from REFB and SREN: their slot on the bus, and REFB as an activation."""
        t, first = self.device.timing, bank // self.per_channel * self.per_channel
        shorter = int(self.tables.length[ACT] - self.tables.length[REFA])
        cycle = 0
        for other in range(first, first + self.per_channel):
            last = self.banks[other].history.get(REFB)
            if last is None:
                continue
            if not self.tables.two_buses or command in (ACT, PRE, PREA, REFA):
                cycle = max(cycle, last + int(self.tables.length[REFA]))
            if command == ACT and self.rank_of(other) == self.rank_of(bank):
                space = t["rfc_pb"] if other == bank else t.get("rrefd", t.get("rrd"))
                cycle = max(cycle, last + space - shorter)
        for number in range(self.rank_of(first), self.rank_of(first) + self.device.ranks):
            last = self.ranks[number].history.get(SREN)
            if last is not None and (not self.tables.two_buses or command in (ACT, PRE, PREA, REFA)):
                cycle = max(cycle, last + int(self.tables.length[REFA]))
        return cycle

    def earliest_bank_refresh(self, bank, now):
        """As an activation that ends in the same cycle, and after the refresh of another bank."""
        t, rank = self.device.timing, self.ranks[self.rank_of(bank)]
        longer = int(self.tables.length[ACT] - self.tables.length[REFA])
        act = self.earliest(ACT, bank, -NEVER)
        return max(now, act + longer, rank.refreshed_bank + t.get("rrefd", t["rfc_pb"]))

    # --- power --------------------------------------------------------------------------------------------------

    def waits(self, number):
        return any(self.banks[b].waiting for b in self.banks_of(number))

    def is_open(self, number):
        return any(self.banks[b].row is not None for b in self.banks_of(number))

    def threshold(self):
        return 0 if self.design.power_down == "Staggered" else self.design.power_down_after

    def closes_idle_banks(self):
        return self.design.power_down in ("PrechargeIdle", "SelfRefreshIdle")

    def entry(self, number):
        """Cycle in which an idle rank may enter power-down, None if it does not."""
        rank, t = self.ranks[number], self.device.timing
        if self.design.power_down == "NoPowerDown" or rank.state != AWAKE or rank.wanted is not None:
            return None
        if self.waits(number) or (self.closes_idle_banks() and self.is_open(number)):
            return None
        cycle = max(rank.idle_since + self.threshold(), rank.closes, rank.woken + t["cke"])
        gaps = dict.fromkeys((PRE, PREA), t.get("prpden", t.get("cmdcke", 1)))
        gaps |= {ACT: t.get("actpden", t.get("cmdcke", 1)), REFA: t["rfc"], REFB: t.get("rfc_pb", 0), SREN: 0}
        for b in self.banks_of(number):
            for issued, last in self.banks[b].history.items():
                write_end = self.tables.write_close + (issued == WRA)
                gap = gaps.get(issued, write_end if issued in WRITES else self.tables.read_latency + 1)
                cycle = max(cycle, last + gap)
        for issued, last in rank.history.items():
            cycle = max(cycle, last + gaps[issued])
        return cycle

    def fall_asleep(self, number, now):
        rank = self.ranks[number]
        rank.state, rank.since = (ACTIVE_DOWN if self.is_open(number) else PRECHARGE_DOWN), now
        self.commands.append((now, rank.state, number * self.device.banks))

    def wake(self, number, now):
        rank, t = self.ranks[number], self.device.timing
        if rank.state == AWAKE:
            return
        from_self = rank.state == SELF
        shortest = t.get("ckesr", t.get("sr", t["cke"])) if from_self else t["cke"]
        leaves = max(now, rank.since + shortest)
        rank.cycles[rank.state] += leaves - rank.since
        self.commands.append((leaves, "SREX" if from_self else "PDX", number * self.device.banks))
        slow = self.design.power_down_exit == "Slow" and rank.state == PRECHARGE_DOWN
        exit_column = t["xpdll"] if slow else t["xp"]
        rank.ready = leaves + (t["xs"] if from_self else t["xp"])
        rank.ready_column = leaves + (max(t["xs"], t.get("xsdll", 0)) if from_self else exit_column)
        rank.state, rank.woken = AWAKE, leaves
        if from_self:
            rank.trigger, rank.pulling, rank.forced, rank.wanted = leaves, False, True, REFA
            self.blocked |= set(self.banks_of(number))

    # --- refresh ------------------------------------------------------------------------------------------------

    def decide(self, number, now):
        rank = self.ranks[number]
        if self.per_bank:
            self.update_bank(number, now)
        else:
            self.update(number, now)
        self.prefer_self_refresh(number, now)
        return rank.wanted

    def prefer_self_refresh(self, number, now):
        rank = self.ranks[number]
        if rank.wanted is None or self.design.power_down not in ("Staggered", "SelfRefreshIdle"):
            return
        if not self.waits(number) and now - rank.idle_since >= self.tables.refresh_interval:
            rank.wanted = PREA if self.is_open(number) else SREN
            rank.forced, rank.blocked = False, None

    def update_bank(self, number, now):
        rank = self.ranks[number]
        rank.wanted = None
        if now < rank.trigger:
            return
        if now >= rank.trigger + self.interval:
            rank.trigger += self.interval
            rank.pulling = False
        due = [number * self.device.banks + b for b in rank.round]
        idle = [b for b in due if not self.banks[b].waiting]
        if not rank.pulling and rank.postponed == self.design.refresh_max_postponed * self.device.banks:
            rank.target = rank.blocked = (idle or due)[0]
        elif idle:
            rank.target = idle[0]
        else:
            rank.postponed += not rank.pulling
            rank.pulling = False
            rank.trigger += self.interval
            return
        rank.wanted = PRE if self.banks[rank.target].row is not None else REFB

    def refresh_events(self, channel):
        """[(cycle, rank, what)] of a channel; what: "due", "wanted" or "close"."""
        found = []
        for number in range(channel * self.device.ranks, (channel + 1) * self.device.ranks):
            rank, first = self.ranks[number], number * self.device.banks
            if rank.forced:
                rank.wanted = self.refresh_command(number)
            if rank.wanted is not None:
                at = rank.target if rank.wanted in (PRE, REFB) else first
                found.append((self.earliest(rank.wanted, at, self.now), number, "wanted"))
            elif rank.state != SELF:
                found.append((max(rank.trigger, self.now), number, "due"))
                if self.closes_idle_banks() and self.is_open(number) and not self.waits(number):
                    at = max(rank.idle_since + self.threshold(), self.earliest(PREA, first, self.now))
                    found.append((at, number, "close"))
        return found

    def end_intervals(self, channel, now, best):
        for number in range(channel * self.device.ranks, (channel + 1) * self.device.ranks):
            rank = self.ranks[number]
            if rank.wanted is not None or rank.state == SELF or now < rank.trigger:
                continue
            self.wake(number, now)
            self.decide(number, now)
            if rank.forced:
                end = self.earliest(rank.wanted, number * self.device.banks, now) + int(self.tables.length[rank.wanted])
                slips = best is not None and best[0] == now and best[1] < end
                self.blocked |= set(self.banks_of(number)) - ({best[3]} if slips else set())
            elif rank.blocked is not None:
                self.blocked.add(rank.blocked)

    def close_rank(self, number, now):
        rank = self.ranks[number]
        self.log(now, PREA, number * self.device.banks, -1)
        rank.history[PREA] = now
        rank.closes = max(rank.closes, now)
        for b in self.banks_of(number):
            self.banks[b].row = None

    def carry_out(self, number, now):
        """Issue what the manager of a rank wants."""
        rank = self.ranks[number]
        if rank.wanted == PREA:
            self.close_rank(number, now)
            rank.wanted = REFA
            self.prefer_self_refresh(number, now)
        elif rank.wanted == REFA:
            self.log(now, REFA, number * self.device.banks, -1)
            rank.history[REFA] = now
            rank.forced = False
            if self.per_bank:
                rank.round, rank.trigger = list(range(self.device.banks)), rank.trigger + self.interval
            else:
                self.count(rank, self.design.refresh_max_pulledin)
            self.blocked -= set(self.banks_of(number))
            self.decide(number, now)
        elif rank.wanted == SREN:
            self.commands.append((now, SREN, number * self.device.banks))
            rank.history[SREN] = now
            rank.state, rank.since, rank.wanted = SELF, now, None
        elif rank.wanted == PRE:
            self.log(now, PRE, rank.target, -1)
            self.banks[rank.target].history[PRE] = now
            self.banks[rank.target].row = None
            rank.closes = max(rank.closes, now)
            rank.wanted = REFB
        else:
            self.refresh_bank(number, now)

    def refresh_bank(self, number, now):
        rank, first = self.ranks[number], number * self.device.banks
        self.commands.append((now, REFB, rank.target))
        self.banks[rank.target].history[REFB] = rank.refreshed_bank = now
        rank.activations.append(now)
        rank.closes = max(rank.closes, now + self.device.timing["rfc_pb"] - self.tables.precharge)
        rank.round.remove(rank.target - first)
        rank.round = rank.round or list(range(self.device.banks))
        self.blocked.discard(rank.target)
        rank.blocked = None
        self.count(rank, self.design.refresh_max_pulledin * self.device.banks)
        self.decide(number, now)

    def count(self, rank, most_early):
        rank.postponed -= rank.pulling
        rank.pulling = True
        if rank.postponed == -most_early:
            rank.pulling = False
            rank.trigger += self.interval
