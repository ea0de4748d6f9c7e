"""Moves that respect a parameter's kind, vectorised over many designs: what every own searcher varies designs with.

Ordinals and integers step, mostly to the next value and sometimes far; categoricals are redrawn; orders swap two items,
and cross by order crossover; factorisations move one prime from one slot to another, and cross prime by prime. All
parameters of a kind are handled together, so the cost of a batch hardly grows with their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from math import comb
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from archgym_simulators import Categorical, DesignSpace, Factors, Parameter, Permutation
from archgym_simulators.space import Rows

Digits = NDArray[np.int64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
Row = NDArray[np.int64]


class Moves:
    """Variation operators of one space. All draws come from the generator that is passed.

    Attributes:
        count: number of parameters, P.
    """

    def __init__(self, space: DesignSpace) -> None:
        self.count = len(space.parameters)
        self._owner = _owners(space, space.parameters)  # (D,) the parameter of each column
        orders = [p for p in space.parameters if isinstance(p, Permutation) and p.size > 1]
        factors = [p for p in space.parameters if isinstance(p, Factors) and p.size > 1]
        scalars = [p for p in space.parameters if not isinstance(p, Permutation | Factors)]
        redrawn = [p for p in scalars if isinstance(p, Categorical)]
        stepped = [p for p in scalars if not isinstance(p, Categorical)]
        lengths = sorted({len(p.items) for p in orders})
        groups: list[_Group] = [_Steps(space, stepped)] if stepped else []
        groups += [_Redraws(space, redrawn)] if redrawn else []
        groups += [_Orders(space, [p for p in orders if len(p.items) == length]) for length in lengths]
        groups += [_Primes(space, factors)] if factors else []
        self._groups = groups
        # (P,) what moves a parameter, and its place there; None where it has one value only.
        self._movers: list[tuple[_Group, int] | None] = [None] * self.count
        for group in groups:
            for place, parameter in enumerate(group.owner.tolist()):
                self._movers[parameter] = (group, place)

    def choose(self, count: int, rate: float, rng: np.random.Generator) -> Mask:
        """Which parameters of each of ``count`` designs to move: each with probability ``rate``, (count, P)."""
        return rng.random((count, self.count)) < rate

    def choose_one(self, count: int, rng: np.random.Generator) -> Mask:
        """Exactly one parameter of each of ``count`` designs: (count, P)."""
        chosen = np.zeros((count, self.count), dtype=bool)
        chosen[np.arange(count), rng.integers(0, self.count, count)] = True
        return chosen

    def mutate(self, rows: Rows, chosen: Mask, rng: np.random.Generator) -> Rows:
        """Copies of ``rows`` (N, D) in which each chosen parameter (N, P) has moved; one-value parameters stay."""
        moved = rows.copy()
        for group in self._groups:
            group.move(moved, chosen, rng)
        return moved

    def step(self, row: Row, rng: np.random.Generator) -> Row:
        """A copy of one design (D,) in which one parameter has moved: what `mutate` does of `choose_one`, sooner."""
        moved = row.copy()
        mover = self._movers[rng.integers(0, self.count)]
        if mover is not None:
            group, place = mover
            group.move_one(moved, place, rng)
        return moved

    def cross(self, mothers: Rows, fathers: Rows, rng: np.random.Generator) -> Rows:
        """One child a pair (N, D): scalars from either parent, orders and factorisations recombined."""
        from_mother = rng.random((len(mothers), self.count)) < 0.5
        children = np.where(from_mother[:, self._owner], mothers, fathers)
        for group in self._groups:
            group.recombine(children, mothers, fathers, rng)
        return children


class _Group(Protocol):
    """The parameters of one kind.

    Attributes:
        owner: (C,) which parameters of the space they are.
    """

    owner: Index

    def move(self, rows: Rows, chosen: Mask, rng: np.random.Generator) -> None:
        """Move the chosen parameters of ``rows``, in place."""

    def move_one(self, row: Row, place: int, rng: np.random.Generator) -> None:
        """Move one parameter of one design (D,), in place."""

    def recombine(self, children: Rows, mothers: Rows, fathers: Rows, rng: np.random.Generator) -> None:
        """Write values made of both parents' into ``children``, where the kind has such."""


class _Scalars:
    """Parameters of one column each; a child has its mother's value or its father's."""

    def __init__(self, space: DesignSpace, parameters: Sequence[Parameter]) -> None:
        self.owner = _positions(space, parameters)
        self._columns = _columns(space, parameters)[:, 0]
        self._sizes = space.nvec[self._columns]  # (C,)
        self._spots = list(zip(self._columns.tolist(), self._sizes.tolist(), strict=True))

    def recombine(self, children: Rows, mothers: Rows, fathers: Rows, rng: np.random.Generator) -> None:
        """Scalars are taken whole."""


class _Steps(_Scalars):
    def move(self, rows: Rows, chosen: Mask, rng: np.random.Generator) -> None:
        old = rows[:, self._columns]
        # Lengths with P(length >= k) = 1/k: the next value half of the time, yet every value is one move away.
        room = np.maximum(old, self._sizes - 1 - old)
        length = np.minimum((1.0 / (1.0 - rng.random(old.shape))).astype(np.int64), room)
        signed = np.where(rng.random(old.shape) < 0.5, -length, length)
        new = old + signed
        new = np.where((new < 0) | (new >= self._sizes), old - signed, new)
        rows[:, self._columns] = np.where(chosen[:, self.owner], new, old)

    def move_one(self, row: Row, place: int, rng: np.random.Generator) -> None:
        column, size = self._spots[place]
        old = int(row[column])
        length = min(int(1.0 / (1.0 - rng.random())), max(old, size - 1 - old))
        signed = -length if rng.random() < 0.5 else length
        row[column] = old + signed if 0 <= old + signed < size else old - signed


class _Redraws(_Scalars):
    def move(self, rows: Rows, chosen: Mask, rng: np.random.Generator) -> None:
        old = rows[:, self._columns]
        others = np.maximum(self._sizes - 1, 1)
        new = (old + 1 + rng.integers(0, others, old.shape)) % self._sizes
        rows[:, self._columns] = np.where(chosen[:, self.owner], new, old)

    def move_one(self, row: Row, place: int, rng: np.random.Generator) -> None:
        column, size = self._spots[place]
        row[column] = (row[column] + 1 + rng.integers(0, max(size - 1, 1))) % size


class _Orders:
    """Permutations of equally many items, moved on item orders (N, items) decoded from Lehmer digits."""

    def __init__(self, space: DesignSpace, parameters: Sequence[Permutation]) -> None:
        self.owner = _positions(space, parameters)
        self._columns = _columns(space, parameters)  # (K, items - 1)
        self._items = len(parameters[0].items)
        self._decode = parameters[0].values_of

    def move(self, rows: Rows, chosen: Mask, rng: np.random.Generator) -> None:
        """Swap two items."""
        design, which = np.nonzero(chosen[:, self.owner])
        self._swap(rows, design, which, rng)

    def move_one(self, row: Row, place: int, rng: np.random.Generator) -> None:
        self._swap(row[None], np.zeros(1, np.intp), np.array([place]), rng)

    def _swap(self, rows: Rows, design: Index, which: Index, rng: np.random.Generator) -> None:
        where = design[:, None], self._columns[which]
        order = self._decode(rows[where])
        first = rng.integers(0, self._items, len(order))
        second = (first + rng.integers(1, self._items, len(order))) % self._items
        here = np.arange(len(order))
        order[here, first], order[here, second] = order[here, second], order[here, first]
        rows[where] = _lehmer_digits(order)

    def recombine(self, children: Rows, mothers: Rows, fathers: Rows, rng: np.random.Generator) -> None:
        """Order crossover (Davis 1985): a stretch of the mother's order, the rest as the father has it."""
        shape = len(mothers), *self._columns.shape
        ours = self._decode(mothers[:, self._columns].reshape(-1, self._items - 1))
        theirs = self._decode(fathers[:, self._columns].reshape(-1, self._items - 1))
        cuts = np.sort(rng.integers(0, self._items + 1, (len(ours), 2)), axis=1)
        place = np.arange(self._items)
        is_kept = (place >= cuts[:, :1]) & (place < cuts[:, 1:])  # (N, items) by place
        children[:, self._columns] = _lehmer_digits(_filled(ours, is_kept, theirs)).reshape(shape)


class _Primes:
    """Factorisations as ranks, one a prime: which spread of the prime's exponent over the slots.

    The T primes of all parameters lie side by side; a digit is the sum of its primes' rank x stride.
    """

    def __init__(self, space: DesignSpace, parameters: Sequence[Factors]) -> None:
        self.owner = _positions(space, parameters)
        self._columns = _columns(space, parameters)[:, 0]  # (F,)
        counts = [len(p.primes) for p in parameters]
        ways = [[comb(e + p.slots - 1, p.slots - 1) for _, e in p.primes] for p in parameters]
        strides = [np.cumprod([1, *reversed(w)])[-2::-1].tolist() for w in ways]
        tables = [
            _ranks_after_moves(_spreads(p, prime, count, stride))
            for p, some_ways, some_strides in zip(parameters, ways, strides, strict=True)
            for (prime, _), count, stride in zip(p.primes, some_ways, some_strides, strict=True)
        ]
        self._counts = np.array(counts)  # (F,)
        self._first = np.cumsum([0, *counts[:-1]])  # (F,) its first prime among all
        self._ways: Digits = np.concatenate(ways).astype(np.int64)  # (T,)
        self._strides: Digits = np.concatenate(strides).astype(np.int64)  # (T,)
        self._offset = np.cumsum([0, *(len(table) for table in tables[:-1])])  # (T,) into the stacked tables
        widest = max(table.shape[1] for table in tables)
        self._after: Digits = np.concatenate(
            [np.pad(t, ((0, 0), (0, widest - t.shape[1])), constant_values=-1) for t in tables]
        )

    def move(self, rows: Rows, chosen: Mask, rng: np.random.Generator) -> None:
        """Move one prime from one slot to another."""
        design, which = np.nonzero(chosen[:, self.owner])
        prime = self._first[which] + rng.integers(0, self._counts[which])
        digit = rows[design, self._columns[which]]
        rank = digit // self._strides[prime] % self._ways[prime]
        options = self._after[self._offset[prime] + rank]  # (n, moves), -1 where the source slot holds none
        luck = np.where(options >= 0, rng.random(options.shape), -1.0)
        new = options[np.arange(len(options)), luck.argmax(axis=1)]
        rows[design, self._columns[which]] = digit + (new - rank) * self._strides[prime]

    def move_one(self, row: Row, place: int, rng: np.random.Generator) -> None:
        column = self._columns[place]
        prime = self._first[place] + rng.integers(0, self._counts[place])
        digit, stride = row[column], self._strides[prime]
        rank = digit // stride % self._ways[prime]
        options = self._after[self._offset[prime] + rank]
        options = options[options >= 0]
        row[column] = digit + (options[rng.integers(0, len(options))] - rank) * stride

    def recombine(self, children: Rows, mothers: Rows, fathers: Rows, rng: np.random.Generator) -> None:
        """Each prime spread as in either parent."""
        ours, theirs = (np.repeat(rows[:, self._columns], self._counts, axis=1) for rows in (mothers, fathers))
        change = (theirs // self._strides % self._ways - ours // self._strides % self._ways) * self._strides
        change[rng.random(change.shape) < 0.5] = 0
        children[:, self._columns] = mothers[:, self._columns] + np.add.reduceat(change, self._first, axis=1)


def _owners(space: DesignSpace, parameters: Sequence[Parameter]) -> Index:
    return np.repeat(_positions(space, parameters), [len(p.radices) for p in parameters])


def _positions(space: DesignSpace, parameters: Sequence[Parameter]) -> Index:
    return np.array([space.names.index(parameter.name) for parameter in parameters], dtype=np.intp)


def _columns(space: DesignSpace, parameters: Sequence[Parameter]) -> Index:
    spans = [space.columns_of(parameter.name) for parameter in parameters]
    return np.array([range(span.start, span.stop) for span in spans], dtype=np.intp)


def _lehmer_digits(order: Digits) -> Digits:
    """Digits (N, items - 1) of item orders (N, items): how many later items are smaller."""
    is_later = np.triu(np.ones((order.shape[1],) * 2, dtype=bool), k=1)
    is_smaller = order[:, None, :] < order[:, :, None]
    digits: Digits = (is_smaller & is_later).sum(axis=2)[:, :-1]
    return digits


def _filled(ours: Digits, is_kept: Mask, theirs: Digits) -> Digits:
    """Item orders (N, items) with our items at the kept places, and at the others the rest in their order."""
    here = np.arange(len(ours))[:, None]
    is_kept_item = np.zeros_like(is_kept)
    is_kept_item[here, ours] = is_kept
    filled = ours.copy()
    # Both masks have equally many places a row, and boolean indexing visits them row by row from the left.
    filled[~is_kept] = theirs[~is_kept_item[here, theirs]]
    return filled


def _spreads(parameter: Factors, prime: int, ways: int, stride: int) -> Digits:
    """Exponents of ``prime`` in each slot, by rank: (ways, slots)."""
    factors = parameter.values_of(np.arange(ways, dtype=np.int64)[:, None] * stride)
    exponents = np.zeros_like(factors)
    while (divisible := factors % prime == 0).any():
        exponents += divisible
        factors = np.where(divisible, factors // prime, factors)
    return exponents


def _ranks_after_moves(spreads: Digits) -> Digits:
    """Rank after each of the slots x (slots - 1) moves of one prime, -1 where impossible: (ways, moves)."""
    ways, slots = spreads.shape
    # Spreads are ranked lexicographically, so their readings as numbers are sorted and a rank is a bisection away.
    weights = (int(spreads.max()) + 1) ** np.arange(slots - 1, -1, -1, dtype=np.int64)
    numbers = spreads @ weights
    after = np.full((ways, slots * (slots - 1)), -1, dtype=np.int64)
    for move, (source, target) in enumerate(permutations(range(slots), 2)):
        can = spreads[:, source] > 0
        after[can, move] = np.searchsorted(numbers, numbers[can] - weights[source] + weights[target])
    return after
