"""Address maps as a design chooses them: an order of fields, where the channel is, and hashed banks.

An order names fields from the most significant on; column bits within a 64-byte line always come last. ``column``
before ``bank`` in a name therefore means that neighbouring lines lie in different banks. Hashing replaces the bank by
its exclusive or with as many low bits of the row (permutation-based page interleaving, Zhang, Zhu and Zhang, MICRO
2000): rows that conflict in a bank then spread over all banks, and each row stays in one bank.
"""

from __future__ import annotations

__all__ = ["INTERLEAVINGS", "ORDERS", "BitMap", "hashed", "interleaved", "orders_of"]

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.device import AddressMap, Device, bank_index, organisation
from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean

LINE_BYTES = 64
_BLOCK_LINES = 4

# Least significant field first; "line" are the column bits within a line, "block" those within four lines, "column"
# all that are left.
ORDERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "row-bank-column": ("byte", "line", "column", "bank_group", "bank", "rank", "row"),
        "row-column-bank": ("byte", "line", "bank_group", "bank", "rank", "column", "row"),
        "row-column-bank-block": ("byte", "line", "block", "bank_group", "bank", "rank", "column", "row"),
        "row-bank-column-group": ("byte", "line", "bank_group", "column", "bank", "rank", "row"),
        "bank-row-column": ("byte", "line", "column", "row", "bank", "bank_group", "rank"),
    }
)
INTERLEAVINGS = ("line", "page", "region")


@dataclass(frozen=True)
class BitMap:
    """Which address bits make up a field, lowest first; fields need not be contiguous.

    Attributes:
        name: of the order.
        positions: address bits by field: byte, column, bank_group, bank, rank, channel, row.
        banks: of a rank, where bank and bank group are hashed with the row; 0: not hashed.

    >>> tiny = BitMap("tiny", {"column": (0, 3), "bank": (1, 2), "row": (4, 5)}, banks=4)
    >>> [int(tiny.extract(np.array([0b110110]), name)[0]) for name in ("row", "bank", "column")]
    [3, 0, 0]
    """

    name: str
    positions: Mapping[str, tuple[int, ...]]
    banks: int = 0

    def extract(self, address: NDArray[np.int64], field: str) -> NDArray[np.int64]:
        """Return one field of every address, (R,) int64; zero where the map has no such field."""
        if self.banks and field in ("bank", "bank_group"):
            return self._hashed(address, field)
        return self._plain(address, field)

    def _plain(self, address: NDArray[np.int64], field: str) -> NDArray[np.int64]:
        value = np.zeros_like(address)
        for place, bit in enumerate(self.positions.get(field, ())):
            value |= ((address >> bit) & 1) << place
        return value

    def _hashed(self, address: NDArray[np.int64], field: str) -> NDArray[np.int64]:
        """Bank and bank group are one number here, so that the row's lowest bits also change the group."""
        width = len(self.positions.get("bank", ()))
        bank = self._plain(address, "bank_group") << width | self._plain(address, "bank")
        bank ^= self._plain(address, "row") & (self.banks - 1)
        return bank >> width if field == "bank_group" else bank & ((1 << width) - 1)

    def bank_index(self, address: NDArray[np.int64], device: Device) -> NDArray[np.int64]:
        """Return the bank of every address, (R,), counted over channels, ranks, bank groups, then banks."""
        return bank_index(self, address, device)


def orders_of(device: Device) -> tuple[str, ...]:
    """The orders that differ from each other on a device."""
    return tuple(name for name in ORDERS if device.bank_groups > 1 or name != "row-bank-column-group")


def interleaved(order: str, device: Device, *, channels: int, interleaving: str = "line") -> BitMap:
    """The map of an order on a device.

    Args:
        order: a name of `ORDERS`.
        device: what the fields select.
        channels: a power of two.
        interleaving: neighbouring 64-byte lines lie in different channels (``"line"``), neighbouring pieces as long as
            a row (``"page"``), or the device's capacity is cut into as many regions (``"region"``).

    Raises:
        InputError: an unknown name.
    """
    _check(order, tuple(ORDERS), "address map")
    _check(interleaving, INTERLEAVINGS, "channel interleaving")
    fields = list(_fields_of_bits(order, device))
    width = (channels - 1).bit_length()
    page = organisation(device)["byte"] * device.columns
    capacity = device.capacity_bytes // device.channels
    if device.channels > 1 and interleaving == "region":
        capacity *= channels
    lowest = {"line": _line_bytes(device), "page": page, "region": capacity // channels}[interleaving]
    at = min(lowest.bit_length() - 1, len(fields))
    fields[at:at] = ["channel"] * width
    positions: dict[str, tuple[int, ...]] = {}
    for bit, field in enumerate(fields):
        positions[field] = (*positions.get(field, ()), bit)
    return BitMap(order, MappingProxyType(positions))


def hashed(mapping: AddressMap | BitMap, device: Device) -> BitMap:
    """The map with its banks hashed."""
    if isinstance(mapping, BitMap):
        return BitMap(mapping.name, mapping.positions, device.banks)
    bits = {field: tuple(range(low, high + 1)) for field, (low, high) in mapping.fields.items()}
    return BitMap(mapping.name, MappingProxyType(bits), device.banks)


def _fields_of_bits(order: str, device: Device) -> Iterator[str]:
    """The field of every address bit of one channel, lowest bit first."""
    counts = organisation(device)
    left = counts["column"].bit_length() - 1
    line = min(left, (_line_bytes(device) // counts["byte"]).bit_length() - 1)
    for part in ORDERS[order]:
        if part in ("line", "block", "column"):
            width = min(left, {"line": line, "block": _BLOCK_LINES.bit_length() - 1, "column": left}[part])
            left -= width
            yield from ["column"] * width
        else:
            yield from [part] * (counts[part] - 1).bit_length()


def _line_bytes(device: Device) -> int:
    return max(LINE_BYTES, device.access_bytes)


def _check(value: str, allowed: tuple[str, ...], what: str) -> None:
    if value not in allowed:
        raise InputError(
            f"unknown {what} {value!r}; allowed are {allowed_values(allowed)}{did_you_mean(value, allowed)}"
        )
