"""The timing rules of each memory standard.

As described for DRAMSys 4.0 (Steiner et al., SAMOS 2020), after JESD79-3 (DDR3), JESD79-4 (DDR4), JESD209-4
(LPDDR4), JESD235 (HBM2) and JESD229 (WideIO). Where commands take several cycles, distances count from the first one.
"""

from __future__ import annotations

__all__ = ["timing_tables"]

from collections.abc import Callable

from archgym_simulators.dram.device import Device
from archgym_simulators.dram.timing import (
    ACT,
    ALL_COMMANDS,
    COLUMN_COMMANDS,
    PRE,
    PREA,
    RD,
    RDA,
    REFA,
    ROW_COMMANDS,
    WR,
    WRA,
    Rules,
    Spacing,
    TimingTables,
    assemble,
    by_command,
)
from archgym_simulators.errors import InputError


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


def _ddr3(device: Device) -> TimingTables:
    t = device.timing
    spacing = Spacing(t["ccd"], t["rrd"], t["wl"] + device.burst_cycles + t["wtr"])
    read_to_write = t["rl"] + device.burst_cycles + 2 - t["wl"]
    return _ddr(device, _ddr_rules(device, read_to_write), spacing, spacing)


def _ddr4(device: Device) -> TimingTables:
    t = device.timing
    write_end = t["wl"] + device.burst_cycles
    near = Spacing(t["ccd_l"], t["rrd_l"], write_end + t["wtr_l"])
    far = Spacing(t["ccd_s"], t["rrd_s"], write_end + t["wtr_s"])
    read_to_write = t["rl"] + device.burst_cycles + 1 - t["wl"] + t["wpre"]
    return _ddr(device, _ddr_rules(device, read_to_write), near, far)


def _ddr_rules(device: Device, read_to_write: int) -> Rules:
    t = device.timing
    read_to_pre = t["al"] + t["rtp"]
    write_to_pre = t["wl"] + device.burst_cycles + t["wr"]
    return Rules(
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


def _ddr(device: Device, rules: Rules, near: Spacing, far: Spacing) -> TimingTables:
    length = by_command({})
    return assemble(
        device,
        rules,
        (near, far),
        length,
        read_latency=device.timing["rl"] + device.burst_cycles,
        write_latency=device.timing["wl"] + device.burst_cycles,
        window=device.timing["faw"],
        buses=(tuple(ALL_COMMANDS),),
    )


def _lpddr4(device: Device) -> TimingTables:
    t, burst = device.timing, device.burst_cycles
    read_to_pre = t["rtp"] + burst - 6
    write_to_pre = t["wl"] + burst + 1 + t["wr"] + 2
    rules = Rules(
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
    spacing = Spacing(t["ccd"], t["rrd"], t["wl"] + 1 + burst + t["wtr"])
    length = by_command({ACT: 4, RD: 4, WR: 4, RDA: 4, WRA: 4, PRE: 2, PREA: 2, REFA: 2})
    return assemble(
        device,
        rules,
        (spacing, spacing),
        length,
        read_latency=t["rl"] + t["dqsck"] + burst + 3,
        write_latency=t["wl"] + t["dqss"] + t["dqs2dq"] + burst + 3,
        window=t["faw"] - 3,
        buses=(tuple(ALL_COMMANDS),),
    )


def _hbm2(device: Device) -> TimingTables:
    t, burst = device.timing, device.burst_cycles
    write_to_pre = t["wl"] + burst + t["wr"]
    rules = Rules(
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
    length = by_command({ACT: 2})
    return assemble(
        device,
        rules,
        (
            Spacing(t["ccd_l"], t["rrd_l"], write_end + t["wtr_l"]),
            Spacing(t["ccd_s"], t["rrd_s"], write_end + t["wtr_s"]),
        ),
        length,
        read_latency=t["rl"] + t["dqsck"] + burst,
        write_latency=write_end,
        window=t["faw"],
        buses=(ROW_COMMANDS, COLUMN_COMMANDS),
    )


def _wideio(device: Device) -> TimingTables:
    """Single data rate: a burst takes as many cycles as it has beats; two activations in a window."""
    t, burst = device.timing, device.burst_cycles
    write_end = t["wl"] + burst - 1
    rules = Rules(
        act_to_act=t["rc"],
        act_to_pre=t["ras"],
        act_to_read=t["rcd"],
        act_to_write=t["rcd"],
        read_to_pre=burst,
        write_to_pre=write_end + t["wr"],
        read_auto_to_act=burst + t["rp"],
        write_auto_to_act=write_end + t["wr"] + t["rp"],
        pre_to_act=t["rp"],
        pre_all_to_act=t["rp"],
        refresh_to_act=t["rfc"],
        read_to_write=t["rl"] + burst + 1,
        act_to_refresh=t["rc"],
        read_auto_to_refresh=burst + t["rp"],
        write_auto_to_refresh=write_end + t["wr"] + t["rp"],
        pre_to_refresh=t["rp"],
        pre_all_to_refresh=t["rp"],
    )
    spacing = Spacing(burst, t["rrd"], write_end + t["wtr"])
    return assemble(
        device,
        rules,
        (spacing, spacing),
        by_command({}),
        read_latency=t["rl"] + t["ac"] + burst,
        write_latency=t["wl"] + burst,
        window=t["taw"],
        buses=(tuple(ALL_COMMANDS),),
    )


_BUILDERS: dict[str, Callable[[Device], TimingTables]] = {
    "DDR3": _ddr3,
    "DDR4": _ddr4,
    "LPDDR4": _lpddr4,
    "HBM2": _hbm2,
    "WideIO": _wideio,
}
