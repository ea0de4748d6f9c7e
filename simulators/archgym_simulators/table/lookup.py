"""From index rows to slots of a table, millions a second, whatever the size of the space."""

from __future__ import annotations

__all__ = ["KeyFinder", "RowIndex", "first_equal", "key_finder"]

from math import prod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.space import Rows

Integers = NDArray[np.int64]

_DENSE_KEYS = 1 << 24
"""Keys below this get an array with a cell for each (64 MiB); others are hashed."""
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: Fibonacci hashing


class KeyFinder(Protocol):
    """Finds the position of a key among distinct keys."""

    def find(self, keys: Integers) -> Integers:
        """Position of each key (N,), -1 where absent: (N,)."""


class RowIndex:
    """Finds distinct index rows (R, D) again.

    Rows are known by mixed-radix keys; in a space of 2^63 designs or more by 64-bit hashes that tell the given rows
    apart, and what is found is compared in full.

    Args:
        nvec: (D,) values a column.
        rows: (R, D) distinct index rows.
    """

    def __init__(self, nvec: Integers, rows: Rows) -> None:
        span = prod(nvec.tolist())
        self._exact = span < 2**63
        if self._exact:
            self._factors = _strides(nvec)
            self._finder = key_finder(rows @ self._factors, span)
        else:
            self._factors = _telling_apart(rows)
            self._finder = key_finder(rows @ self._factors, span)
            self._type = np.min_scalar_type(int(nvec.max()) - 1)
            self._packed = self._pack(rows)

    def find(self, rows: Rows) -> Integers:
        """Number of each row (N, D) among the rows of the constructor, -1 where absent: (N,)."""
        found = self._finder.find(rows @ self._factors)
        if not self._exact:
            asked, stored = self._pack(rows), self._packed.take(np.maximum(found, 0), axis=0)
            for word in range(asked.shape[1]):
                found[asked[:, word] != stored[:, word]] = -1
        return found

    def _pack(self, rows: Rows) -> NDArray[np.uint64]:
        """Rows in their smallest type, eight bytes a word: (N, W), since few wide words compare fastest."""
        words = -(-rows.shape[1] * self._type.itemsize // 8)
        packed = np.zeros((len(rows), words * 8 // self._type.itemsize), dtype=self._type)
        packed[:, : rows.shape[1]] = rows
        return packed.view(np.uint64)


def first_equal(rows: Rows) -> Integers:
    """For each of the rows (R, D) the number of the first row that equals it: (R,)."""
    rng = np.random.default_rng(0)
    while True:
        _, index, inverse = np.unique(rows @ _odd_factors(rng, rows), return_index=True, return_inverse=True)
        first = np.asarray(index[inverse], dtype=np.int64)
        if np.array_equal(rows[first], rows):
            return first


def key_finder(keys: Integers, span: int) -> KeyFinder:
    """A finder for distinct keys (R,) in 0..span-1."""
    return _Dense(keys, span) if span <= _DENSE_KEYS else _Hashed(keys)


def _strides(nvec: Integers) -> Integers:
    sizes = nvec.tolist()
    return np.array([prod(sizes[d + 1 :]) for d in range(len(sizes))], dtype=np.int64)


def _telling_apart(rows: Rows) -> Integers:
    """Factors (D,) whose sum of products, modulo 2^64, differs for every row; the first draw does almost surely."""
    rng = np.random.default_rng(0)
    while True:
        factors = _odd_factors(rng, rows)
        if len(np.unique(rows @ factors)) == len(rows):
            return factors


def _odd_factors(rng: np.random.Generator, rows: Rows) -> Integers:
    return np.asarray(rng.integers(0, 2**62, size=rows.shape[1], dtype=np.int64) * 2 + 1)


class _Dense:
    """A cell a key."""

    def __init__(self, keys: Integers, span: int) -> None:
        self._cells = np.full(span, -1, dtype=np.int32)
        self._cells[keys] = np.arange(len(keys), dtype=np.int32)

    def find(self, keys: Integers) -> Integers:
        return self._cells.take(keys).astype(np.int64)


class _Hashed:
    """Buckets of keys, about one in two of them empty; a lookup is two or three gathers (a search would be twenty)."""

    def __init__(self, keys: Integers) -> None:
        bits = max(len(keys), 1).bit_length() + 1
        self._shift = np.uint64(64 - bits)
        bucket = self._bucket(keys)
        self._order = np.argsort(bucket, kind="stable")
        self._keys = keys[self._order]
        counts = np.bincount(bucket, minlength=1 << bits)
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        self._longest = int(counts.max(initial=0))

    def find(self, keys: Integers) -> Integers:
        bucket = self._bucket(keys)
        place, end = self._starts.take(bucket), self._starts.take(bucket + 1)
        found: Integers = np.full(len(keys), -1, dtype=np.int64)
        asked = np.flatnonzero(place < end)
        for _ in range(self._longest):
            here = place[asked]
            hit = self._keys.take(here) == keys[asked]
            found[asked[hit]] = self._order.take(here[hit])
            place[asked] += 1
            asked = asked[~hit & (place[asked] < end[asked])]
            if not len(asked):
                break
        return found

    def _bucket(self, keys: Integers) -> Integers:
        return ((keys.view(np.uint64) * _GOLDEN) >> self._shift).view(np.int64)
