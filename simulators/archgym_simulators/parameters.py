"""The parameter kinds of a design space: all finite, all stored as 0-based index digits.

A parameter owns one column of an index row, except `Permutation`, which owns one column per Lehmer digit.
Scalar kinds live here, `Permutation` and `Factors` in `structured_parameters`.
"""

from __future__ import annotations

__all__ = ["Categorical", "Integer", "Ordinal", "Parameter", "Scalar"]

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from math import isfinite
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, as_number, did_you_mean

JsonObject = dict[str, Any]
ROLES = ("design", "fidelity")


@dataclass(frozen=True)
class Parameter(ABC):
    """One named choice of a design.

    Attributes:
        name: column name; what a person types.
        description: one sentence that a person, or a language model, can act on.
        role: ``"design"``, or ``"fidelity"`` for a knob that buys accuracy with cost.
        group: optional label; parameters of one group form one agent in the multi-agent environment.
    """

    kind: ClassVar[str]
    name: str
    _: KW_ONLY
    description: str = ""
    role: str = "design"
    group: str = ""

    def __post_init__(self) -> None:
        if not is_plain(self.name) or any(c in self.name for c in ',"'):
            raise InputError(
                f"parameter name {self.name!r} must be text on one line, without commas, quotes or edges of space"
            )
        if self.role not in ROLES:
            raise InputError(f"role {self.role!r} of parameter {self.name!r} must be one of {allowed_values(ROLES)}")

    @property
    @abstractmethod
    def radices(self) -> tuple[int, ...]:
        """Number of values of each index digit, most significant first."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Exact number of values."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the index columns."""
        return (self.name,)

    @abstractmethod
    def values_of(self, digits: NDArray[np.int64]) -> NDArray[Any]:
        """Values a model computes with, for digits (N, W): (N,), or (N, items or slots) for structured kinds."""

    @abstractmethod
    def readable(self, digits: NDArray[np.int64]) -> NDArray[Any]:
        """What a person reads, for digits (N, W): one scalar or string a design (N,)."""

    @abstractmethod
    def readable_one(self, digits: Sequence[int]) -> Any:
        """As `readable` for a single design, without NumPy."""

    @abstractmethod
    def digits_of(self, value: object) -> tuple[int, ...]:
        """Digits of one readable value.

        Raises:
            InputError: naming the value, what is allowed and the nearest match.
        """

    @abstractmethod
    def neighbours(self, digits: Sequence[int]) -> list[tuple[int, ...]]:
        """Digits one natural step away, without the digits themselves or duplicates."""

    def encode(self, values: Iterable[object]) -> NDArray[np.int64]:
        """Digits (N, W) of N readable values; the error of a wrong one names its row, counted from 1."""
        rows: list[tuple[int, ...]] = []
        known: dict[str, tuple[int, ...]] = {}  # columns repeat few values, and parsing one costs microseconds
        for number, value in enumerate(values, start=1):
            spelling = str(value)
            digits = known.get(spelling)
            if digits is None:
                try:
                    digits = known[spelling] = self.digits_of(value)
                except InputError as error:
                    raise InputError(f"row {number}: {error}") from None
            rows.append(digits)
        return np.array(rows, dtype=np.int64).reshape(len(rows), len(self.radices))

    def to_json(self) -> JsonObject:
        """A JSON-able description from which `parameter_from_json` builds the same parameter."""
        about = {"description": self.description, "role": self.role, "group": self.group}
        return {
            "kind": self.kind,
            "name": self.name,
            **self._json_fields(),
            **{k: v for k, v in about.items() if v},
        }

    @abstractmethod
    def _json_fields(self) -> JsonObject: ...

    def refuse(self, value: object, allowed: Sequence[object]) -> InputError:
        """The error for a value that is not one of ``allowed``."""
        hint = did_you_mean(value, allowed)
        return InputError(f"{self.name} must be one of {allowed_values(allowed)}, not {value!r}{hint}")


@dataclass(frozen=True)
class Scalar(Parameter):
    """A parameter with one index digit and one scalar value an index."""

    @property
    @abstractmethod
    def choices(self) -> Sequence[Any]:
        """All values in index order."""

    @property
    def size(self) -> int:
        return len(self.choices)

    @property
    def radices(self) -> tuple[int, ...]:
        return (self.size,)

    @cached_property
    def _table(self) -> NDArray[Any]:
        plain = {type(choice) for choice in self.choices}
        if plain == {bool} or (plain <= {int, float} and all(abs(choice) < 2**53 for choice in self.choices)):
            return np.array(self.choices)
        table = np.empty(len(self.choices), dtype=object)
        table[:] = self.choices
        return table

    @cached_property
    def _index_by_spelling(self) -> dict[str, int]:
        return {str(choice): index for index, choice in enumerate(self.choices)}

    @cached_property
    def _index_by_number(self) -> dict[int | float, int]:
        numbers = ((as_number(choice), index) for index, choice in enumerate(self.choices))
        return {number: index for number, index in numbers if number is not None}

    def values_of(self, digits: NDArray[np.int64]) -> NDArray[Any]:
        return self._table[digits[:, 0]]

    def readable(self, digits: NDArray[np.int64]) -> NDArray[Any]:
        return self.values_of(digits)

    def readable_one(self, digits: Sequence[int]) -> Any:
        return self.choices[digits[0]]

    def digits_of(self, value: object) -> tuple[int, ...]:
        index = self._index_by_spelling.get(str(value).strip())
        if index is None:
            # A CSV column with one blank turns 4 into 4.0, and NumPy scalars print in their own way.
            number = as_number(value)
            index = None if number is None else self._index_by_number.get(number)
        if index is None:
            raise self.refuse(value, self.choices)
        return (index,)


@dataclass(frozen=True)
class Categorical(Scalar):
    """Values without an order; every other value is a neighbour."""

    kind: ClassVar[str] = "categorical"
    values: tuple[Any, ...]

    def __init__(self, name: str, values: Iterable[Any], **about: str) -> None:
        _set_fields(self, name, about, values=_checked_values(name, values))

    @property
    def choices(self) -> tuple[Any, ...]:
        return self.values

    def neighbours(self, digits: Sequence[int]) -> list[tuple[int, ...]]:
        return [(index,) for index in range(self.size) if index != digits[0]]

    def _json_fields(self) -> JsonObject:
        return {"values": list(self.values)}


@dataclass(frozen=True)
class Ordinal(Scalar):
    """Values in order; the neighbours are the previous and the next."""

    kind: ClassVar[str] = "ordinal"
    values: tuple[Any, ...]
    unit: str = ""

    def __init__(self, name: str, values: Iterable[Any], unit: str = "", **about: str) -> None:
        _set_fields(self, name, about, values=_checked_values(name, values), unit=unit)

    @property
    def choices(self) -> tuple[Any, ...]:
        return self.values

    def neighbours(self, digits: Sequence[int]) -> list[tuple[int, ...]]:
        return _steps(digits[0], self.size)

    def _json_fields(self) -> JsonObject:
        return {"values": list(self.values), "unit": self.unit}


@dataclass(frozen=True)
class Integer(Scalar):
    """Integers ``low, low + step, ... <= high``; the neighbours are one step away."""

    kind: ClassVar[str] = "integer"
    low: int
    high: int
    step: int = 1
    unit: str = ""

    def __init__(self, name: str, low: int, high: int, step: int = 1, unit: str = "", **about: str) -> None:
        low, high, step = whole_numbers(name, low=low, high=high, step=step)
        if step < 1 or low > high:
            raise InputError(f"integer {name!r} needs low <= high and step >= 1, not {low=}, {high=}, {step=}")
        if max(abs(low), abs(high)) >= 2**62:
            raise InputError(f"integer {name!r} needs low and high between -2^62 and 2^62, not {low=}, {high=}")
        _set_fields(self, name, about, low=low, high=high, step=step, unit=unit)

    @cached_property
    def choices(self) -> range:  # a range is never listed, so a billion values cost nothing
        return range(self.low, self.high + 1, self.step)

    def values_of(self, digits: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.low + self.step * digits[:, 0]

    def digits_of(self, value: object) -> tuple[int, ...]:
        number = as_number(value)
        if number is None or number not in self.choices:
            raise self.refuse(value, self.choices)
        return (self.choices.index(int(number)),)

    def neighbours(self, digits: Sequence[int]) -> list[tuple[int, ...]]:
        return _steps(digits[0], self.size)

    def _json_fields(self) -> JsonObject:
        return {"low": self.low, "high": self.high, "step": self.step, "unit": self.unit}


def _set_fields(parameter: Parameter, name: str, about: Mapping[str, str], **fields: object) -> None:
    # Frozen dataclasses with a positional signature of their own: (name, values, unit) reads better than keywords.
    unknown = set(about) - {"description", "role", "group"}
    if unknown:
        raise TypeError(f"unexpected keyword {sorted(unknown)[0]!r} for parameter {name!r}")
    defaults = {"description": "", "role": "design", "group": ""}
    for key, value in {"name": name, **defaults, **about, **fields}.items():
        object.__setattr__(parameter, key, value)
    parameter.__post_init__()


def _checked_values(name: str, values: Iterable[Any]) -> tuple[Any, ...]:
    """Values as JSON-able scalars that stay apart in a text file."""
    plain = tuple(value.item() if isinstance(value, np.generic) else value for value in values)
    for value in plain:
        is_scalar = is_plain(value) or (isinstance(value, int | float) and isfinite(value))
        if not is_scalar:
            raise InputError(f"values of {name!r} must be finite numbers, booleans or text on one line, not {value!r}")
    spellings = {str(value) for value in plain}
    numbers = [number for number in map(as_number, plain) if number is not None]
    if not plain or len(spellings) != len(plain) or len(set(numbers)) != len(numbers):
        raise InputError(f"parameter {name!r} needs distinct values, at least one, not {list(plain)}")
    return plain


def is_plain(text: object) -> bool:
    """Whether ``text`` is a non-empty string on one line, without edges of space: it survives a CSV file."""
    return isinstance(text, str) and text == text.strip() and text.isprintable() and bool(text)


def whole_numbers(name: str, **numbers: Any) -> list[int]:
    """The arguments as ints.

    Raises:
        InputError: naming the one that is not a whole number.
    """
    for argument, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int | np.integer):
            raise InputError(f"{argument} of parameter {name!r} must be a whole number, not {number!r}")
    return [int(number) for number in numbers.values()]


def _steps(index: int, size: int) -> list[tuple[int, ...]]:
    return [(step,) for step in (index - 1, index + 1) if 0 <= step < size]
