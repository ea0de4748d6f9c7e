"""Timing rules of a device as tables of minimum distances between commands.

``distance[issued, next]`` is the least number of cycles from one command to another. Four relations between the
banks of two commands exist: the same bank, the same bank group, the same rank, another rank. The kernel adds a
row of each table to the cycle of the issued command and keeps the maximum as lower bounds. Rules as described
for DRAMSys 4.0 (Steiner et al., SAMOS 2020), after JESD79-3, JESD79-4, JESD209-4 and JESD235.
"""

from __future__ import annotations

__all__ = [
    "ACT", "COMMANDS", "NEVER", "PRE", "PREA", "RD", "RDA", "REFA", "WIDTH", "WR", "WRA",
    "TimingTables", "timing_tables",
]  # fmt: skip

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.device import Device
from archgym_simulators.errors import InputError

# A column command's code is RD, plus one for a write, plus two for auto-precharge: kernels compute it.
ACT, PRE, RD, WR, RDA, WRA, PREA, REFA = range(8)
COMMANDS = ("ACT", "PRE", "RD", "WR", "RDA", "WRA", "PREA", "REFA")
WIDTH = len(COMMANDS)
NEVER = -(2**20)  # a distance that never binds

_READS = (RD, RDA)
_WRITES = (WR, WRA)
_COLUMNS = (RD, WR, RDA, WRA)
_ROWS = (ACT, PRE, PREA, REFA)
_ALL = range(WIDTH)

Table = NDArray[np.int64]  # (WIDTH, WIDTH): [issued, next]


@dataclass(frozen=True, eq=False)
class TimingTables:
    """Everything the kernel needs to know about a device, in cycles.

    Attributes:
        same_bank: Distances within one bank.
        relations: (3, WIDTH, WIDTH): same bank group, same rank but another group, another rank.
        length: (WIDTH,) cycles beyond the first for which a command holds its bus.
        read_latency: From a read command to the end of its data.
        write_latency: From a write command to the end of its data.
        window: Cycles in which a rank may be activated at most four times (tFAW).
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


def timing_tables(device: Device) -> TimingTables:
    """Build the tables of a device.

    Raises:
        InputError: for a standard without rules.
    """
    builder = _BUILDERS.get(device.standard)
    if builder is None:
        raise InputError(
            f"device {device.name!r} is {device.standard}, which has no timing rules here; "
            f"allowed are {', '.join(_BUILDERS)}"
        )
    return builder(device)


@dataclass(frozen=True)
class _Rules:
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
class _Spacing:
    """Distances that differ between the same bank group and the rest of the rank."""

    column: int
    activate: int
    write_to_read: int


def _empty() -> Table:
    return np.full((WIDTH, WIDTH), NEVER, dtype=np.int64)


def _apply(table: Table, issued: Iterable[int], following: Iterable[int], cycles: int) -> None:
    cells = np.ix_(list(issued), list(following))
    table[cells] = np.maximum(table[cells], cycles)


def _bank_table(rules: _Rules) -> Table:
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


def _rank_table(rules: _Rules, spacing: _Spacing) -> Table:
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


def _ddr3(device: Device) -> TimingTables:
    t = device.timing
    spacing = _Spacing(t["ccd"], t["rrd"], t["wl"] + device.burst_cycles + t["wtr"])
    read_to_write = t["rl"] + device.burst_cycles + 2 - t["wl"]
    return _ddr(device, _ddr_rules(device, read_to_write), spacing, spacing)


def _ddr4(device: Device) -> TimingTables:
    t = device.timing
    write_end = t["wl"] + device.burst_cycles
    near = _Spacing(t["ccd_l"], t["rrd_l"], write_end + t["wtr_l"])
    far = _Spacing(t["ccd_s"], t["rrd_s"], write_end + t["wtr_s"])
    read_to_write = t["rl"] + device.burst_cycles + 1 - t["wl"] + t["wpre"]
    return _ddr(device, _ddr_rules(device, read_to_write), near, far)


def _ddr_rules(device: Device, read_to_write: int) -> _Rules:
    t = device.timing
    read_to_pre = t["al"] + t["rtp"]
    write_to_pre = t["wl"] + device.burst_cycles + t["wr"]
    return _Rules(
        act_to_act=t["rc"],
        act_to_pre=t["ras"],
        act_to_read=t["rcd"] - t["al"],
        act_to_write=t["rcd"] - t["al"],
        read_to_pre=read_to_pre,
        write_to_pre=write_to_pre,
        read_auto_to_act=read_to_pre + t["rp"],
        write_auto_to_act=write_to_pre + t["rp"],
        pre_to_act=t["rp"],
        pre_all_to_act=t["rp"],
        refresh_to_act=t["rfc"],
        read_to_write=read_to_write,
        act_to_refresh=t["rc"],
        read_auto_to_refresh=read_to_pre + t["rp"],
        write_auto_to_refresh=write_to_pre + t["rp"],
        pre_to_refresh=t["rp"],
        pre_all_to_refresh=t["rp"],
    )


def _ddr(device: Device, rules: _Rules, near: _Spacing, far: _Spacing) -> TimingTables:
    length = np.ones(WIDTH, dtype=np.int64)
    return _assemble(
        device,
        rules,
        (near, far),
        length,
        read_latency=device.timing["rl"] + device.burst_cycles,
        write_latency=device.timing["wl"] + device.burst_cycles,
        window=device.timing["faw"],
        buses=(tuple(_ALL),),
    )


def _lpddr4(device: Device) -> TimingTables:
    t, burst = device.timing, device.burst_cycles
    read_to_pre = t["rtp"] + burst - 6
    write_to_pre = t["wl"] + burst + 1 + t["wr"] + 2
    rules = _Rules(
        act_to_act=t["rc"],
        act_to_pre=t["ras"] + 2,
        act_to_read=t["rcd"],
        act_to_write=t["rcd"],
        read_to_pre=read_to_pre,
        write_to_pre=write_to_pre,
        read_auto_to_act=t["rtp"] + burst - 8 + t["rp"],
        write_auto_to_act=t["wl"] + burst + 1 + t["wr"] + t["rp"],
        pre_to_act=t["rp"] - 2,
        pre_all_to_act=t["rp_ab"] - 2,
        refresh_to_act=t["rfc"] - 2,
        read_to_write=t["rl"] + t["dqsck"] + burst - t["wl"] + t["wpre"] + t["rpst"],
        act_to_refresh=t["rc"] + 2,
        read_auto_to_refresh=read_to_pre + t["rp"],
        write_auto_to_refresh=write_to_pre + t["rp"],
        pre_to_refresh=t["rp"],
        pre_all_to_refresh=t["rp_ab"],
        pre_to_pre=t["ppd"],
    )
    spacing = _Spacing(t["ccd"], t["rrd"], t["wl"] + 1 + burst + t["wtr"])
    length = np.array([4, 2, 4, 4, 4, 4, 2, 2], dtype=np.int64)
    return _assemble(
        device,
        rules,
        (spacing, spacing),
        length,
        read_latency=t["rl"] + t["dqsck"] + burst + 3,
        write_latency=t["wl"] + t["dqss"] + t["dqs2dq"] + burst + 3,
        window=t["faw"] - 3,
        buses=(tuple(_ALL),),
    )


def _hbm2(device: Device) -> TimingTables:
    t, burst = device.timing, device.burst_cycles
    write_to_pre = t["wl"] + burst + t["wr"]
    rules = _Rules(
        act_to_act=t["rc"],
        act_to_pre=t["ras"] + 1,
        act_to_read=t["rcd_rd"] + 1,
        act_to_write=t["rcd_wr"] + 1,
        read_to_pre=t["rtp"],
        write_to_pre=write_to_pre,
        read_auto_to_act=t["rtp"] + t["rp"] - 1,
        write_auto_to_act=write_to_pre + t["rp"] - 1,
        pre_to_act=t["rp"] - 1,
        pre_all_to_act=t["rp"] - 1,
        refresh_to_act=t["rfc"] - 1,
        read_to_write=t["rtw"],
        act_to_refresh=t["rc"] + 1,
        read_auto_to_refresh=t["rtp"] + t["rp"],
        write_auto_to_refresh=write_to_pre + t["rp"],
        pre_to_refresh=t["rp"],
        pre_all_to_refresh=t["rp"],
    )
    write_end = t["wl"] + burst
    length = np.array([2, 1, 1, 1, 1, 1, 1, 1], dtype=np.int64)
    return _assemble(
        device,
        rules,
        (
            _Spacing(t["ccd_l"], t["rrd_l"], write_end + t["wtr_l"]),
            _Spacing(t["ccd_s"], t["rrd_s"], write_end + t["wtr_s"]),
        ),
        length,
        read_latency=t["rl"] + t["dqsck"] + burst,
        write_latency=write_end,
        window=t["faw"],
        buses=(_ROWS, _COLUMNS),
    )


def _assemble(
    device: Device,
    rules: _Rules,
    spacings: tuple[_Spacing, _Spacing],
    length: NDArray[np.int64],
    *,
    read_latency: int,
    write_latency: int,
    window: int,
    buses: tuple[tuple[int, ...], ...],
) -> TimingTables:
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
        read_close=t.get("al", 0) + max(t["rtp"], 4),
        write_close=t["wl"] + device.burst_cycles + t["wr"],
        completion=_completion(device),
        two_buses=len(buses) > 1,
    )


def _completion(device: Device) -> NDArray[np.int64]:
    t, burst = device.timing, device.burst_cycles
    read = t["rl"] + t["dqsck"] + 1 + burst
    write = t["wl"] + burst + t["wr"]
    activate = t.get("rcd", t.get("rcd_rd", 0))
    return np.array([activate, t["rp"], read, write, read, write, t["rp"], 0], dtype=np.int64)


_BUILDERS: dict[str, Callable[[Device], TimingTables]] = {
    "DDR3": _ddr3,
    "DDR4": _ddr4,
    "LPDDR4": _lpddr4,
    "HBM2": _hbm2,
}
