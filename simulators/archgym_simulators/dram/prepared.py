"""A trace decoded for one device, address map and player clock: everything that does not depend on the design."""

from __future__ import annotations

__all__ = ["PreparedTrace", "next_equal", "resolve"]

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram import layout as lay
from archgym_simulators.dram.device import AddressMap, Device, address_map, device
from archgym_simulators.dram.interleaving import BitMap
from archgym_simulators.dram.standards import timing_tables
from archgym_simulators.dram.timing import WIDTH, TimingTables
from archgym_simulators.dram.trace import Trace
from archgym_simulators.errors import InputError

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PreparedTrace:
    """Build one with `PreparedTrace.build` and use it for any number of designs and calls.

    Attributes:
        trace: The requests.
        device: The memory.
        map: How addresses select banks, rows and columns.
        player_clock_mhz: Clock in which the trace's time stamps count.
        tables: Timing of the device.
        bank: (R,) bank of every request, over ranks and bank groups.
        row: (R,) row of every request.
        kernel_arguments: What the kernel is called with: state before a run, links, time stamps, previous request
            to the same address, end of each request's run of row hits, first request of each bank.
    """

    trace: Trace
    device: Device
    map: AddressMap | BitMap
    player_clock_mhz: float
    tables: TimingTables
    bank: NDArray[np.int64]
    row: NDArray[np.int64]
    kernel_arguments: tuple[Ints, Ints, Ints, Ints, Ints, Ints]

    @classmethod
    def build(
        cls,
        trace: Trace,
        *,
        device: Device | str = "DDR3-1600",
        address_map: AddressMap | str | None = None,
        player_clock_mhz: float | None = None,
    ) -> PreparedTrace:
        """Decode addresses, link requests of the same bank and row, and pack the device's timing.

        Args:
            trace: R requests.
            device: A device or its name.
            address_map: A map or its name; by default the device's own.
            player_clock_mhz: Clock of the trace player; by default the device's command clock.

        Raises:
            InputError: for unknown names, a map of another organisation, a clock that is not positive, or a
                trace too long for the kernel's 64-bit keys.
        """
        memory, mapping = resolve(device, address_map)
        if memory.channels > 1:
            raise InputError(f"device {memory.name!r} has {memory.channels} channels; prepare it with model.prepare")
        return cls.decode(trace, device=memory, mapping=mapping, of=memory, player_clock_mhz=player_clock_mhz)

    @classmethod
    def decode(
        cls,
        trace: Trace,
        *,
        device: Device,
        mapping: AddressMap | BitMap,
        of: Device,
        player_clock_mhz: float | None,
    ) -> PreparedTrace:
        """As `build`, for a map that fits device ``of``: ``device`` with the ranks of one channel only."""
        memory = device
        clock = memory.clock_mhz if player_clock_mhz is None else player_clock_mhz
        if not 0 < clock < 1e6:
            raise InputError(f"player_clock_mhz {clock!r} is out of range; allowed are numbers above 0 and below 1e6")
        tables = timing_tables(memory)
        bank = mapping.bank_index(trace.address, of)
        row = mapping.extract(trace.address, "row")
        tick_ps = round(1e6 / clock)
        shift = _key_shift(trace, memory, tables, tick_ps)
        arguments = (_pack_device(trace, memory, tables, shift, tick_ps), *_pack_requests(trace, bank, row, memory))
        return cls(trace, memory, mapping, clock, tables, bank, row, arguments)

    def __len__(self) -> int:
        """Return R, the number of requests."""
        return len(self.trace)


def resolve(chosen: Device | str, mapping: AddressMap | str | None) -> tuple[Device, AddressMap]:
    """A device, and a map that fits it: the one given, or its own."""
    memory = device(chosen) if isinstance(chosen, str) else chosen
    if isinstance(mapping, AddressMap):
        mapping.check(memory)
        return memory, mapping
    return memory, address_map(mapping or memory.default_map, memory)


def _key_shift(trace: Trace, memory: Device, tables: TimingTables, tick_ps: int) -> int:
    """Bits of a kernel key below the time: the request, and what `layout` puts below it."""
    if memory.ranks * memory.banks > 2**lay.BANK_BITS:
        raise InputError(f"device {memory.name!r} has {memory.ranks * memory.banks} banks; allowed are at most 64")
    shift = (len(trace) + 2).bit_length() + 1 + lay.KEY_BITS
    slowest = 4 * (tables.refresh_duration + int(tables.relations.max()) + int(tables.same_bank.max()))
    last = int(trace.due_cycle[-1]) * tick_ps // memory.period_ps + slowest * (len(trace) + 64)
    if last >= 2 ** (61 - shift):
        raise InputError(
            f"trace {trace.name!r} has {len(trace)} requests over up to {last} cycles, too many for one simulation; "
            f"allowed with this many requests are {2 ** (61 - shift) - 1} cycles"
        )
    return shift


def _pack_device(trace: Trace, memory: Device, tables: TimingTables, shift: int, tick_ps: int) -> NDArray[np.int64]:
    """The state of a run before it starts: the device's own figures in their places, everything else zero."""
    banks, groups = memory.banks * memory.ranks, memory.bank_groups * memory.ranks
    # A key holds the end of a command: the multiplexer compares start plus length. Equal lengths compare as none.
    length = tables.length - tables.length.min()
    rank_of_group = np.arange(groups) // memory.bank_groups
    relation = np.where(rank_of_group[:, None] == rank_of_group[None, :], 1, 2)
    np.fill_diagonal(relation, 0)
    place_of_relation = np.array([lay.SAME_GROUP, lay.RELATION, lay.RELATION + WIDTH * WIDTH]) - lay.SAME_GROUP
    one_of_each = memory.ranks == memory.bank_groups == 1 and not tables.two_buses and not length.any()
    simple = one_of_each and tick_ps == memory.period_ps and not trace.relative
    figures = {
        "same_bank": (tables.same_bank + length) << shift,
        "same_group": (tables.relations[0] + length) << shift,
        "relation": (tables.relations[1:] + length) << shift,
        "relation_of": place_of_relation[relation],
        "length": length << shift,
        "completion": tables.completion,
        "banks": banks,
        "groups": groups,
        "ranks": memory.ranks,
        "shift": shift,
        "read_latency": tables.read_latency,
        "write_latency": tables.write_latency,
        "window": tables.window << shift,
        "refresh_interval": tables.refresh_interval,
        "refresh_duration": tables.refresh_duration,
        "precharge": tables.precharge,
        "active_minimum": tables.active_minimum,
        "read_close": tables.read_close,
        "write_close": tables.write_close,
        "period_ps": memory.period_ps,
        "player_period_ps": tick_ps,
        "two_buses": int(tables.two_buses),
        "simple": int(simple),
        "writes": np.count_nonzero(trace.is_write),
        "relative": -int(trace.relative),
    }
    state = np.zeros(lay.SIZE, dtype=np.int64)
    for name, values in figures.items():
        flat = np.asarray(values, dtype=np.int64).reshape(-1)
        state[lay.OFFSETS[name] : lay.OFFSETS[name] + flat.size] = flat
    return state


def _pack_requests(
    trace: Trace, bank: NDArray[np.int64], row: NDArray[np.int64], memory: Device
) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Arrays over requests; two more entries end every chain (R: no further request, R + 1: no earlier one)."""
    count = len(trace)
    name = np.zeros(count + 2, dtype=np.int64)
    name[:count] = trace.is_write
    name += 2 * np.arange(count + 2)
    first = np.full(memory.banks * memory.ranks, 2 * count, dtype=np.int64)
    used, position = np.unique(bank, return_index=True)
    first[used] = name[position]
    packed = name[next_equal(bank * 2**32 + row)] << lay.ROW_LINK | name[next_equal(bank)] << lay.BANK_LINK
    packed[:count] |= bank << 1 | trace.is_write
    arrival = np.array(trace.cycle, dtype=np.int64)
    return packed, arrival, _previous_equal(trace.address), _run_end(bank, row, trace.is_write), first


def _run_end(bank: NDArray[np.int64], row: NDArray[np.int64], is_write: NDArray[np.bool_]) -> Ints:
    """For each position the end of the run of neighbours with equal bank, row and direction, (R,)."""
    same = (bank[1:] == bank[:-1]) & (row[1:] == row[:-1]) & (is_write[1:] == is_write[:-1])
    ends = np.append(np.flatnonzero(~same) + 1, len(bank))
    return np.repeat(ends, np.diff(ends, prepend=0))


def next_equal(key: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each position the next one with an equal key, (R + 2,); R where there is none."""
    count = len(key)
    order = np.argsort(key, kind="stable")
    following = np.full(count + 2, count, dtype=np.int64)
    equal = key[order[1:]] == key[order[:-1]]
    following[order[:-1][equal]] = order[1:][equal]
    return following


def _previous_equal(key: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each position the previous one with an equal key, (R + 2,); R + 1 where there is none."""
    count = len(key)
    following = next_equal(key)[:count]
    previous = np.full(count + 2, count + 1, dtype=np.int64)
    linked = np.flatnonzero(following < count)
    previous[following[linked]] = linked
    return previous
