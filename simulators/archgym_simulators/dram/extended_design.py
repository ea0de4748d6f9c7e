"""The extended design space: the standard ten parameters and what a memory system adds to them."""

from __future__ import annotations

__all__ = ["EXTENDED_BASELINE", "ExtendedDesign", "extended_parameters", "extended_space"]

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from archgym_simulators.constraints import InertWhen
from archgym_simulators.dram.controller import WORDS, ControllerDesign
from archgym_simulators.dram.design import BASELINE, INERT, LOSES_DATA, PARAMETERS
from archgym_simulators.dram.device import Device
from archgym_simulators.dram.extended_trace import can_power_down, has_bank_refresh, has_slow_exit, most_channels
from archgym_simulators.dram.interleaving import INTERLEAVINGS, ORDERS, orders_of
from archgym_simulators.parameters import Categorical, Ordinal, Parameter
from archgym_simulators.space import Design, DesignSpace

POWER_DOWN = ("NoPowerDown", "Staggered", "ActiveIdle", "PrechargeIdle", "SelfRefreshIdle")
REFRESH = (*WORDS["refresh_policy"], "PerBank")
BUFFER_SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 48, 64)
IDLE_CYCLES = (0, 16, 64, 256, 1024)


@dataclass(frozen=True)
class ExtendedDesign(ControllerDesign):
    """The parameters of the extended space; numbers may lie outside it.

    Attributes:
        power_down: "NoPowerDown", "Staggered", "ActiveIdle", "PrechargeIdle" or "SelfRefreshIdle".
        power_down_after: cycles for which a rank is idle before it enters power-down; Staggered does not wait.
        power_down_exit: "Fast" or "Slow" (the DLL is off in precharge power-down).
        address_map: an order of `interleaving.ORDERS`.
        bank_hashing: "Off" or "On".
        channels: a power of two.
        channel_interleaving: "line", "page" or "region".
    """

    power_down: str = "NoPowerDown"
    power_down_after: int = 0
    power_down_exit: str = "Fast"
    address_map: str = "row-bank-column"
    bank_hashing: str = "Off"
    channels: int = 1
    channel_interleaving: str = "line"

    words: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **WORDS,
        "refresh_policy": REFRESH,
        "power_down": POWER_DOWN,
        "power_down_exit": ("Fast", "Slow"),
        "address_map": tuple(ORDERS),
        "bank_hashing": ("Off", "On"),
        "channel_interleaving": INTERLEAVINGS,
    }
    lowest: ClassVar[Mapping[str, int]] = {"power_down_after": 0}


EXTENDED_BASELINE: Design = {
    **BASELINE,
    "power_down": "NoPowerDown",
    "power_down_after": 0,
    "power_down_exit": "Fast",
    "address_map": "row-bank-column",
    "bank_hashing": "Off",
    "channels": 1,
    "channel_interleaving": "line",
}
"""The baseline of the standard space, row by bank by column over one channel, always awake."""

MORE_INERT = (
    InertWhen("power_down_after", "power_down", ("NoPowerDown", "Staggered")),
    InertWhen("power_down_exit", "power_down", ("NoPowerDown",)),
    InertWhen("channel_interleaving", "channels", (1,)),
)


def extended_space(device: Device, rules: str) -> DesignSpace:
    """The extended space of a device under a set of rules; what the device cannot do is not in it."""
    parameters = tuple(extended_parameters(device))
    names = {parameter.name for parameter in parameters}
    choices = {
        parameter.name: parameter.values for parameter in parameters if isinstance(parameter, Categorical | Ordinal)
    }
    inert = [
        InertWhen(fold.parameter, fold.condition, tuple(v for v in fold.values if v in choices[fold.condition]))
        for fold in (*INERT, *MORE_INERT)
        if {fold.parameter, fold.condition} <= names
    ]
    constraints = [LOSES_DATA] if rules == "realistic" else []
    return DesignSpace(parameters, constraints=constraints, inert=[fold for fold in inert if fold.values])


def extended_parameters(device: Device) -> Iterator[Parameter]:
    """The parameters that a device has, the standard ones first."""
    for parameter in PARAMETERS:
        if parameter.name == "request_buffer_size":
            yield Ordinal(
                parameter.name, BUFFER_SIZES, "requests", description=parameter.description, group=parameter.group
            )
        elif parameter.name == "refresh_policy" and has_bank_refresh(device):
            yield Categorical(
                parameter.name,
                REFRESH,
                description="Refresh all banks together every tREFI, or one bank after another, or never.",
                group=parameter.group,
            )
        else:
            yield parameter
    if can_power_down(device):
        yield from _power_down(device)
    yield from _mapping(device)


def _power_down(device: Device) -> Iterator[Parameter]:
    yield Categorical(
        "power_down",
        POWER_DOWN,
        description="When an idle rank powers down: never; at once, then self-refresh; after a time as it is, with its "
        "banks closed, or so and then self-refresh.",
        group="power",
    )
    yield Ordinal(
        "power_down_after",
        IDLE_CYCLES,
        "cycles",
        description="Command clocks for which a rank is idle before it powers down.",
        group="power",
    )
    if has_slow_exit(device):
        yield Categorical(
            "power_down_exit",
            ("Fast", "Slow"),
            description="Whether precharge power-down keeps the DLL on, or saves its power and takes tXPDLL to leave.",
            group="power",
        )


def _mapping(device: Device) -> Iterator[Parameter]:
    yield Categorical(
        "address_map",
        orders_of(device),
        description="Order of the address fields, most significant first; a block is four lines of 64 bytes.",
        group="mapping",
    )
    yield Categorical(
        "bank_hashing",
        ("Off", "On"),
        description="Whether the bank is the exclusive or of its address bits with the row's lowest bits.",
        group="mapping",
    )
    most = most_channels(device)
    counts = (device.channels,) if device.channels > 1 else tuple(2**n for n in range(most.bit_length()))
    yield Ordinal(
        "channels",
        counts,
        "channels",
        description="Independent channels, each with a controller and memory of its own.",
        group="mapping",
    )
    yield Categorical(
        "channel_interleaving",
        INTERLEAVINGS,
        description="What lies in another channel: the next 64-byte line, the next row, or the next region.",
        group="mapping",
    )
