"""A trace decoded for the extended loop: one device, address map, number of channels and player clock."""

from __future__ import annotations

__all__ = ["ExtendedTrace", "can_power_down", "has_bank_refresh", "has_slow_exit", "most_channels"]

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram import extended_layout as ext
from archgym_simulators.dram import layout as lay
from archgym_simulators.dram.device import AddressMap, Device
from archgym_simulators.dram.interleaving import BitMap
from archgym_simulators.dram.prepared import PreparedTrace, next_equal
from archgym_simulators.dram.timing import ACT, PRE, PREA, RD, RDA, REFA, WR, WRA, TimingTables
from archgym_simulators.dram.trace import Trace
from archgym_simulators.errors import InputError

Ints = NDArray[np.int64]


def has_bank_refresh(device: Device) -> bool:
    """Whether a device can refresh single banks (LPDDR4, HBM2)."""
    return "rfc_pb" in device.timing


def can_power_down(device: Device) -> bool:
    """Whether the timing of power-down and self-refresh is in the device's table."""
    return {"cke", "xp", "xs"} <= set(device.timing)


def has_slow_exit(device: Device) -> bool:
    """Whether precharge power-down may stop the DLL, and saves by it (DDR3; DDR4 has no such mode register bit)."""
    slow, fast = device.power.get("i2p0"), device.power.get("i2p1")
    return device.standard == "DDR3" and "xpdll" in device.timing and slow is not None and slow != fast


def most_channels(device: Device) -> int:
    """How many channels of a device the kernel has room for."""
    by_ranks = lay.MOST_RANKS // device.ranks
    by_banks = lay.MOST_BANKS // (device.ranks * device.banks)
    by_groups = lay.MOST_GROUPS // (device.ranks * device.bank_groups)
    return int(min(by_ranks, by_banks, by_groups))


@dataclass(frozen=True, eq=False)
class ExtendedTrace:
    """Build one with `ExtendedTrace.build` and use it for any number of designs and calls.

    Attributes:
        prepared: the trace as the standard loop sees it, with the ranks of all channels as ranks of one.
        device: of one channel.
        channels: number of channels.
        kernel_arguments: what the kernel is called with.
    """

    prepared: PreparedTrace
    device: Device
    channels: int
    kernel_arguments: tuple[Ints, Ints, Ints, Ints, Ints, Ints, Ints]

    @classmethod
    def build(
        cls,
        trace: Trace,
        *,
        device: Device,
        mapping: AddressMap | BitMap,
        channels: int,
        player_clock_mhz: float | None = None,
    ) -> ExtendedTrace:
        """Decode addresses, link requests, and pack timing.

        Args:
            trace: R requests.
            device: of one channel.
            mapping: how addresses select channels, banks, rows and columns.
            channels: a power of two; as many as the map selects.
            player_clock_mhz: clock of the trace player; by default the device's command clock.

        Raises:
            InputError: more channels than the kernel has room for, or as `PreparedTrace.build`.
        """
        if channels > most_channels(device):
            raise InputError(
                f"channels {channels} is out of range for {device.name}; allowed are at most {most_channels(device)}"
            )
        wide = replace(device, ranks=device.ranks * channels)
        prepared = PreparedTrace.decode(
            trace, device=wide, mapping=mapping, of=device, player_clock_mhz=player_clock_mhz
        )
        template, packed, arrival, twin, _, first = prepared.kernel_arguments
        following = next_equal(prepared.bank // (device.ranks * device.banks))[: len(trace)]
        more = _pack_device(device, prepared.tables, channels)
        return cls(prepared, device, channels, (template, more, packed, arrival, twin, first, following))

    def __len__(self) -> int:
        """Return R, the number of requests."""
        return len(self.prepared)


def _pack_device(device: Device, tables: TimingTables, channels: int) -> Ints:
    refresh_length, act_longer = int(tables.length[REFA]), int(tables.length[ACT] - tables.length[REFA])
    figures = {
        "channels": channels,
        "channel_banks": device.ranks * device.banks,
        "channel_bank_bits": (device.ranks * device.banks - 1).bit_length(),
        "channel_ranks": device.ranks,
        "channel_groups": device.ranks * device.bank_groups,
        "window_depth": 2 if "taw" in device.timing else 4,
        "row_length": refresh_length,
        **(_power_down(device, tables) if can_power_down(device) else {}),
        **(_bank_refresh(device.timing, tables, act_longer) if has_bank_refresh(device) else {}),
    }
    state = np.zeros(ext.SIZE, dtype=np.int64)
    for name, values in figures.items():
        flat = np.asarray(values, dtype=np.int64).reshape(-1)
        state[ext.OFFSETS[name] : ext.OFFSETS[name] + flat.size] = flat
    return state


def _power_down(device: Device, tables: TimingTables) -> Mapping[str, object]:
    """Distances of power-down; the names are those of JESD79-3, 4.17 (tRDPDEN, tWRPDEN and so on)."""
    t = device.timing
    before = np.zeros(8, dtype=np.int64)
    before[ACT] = t.get("actpden", t.get("cmdcke", 1))
    before[[PRE, PREA]] = t.get("prpden", t.get("cmdcke", 1))
    before[[RD, RDA]] = tables.read_latency + 1
    before[[WR, WRA]] = tables.write_close, tables.write_close + 1
    before[REFA] = tables.refresh_duration
    return {
        "before_down": before,
        "cke": t["cke"],
        "exit": t["xp"],
        "exit_slow": t.get("xpdll", t["xp"]),
        "self_minimum": t.get("ckesr", t.get("sr", t["cke"])),
        "self_exit": t["xs"],
        "self_exit_column": max(t["xs"], t.get("xsdll", 0)),
    }


def _bank_refresh(t: Mapping[str, int], tables: TimingTables, act_longer: int) -> Mapping[str, int]:
    """Distances of per-bank refresh, from the refresh command's first cycle to that of the next command."""
    return {
        "bank_interval": t["refi_pb"],
        "bank_duration": t["rfc_pb"],
        "bank_to_act": t["rfc_pb"] - act_longer,
        "bank_to_other": t.get("rrefd", t.get("rrd", 0)) - act_longer,
        "bank_to_bank": t.get("rrefd", t["rfc_pb"]),
    }
