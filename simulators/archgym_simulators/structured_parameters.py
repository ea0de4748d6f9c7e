"""Parameters whose values have structure: orders of items, and factorisations of a number."""

from __future__ import annotations

__all__ = ["Factors", "Permutation", "parameter_from_json"]

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb, factorial, prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.parameters import (
    Categorical,
    Integer,
    JsonObject,
    Ordinal,
    Parameter,
    _set_fields,
    is_plain,
    whole_numbers,
)

_LARGEST_TRIAL_DIVISOR = 1 << 20
_MOST_SPREADS = 1 << 18  # ways to spread one prime over the slots; tables hold them all


@dataclass(frozen=True)
class Permutation(Parameter):
    """An order of distinct items, written ``"K>C>X"``, stored as Lehmer digits; neighbours are swaps.

    Digit ``i`` says which of the items that are still unplaced comes at position ``i``; the last item is forced
    and has no digit, so n items own n - 1 columns with radices n, n - 1, ..., 2.
    """

    kind: ClassVar[str] = "permutation"
    items: tuple[str, ...]

    def __init__(self, name: str, items: Iterable[str], **about: str) -> None:
        _set_fields(self, name, about, items=tuple(str(item) for item in items))
        plain = all(is_plain(item) and ">" not in item for item in self.items)
        if not self.items or len(set(self.items)) != len(self.items) or not plain:
            raise InputError(
                f"permutation {name!r} needs distinct items of text without '>', at least one, not {list(self.items)}"
            )

    @property
    def radices(self) -> tuple[int, ...]:
        return tuple(range(len(self.items), 1, -1)) or (1,)

    @property
    def size(self) -> int:
        return factorial(len(self.items))

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(f"{self.name}[{position}]" for position in range(len(self.radices)))

    def values_of(self, digits: NDArray[np.int64]) -> NDArray[np.int64]:
        """Item numbers in order, (N, items)."""
        count, n = len(digits), len(self.items)
        order = np.zeros((count, n), dtype=np.int64)
        order[:, : min(n - 1, digits.shape[1])] = digits[:, : n - 1]
        # From the right: a later position skips every earlier choice that is not larger than itself.
        for position in range(n - 2, -1, -1):
            later = order[:, position + 1 :]
            later += later >= order[:, position : position + 1]
        return order

    def readable(self, digits: NDArray[np.int64]) -> NDArray[Any]:
        names = np.array(self.items, dtype=object)[self.values_of(digits)]
        text = np.empty(len(digits), dtype=object)
        text[:] = [">".join(order) for order in names]
        return text

    def readable_one(self, digits: Sequence[int]) -> str:
        return ">".join(self._order_of(digits))

    def digits_of(self, value: object) -> tuple[int, ...]:
        order = [part.strip() for part in str(value).split(">")]
        if sorted(order) != sorted(self.items):
            strange = [part for part in order if part not in self.items]
            hint = did_you_mean(strange[0], self.items) if strange else ""
            raise InputError(f"{self.name} must be an order of {'>'.join(self.items)}, not {str(value)!r}{hint}")
        unplaced, digits = list(self.items), []
        for item in order[: len(self.radices)]:
            digits.append(unplaced.index(item))
            unplaced.remove(item)
        return tuple(digits)

    def neighbours(self, digits: Sequence[int]) -> list[tuple[int, ...]]:
        order = self._order_of(digits)
        swaps = []
        for a, b in combinations(range(len(order)), 2):
            swapped = list(order)
            swapped[a], swapped[b] = swapped[b], swapped[a]
            swaps.append(self.digits_of(">".join(swapped)))
        return swaps

    def _order_of(self, digits: Sequence[int]) -> list[str]:
        unplaced = list(self.items)
        order = [unplaced.pop(int(digit)) for digit in digits[: len(self.items) - 1]]
        return order + unplaced

    def _json_fields(self) -> JsonObject:
        return {"items": list(self.items)}


@dataclass(frozen=True)
class Factors(Parameter):
    """An ordered factorisation of ``n`` into ``slots`` factors, written ``"4x1x16"``; neighbours move one prime.

    The index is a mixed-radix number with one digit a distinct prime: which of the C(e + slots - 1, slots - 1) ways
    to spread that prime's exponent e over the slots (in lexicographic order).
    """

    kind: ClassVar[str] = "factors"
    n: int
    slots: int

    def __init__(self, name: str, n: int, slots: int, **about: str) -> None:
        n, slots = whole_numbers(name, n=n, slots=slots)
        if not 1 <= n < 2**63 or slots < 1:
            raise InputError(f"factors {name!r} needs n in 1..2^63-1 and slots >= 1, not {n=}, {slots=}")
        _set_fields(self, name, about, n=n, slots=slots)
        most = max((comb(e + slots - 1, slots - 1) for _, e in self.primes), default=1)
        if self.size >= 2**63 or most > _MOST_SPREADS:
            raise InputError(f"factors {name!r}: {self.size} factorisations of {n=} are too many; use fewer slots")

    @cached_property
    def primes(self) -> tuple[tuple[int, int], ...]:
        """Distinct primes with their exponents, ascending."""
        return tuple(prime_exponents(self.n).items())

    @property
    def size(self) -> int:
        return prod(comb(e + self.slots - 1, self.slots - 1) for _, e in self.primes)

    @property
    def radices(self) -> tuple[int, ...]:
        return (self.size,)

    @cached_property
    def _spreads(self) -> list[NDArray[np.int64]]:
        return [_compositions(exponent, self.slots) for _, exponent in self.primes]

    @cached_property
    def _rank_of_spread(self) -> list[dict[tuple[int, ...], int]]:
        return [{tuple(row): rank for rank, row in enumerate(table.tolist())} for table in self._spreads]

    def values_of(self, digits: NDArray[np.int64]) -> NDArray[np.int64]:
        """Factors by slot, (N, slots)."""
        index = digits[:, 0].copy()
        factors = np.ones((len(index), self.slots), dtype=np.int64)
        for (prime, _), spread in zip(reversed(self.primes), reversed(self._spreads), strict=True):
            index, rank = np.divmod(index, len(spread))
            factors *= prime ** spread[rank]
        return factors

    def readable(self, digits: NDArray[np.int64]) -> NDArray[Any]:
        text = np.empty(len(digits), dtype=object)
        text[:] = ["x".join(map(str, row)) for row in self.values_of(digits).tolist()]
        return text

    def readable_one(self, digits: Sequence[int]) -> str:
        factors = [1] * self.slots
        for (prime, _), spread in zip(self.primes, self._exponents(int(digits[0])), strict=True):
            factors = [factor * prime**e for factor, e in zip(factors, spread, strict=True)]
        return "x".join(map(str, factors))

    def digits_of(self, value: object) -> tuple[int, ...]:
        wanted = f"{self.name} must be {self.slots} positive factors of {self.n} such as {self.readable_one((0,))!r}"
        try:
            factors = [int(part) for part in str(value).split("x")]
        except ValueError:
            raise InputError(f"{wanted}, not {str(value)!r}") from None
        if len(factors) != self.slots or min(factors) < 1:
            raise InputError(f"{wanted}, not {str(value)!r}")
        if prod(factors) != self.n:
            raise InputError(f"{wanted}, not {str(value)!r}, whose product is {prod(factors)}")
        return (self._index([[_exponent_in(f, prime) for f in factors] for prime, _ in self.primes]),)

    def neighbours(self, digits: Sequence[int]) -> list[tuple[int, ...]]:
        spreads = self._exponents(int(digits[0]))
        found: list[tuple[int, ...]] = []
        for which, spread in enumerate(spreads):
            for source in (slot for slot in range(self.slots) if spread[slot]):
                for target in (slot for slot in range(self.slots) if slot != source):
                    moved = list(spread)
                    moved[source] -= 1
                    moved[target] += 1
                    found.append((self._index([*spreads[:which], moved, *spreads[which + 1 :]]),))
        return found

    def _exponents(self, index: int) -> list[list[int]]:
        spreads: list[list[int]] = []
        for table in reversed(self._spreads):
            index, rank = divmod(index, len(table))
            spreads.append(table[rank].tolist())
        return spreads[::-1]

    def _index(self, spreads: Sequence[Sequence[int]]) -> int:
        index = 0
        for table, spread in zip(self._rank_of_spread, spreads, strict=True):
            index = index * len(table) + table[tuple(spread)]
        return index

    def _json_fields(self) -> JsonObject:
        return {"n": self.n, "slots": self.slots}


def prime_exponents(n: int) -> dict[int, int]:
    """Exponents of the primes of n, ascending; empty for 1.

    Raises:
        InputError: where n has two prime factors above a million, which take too long to find.

    >>> prime_exponents(360)
    {2: 3, 3: 2, 5: 1}
    """
    exponents: dict[int, int] = {}
    candidate = 2
    while candidate * candidate <= n:
        if candidate > _LARGEST_TRIAL_DIVISOR:
            raise InputError(f"cannot factorise {n}: its prime factors are larger than {_LARGEST_TRIAL_DIVISOR}")
        while n % candidate == 0:
            exponents[candidate] = exponents.get(candidate, 0) + 1
            n //= candidate
        candidate += 1
    if n > 1:
        exponents[n] = exponents.get(n, 0) + 1
    return exponents


def _exponent_in(factor: int, prime: int) -> int:
    exponent = 0
    while factor % prime == 0:
        factor //= prime
        exponent += 1
    return exponent


def _compositions(total: int, slots: int) -> NDArray[np.int64]:
    # Stars and bars: bars at chosen places, lexicographic in the counts between them. (ways, slots)
    places = list(combinations(range(total + slots - 1), slots - 1))
    bars = np.array(places, dtype=np.int64).reshape(len(places), slots - 1)
    edges = np.pad(bars, ((0, 0), (1, 1)), constant_values=((0, 0), (-1, total + slots - 1)))
    return np.diff(edges, axis=1) - 1


PARAMETER_KINDS: dict[str, type[Parameter]] = {
    kind.kind: kind for kind in (Categorical, Ordinal, Integer, Permutation, Factors)
}


def parameter_from_json(fields: Mapping[str, Any]) -> Parameter:
    """Build a parameter from what its ``to_json`` gave.

    Raises:
        InputError: for an unknown kind.
    """
    rest = dict(fields)
    kind = rest.pop("kind", None)
    if kind not in PARAMETER_KINDS:
        raise InputError(
            f"parameter kind {kind!r} must be one of {', '.join(PARAMETER_KINDS)}{did_you_mean(kind, PARAMETER_KINDS)}"
        )
    try:
        return PARAMETER_KINDS[kind](**rest)
    except TypeError as error:
        raise InputError(f"cannot build a {kind} parameter from {sorted(rest)}: {error}") from None
