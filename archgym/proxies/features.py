"""Designs as the numbers that a regressor learns from, each parameter a table of its values' features."""

from __future__ import annotations

__all__ = ["DesignFeatures", "Group"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators import Categorical, DesignSpace, Factors, Parameter, Permutation
from archgym_simulators.nearest import as_number
from archgym_simulators.space import Rows

Floats = NDArray[np.float64]
Codes = Callable[[Rows], NDArray[np.int64]]
_MOST_LEVELS = 4096
_TWO_VALUES = 2
_MOST_COLUMNS = 64


@dataclass(frozen=True)
class Group:
    """Features that follow from one parameter, or from one item or slot of it.

    Attributes:
        parameter: its name.
        names: of the features, (f,).
        levels: (L, f) features by level.
    """

    parameter: str
    names: tuple[str, ...]
    levels: Floats


class DesignFeatures:
    """Features of the designs of a space, with those of the workload where a proxy covers several.

    A categorical is one column a value (one column for two values, its index above 64) and its number where all values
    are numbers; an ordinal or integer is its index and, unless that says the same, its number; an order is the position
    of each item; a factorisation is the logarithm of each factor. Parameters of one value have none. More than 4,096
    values of an integer share as many bins.

    Args:
        space: the design space.
        workload_names: features of the workload that are columns, too.

    Attributes:
        groups: by parameter, G of them.
        level_counts: levels of each group, (G,).
        names: of the columns, (F,).
    """

    def __init__(self, space: DesignSpace, workload_names: Sequence[str] = ()) -> None:
        self.workload_names = tuple(workload_names)
        self.groups: list[Group] = []
        self._coded: list[tuple[slice, slice, Codes]] = []
        plain: list[tuple[int, int]] = []
        for parameter in space.parameters:
            made, codes = _groups_of(parameter) if parameter.size > 1 else ([], None)
            mine, columns = slice(len(self.groups), len(self.groups) + len(made)), space.columns_of(parameter.name)
            self.groups += made
            if codes is not None:
                self._coded.append((mine, columns, codes))
            elif made:
                plain.append((mine.start, columns.start))
        self._plain_groups, self._plain_columns = np.array(plain, np.int64).reshape(-1, 2).T
        self.names = (*(name for group in self.groups for name in group.names), *self.workload_names)
        self.level_counts = [len(group.levels) for group in self.groups]

    def codes(self, rows: Rows) -> NDArray[np.int64]:
        """Levels (N, G) of index rows (N, D)."""
        codes = np.empty((len(rows), len(self.groups)), np.int64)
        codes[:, self._plain_groups] = rows[:, self._plain_columns]
        for mine, columns, code in self._coded:
            codes[:, mine] = code(rows[:, columns])
        return codes

    def of(self, codes: NDArray[np.int64], workload: Floats) -> Floats:
        """Features (N, F) of levels (N, G) and features of the workload, (W,) or (N, W)."""
        blocks = [group.levels[codes[:, g]] for g, group in enumerate(self.groups)]
        blocks.append(np.broadcast_to(workload, (len(codes), len(self.workload_names))))
        return np.ascontiguousarray(np.concatenate(blocks, axis=1))


def _groups_of(parameter: Parameter) -> tuple[list[Group], Codes | None]:
    """Groups of features, and how their levels (N, k) follow from digits (N, W); None where they are the digit."""
    if isinstance(parameter, Permutation):
        return _places(parameter)
    if isinstance(parameter, Factors):
        return _factors(parameter)
    return _scalar(parameter)


def _places(order: Permutation) -> tuple[list[Group], Codes]:
    positions = np.arange(len(order.items), dtype=np.float64)[:, None]
    groups = [Group(order.name, (f"{order.name}:place of {item}",), positions) for item in order.items]
    return groups, lambda digits: np.argsort(order.values_of(digits), axis=1)


def _factors(factors: Factors) -> tuple[list[Group], Codes | None]:
    names = [f"{factors.name}:log factor {slot}" for slot in range(factors.slots)]
    if factors.size <= _MOST_LEVELS:
        every = np.arange(factors.size, dtype=np.int64)[:, None]
        return [Group(factors.name, tuple(names), np.log(factors.values_of(every)))], None
    divisors = _divisors(factors)
    groups = [Group(factors.name, (name,), np.log(divisors)[:, None]) for name in names]
    return groups, lambda digits: np.searchsorted(divisors, factors.values_of(digits)).astype(np.int64)


def _scalar(parameter: Parameter) -> tuple[list[Group], Codes | None]:
    size, name = parameter.size, parameter.name
    width = -(-size // _MOST_LEVELS)  # values a level
    index = np.arange(0, size, width)
    numbers = [as_number(value) for value in parameter.readable(index[:, None]).tolist()]
    columns: dict[str, NDArray[Any]] = {f"{name}:index": index}
    if isinstance(parameter, Categorical):
        columns = _one_hot(parameter)
    if all(number is not None for number in numbers) and not _is_line(np.array(numbers, np.float64)):
        columns[f"{name}:value"] = np.array(numbers, np.float64)
    levels = np.stack([np.asarray(column, np.float64) for column in columns.values()], axis=1)
    return [Group(name, tuple(columns), levels)], None if width == 1 else lambda digits: digits // width


def _one_hot(parameter: Categorical) -> dict[str, NDArray[Any]]:
    if parameter.size == _TWO_VALUES:
        return {f"{parameter.name}={parameter.values[1]}": np.array([0.0, 1.0])}
    if parameter.size > _MOST_COLUMNS:
        return {f"{parameter.name}:index": np.arange(parameter.size, dtype=np.float64)}
    return {
        f"{parameter.name}={value}": row for value, row in zip(parameter.values, np.eye(parameter.size), strict=True)
    }


def _is_line(numbers: Floats) -> bool:
    steps = np.diff(numbers)
    return bool(np.all(steps == steps[0]))


def _divisors(factors: Factors) -> NDArray[np.int64]:
    divisors = np.ones(1, np.int64)
    for prime, exponent in factors.primes:
        divisors = np.outer(divisors, prime ** np.arange(exponent + 1)).ravel()
    return np.sort(divisors)
