"""The hardware that a layer is mapped to: memory off the chip, a global buffer, an array of PEs with buffers."""

from __future__ import annotations

__all__ = ["HARDWARE_WIDTH", "TENSORS", "Buffer", "Hardware"]

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import inf

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean

TENSORS = ("weights", "inputs", "outputs")
LEVELS = ("pe", "glb", "dram")
LARGEST_SIDE = 4096
HARDWARE_WIDTH = 64
_BUFFERS = 3  # of a level, at most: one a tensor


@dataclass(frozen=True)
class Buffer:
    """One memory of a level; of the PE level, one PE's.

    Attributes:
        name: as error messages call it.
        words: capacity; infinite off the chip.
        read_pj: energy of one word read, that of an access over ``width``.
        write_pj: energy of one word written, the same.
        read_bandwidth: words a cycle.
        write_bandwidth: words a cycle.
        holds: the tensors that may be kept here.
        width: words of an access; the words that a tensor moves here in all are rounded up to whole accesses.
    """

    name: str
    words: float
    read_pj: float
    write_pj: float
    read_bandwidth: float
    write_bandwidth: float
    holds: tuple[str, ...] = TENSORS
    width: int = 1

    def __post_init__(self) -> None:
        for tensor in self.holds:
            if tensor not in TENSORS:
                hint = did_you_mean(tensor, TENSORS)
                raise InputError(f"{self.name} cannot hold {tensor!r}{hint}; tensors are {', '.join(TENSORS)}")
        for field in ("words", "read_bandwidth", "write_bandwidth"):
            if not getattr(self, field) > 0:
                raise InputError(f"{field} of {self.name} must be above 0, not {getattr(self, field)!r}")
        if type(self.width) is not int or self.width < 1 or self.width & (self.width - 1):
            raise InputError(f"width of {self.name} must be a power of two in words, not {self.width!r}")
        for field in ("read_pj", "write_pj"):
            if not 0 <= getattr(self, field) < inf:
                raise InputError(f"{field} of {self.name} must be 0 or more, not {getattr(self, field)!r}")


@dataclass(frozen=True)
class Hardware:
    """An accelerator with three levels of memory and one array.

    Attributes:
        name: of the accelerator.
        columns: PEs along x.
        rows: PEs along y.
        pe: buffers of each PE; every tensor in exactly one of them.
        glb: buffers that the whole array shares; every tensor in exactly one of them.
        dram: memory off the chip.
        mac_pj: energy of a multiply-accumulate.
        link_pj: energy of one word passed from a PE to its neighbour, beside the read there.
        clock_mhz: cycles a microsecond.
    """

    name: str
    columns: int
    rows: int
    pe: tuple[Buffer, ...]
    glb: tuple[Buffer, ...]
    dram: Buffer
    mac_pj: float
    link_pj: float = 0.0
    clock_mhz: float = 1000.0

    def __post_init__(self) -> None:
        for side in ("columns", "rows"):
            value = getattr(self, side)
            if type(value) is not int or not 1 <= value <= LARGEST_SIDE:
                raise InputError(f"{side} of {self.name} must be a whole number 1..{LARGEST_SIDE}, not {value!r}")
        for level, buffers in self.levels():
            held = sorted(tensor for buffer in buffers for tensor in buffer.holds)
            if held != sorted(TENSORS):
                raise InputError(
                    f"level {level} of {self.name} must hold {', '.join(TENSORS)} once each, not {', '.join(held)}"
                )
        if not (0 <= self.mac_pj < inf and 0 <= self.link_pj < inf and 0 < self.clock_mhz < inf):
            raise InputError(f"energies of {self.name} must be 0 or more and its clock above 0")

    @property
    def pes(self) -> int:
        """Number of PEs."""
        return self.columns * self.rows

    def levels(self) -> Iterator[tuple[str, tuple[Buffer, ...]]]:
        """Levels with their buffers, from the PEs outwards."""
        yield from zip(LEVELS, (self.pe, self.glb, (self.dram,)), strict=True)

    @cached_property
    def vector(self) -> NDArray[np.float64]:
        """What the kernel takes, (HARDWARE_WIDTH,); the layout is that of `archgym_simulators.mapping.results`."""
        capacity = np.full((3, _BUFFERS), np.inf)
        bandwidth = np.full((2, 3, _BUFFERS), np.inf)  # read, write
        energy = np.zeros((2, 3, 3))  # read, write; level, tensor
        member = np.zeros((3, 3))  # level, tensor -> buffer
        width = np.ones((3, 3))
        for at, (_, buffers) in enumerate(self.levels()):
            for number, buffer in enumerate(buffers):
                capacity[at, number] = buffer.words
                bandwidth[:, at, number] = buffer.read_bandwidth, buffer.write_bandwidth
                for tensor in map(TENSORS.index, buffer.holds):
                    energy[:, at, tensor] = buffer.read_pj, buffer.write_pj
                    member[at, tensor], width[at, tensor] = number, buffer.width
        scalars = [self.columns, self.rows, self.mac_pj, self.link_pj]
        parts = (scalars, capacity[:2].ravel(), bandwidth.ravel(), energy.ravel(), member.ravel(), width.ravel())
        vector = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])
        vector.flags.writeable = False
        return vector
