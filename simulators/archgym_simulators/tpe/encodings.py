"""How an operand is written as digits: the bit-weight dimension of a multiply-accumulate.

A value of ``bits`` bits in two's complement is ``sum_d digit[d] * radix ** d``. Each non-zero digit selects one
multiple of the other operand, which is one partial product.

Sources: MBE after MacSorley (1961), NAF after Reitwieser (1960), EN-T as in "Exploring the Performance Improvement of
Tensor Processing Engines through Transformation in the Bit-weight Dimension of MACs" (HPCA 2025).
"""

from __future__ import annotations

__all__ = [
    "ENCODINGS",
    "MAX_BITS",
    "Encoding",
    "digit_counts",
    "digit_table",
    "digits",
    "encoding_of",
    "radix_weights",
    "value_range",
]

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean

MAX_BITS = 16
"""Widest operand: its tables have 65,536 rows."""


@dataclass(frozen=True)
class Encoding:
    """A way to write integers as digits.

    Attributes:
        name: as in designs.
        radix: 2 or 4; digit ``d`` weighs ``radix ** d``.
        largest: the largest magnitude of a digit, hence the largest multiple of the other operand.
        negative: whether digits below the first one can be negative.
        description: one line.
    """

    name: str
    radix: int
    largest: int
    negative: bool
    description: str

    @property
    def bits_per_digit(self) -> int:
        return 1 if self.radix == 2 else 2

    def length(self, bits: int) -> int:
        """Digits D of an operand of ``bits`` bits."""
        return -(-bits // self.bits_per_digit)

    def product_bits(self, bits: int) -> int:
        """Width in two's complement of a digit times an operand of ``bits`` bits: -2 x -128 = 256 takes 10."""
        return (self.largest << (bits - 1)).bit_length() + 1


ENCODINGS: dict[str, Encoding] = {
    encoding.name: encoding
    for encoding in (
        Encoding("booth", 4, 2, True, "modified Booth: digits -2 ... 2 from overlapping triples of bits, no carry"),
        Encoding("ent", 4, 2, True, "EN-T: digits -1, 0, 1, 2 of the magnitude with a carry, the sign applied after"),
        Encoding("naf", 2, 1, True, "non-adjacent form (canonical signed digit): -1, 0, 1, never two in a row"),
        Encoding("sm-serial", 2, 1, True, "the ones of the magnitude, the sign applied to each"),
        Encoding("tc-serial", 2, 1, False, "the bits of two's complement; the last one counts negative"),
        Encoding("sm-radix4", 4, 3, True, "pairs of bits of the magnitude, the sign applied to each; needs 3 x B"),
    )
}


def encoding_of(name: str) -> Encoding:
    """The encoding of that name.

    Raises:
        InputError: there is none.
    """
    if name not in ENCODINGS:
        allowed = ", ".join(ENCODINGS)
        raise InputError(f"unknown encoding {name!r}{did_you_mean(name, ENCODINGS)}; allowed: {allowed}")
    return ENCODINGS[name]


def value_range(bits: int) -> tuple[int, int]:
    """Smallest and largest value of ``bits`` bits in two's complement.

    Raises:
        InputError: ``bits`` is not within 2 ... `MAX_BITS`.
    """
    if not 2 <= bits <= MAX_BITS:
        raise InputError(f"bits must be within 2 ... {MAX_BITS}, not {bits}")
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def radix_weights(encoding: str, bits: int) -> NDArray[np.int64]:
    """What a one weighs at each digit: (D,)."""
    kind = encoding_of(encoding)
    return np.int64(kind.radix) ** np.arange(kind.length(bits), dtype=np.int64)


def digits(values: ArrayLike, encoding: str, bits: int) -> NDArray[np.int8]:
    """Digits of integers, least significant first, so that ``digits @ radix_weights`` gives the values back.

    Args:
        values: (N,) integers of ``bits`` bits in two's complement.
        encoding: a key of `ENCODINGS`.
        bits: of the operand, 2 ... 16.

    Returns:
        (N, D).

    Raises:
        InputError: for an unknown encoding, or a value out of range.
    """
    kind = encoding_of(encoding)
    low, high = value_range(bits)
    numbers = np.asarray(values)
    if numbers.size and not np.issubdtype(numbers.dtype, np.integer):
        raise InputError(f"values must be integers, not {numbers.dtype}")
    outside = (numbers < low) | (numbers > high)
    if outside.any():
        raise InputError(f"{numbers[outside].flat[0]} does not fit {bits} bits: {low} ... {high}")
    written: NDArray[np.int8] = digit_table(kind.name, bits)[numbers.astype(np.int64).ravel() - low]
    return written


@lru_cache(maxsize=128)
def digit_table(encoding: str, bits: int) -> NDArray[np.int8]:
    """Digits of every value: (2 ** bits, D), row 0 for the most negative one. Read-only."""
    kind = encoding_of(encoding)
    low, high = value_range(bits)
    table = _ENCODERS[encoding](np.arange(low, high + 1, dtype=np.int64), kind.length(bits)).astype(np.int8)
    table.setflags(write=False)
    return table


@lru_cache(maxsize=128)
def digit_counts(encoding: str, bits: int) -> NDArray[np.int8]:
    """Non-zero digits of every value: (2 ** bits,), the first for the most negative one. Read-only."""
    counts: NDArray[np.int8] = np.count_nonzero(digit_table(encoding, bits), axis=1).astype(np.int8)
    counts.setflags(write=False)
    return counts


_Integers = NDArray[np.int64]


def _bit(values: _Integers, position: int) -> _Integers:
    return (values >> position) & 1


def _booth(values: _Integers, length: int) -> _Integers:
    doubled = values << 1  # its bit 2d is the bit below digit d, 0 for the first
    columns = [_bit(doubled, 2 * d) + _bit(doubled, 2 * d + 1) - 2 * _bit(doubled, 2 * d + 2) for d in range(length)]
    return np.stack(columns, axis=1)


def _ent(values: _Integers, length: int) -> _Integers:
    magnitude, carry, columns = np.abs(values), np.zeros_like(values), []
    for d in range(length):
        pair = ((magnitude >> 2 * d) & 3) + carry
        carry = (pair >= 3).astype(np.int64)
        columns.append(pair - 4 * carry)
    return np.stack(columns, axis=1) * np.sign(values)[:, None]


def _naf(values: _Integers, length: int) -> _Integers:
    magnitude = np.abs(values)
    columns = [_bit(3 * magnitude, d + 1) - _bit(magnitude, d + 1) for d in range(length)]
    return np.stack(columns, axis=1) * np.sign(values)[:, None]


def _sm_serial(values: _Integers, length: int) -> _Integers:
    return np.stack([_bit(np.abs(values), d) for d in range(length)], axis=1) * np.sign(values)[:, None]


def _tc_serial(values: _Integers, length: int) -> _Integers:
    columns = [_bit(values, d) for d in range(length)]
    return np.stack([*columns[:-1], -columns[-1]], axis=1)


def _sm_radix4(values: _Integers, length: int) -> _Integers:
    return np.stack([(np.abs(values) >> 2 * d) & 3 for d in range(length)], axis=1) * np.sign(values)[:, None]


_ENCODERS: dict[str, Callable[[_Integers, int], _Integers]] = {
    "booth": _booth,
    "ent": _ent,
    "naf": _naf,
    "sm-serial": _sm_serial,
    "tc-serial": _tc_serial,
    "sm-radix4": _sm_radix4,
}
