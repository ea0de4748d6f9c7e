"""DRAM devices and address maps by name; both are data, read at first use."""

from __future__ import annotations

__all__ = ["AddressMap", "Device", "address_map", "address_map_names", "device", "device_names"]

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean

_FIELDS = ("byte", "column", "bank_group", "bank", "rank", "channel", "row")


@dataclass(frozen=True, eq=False)
class Device:
    """A memory's devices: organisation of a channel, timing and currents.

    Attributes:
        name: Full name of the part.
        standard: "DDR3", "DDR4", "LPDDR4", "HBM2" or "WideIO"; decides which timing rules apply.
        source: Where the figures come from.
        clock_mhz: Command clock.
        burst_length: Beats per column command.
        data_rate: Beats per clock.
        width_bits: Data pins of one chip.
        devices: Chips side by side in one rank.
        ranks: Ranks (HBM2: pseudo channels) that share the command bus.
        bank_groups: Bank groups of one rank; 1 where the standard has none.
        banks: Banks of one rank, over all bank groups.
        rows: Rows of one bank.
        columns: Columns of one row.
        timing: Cycles of the command clock, JEDEC names without the leading t.
        power: Currents in mA per chip and voltages in V; empty where nobody published them.
        default_map: Name of the address map used where none is given.
        aliases: Short names.
        channels: Channels of the part, each with a controller of its own.
    """

    name: str
    standard: str
    source: str
    clock_mhz: float
    burst_length: int
    data_rate: int
    width_bits: int
    devices: int
    ranks: int
    bank_groups: int
    banks: int
    rows: int
    columns: int
    timing: Mapping[str, int]
    power: Mapping[str, float]
    default_map: str
    aliases: tuple[str, ...] = field(default=())
    channels: int = 1

    @property
    def period_ps(self) -> int:
        """Length of a command clock, in the whole picoseconds in which the reference simulators count."""
        return round(1e6 / self.clock_mhz)

    @property
    def burst_cycles(self) -> int:
        """Clocks for which a burst holds the data bus."""
        return self.burst_length // self.data_rate

    @property
    def access_bytes(self) -> int:
        """Bytes moved by one column command."""
        return self.burst_length * self.width_bits * self.devices // 8

    @property
    def capacity_bytes(self) -> int:
        """Bytes of all channels."""
        return self.channels * self.ranks * self.banks * self.rows * self.columns * self.width_bits * self.devices // 8


@dataclass(frozen=True)
class AddressMap:
    """Which address bits select what: field name to (lowest bit, highest bit), both included.

    Bits above the highest field are ignored. Fields: byte, column, bank_group, bank, rank, channel, row.

    >>> AddressMap("tiny", {"byte": (0, 2), "column": (3, 5), "bank": (6, 6), "row": (7, 9)}).bits
    10
    """

    name: str
    fields: Mapping[str, tuple[int, int]]

    @property
    def bits(self) -> int:
        """Number of address bits in use."""
        return 1 + max(high for _, high in self.fields.values())

    def extract(self, address: NDArray[np.int64], field: str) -> NDArray[np.int64]:
        """Return one field of every address, (R,) int64; zero where the map has no such field."""
        if field not in self.fields:
            return np.zeros_like(address)
        low, high = self.fields[field]
        return (address >> low) & ((1 << (high - low + 1)) - 1)

    def bank_index(self, address: NDArray[np.int64], device: Device) -> NDArray[np.int64]:
        """Return the bank of every address, (R,), counted over channels, ranks, bank groups, then banks."""
        return bank_index(self, address, device)

    def check(self, device: Device) -> None:
        """Refuse a map that does not fit the device.

        Raises:
            InputError: names the field, its bits and the bits that the device needs.
        """
        for name, count in organisation(device).items():
            low, high = self.fields.get(name, (0, -1))
            if high - low + 1 != _bits(count):
                raise InputError(
                    f"address map {self.name!r} has {high - low + 1} bits for {name}, "
                    f"device {device.name!r} needs {_bits(count)}; choose a map made for this device"
                )


class ReadsFields(Protocol):
    """What maps of every kind can do."""

    def extract(self, address: NDArray[np.int64], field: str) -> NDArray[np.int64]: ...


def bank_index(mapping: ReadsFields, address: NDArray[np.int64], device: Device) -> NDArray[np.int64]:
    """Return the bank of every address, (R,), counted over channels, ranks, bank groups, then banks."""
    per_group = device.banks // device.bank_groups
    group = mapping.extract(address, "bank_group")
    bank = mapping.extract(address, "bank")
    rank = mapping.extract(address, "channel") * device.ranks + mapping.extract(address, "rank")
    return rank * device.banks + group * per_group + bank


def device_names() -> tuple[str, ...]:
    """Names that `device` accepts: short names first, then full names."""
    short = [alias for entry in _devices() for alias in entry.aliases]
    full = [entry.name for entry in _devices() if entry.name not in short]
    return (*short, *full)


def device(name: str) -> Device:
    """Return a device by its short or full name.

    >>> device("DDR3-1600").name
    'MICRON_1Gb_DDR3-1600_8bit_G'

    Raises:
        InputError: for an unknown name.
    """
    for entry in _devices():
        if name == entry.name or name in entry.aliases:
            return entry
    names = device_names()
    raise InputError(
        f"unknown device {name!r}; allowed are {allowed_values(names, most=20)}{did_you_mean(name, names)}"
    )


def address_map_names() -> tuple[str, ...]:
    """Names that `address_map` accepts."""
    return (*_GENERIC_ORDERS, *_named_maps())


def address_map(name: str, device: Device) -> AddressMap:
    """Return an address map that fits ``device``.

    ``row-bank-column`` and ``bank-row-column`` (most significant field first) exist for every device; the
    others belong to one organisation.

    Raises:
        InputError: for an unknown name, or a map of another organisation.
    """
    if name in _GENERIC_ORDERS:
        return _generic_map(name, device)
    fields = _named_maps().get(name)
    if fields is None:
        names = address_map_names()
        raise InputError(
            f"unknown address map {name!r}; allowed are {allowed_values(names)}{did_you_mean(name, names)}"
        )
    found = AddressMap(name, fields)
    found.check(device)
    return found


# Least significant field first.
_GENERIC_ORDERS = {
    "row-bank-column": ("byte", "column", "bank_group", "bank", "rank", "row", "channel"),
    "bank-row-column": ("byte", "column", "row", "bank", "bank_group", "rank", "channel"),
}


def organisation(device: Device) -> dict[str, int]:
    """How many values each field of an address has."""
    return {
        "byte": max(1, device.width_bits * device.devices // 8),
        "column": device.columns,
        "bank_group": device.bank_groups,
        "bank": device.banks // device.bank_groups,
        "rank": device.ranks,
        "row": device.rows,
        "channel": device.channels,
    }


def _bits(count: int) -> int:
    return (count - 1).bit_length()


def _generic_map(name: str, device: Device) -> AddressMap:
    fields: dict[str, tuple[int, int]] = {}
    low = 0
    for part in _GENERIC_ORDERS[name]:
        width = _bits(organisation(device)[part])
        if width:
            fields[part] = (low, low + width - 1)
            low += width
    return AddressMap(name, MappingProxyType(fields))


@cache
def _tables() -> dict[str, Any]:
    text = (files("archgym_simulators.dram") / "devices.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _devices() -> tuple[Device, ...]:
    return tuple(_device_of(row) for row in _tables()["device"])


def _device_of(row: dict[str, Any]) -> Device:
    values = dict(row)
    values["aliases"] = tuple(values.get("aliases", ()))
    values["timing"] = MappingProxyType(values["timing"])
    values["power"] = MappingProxyType(values.get("power", {}))
    values["default_map"] = values.pop("address_map", "row-bank-column")
    return Device(**values)


@cache
def _named_maps() -> dict[str, Mapping[str, tuple[int, int]]]:
    return {
        name: MappingProxyType({part: (bits[0], bits[1]) for part, bits in row.items()})
        for name, row in _tables()["address_map"].items()
    }
