"""A memory-request trace: what the trace player offers to the DRAM controller, as three arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym_simulators.errors import InputError

# A trace may span 2**40 player clocks (23 minutes at 800 MHz): every refresh in between is simulated, and
# kernels pack times into 64-bit keys. 2**60 is 15 hexadecimal digits, so that no address overflows int64.
LARGEST_TIME = 2**40
LARGEST_ADDRESS = 2**60 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """R memory requests in program order; arrays are contiguous and read-only.

    Build one with `Trace.build`, which validates. A time stamp is the earliest player clock at which the
    request may be sent; the player also waits for the previous request to be accepted.

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
            capacity_bytes: Device capacity; None accepts any address (the device then ignores upper bits).
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
            relative=relative,
            capacity_bytes=capacity_bytes,
            allow_decreasing=allow_decreasing,
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
    relative: bool,
    capacity_bytes: int | None,
    allow_decreasing: bool,
) -> tuple[int, str] | None:
    """Return (row, sentence) of the first request that `Trace.build` would refuse, or None."""
    late = np.zeros(cycle.shape, dtype=np.bool_)
    if not (relative or allow_decreasing):
        late[1:] = cycle[1:] < cycle[:-1]
    # Floats cannot overflow, and are exact in the allowed range.
    due = np.cumsum(cycle, dtype=np.float64) if relative else cycle
    bound = LARGEST_ADDRESS + 1 if capacity_bytes is None else capacity_bytes
    wrong = late | (cycle < 0) | (due > LARGEST_TIME) | (address < 0) | (address >= bound)
    if not wrong.any():
        return None
    row = int(np.argmax(wrong))
    time, where = int(cycle[row]), int(address[row])
    if time < 0 or time > LARGEST_TIME:
        return row, f"time stamp {time} is out of range; allowed are 0..{LARGEST_TIME} (2**40)"
    if due[row] > LARGEST_TIME:
        return (
            row,
            f"time stamps add up to {int(due[row])}; allowed is a span of {LARGEST_TIME} clocks (2**40)",
        )
    if late[row]:
        return row, (
            f"time stamp {time} is below its predecessor {int(cycle[row - 1])}; "
            'time stamps must not decrease (rules="archgym" accepts them as lower bounds)'
        )
    if where < 0 or where > LARGEST_ADDRESS:
        return row, f"address {where:#x} is out of range; allowed are 0x0..{LARGEST_ADDRESS:#x}"
    return row, beyond_device(where, bound)


def beyond_device(address: int, capacity_bytes: int) -> str:
    """The sentence for an address that the device does not have."""
    return (
        f"address {address:#x} is beyond the device; allowed are 0x0..{capacity_bytes - 1:#x} "
        '(rules="archgym" ignores the upper address bits)'
    )


def _whole_numbers(name: str, what: str, values: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise InputError(
            f"trace {name!r}: {what} must be a one-dimensional array of whole numbers, "
            f"got {array.dtype} of shape {array.shape}"
        )
    if array.dtype == np.uint64 and array.size and int(array.max()) > LARGEST_ADDRESS:
        raise InputError(f"trace {name!r}: {what} {int(array.max())} is out of range; allowed are below 2**62")
    return np.array(array, dtype=np.int64)


def _frozen(
    name: str,
    cycle: NDArray[np.int64],
    is_write: NDArray[np.bool_],
    address: NDArray[np.int64],
    relative: bool,
) -> Trace:
    trace = Trace(
        name,
        np.ascontiguousarray(cycle),
        np.ascontiguousarray(is_write),
        np.ascontiguousarray(address),
        relative,
    )
    for array in (trace.cycle, trace.is_write, trace.address):
        array.flags.writeable = False
    return trace
