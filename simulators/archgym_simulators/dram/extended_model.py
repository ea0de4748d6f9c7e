"""The model of the extended space: as `model.simulate`, for designs that choose maps, channels and power-down too."""

from __future__ import annotations

__all__ = ["ExtendedTraces", "extended_command_trace", "run_extended_designs", "simulate_extended"]

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.device import Device
from archgym_simulators.dram.device import device as device_by_name
from archgym_simulators.dram.extended_design import ExtendedDesign
from archgym_simulators.dram.extended_layout import MORE_COMMANDS
from archgym_simulators.dram.extended_results import ExtendedResult, extended_result_of
from archgym_simulators.dram.extended_trace import ExtendedTrace
from archgym_simulators.dram.interleaving import INTERLEAVINGS, ORDERS, hashed, interleaved
from archgym_simulators.dram.model import CommandTrace
from archgym_simulators.dram.timing import COMMANDS
from archgym_simulators.dram.trace import Trace

Ints = NDArray[np.int64]

PARAMETERS = tuple(field.name for field in fields(ExtendedDesign))
KERNEL_COLUMNS = 13
"""Columns of a design that the kernel sees; the others choose the map."""
MAP_COLUMNS = slice(KERNEL_COLUMNS, len(PARAMETERS))


class ExtendedTraces:
    """A trace, decoded for each address map that a design asks for, and kept.

    Args:
        trace: R requests.
        device: of one channel.
        player_clock_mhz: clock of the trace player; by default the device's command clock.
    """

    def __init__(self, trace: Trace, device: Device, player_clock_mhz: float | None = None) -> None:
        self.trace = trace
        self.device = device
        self.player_clock_mhz = player_clock_mhz
        self._decoded: dict[tuple[int, ...], ExtendedTrace] = {}

    def of(self, codes: Sequence[int]) -> ExtendedTrace:
        """The trace under one map: codes of address_map, bank_hashing, channels, channel_interleaving."""
        key = tuple(codes)
        if key not in self._decoded:
            order, hashing, channels, interleaving = key
            mapping = interleaved(
                tuple(ORDERS)[order], self.device, channels=channels, interleaving=INTERLEAVINGS[interleaving]
            )
            self._decoded[key] = ExtendedTrace.build(
                self.trace,
                device=self.device,
                mapping=hashed(mapping, self.device) if hashing else mapping,
                channels=channels,
                player_clock_mhz=self.player_clock_mhz,
            )
        return self._decoded[key]


def simulate_extended(
    trace: Trace | ExtendedTraces,
    designs: Sequence[ExtendedDesign] | Ints,
    *,
    device: Device | str = "DDR3-1600",
    player_clock_mhz: float | None = None,
    rules: str = "realistic",
    charge_queues: bool = True,
) -> ExtendedResult:
    """Simulate every design on one trace; see `model.simulate` for the rules.

    Args:
        trace: R requests, or a trace that was decoded before (then device and player_clock_mhz are not used).
        designs: N designs, or their codes (N, 17).
        device: of one channel, or its name.
        player_clock_mhz: clock of the trace's time stamps; by default the device's command clock.
        rules: "realistic" or "archgym".
        charge_queues: whether request queues cost area and power.

    Raises:
        InputError: for an unknown name or a value out of range.
    """
    if isinstance(trace, Trace):
        memory = device_by_name(device) if isinstance(device, str) else device
        trace = ExtendedTraces(trace, memory, player_clock_mhz)
    codes = designs if isinstance(designs, np.ndarray) else _codes(designs)
    maps, group = np.unique(codes[:, MAP_COLUMNS], axis=0, return_inverse=True)
    group = group.ravel()
    if len(codes) == 0:
        maps = np.array([[0, 0, trace.device.channels, 0]])
    parts = []
    for number, chosen in enumerate(maps.tolist()):
        rows = np.ascontiguousarray(codes[group == number, :KERNEL_COLUMNS])
        parts.append(run_extended_designs(trace.of(chosen), rows, rules=rules, charge_queues=charge_queues))
    return _join(parts, np.argsort(np.argsort(group, kind="stable"), kind="stable"))


def run_extended_designs(
    trace: ExtendedTrace, rows: Ints, *, rules: str = "realistic", charge_queues: bool = True
) -> ExtendedResult:
    """Simulate designs (N, 13) that share a map."""
    from archgym_simulators.dram import extended_kernel

    counters = np.zeros((len(rows), len(extended_kernel.COUNTER_NAMES)), dtype=np.int64)
    no_log = np.empty((0, 4), dtype=np.int64)
    extended_kernel.simulate_extended_slice(0, len(rows), rows, trace.kernel_arguments, no_log, counters)
    return extended_result_of(trace, rows, counters, charge_debt=rules == "realistic", charge_queues=charge_queues)


def extended_command_trace(traces: ExtendedTraces, design: ExtendedDesign) -> CommandTrace:
    """Return every command that one design issues, in order of time; ranks are counted over channels.

    Beside the commands of `model.CommandTrace`: "REFB" (per-bank refresh), "PDEA" and "PDEP" (entry of active and
    precharge power-down), "PDX" (exit), "SREN" and "SREX" (self-refresh); all but REFB are of a rank.
    """
    from archgym_simulators.dram import extended_kernel

    codes = _codes([design])
    trace = traces.of(codes[0, MAP_COLUMNS].tolist())
    prepared, rows = trace.prepared, np.ascontiguousarray(codes[:, :KERNEL_COLUMNS])
    log = np.full((16 * len(trace) + 4096, 4), -1, dtype=np.int64)
    counters = np.zeros((1, len(extended_kernel.COUNTER_NAMES)), dtype=np.int64)
    extended_kernel.simulate_extended_slice(0, 1, rows, trace.kernel_arguments, log, counters)
    log = log[log[:, 1] >= 0]
    log = log[np.argsort(log[:, 0], kind="stable")]
    request, banks = log[:, 3], prepared.device.banks
    column = prepared.map.extract(prepared.trace.address, "column")
    return CommandTrace(
        cycle=log[:, 0].copy(),
        command=np.array(COMMANDS + MORE_COMMANDS)[log[:, 1]],
        rank=log[:, 2] // banks,
        bank=log[:, 2] % banks,
        row=np.where(request >= 0, prepared.row[request], 0),
        column=np.where(request >= 0, column[request], 0),
    )


def _codes(designs: Sequence[ExtendedDesign]) -> Ints:
    return np.array([design.codes for design in designs], dtype=np.int64).reshape(-1, len(PARAMETERS))


def _join(parts: list[ExtendedResult], order: NDArray[np.intp]) -> ExtendedResult:
    """Results of groups, one after another, in the order of the designs."""
    if len(parts) == 1:
        return parts[0]
    names = [field.name for field in fields(ExtendedResult)]
    return ExtendedResult(**{name: np.concatenate([getattr(p, name) for p in parts])[order] for name in names})
