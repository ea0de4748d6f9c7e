"""What an engine computes, bit by bit: words of the widths that it has, carries kept where it keeps them.

Accumulators wrap as registers do. A wrap that is undone before anybody reads is no error; a total that does not fit
when it is read is reported.
"""

from __future__ import annotations

__all__ = ["Outcome", "Overflow", "accumulated_words", "multiply", "needed_accumulator_bits"]

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.tpe.compressors import compressor_schedule, words_left
from archgym_simulators.tpe.design import TpeDesign
from archgym_simulators.tpe.encodings import digits, encoding_of, radix_weights, value_range

Integers = NDArray[np.int64]

_WIDEST = 62
"""Bits of a simulated word. No total reaches them: 2^15 x 2^15 x 2^20 operands is 2^50."""


@dataclass(frozen=True)
class Overflow:
    """The first total that did not fit its accumulator when it was read.

    Attributes:
        m: row of the output.
        n: column of the output.
        k: first operand of the tile along K.
        digit: whose words were summed, least significant first; None where digits are summed together.
        exact: the total.
        kept: what the accumulator made of it.
        bits: width of the accumulator.
        count: of totals that did not fit.
    """

    m: int
    n: int
    k: int
    digit: int | None
    exact: int
    kept: int
    bits: int
    count: int

    def __str__(self) -> str:
        low, high = -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1
        what = "" if self.digit is None else f" of digit {self.digit}"
        return (
            f"the total{what} of C[{self.m}, {self.n}] from k = {self.k} is {self.exact}, its accumulator of "
            f"{self.bits} bits holds {low} ... {high} and keeps {self.kept} (totals that do not fit: {self.count})"
        )


@dataclass(frozen=True, eq=False)
class Outcome:
    """What an engine made of a matrix product.

    Attributes:
        product: (M, N), exact unless there is an overflow.
        overflow: None where every total fits.
    """

    product: Integers
    overflow: Overflow | None


def multiply(design: TpeDesign, a: ArrayLike, b: ArrayLike, *, a_bits: int = 8, b_bits: int = 8) -> Outcome:
    """Run an engine on integers.

    Args:
        design: any design that can be built.
        a: (M, K) integers of ``a_bits`` in two's complement.
        b: (K, N) integers of ``b_bits``.
        a_bits: 2 ... 16.
        b_bits: 2 ... 16.

    Raises:
        InputError: shapes that do not match, or values that do not fit their bits.
    """
    left, right = _operand(a, "a", a_bits), _operand(b, "b", b_bits)
    if left.shape[1] != right.shape[0]:
        raise InputError(f"a has {left.shape[1]} columns and b {right.shape[0]} rows: they must be equal")
    if design.encoded_operand == "a":
        return _Engine(design, a_bits, b_bits).run(left, right)
    turned = _Engine(design, b_bits, a_bits).run(right.T, left.T)
    found = turned.overflow
    if found is not None:
        found = Overflow(found.n, found.m, found.k, found.digit, found.exact, found.kept, found.bits, found.count)
    return Outcome(turned.product.T, found)


def accumulated_words(
    design: TpeDesign, encoded: ArrayLike, other: ArrayLike, *, encoded_bits: int = 8, other_bits: int = 8
) -> list[list[Integers]]:
    """The words in the accumulators after one tile, as in the registers.

    Args:
        design: any design that can be built.
        encoded: (M, K), the operand that is written as digits.
        other: (K, N).
        encoded_bits: 2 ... 16.
        other_bits: 2 ... 16.

    Returns:
        For each pass (one for each digit where digits come in turn, else one) the total, or the sum and the carry
        word of a carry-save accumulator: each (M, N) and modulo 2 ** accumulator_bits.
    """
    left, right = _operand(encoded, "encoded", encoded_bits), _operand(other, "other", other_bits)
    return _Engine(design, encoded_bits, other_bits).words_kept(left, right)


def needed_accumulator_bits(design: TpeDesign, *, k: int, a_bits: int = 8, b_bits: int = 8) -> int:
    """The narrowest accumulator that holds every total of ``k`` operands along K, whatever they are."""
    encoded, other = (a_bits, b_bits) if design.encoded_operand == "a" else (b_bits, a_bits)
    kind = encoding_of(design.encoding)
    largest = kind.largest << (other - 1) if design.opt3 else 1 << (encoded + other - 2)
    terms = min(k, design.rows if design.architecture == "systolic-ws" else design.k_tile)
    return (largest * terms).bit_length() + 1


def _operand(values: ArrayLike, name: str, bits: int) -> Integers:
    low, high = value_range(bits)
    numbers = np.asarray(values)
    if numbers.ndim != 2 or not np.issubdtype(numbers.dtype, np.integer):
        raise InputError(f"{name} must be a matrix of integers, not {numbers.dtype} of shape {numbers.shape}")
    outside = (numbers < low) | (numbers > high)
    if outside.any():
        raise InputError(f"{name} has {numbers[outside][0]}, which does not fit {bits} bits: {low} ... {high}")
    return numbers.astype(np.int64)


class _Engine:
    """A design whose encoded operand comes first."""

    def __init__(self, design: TpeDesign, encoded_bits: int, other_bits: int) -> None:
        self.design, self.encoded_bits, self.other_bits = design, encoded_bits, other_bits
        self.bits = min(design.accumulator_bits, _WIDEST)
        self.mask = (1 << self.bits) - 1
        self.weights = radix_weights(design.encoding, encoded_bits)
        self.chain = {"systolic-ws": design.rows, "cube": design.depth}.get(design.architecture, 1)
        self.beside = design.depth if design.architecture == "tree" else design.lanes
        # Sums that leave a column are added up outside; other accumulators are emptied after a tile.
        self.tile = design.rows if design.architecture == "systolic-ws" else design.k_tile
        self.apart = design.opt2 and not design.opt3
        growth = (design.depth - 1).bit_length()
        self.digit_sum_bits = encoding_of(design.encoding).product_bits(other_bits) + growth

    def run(self, encoded: Integers, other: Integers) -> Outcome:
        depth = encoded.shape[1]
        product = np.zeros((len(encoded), other.shape[1]), dtype=np.int64)
        codes = self._codes(encoded)
        wraps: list[Overflow] = []
        for start in range(0, depth, self.tile):
            tile = slice(start, min(start + self.tile, depth))
            for digit, chosen, weight in self._passes():
                part, shifts = codes[:, tile, chosen], self.weights[chosen] // weight
                kept = _signed(sum(self._words_kept(part, other[tile], shifts)), self.bits)
                exact = (part @ shifts) @ other[tile]
                wraps += self._wrapped(kept, exact, start, digit)
                product += kept * weight
        return Outcome(product, _first(wraps))

    def words_kept(self, encoded: Integers, other: Integers) -> list[list[Integers]]:
        codes = self._codes(encoded)
        passes = [(codes[..., chosen], self.weights[chosen] // weight) for _, chosen, weight in self._passes()]
        return [self._words_kept(part, other, shifts) for part, shifts in passes]

    def _codes(self, encoded: Integers) -> Integers:
        """Digits: (M, K, D)."""
        codes = digits(encoded.ravel(), self.design.encoding, self.encoded_bits).astype(np.int64)
        return codes.reshape(*encoded.shape, len(self.weights))

    def _passes(self) -> Iterator[tuple[int | None, slice, int]]:
        """What is summed together: the digit's number, digits, and the weight that the total is shifted by."""
        if not self.design.opt3:
            yield None, slice(None), 1
        else:
            for digit, weight in enumerate(self.weights.tolist()):
                yield digit, slice(digit, digit + 1), weight

    def _words_kept(self, codes: Integers, other: Integers, weights: Integers) -> list[Integers]:
        """What the accumulators hold after a tile: a total, or a sum and a carry word, each (M, N)."""
        rows, depth, _ = codes.shape
        state = [np.zeros((rows, other.shape[1]), dtype=np.int64)] * (2 if self.design.opt1 else 1)
        for start in range(0, depth, self.chain * self.beside):
            block = range(start, min(start + self.chain * self.beside, depth))
            if self.apart:
                words = self._digit_sums(codes, other, weights, block)
            elif self.chain > 1:
                words = self._chained(codes, other, weights, block)
            else:
                words = self._words(codes, other, weights, block)
            following = self._fold(words, state)
            state = self._held(codes[:, block], state, following) if self.design.opt3 else following
        return state

    def _chained(self, codes: Integers, other: Integers, weights: Integers, block: range) -> list[Integers]:
        """What a chain of PEs along K passes on to its end."""
        passing = [np.zeros((len(codes), other.shape[1]), dtype=np.int64)] * (2 if self.design.opt1 else 1)
        for k in block:
            passing = self._fold(self._words(codes, other, weights, range(k, k + 1)), passing)
        return passing

    def _digit_sums(self, codes: Integers, other: Integers, weights: Integers, block: range) -> list[Integers]:
        """Words of each digit summed over the PEs along K, then shifted."""
        words = []
        for digit, weight in enumerate(weights.tolist()):
            part = codes[..., digit : digit + 1], other, weights[:1]
            if self.design.architecture == "cube":
                sums = self._chained(*part, block)
            else:
                sums = self._fold(self._words(*part, block), [])
            if not self.design.opt1:
                sums = [_signed(sums[0], self.digit_sum_bits)]
            words += [word * weight & self.mask for word in sums]
        return words

    def _held(self, codes: Integers, before: list[Integers], after: list[Integers]) -> list[Integers]:
        """Registers of PEs whose digits are all zero keep what they hold: that cycle is skipped."""
        working = np.asarray(codes.any(axis=(1, 2)))[:, None]
        return [np.where(working, new, old) for old, new in zip(before, after, strict=True)]

    def _words(self, codes: Integers, other: Integers, weights: Integers, block: range) -> list[Integers]:
        """Partial products of some operands along K, shifted: each (M, N), modulo 2 ** bits."""
        words = []
        for k in block:
            products = [codes[:, k, d, None] * other[k] * weight for d, weight in enumerate(weights.tolist())]
            # A multiplier of an adder tree has a carry-propagating adder of its own.
            joined = self.design.architecture == "tree" and not self.design.opt1
            words += [sum(products[1:], products[0])] if joined else products
        return [word & self.mask for word in words]

    def _fold(self, words: list[Integers], state: list[Integers]) -> list[Integers]:
        """Compress words and a total to sum and carry; added up unless the total is kept in carry-save form."""
        all_words = [*words, *state]
        count = len(all_words)
        for level in compressor_schedule(count, self.design.compressor):
            for first, second, third in level:
                x, y, z = all_words[first], all_words[second], all_words[third]
                half = x ^ y
                all_words += [half ^ z, (((x & y) | (half & z)) << 1) & self.mask]
        left = [all_words[word] for word in words_left(count, self.design.compressor)]
        return left if self.design.opt1 else [np.asarray(sum(left)) & self.mask]

    def _wrapped(self, kept: Integers, exact: Integers, start: int, digit: int | None) -> list[Overflow]:
        where = np.argwhere(np.asarray(kept != exact))
        if not len(where):
            return []
        m, n = where[0].tolist()
        return [Overflow(m, n, start, digit, int(exact[m, n]), int(kept[m, n]), self.bits, len(where))]


def _signed(total: Any, bits: int) -> Integers:
    unsigned = np.asarray(total) & ((1 << bits) - 1)
    return unsigned - ((unsigned >> (bits - 1)) << bits)


def _first(wraps: list[Overflow]) -> Overflow | None:
    if not wraps:
        return None
    found = wraps[0]
    total = sum(other.count for other in wraps)
    return Overflow(found.m, found.n, found.k, found.digit, found.exact, found.kept, found.bits, total)
