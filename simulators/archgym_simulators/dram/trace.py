"""A memory-request trace: what the trace player offers to the DRAM controller, as three arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym_simulators.errors import InputError

# Times and addresses above this are refused everywhere: sums of two still fit int64.
LARGEST_NUMBER = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """R memory requests in program order; arrays are contiguous and read-only.

    Build one with `Trace.build`, which validates. A time stamp is the earliest player clock at which the request
    may be sent; the player also waits for the previous request to be accepted.

    Attributes:
        name: What the user called it: a workload spec or a path.
        cycle: (R,) int64, time stamps in player clocks; clocks since the previous send where `relative`.
        is_write: (R,) bool.
        address: (R,) int64, byte addresses.
        relative: True for an `.rstl` trace.
    """

    name: str
    cycle: NDArray[np.int64]  # (R,)
    is_write: NDArray[np.bool_]  # (R,)
    address: NDArray[np.int64]  # (R,)
    relative: bool = False

    @classmethod
    def build(
        cls,
        name: str,
        *,
        cycle: ArrayLike,
        is_write: ArrayLike,
        address: ArrayLike,
        relative: bool = False,
        capacity_bytes: int | None = None,
        allow_decreasing: bool = False,
    ) -> Trace:
        """Validate and freeze R requests.

        Args:
            name: Shown in messages.
            cycle: (R,) whole numbers >= 0, non-decreasing unless `relative` or `allow_decreasing`.
            is_write: (R,) booleans.
            address: (R,) whole numbers >= 0, below `capacity_bytes` when that is given.
            relative: Whether `cycle` counts from the previous send.
            capacity_bytes: Device capacity; None accepts any address (upper bits are then ignored by the device).
            allow_decreasing: Accept a time stamp below its predecessor: it is only a lower bound.

        Raises:
            InputError: One line naming the first offending request.
        """
        times = _whole_numbers(name, "cycle", cycle)
        addresses = _whole_numbers(name, "address", address)
        writes = np.array(is_write, dtype=np.bool_)
        if times.size == 0:
            raise InputError(f"trace {name!r} has no requests; at least one is needed")
        if not times.shape == addresses.shape == writes.shape:
            raise InputError(
                f"trace {name!r}: cycle, is_write and address must have one shape (R,), "
                f"got {times.shape}, {writes.shape} and {addresses.shape}"
            )
        problem = first_problem(
            times,
            addresses,
            capacity_bytes=capacity_bytes,
            ordered=not (relative or allow_decreasing),
        )
        if problem is not None:
            row, what = problem
            raise InputError(f"trace {name!r}, request {row}: {what}")
        return _frozen(name, times, writes, addresses, relative)

    def __len__(self) -> int:
        """Return R, the number of requests."""
        return int(self.cycle.size)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trace):
            return NotImplemented
        return self.name == other.name and self.digest == other.digest

    def __hash__(self) -> int:
        return hash((self.name, self.digest))

    def __reduce__(self) -> tuple[Callable[..., Trace], tuple[Any, ...]]:
        # Unpickled arrays come back writeable; rebuilding freezes them again.
        return _frozen, (self.name, self.cycle, self.is_write, self.address, self.relative)

    @property
    def digest(self) -> str:
        """SHA-256 of the requests (not of the name), hexadecimal; the same on every platform."""
        content = hashlib.sha256(b"relative" if self.relative else b"absolute")
        for array, layout in ((self.cycle, "<i8"), (self.is_write, "|b1"), (self.address, "<i8")):
            content.update(array.astype(layout, copy=False).data)
        return content.hexdigest()

    @property
    def write_share(self) -> float:
        """Share of writes, in [0, 1]."""
        return float(np.count_nonzero(self.is_write)) / len(self)

    @property
    def due_cycle(self) -> NDArray[np.int64]:
        """(R,) player clock at which each request would be sent were the memory infinitely fast."""
        if self.relative:
            # The player sends at most one request per clock, even where the file says 0 clocks apart.
            gaps = np.maximum(self.cycle, 1)
            gaps[0] = self.cycle[0]
            return np.cumsum(gaps)
        rows = np.arange(len(self), dtype=np.int64)
        return np.maximum.accumulate(self.cycle - rows) + rows


def first_problem(
    cycle: NDArray[np.int64],
    address: NDArray[np.int64],
    *,
    capacity_bytes: int | None,
    ordered: bool,
) -> tuple[int, str] | None:
    """Return (row, sentence) of the first request that is not allowed, or None.

    Args:
        cycle: (R,) time stamps.
        address: (R,) byte addresses.
        capacity_bytes: Exclusive bound of `address`; None for no bound below 2**62.
        ordered: Whether time stamps must not decrease.
    """
    late = np.zeros(cycle.shape, dtype=np.bool_)
    if ordered:
        late[1:] = cycle[1:] < cycle[:-1]
    bound = LARGEST_NUMBER if capacity_bytes is None else capacity_bytes
    wrong = late | (cycle < 0) | (cycle > LARGEST_NUMBER) | (address < 0) | (address >= bound)
    if not wrong.any():
        return None
    row = int(np.argmax(wrong))
    time, where = int(cycle[row]), int(address[row])
    if not 0 <= time <= LARGEST_NUMBER:
        return row, f"time stamp {time} is out of range; allowed are 0..2**62"
    if late[row]:
        return row, (
            f"time stamp {time} is below its predecessor {int(cycle[row - 1])}; "
            'time stamps must not decrease (rules="archgym" accepts them as lower bounds)'
        )
    if where < 0 or capacity_bytes is None:
        return row, f"address {where:#x} is out of range; allowed are 0..2**62-1"
    return row, (
        f"address {where:#x} is beyond the device; allowed are 0x0..{capacity_bytes - 1:#x} "
        '(rules="archgym" ignores the upper address bits)'
    )


def _whole_numbers(name: str, what: str, values: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise InputError(
            f"trace {name!r}: {what} must be a one-dimensional array of whole numbers, "
            f"got {array.dtype} of shape {array.shape}"
        )
    if array.dtype.kind == "u" and array.size and int(array.max()) > LARGEST_NUMBER:
        raise InputError(f"trace {name!r}: {what} {int(array.max())} is out of range; allowed are 0..2**62")
    return np.array(array, dtype=np.int64)


def _frozen(
    name: str,
    cycle: NDArray[np.int64],
    is_write: NDArray[np.bool_],
    address: NDArray[np.int64],
    relative: bool,
) -> Trace:
    arrays = [np.ascontiguousarray(array) for array in (cycle, is_write, address)]
    for array in arrays:
        array.flags.writeable = False
    return Trace(name, arrays[0], arrays[1], arrays[2], relative)
