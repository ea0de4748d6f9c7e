"""The parameter kinds of a design space: all finite, all stored as 0-based index digits.

A parameter owns one column of an index row, except `Permutation`, which owns one column per Lehmer digit.
Scalar kinds live here, `Permutation` and `Factors` in `structured_parameters`.
"""

from __future__ import annotations

__all__ = ["Categorical", "Integer", "Ordinal", "Parameter", "Scalar"]

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean

type_of_json = dict[str, Any]
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
        if not self.name or self.name != self.name.strip() or any(c in self.name for c in ',"\n'):
            raise InputError(
                f"parameter name {self.name!r} must be non-empty, without commas, quotes or edges of space"
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
        rows = []
        for number, value in enumerate(values, start=1):
            try:
                rows.append(self.digits_of(value))
            except InputError as error:
                raise InputError(f"row {number}: {error}") from None
        return np.array(rows, dtype=np.int64).reshape(len(rows), len(self.radices))

    def to_json(self) -> type_of_json:
        """A JSON-able description from which `parameter_from_json` builds the same parameter."""
        about = {"description": self.description, "role": self.role, "group": self.group}
        return {
            "kind": self.kind,
            "name": self.name,
            **self._json_fields(),
            **{k: v for k, v in about.items() if v},
        }

    @abstractmethod
    def _json_fields(self) -> type_of_json: ...

    def refuse(self, value: object, allowed: Sequence[object]) -> InputError:
        """The error for a value that is not one of ``allowed``."""
        hint = did_you_mean(value, allowed)
        return InputError(f"{self.name} must be one of {allowed_values(allowed)}, not {value!r}{hint}")


@dataclass(frozen=True)
class Scalar(Parameter):
    """A parameter with one index digit and one scalar value an index."""

    @property
    @abstractmethod
    def choices(self) -> tuple[Any, ...]:
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
        if plain <= {int} or plain <= {int, float} or plain == {bool}:
            return np.array(self.choices)
        table = np.empty(len(self.choices), dtype=object)
        table[:] = self.choices
        return table

    @cached_property
    def _index_by_spelling(self) -> dict[str, int]:
        return {str(choice): index for index, choice in enumerate(self.choices)}

    def values_of(self, digits: NDArray[np.int64]) -> NDArray[Any]:
        return self._table[digits[:, 0]]

    def readable(self, digits: NDArray[np.int64]) -> NDArray[Any]:
        return self.values_of(digits)

    def readable_one(self, digits: Sequence[int]) -> Any:
        return self.choices[digits[0]]

    def digits_of(self, value: object) -> tuple[int, ...]:
        index = self._index_by_spelling.get(str(value).strip())
        if index is None:
            index = self._index_of_number(value)
        if index is None:
            raise self.refuse(value, self.choices)
        return (index,)

    def _index_of_number(self, value: object) -> int | None:
        # A CSV column with one blank turns 4 into 4.0, and NumPy scalars print in their own way.
        try:
            number = float(str(value))
        except ValueError:
            return None
        return next(
            (
                i
                for i, c in enumerate(self.choices)
                if isinstance(c, int | float) and not isinstance(c, bool) and c == number
            ),
            None,
        )


@dataclass(frozen=True)
class Categorical(Scalar):
    """Values without an order; every other value is a neighbour."""

    kind: ClassVar[str] = "categorical"
    values: tuple[Any, ...]

    def __init__(self, name: str, values: Iterable[Any], **about: str) -> None:
        _set_fields(self, name, about, values=tuple(values))
        _check_distinct(self, self.values)

    @property
    def choices(self) -> tuple[Any, ...]:
        return self.values

    def neighbours(self, digits: Sequence[int]) -> list[tuple[int, ...]]:
        return [(index,) for index in range(self.size) if index != digits[0]]

    def _json_fields(self) -> type_of_json:
        return {"values": list(self.values)}


@dataclass(frozen=True)
class Ordinal(Scalar):
    """Values in order; the neighbours are the previous and the next."""

    kind: ClassVar[str] = "ordinal"
    values: tuple[Any, ...]
    unit: str = ""

    def __init__(self, name: str, values: Iterable[Any], unit: str = "", **about: str) -> None:
        _set_fields(self, name, about, values=tuple(values), unit=unit)
        _check_distinct(self, self.values)

    @property
    def choices(self) -> tuple[Any, ...]:
        return self.values

    def neighbours(self, digits: Sequence[int]) -> list[tuple[int, ...]]:
        return _steps(digits[0], self.size)

    def _json_fields(self) -> type_of_json:
        return {"values": list(self.values), "unit": self.unit}


@dataclass(frozen=True)
class Integer(Scalar):
    """Integers ``low, low + step, ... <= high``; the neighbours are one step away."""

    kind: ClassVar[str] = "integer"
    low: int
    high: int
    step: int = 1
    unit: str = ""
    choices_cache: tuple[int, ...] = field(default=(), repr=False, compare=False)

    def __init__(self, name: str, low: int, high: int, step: int = 1, unit: str = "", **about: str) -> None:
        if step < 1 or low > high:
            raise InputError(f"integer {name!r} needs low <= high and step >= 1, not {low=}, {high=}, {step=}")
        choices = tuple(range(low, high + 1, step))
        _set_fields(self, name, about, low=low, high=high, step=step, unit=unit, choices_cache=choices)

    @property
    def choices(self) -> tuple[int, ...]:
        return self.choices_cache

    def neighbours(self, digits: Sequence[int]) -> list[tuple[int, ...]]:
        return _steps(digits[0], self.size)

    def _json_fields(self) -> type_of_json:
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


def _check_distinct(parameter: Parameter, values: tuple[Any, ...]) -> None:
    spellings = [str(value) for value in values]
    if not values or len(set(spellings)) != len(spellings):
        raise InputError(f"parameter {parameter.name!r} needs distinct values, at least one, not {list(values)}")


def _steps(index: int, size: int) -> list[tuple[int, ...]]:
    return [(step,) for step in (index - 1, index + 1) if 0 <= step < size]
