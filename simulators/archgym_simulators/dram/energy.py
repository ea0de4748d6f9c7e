"""Energy of a run from its command counts, after DRAMPower 4 (Chandrasekar et al., IDD-based, no I/O)."""

from __future__ import annotations

__all__ = ["Activity", "EnergyBreakdown", "energy_of"]

from dataclasses import dataclass

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
