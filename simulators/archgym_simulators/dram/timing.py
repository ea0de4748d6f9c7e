"""Timing rules of a device as tables of minimum distances between commands.

``distance[issued, next]`` is the least number of cycles from one command to another. Four relations between the
banks of two commands exist: the same bank, the same bank group, the same rank, another rank. The kernel adds a
row of each table to the cycle of the issued command and keeps the maximum as lower bounds. Rules as described
for DRAMSys 4.0 (Steiner et al., SAMOS 2020), after JESD79-3, JESD79-4, JESD209-4 and JESD235.
"""

from __future__ import annotations

__all__ = [
    "ACT", "CLASSES", "COMMANDS", "NEVER", "PRE", "PREA", "RD", "RDA", "REFA", "WIDTH", "WR", "WRA",
    "Rules", "Spacing", "TimingTables", "assemble", "by_command",
]  # fmt: skip

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.device import Device

# Kernels compute codes: a column command is RD, plus one for a write, plus four for auto-precharge, so that the
# two lowest bits are the class for which lower bounds are kept (activate, precharge, read, write).
ACT, PRE, RD, WR, PREA, REFA, RDA, WRA = range(8)
COMMANDS = ("ACT", "PRE", "RD", "WR", "PREA", "REFA", "RDA", "WRA")
CLASSES = 4
WIDTH = len(COMMANDS)
NEVER = -(2**20)  # a distance that never binds

_READS = (RD, RDA)
_WRITES = (WR, WRA)
COLUMN_COMMANDS = (RD, WR, RDA, WRA)
ROW_COMMANDS = (ACT, PRE, PREA, REFA)
ALL_COMMANDS = range(WIDTH)

Table = NDArray[np.int64]  # (WIDTH, WIDTH): [issued, next]


@dataclass(frozen=True, eq=False)
class TimingTables:
    """Everything the kernel needs to know about a device, in cycles.

    Attributes:
        same_bank: Distances within one bank.
        relations: (3, WIDTH, WIDTH): same bank group, same rank but another group, another rank.
        length: (WIDTH,) cycles for which a command holds its bus.
        read_latency: From a read command to the end of its data.
        write_latency: From a write command to the end of its data.
        window: Cycles in which a rank may be activated at most four times (tFAW; WideIO: twice, tTAW).
        refresh_interval: tREFI.
        refresh_duration: tRFC.
        precharge: tRP, the tail of a refresh that counts as precharged.
        active_minimum: tRAS.
        read_close: From a read with auto-precharge to the precharge inside the device.
        write_close: The same for a write.
        completion: (WIDTH,) cycles after a command for which the energy account of a run still counts it.
        two_buses: Whether row and column commands have buses of their own.
    """

    same_bank: Table
    relations: NDArray[np.int64]
    length: NDArray[np.int64]
    read_latency: int
    write_latency: int
    window: int
    refresh_interval: int
    refresh_duration: int
    precharge: int
    active_minimum: int
    read_close: int
    write_close: int
    completion: NDArray[np.int64]
    two_buses: bool


@dataclass(frozen=True)
class Rules:
    """The distances from which all tables of one standard follow, in cycles."""

    act_to_act: int
    act_to_pre: int
    act_to_read: int
    act_to_write: int
    read_to_pre: int
    write_to_pre: int
    read_auto_to_act: int
    write_auto_to_act: int
    pre_to_act: int
    pre_all_to_act: int
    refresh_to_act: int
    read_to_write: int
    act_to_refresh: int
    read_auto_to_refresh: int
    write_auto_to_refresh: int
    pre_to_refresh: int
    pre_all_to_refresh: int
    pre_to_pre: int = NEVER


@dataclass(frozen=True)
class Spacing:
    """Distances that differ between the same bank group and the rest of the rank."""

    column: int
    activate: int
    write_to_read: int


def _empty() -> Table:
    return np.full((WIDTH, WIDTH), NEVER, dtype=np.int64)


def _apply(table: Table, issued: Iterable[int], following: Iterable[int], cycles: int) -> None:
    cells = np.ix_(list(issued), list(following))
    table[cells] = np.maximum(table[cells], cycles)


def by_command(cycles: Mapping[int, int]) -> NDArray[np.int64]:
    """One number per command, 1 where none is given."""
    return np.array([cycles.get(command, 1) for command in ALL_COMMANDS], dtype=np.int64)


def _bank_table(rules: Rules) -> Table:
    table = _empty()
    _apply(table, [ACT], [ACT], rules.act_to_act)
    _apply(table, [ACT], [PRE], rules.act_to_pre)
    _apply(table, [ACT], _READS, rules.act_to_read)
    _apply(table, [ACT], _WRITES, rules.act_to_write)
    _apply(table, [RD], [PRE], rules.read_to_pre)
    _apply(table, [WR], [PRE], rules.write_to_pre)
    _apply(table, [WR], [RDA], rules.write_to_pre - rules.read_to_pre)
    _apply(table, [RDA], [ACT], rules.read_auto_to_act)
    _apply(table, [WRA], [ACT], rules.write_auto_to_act)
    _apply(table, [PRE], [ACT], rules.pre_to_act)
    return table


def _rank_table(rules: Rules, spacing: Spacing) -> Table:
    table = _empty()
    _apply(table, _READS, _READS, spacing.column)
    _apply(table, _WRITES, _WRITES, spacing.column)
    _apply(table, _READS, _WRITES, rules.read_to_write)
    _apply(table, _WRITES, _READS, spacing.write_to_read)
    _apply(table, [ACT], [ACT], spacing.activate)
    _apply(table, [PREA], [ACT], rules.pre_all_to_act)
    _apply(table, [REFA], [ACT], rules.refresh_to_act)
    _apply(table, [ACT], [PREA], rules.act_to_pre)
    _apply(table, _READS, [PREA], rules.read_to_pre)
    _apply(table, _WRITES, [PREA], rules.write_to_pre)
    _apply(table, [PRE, PREA], [PRE, PREA], rules.pre_to_pre)
    _apply(table, [ACT], [REFA], rules.act_to_refresh)
    _apply(table, [RDA], [REFA], rules.read_auto_to_refresh)
    _apply(table, [WRA], [REFA], rules.write_auto_to_refresh)
    _apply(table, [PRE], [REFA], rules.pre_to_refresh)
    _apply(table, [PREA], [REFA], rules.pre_all_to_refresh)
    return table


def _other_rank_table(device: Device) -> Table:
    """Bursts of two ranks share the data bus, which needs tRTRS to change hands."""
    burst, switch = device.burst_cycles, device.timing.get("rtrs", 0)
    read, write = device.timing["rl"], device.timing["wl"]
    table = _empty()
    _apply(table, _READS, _READS, burst + switch)
    _apply(table, _WRITES, _WRITES, burst + switch)
    _apply(table, _READS, _WRITES, read + burst + switch - write)
    _apply(table, _WRITES, _READS, write + burst + switch - read)
    return table


def _share_bus(tables: Iterable[Table], length: NDArray[np.int64], members: Iterable[int]) -> None:
    """A command keeps the others off its bus for its length."""
    group = list(members)
    for table in tables:
        for issued in group:
            _apply(table, [issued], group, int(length[issued]))


def assemble(
    device: Device,
    rules: Rules,
    spacings: tuple[Spacing, Spacing],
    length: NDArray[np.int64],
    *,
    read_latency: int,
    write_latency: int,
    window: int,
    buses: tuple[tuple[int, ...], ...],
) -> TimingTables:
    """Turn the rules of a standard, with a device's figures in them, into tables.

    Args:
        device: Organisation, and the timing that no standard treats differently.
        rules: Distances within a bank and a rank.
        spacings: Distances within a bank group, and within the rest of its rank.
        length: (WIDTH,) cycles for which each command holds its bus.
        read_latency: From a read command to the end of its data.
        write_latency: From a write command to the end of its data.
        window: Cycles in which a rank may be activated at most four times.
        buses: Commands that share a bus.
    """
    t = device.timing
    relations = [_rank_table(rules, spacing) for spacing in spacings]
    for table in relations:
        _apply(table, [REFA], [REFA], t["rfc"])
    # Pseudo channels share the command buses only.
    relations.append(_empty() if device.standard == "HBM2" else _other_rank_table(device))
    for members in buses:
        _share_bus(relations, length, members)
    return TimingTables(
        same_bank=_bank_table(rules),
        relations=np.stack(relations),
        length=length,
        read_latency=read_latency,
        write_latency=write_latency,
        window=window,
        refresh_interval=t["refi"],
        refresh_duration=t["rfc"],
        precharge=t["rp"],
        active_minimum=t["ras"],
        # DRAMPower closes a bank after tRTP, at least four cycles, whatever the controller waits for.
        read_close=t.get("al", 0) + max(t.get("rtp", device.burst_cycles), 4),
        write_close=t["wl"] + device.burst_cycles + t["wr"],
        completion=_completion(device),
        two_buses=len(buses) > 1,
    )


def _completion(device: Device) -> NDArray[np.int64]:
    t, burst = device.timing, device.burst_cycles
    read = t["rl"] + t["dqsck"] + 1 + burst
    write = t["wl"] + burst + t["wr"]
    activate = t.get("rcd", t.get("rcd_rd", 0))
    cycles = {ACT: activate, PRE: t["rp"], PREA: t["rp"], RD: read, RDA: read, WR: write, WRA: write, REFA: 0}
    return by_command(cycles)
