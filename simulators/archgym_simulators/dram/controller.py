"""A controller design as a value, and many of them as arrays."""

from __future__ import annotations

__all__ = ["ARBITERS", "PAGE_POLICIES", "WORDS", "ControllerDesign", "DesignArrays"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean

PAGE_POLICIES = ("Open", "OpenAdaptive", "Closed", "ClosedAdaptive")
SCHEDULERS = ("Fifo", "FrFcfs", "FrFcfsGrp")
SCHEDULER_BUFFERS = ("Bankwise", "ReadWrite", "Shared")
RESPONSE_QUEUES = ("Fifo", "Reorder")
REFRESH_POLICIES = ("NoRefresh", "AllBank")
ARBITERS = ("Simple", "Fifo", "Reorder")

# The position of a word is its code in the kernel.
WORDS: Mapping[str, tuple[str, ...]] = {
    "page_policy": PAGE_POLICIES,
    "scheduler": SCHEDULERS,
    "scheduler_buffer": SCHEDULER_BUFFERS,
    "response_queue": RESPONSE_QUEUES,
    "refresh_policy": REFRESH_POLICIES,
    "arbiter": ARBITERS,
}
_LARGEST_NUMBER = 2**20


@dataclass(frozen=True)
class ControllerDesign:
    """The ten parameters of ArchGym's DRAM controller; numbers may lie outside the index space.

    Attributes:
        page_policy: "Open", "OpenAdaptive", "Closed" or "ClosedAdaptive".
        scheduler: "Fifo", "FrFcfs" or "FrFcfsGrp".
        scheduler_buffer: "Bankwise", "ReadWrite" or "Shared".
        request_buffer_size: Requests per bank, per direction, or in all.
        response_queue: "Fifo" or "Reorder".
        refresh_policy: "NoRefresh" or "AllBank".
        refresh_max_postponed: Refreshes that may be postponed.
        refresh_max_pulledin: Refreshes that may be done early.
        arbiter: "Simple", "Fifo" or "Reorder".
        max_active_transactions: Transactions in flight behind a Fifo or Reorder arbiter.
    """

    page_policy: str = "Open"
    scheduler: str = "FrFcfs"
    scheduler_buffer: str = "Bankwise"
    request_buffer_size: int = 8
    response_queue: str = "Fifo"
    refresh_policy: str = "AllBank"
    refresh_max_postponed: int = 8
    refresh_max_pulledin: int = 8
    arbiter: str = "Simple"
    max_active_transactions: int = 128

    words: ClassVar[Mapping[str, tuple[str, ...]]] = WORDS
    lowest: ClassVar[Mapping[str, int]] = {}

    def __post_init__(self) -> None:
        for name, words in self.words.items():
            value = getattr(self, name)
            if value not in words:
                raise InputError(
                    f"{name} {value!r} is unknown; allowed are {', '.join(words)}{did_you_mean(value, words)}"
                )
        for name in (field.name for field in fields(self) if field.name not in self.words):
            value, least = getattr(self, name), self.lowest.get(name, 1)
            if not isinstance(value, int | np.integer) or not least <= value <= _LARGEST_NUMBER:
                raise InputError(
                    f"{name} {value!r} is out of range; allowed are whole numbers {least}..{_LARGEST_NUMBER}"
                )

    @property
    def codes(self) -> tuple[int, ...]:
        """The parameters as integers: the position of a word in its list, a number as it is."""
        values = [getattr(self, field.name) for field in fields(self)]
        return tuple(
            self.words[field.name].index(value) if field.name in self.words else int(value)
            for field, value in zip(fields(self), values, strict=True)
        )


PARAMETERS = tuple(field.name for field in fields(ControllerDesign))
_LOWEST = np.array([0 if name in WORDS else 1 for name in PARAMETERS])
_HIGHEST = np.array([len(WORDS[name]) - 1 if name in WORDS else _LARGEST_NUMBER for name in PARAMETERS])


@dataclass(frozen=True, eq=False)
class DesignArrays:
    """N designs: one int64 array (N,) per parameter, words as their position in the list of allowed words."""

    page_policy: NDArray[np.int64]  # (N,)
    scheduler: NDArray[np.int64]  # (N,)
    scheduler_buffer: NDArray[np.int64]  # (N,)
    request_buffer_size: NDArray[np.int64]  # (N,)
    response_queue: NDArray[np.int64]  # (N,)
    refresh_policy: NDArray[np.int64]  # (N,)
    refresh_max_postponed: NDArray[np.int64]  # (N,)
    refresh_max_pulledin: NDArray[np.int64]  # (N,)
    arbiter: NDArray[np.int64]  # (N,)
    max_active_transactions: NDArray[np.int64]  # (N,)

    @classmethod
    def of(cls, designs: Sequence[ControllerDesign]) -> DesignArrays:
        """Stack design objects."""
        codes = np.array([design.codes for design in designs], dtype=np.int64).reshape(-1, len(PARAMETERS))
        return cls(*np.ascontiguousarray(codes.T))

    @classmethod
    def from_columns(cls, columns: Mapping[str, ArrayLike]) -> DesignArrays:
        """Take readable columns: words for the categorical parameters, numbers for the others.

        Raises:
            InputError: for a missing column or an unknown word.
        """
        missing = [name for name in PARAMETERS if name not in columns]
        if missing:
            raise InputError(f"column {missing[0]!r} is missing; needed are {', '.join(PARAMETERS)}")
        return cls(*(_encode(name, np.asarray(columns[name])) for name in PARAMETERS))

    def __len__(self) -> int:
        """Return N."""
        return int(np.asarray(self.page_policy).shape[0])

    def stack(self) -> NDArray[np.int64]:
        """Return the designs as (N, 10) int64, validated.

        Raises:
            InputError: names the first row, parameter and value that are out of range.
        """
        rows = np.array([getattr(self, name) for name in PARAMETERS], dtype=np.int64).T
        wrong = (rows < _LOWEST) | (rows > _HIGHEST)
        if wrong.any():
            row, column = (int(i) for i in np.argwhere(wrong)[0])
            raise InputError(
                f"design {row}: {PARAMETERS[column]} {rows[row, column]} is out of range; "
                f"allowed are {_LOWEST[column]}..{_HIGHEST[column]}"
            )
        return np.ascontiguousarray(rows)


def _encode(name: str, values: NDArray[np.generic]) -> NDArray[np.int64]:
    if name not in WORDS:
        return values.astype(np.int64)
    words = WORDS[name]
    codes = np.full(values.shape, -1, dtype=np.int64)
    for code, word in enumerate(words):
        codes[values == word] = code
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise InputError(
            f"design {row}: {name} {str(values[row])!r} is unknown; allowed are "
            f"{allowed_values(words)}{did_you_mean(values[row], words)}"
        )
    return codes
