"""Energy of a run from its command counts, after DRAMPower 4 (Chandrasekar et al., IDD-based, no I/O)."""

from __future__ import annotations

__all__ = ["Activity", "EnergyBreakdown", "down_energy", "energy_of"]

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.device import Device
from archgym_simulators.dram.timing import TimingTables

Counts = NDArray[np.int64]  # (N,)
Energies = NDArray[np.float64]  # (N,)


@dataclass(frozen=True, eq=False)
class Activity:
    """What N runs did, each (N,); cycles are summed over ranks."""

    activates: Counts
    precharged_banks: Counts
    reads: Counts
    writes: Counts
    refreshes: Counts
    active_cycles: Counts
    precharged_cycles: Counts


@dataclass(frozen=True, eq=False)
class EnergyBreakdown:
    """Energy by cause in pJ, each (N,); NaN for a device without published currents."""

    activate: Energies
    precharge: Energies
    read: Energies
    write: Energies
    refresh: Energies
    background: Energies

    @property
    def total(self) -> Energies:
        """Sum of the six, added in a fixed order."""
        dynamic = self.activate + self.precharge + self.read + self.write + self.refresh
        return dynamic + self.background


def energy_of(activity: Activity, device: Device, tables: TimingTables) -> EnergyBreakdown:
    """Apply the current-based formula to every run.

    Each term is a current above the background times its duration; mA x V x ns = pJ, times the chips of a rank.
    A second supply (VPP of DDR4, VDD2 of LPDDR4) adds the same terms with its own currents. The sum over the
    simulator's own counters reproduces the energies that DRAMSys 4.0 prints to its printing precision.

    Args:
        activity: Counts of N runs.
        device: Currents, voltages and clock.
        tables: Durations in cycles.
    """
    row_cycle = device.timing["rc"]
    durations = {
        "activate": activity.activates * tables.active_minimum,
        "precharge": activity.precharged_banks * (row_cycle - tables.active_minimum),
        "read": activity.reads * device.burst_cycles,
        "write": activity.writes * device.burst_cycles,
        "refresh": activity.refreshes * tables.refresh_duration,
    }
    above = {"activate": ("i0", "i3n"), "precharge": ("i0", "i2n"), "read": ("i4r", "i3n")}
    above |= {"write": ("i4w", "i3n"), "refresh": ("i5", "i3n")}
    parts: dict[str, Energies] = {
        name: durations[name].astype(np.float64) * _weight(device, current, background)
        for name, (current, background) in above.items()
    }
    standing = activity.active_cycles * _weight(device, "i3n") + activity.precharged_cycles * _weight(device, "i2n")
    return EnergyBreakdown(background=standing, **parts)


def down_energy(
    device: Device,
    tables: TimingTables,
    *,
    active_down: Counts,
    precharge_down: Counts,
    self_refresh: Counts,
    slow_exit: NDArray[np.bool_],
    bank_refreshes: Counts,
) -> tuple[Energies, Energies]:
    """What power-down states and per-bank refreshes add, in pJ.

    States draw IDD3P, IDD2P (of the fast or the slow exit) and IDD6. A per-bank refresh restores the rows of one bank,
    so it is charged as that part of a refresh of all banks: no data sheet at hand has its current over its own tRFC.

    Args:
        device: Currents, voltages and clock.
        tables: Durations in cycles.
        active_down: (N,) cycles in active power-down.
        precharge_down: (N,) cycles in precharge power-down.
        self_refresh: (N,) cycles in self-refresh.
        slow_exit: (N,) whether the DLL is off in precharge power-down.
        bank_refreshes: (N,) per-bank refreshes.
    """
    precharge_weight = np.where(slow_exit, _weight(device, "i2p0"), _weight(device, "i2p1"))
    down = active_down.astype(np.float64) * _weight(device, "i3p1")
    down = down + precharge_down.astype(np.float64) * precharge_weight
    down = down + self_refresh.astype(np.float64) * _weight(device, "i6")
    restored_cycles = bank_refreshes.astype(np.float64) * (tables.refresh_duration / device.banks)
    return down, restored_cycles * _weight(device, "i5", "i3n")


@lru_cache(maxsize=256)
def _weight(device: Device, current: str, background: str | None = None) -> float:
    """Picojoules per cycle that a current, less the background, draws from both supplies of a rank."""
    if "vdd" not in device.power:
        return float("nan")
    power = 0.0
    for suffix in ("", "_2"):
        less = device.power.get(background + suffix, 0.0) if background else 0.0
        amount = device.power.get(current + suffix, 0.0) - less
        power += device.power.get("vdd" + suffix, 0.0) * amount
    # The clock as named, not the whole picoseconds of the event loop: this is what DRAMPower is told.
    return power * (1e3 / device.clock_mhz) * device.devices
