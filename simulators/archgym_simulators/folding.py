"""Canonical forms: what is inert is folded to index 0, and the folded designs are counted."""

from __future__ import annotations

__all__ = ["Folding"]

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from math import prod

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.constraints import InertWhen
from archgym_simulators.errors import InputError
from archgym_simulators.parameters import Parameter

_COUNTED_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class _Fold:
    """One `InertWhen`, compiled: ``where`` becomes 0 in rows whose index at ``condition`` triggers."""

    parameter: str
    condition: str
    where: slice
    column: int
    triggers: NDArray[np.bool_]  # (values of the condition,)


class Folding:
    """The canonical form of a space, from its inert parameters.

    A condition may be inert itself; its own fold comes first, so that folding twice changes nothing.

    Args:
        parameters: of the space, by name.
        columns: the index columns of each.
        inert: what is folded.

    Raises:
        InputError: an unknown parameter or value, a condition of several columns, or a circle of conditions.
    """

    def __init__(
        self, parameters: Mapping[str, Parameter], columns: Mapping[str, slice], inert: Sequence[InertWhen]
    ) -> None:
        self._sizes = {name: parameter.size for name, parameter in parameters.items()}
        compiled = [_compile(fold, parameters, columns) for fold in inert]
        order = _order_of(compiled)
        self._folds = sorted(compiled, key=lambda fold: order[fold.parameter])
        self._conditions = sorted({fold.condition for fold in compiled}, key=order.__getitem__)

    def __bool__(self) -> bool:
        return bool(self._folds)

    def apply(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Canonical rows (N, D); a copy where anything can fold."""
        if not self._folds:
            return rows
        folded = rows.copy()
        if len(folded) == 1:  # NumPy's masks cost more than the rest of a session's call at batch 1
            row = folded[0]
            for fold in self._folds:
                if fold.triggers[row[fold.column]]:
                    row[fold.where] = 0
            return folded
        for fold in self._folds:
            folded[fold.triggers[folded[:, fold.column]], fold.where] = 0
        return folded

    def count(self) -> int:
        """Number of canonical designs, exactly.

        Only values of conditions are enumerated, by groups that do not depend on each other; the rest multiplies.
        """
        involved = {name for fold in self._folds for name in (fold.parameter, fold.condition)}
        free = prod(size for name, size in self._sizes.items() if name not in involved)
        return free * prod(self._count_group(group) for group in self._groups())

    def _groups(self) -> list[list[_Fold]]:
        groups: list[list[_Fold]] = []
        for fold in self._folds:
            names = {fold.parameter, fold.condition}
            joined = [g for g in groups if any(names & {f.parameter, f.condition} for f in g)]
            groups = [g for g in groups if g not in joined] + [[f for g in joined for f in g] + [fold]]
        return groups

    def _count_group(self, folds: Sequence[_Fold]) -> int:
        conditions = [name for name in self._conditions if any(fold.condition == name for fold in folds)]
        leaves = sorted({fold.parameter for fold in folds} - set(conditions))
        total = 0
        for values in _combinations([self._sizes[name] for name in conditions]):
            at = dict(zip(conditions, values, strict=True))
            canonical = np.ones(len(values[0]), dtype=bool)
            inert = np.zeros((len(values[0]), len(leaves)), dtype=bool)
            for fold in folds:
                triggered = fold.triggers[at[fold.condition]]
                if fold.parameter in at:
                    canonical &= ~triggered | (at[fold.parameter] == 0)
                else:
                    inert[:, leaves.index(fold.parameter)] |= triggered
            patterns, counts = np.unique(inert[canonical], axis=0, return_counts=True)
            for pattern, count in zip(patterns.tolist(), counts.tolist(), strict=True):
                alive = (self._sizes[leaf] for leaf, folded in zip(leaves, pattern, strict=True) if not folded)
                total += count * prod(alive)
        return total


def _compile(fold: InertWhen, parameters: Mapping[str, Parameter], columns: Mapping[str, slice]) -> _Fold:
    condition = parameters[fold.condition]
    if len(condition.radices) != 1:
        raise InputError(f"inertness can only depend on a parameter of one column, not on {fold.condition!r}")
    triggers = np.zeros(condition.size, dtype=bool)
    for value in fold.values:
        triggers[condition.digits_of(value)[0]] = True
    return _Fold(fold.parameter, fold.condition, columns[fold.parameter], columns[fold.condition].start, triggers)


def _order_of(folds: Sequence[_Fold]) -> dict[str, int]:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for fold in folds:
        sorter.add(fold.parameter, fold.condition)
    try:
        return {name: place for place, name in enumerate(sorter.static_order())}
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise InputError(f"inert parameters must not depend on each other in a circle, as {circle} do") from None


def _combinations(sizes: Sequence[int]) -> Iterator[list[NDArray[np.int64]]]:
    """Every combination of indices, in blocks: one array of indices a size."""
    whole = prod(sizes)
    for start in range(0, whole, _COUNTED_AT_ONCE):
        number = np.arange(start, min(start + _COUNTED_AT_ONCE, whole), dtype=np.int64)
        block = []
        for size in reversed(sizes):
            number, index = np.divmod(number, size)
            block.append(index)
        yield block[::-1]
