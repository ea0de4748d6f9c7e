"""Number formats of the operands: integers, and minifloats as a significand that is shifted by its exponent."""

from __future__ import annotations

__all__ = ["PRECISIONS", "Precision", "precision_of"]

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Precision:
    """One format.

    A minifloat EeMm is +-significand x 2^shift: the significand with its hidden bit is the integer that an engine
    multiplies, the shift (0 for subnormal and the smallest normal numbers) moves the product in a fixed-point
    accumulator that loses nothing.

    Attributes:
        name: ``"int8"``, ``"e4m3"``.
        bits: of the significand in two's complement; of the whole number for integers.
        largest_shift: of the significand; 0 for integers.
        exponent_bits: 0 for integers.
    """

    name: str
    bits: int
    largest_shift: int = 0
    exponent_bits: int = 0

    @property
    def is_integer(self) -> bool:
        """Whether there is no exponent."""
        return self.exponent_bits == 0

    @property
    def storage_bits(self) -> int:
        """Bits of one number in a register: sign, exponent and fraction of a minifloat."""
        return self.bits if self.is_integer else self.exponent_bits + self.bits - 1

    @property
    def largest_magnitude(self) -> int:
        """Largest magnitude of the significand: 128 for INT8, whose most negative number counts."""
        return 1 << (self.bits - 1) if self.is_integer else (1 << (self.bits - 1)) - 1

    def magnitudes(self) -> tuple[Integers, Integers]:
        """Significands and shifts of all magnitudes of a minifloat, ascending in value: (V,), (V,)."""
        fraction_bits = self.bits - 2
        exponent, fraction = np.divmod(
            np.arange((self.largest_shift + 2) << fraction_bits, dtype=np.int64), 1 << fraction_bits
        )
        return fraction + ((exponent > 0) << fraction_bits), np.maximum(exponent - 1, 0)


def _minifloat(exponent: int, fraction: int, *, reserved: int = 0) -> Precision:
    largest = (1 << exponent) - 2 - reserved
    return Precision(f"e{exponent}m{fraction}", fraction + 2, largest, exponent)


PRECISIONS: dict[str, Precision] = {
    precision.name: precision
    for precision in (
        *(Precision(f"int{bits}", bits) for bits in (2, 3, 4, 5, 6, 7, 8, 10, 12, 16)),
        _minifloat(2, 1),
        _minifloat(2, 3),
        _minifloat(3, 2),
        _minifloat(4, 3),
        _minifloat(5, 2, reserved=1),  # the largest exponent is for infinity
    )
}


@lru_cache
def precision_of(name: str) -> Precision:
    """The format of that name.

    Raises:
        InputError: there is none.
    """
    if name not in PRECISIONS:
        hint = did_you_mean(name, PRECISIONS)
        raise InputError(f"unknown precision {name!r}{hint}; allowed: {', '.join(PRECISIONS)}")
    return PRECISIONS[name]
