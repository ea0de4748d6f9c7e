"""Design spaces: finite, typed, with exact sizes, canonical forms and keys."""

from __future__ import annotations

__all__ = ["Design", "DesignSpace", "rounded"]

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym_simulators.constraints import Constraint, InertWhen
from archgym_simulators.errors import InputError
from archgym_simulators.folding import Folding
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.parameters import Parameter, Scalar
from archgym_simulators.structured_parameters import parameter_from_json

Rows = NDArray[np.int64]  # (N, D), 0-based
Design = dict[str, Any]  # parameter name -> readable value

_KNOWN_READABLE = 1 << 12


class DesignSpace:
    """The product of parameters, with rules and a canonical form.

    A design is a row of D 0-based indices. Parameters own adjacent index columns, in order: one each, and one per
    Lehmer digit for a permutation.

    Args:
        parameters: at least one, with distinct names.
        constraints: rules that make a design invalid without simulating it.
        inert: what is folded to index 0 because it changes nothing for **every** workload of the family. The canonical
            form defines uniqueness, caching and enumeration, so a change here must bump the simulator's version.

    Attributes:
        nvec: (D,) number of values of each index column.
        width: number of index columns, D.
        size: exact number of rows, an unbounded int.

    >>> from archgym_simulators import Categorical, Ordinal
    >>> space = DesignSpace([Ordinal("banks", [1, 2, 4]), Categorical("policy", ["Open", "Closed"])])
    >>> space.size, space.decode_row([2, 1])
    (6, {'banks': 4, 'policy': 'Closed'})
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        *,
        constraints: Sequence[Constraint] = (),
        inert: Sequence[InertWhen] = (),
    ) -> None:
        self.parameters = tuple(parameters)
        self.constraints = tuple(constraints)
        self.inert = tuple(inert)
        self.names = tuple(parameter.name for parameter in self.parameters)
        if not self.parameters or len(set(self.names)) != len(self.names):
            raise InputError(
                f"a design space needs parameters with distinct names, at least one, not {list(self.names)}"
            )
        if len({name.lower() for name in self.names}) != len(self.names):
            raise InputError(f"parameter names must differ in more than case, not {list(self.names)}")
        radices = [radix for parameter in self.parameters for radix in parameter.radices]
        self.nvec: NDArray[np.int64] = np.array(radices, dtype=np.int64)
        self.nvec.setflags(write=False)
        self.width = len(radices)
        self.size = prod(radices)
        edges = np.cumsum([0] + [len(parameter.radices) for parameter in self.parameters]).tolist()
        self._slices = {name: slice(a, b) for name, (a, b) in zip(self.names, pairwise(edges), strict=True)}
        for fold in self.inert:  # says which name is unknown, and what is near
            self.parameter(fold.parameter), self.parameter(fold.condition)
        self._readable = [(p.name, *_readable_of(p, self._slices[p.name])) for p in self.parameters]
        self._folding = Folding(dict(zip(self.names, self.parameters, strict=True)), self._slices, self.inert)
        self._unsigned_nvec = self.nvec.view(np.uint64)

    # ---- shape -------------------------------------------------------------------------------------------------

    @property
    def columns(self) -> tuple[str, ...]:
        """Name of each index column."""
        return tuple(column for parameter in self.parameters for column in parameter.columns)

    def parameter(self, name: str) -> Parameter:
        """The parameter of that name.

        Raises:
            InputError: for an unknown name, with the nearest match.
        """
        if name not in self._slices:
            raise InputError(
                f"unknown parameter {name!r}{did_you_mean(name, self.names)}; allowed: {', '.join(self.names)}"
            )
        return self.parameters[self.names.index(name)]

    def columns_of(self, name: str) -> slice:
        """The index columns that a parameter owns."""
        self.parameter(name)
        return self._slices[name]

    @cached_property
    def fidelity_columns(self) -> NDArray[np.bool_]:
        """Which index columns (D,) belong to parameters of role ``"fidelity"``."""
        return np.array([p.role == "fidelity" for p in self.parameters for _ in p.radices])

    def at_full_fidelity(self, rows: Rows) -> Rows:
        """The rows (N, D) with every parameter of role ``"fidelity"`` at its last value, which is the full one."""
        return np.where(self.fidelity_columns, self.nvec - 1, rows)

    # ---- rows --------------------------------------------------------------------------------------------------

    def as_rows(self, rows: ArrayLike) -> Rows:
        """Check index rows and return them as a C-contiguous (N, D) int64 array.

        Raises:
            InputError: naming the first wrong row, its column, its value and what is allowed.
        """
        array = self._as_table(rows)
        if array.dtype.kind not in "iu":
            raise InputError(f"index rows must be integers, not {array.dtype}")
        array = np.ascontiguousarray(array, dtype=np.int64)
        if np.count_nonzero(array.view(np.uint64) >= self._unsigned_nvec):  # a negative index is a huge unsigned one
            n, d = np.argwhere((array < 0) | (array >= self.nvec))[0].tolist()
            raise InputError(f"row {n}: {self.columns[d]} index must be in 0..{self.nvec[d] - 1}, not {array[n, d]}")
        return array

    def contains(self, rows: ArrayLike) -> NDArray[np.bool_]:
        """Whether each row (N, D) is a design of this space: (N,)."""
        array = self._as_table(rows)
        if array.dtype.kind not in "iu":
            return np.zeros(len(array), dtype=bool)
        return np.asarray(((array >= 0) & (array < self.nvec)).all(axis=1))

    def _as_table(self, rows: ArrayLike) -> NDArray[Any]:
        array = np.asarray(rows)
        if array.ndim != 2 or array.shape[1] != self.width:
            raise InputError(f"index rows must have the shape (N, {self.width}), not {array.shape}")
        return array

    def sample(self, n: int, rng: np.random.Generator) -> Rows:
        """``n`` rows drawn uniformly and independently: (n, D)."""
        return rng.integers(0, self.nvec, size=(n, self.width), dtype=np.int64)

    def neighbours(self, row: ArrayLike) -> Rows:
        """All rows in which one parameter has moved one natural step: (K, D), without duplicates."""
        base = self.as_rows(np.asarray(row)[None])[0]
        moved = []
        for name, parameter in zip(self.names, self.parameters, strict=True):
            where = self._slices[name]
            for digits in parameter.neighbours(base[where].tolist()):
                other = base.copy()
                other[where] = digits
                moved.append(other)
        return np.array(moved, dtype=np.int64).reshape(len(moved), self.width)

    def chunks(self, rows_per_chunk: int = 65_536, *, canonical: bool = False) -> Iterator[Rows]:
        """All rows in key order, in chunks; with ``canonical`` only those that are their own canonical form.

        Raises:
            InputError: for a space of 2^63 rows or more.
        """
        if not self.has_integer_keys:
            raise InputError(f"a space of {rounded(self.size)} designs cannot be enumerated")
        for start in range(0, self.size, rows_per_chunk):
            rows = self.rows_of_keys(np.arange(start, min(start + rows_per_chunk, self.size), dtype=np.int64))
            yield rows[(self.canonical(rows) == rows).all(axis=1)] if canonical else rows

    @cached_property
    def canonical_size(self) -> int:
        """Exact number of distinct canonical designs."""
        return self._folding.count()

    # ---- canonical form, keys, rules -----------------------------------------------------------------------------

    def canonical(self, rows: Rows) -> Rows:
        """The representative of each row among rows that mean the same design for every workload: (N, D)."""
        return self._folding.apply(rows)

    @property
    def has_integer_keys(self) -> bool:
        """Whether keys are mixed-radix integers (size < 2^63) instead of row bytes."""
        return self.size < 2**63

    def keys(self, rows: Rows) -> list[int] | list[bytes]:
        """One hashable key a row: the mixed-radix index while the space is smaller than 2^63, else the row's bytes."""
        if self.has_integer_keys:
            return (rows @ self._strides).tolist()  # type: ignore[no-any-return]
        packed = rows.astype(self._packed_type, order="C")
        return packed.view(np.dtype((np.void, packed.itemsize * self.width)))[:, 0].tolist()  # type: ignore[no-any-return]

    def integer_keys(self, rows: Rows) -> NDArray[np.int64]:
        """As `keys`, as an array (N,).

        Raises:
            InputError: for a space of 2^63 rows or more.
        """
        if not self.has_integer_keys:
            raise InputError(f"a space of {rounded(self.size)} designs has no integer keys")
        keys: NDArray[np.int64] = rows @ self._strides
        return keys

    def rows_of_keys(self, keys: NDArray[np.int64]) -> Rows:
        """The inverse of `integer_keys`: (N,) to (N, D).

        Raises:
            InputError: a key that is no row of this space.
        """
        if keys.size and (keys.min() < 0 or keys.max() >= self.size):
            wrong = keys[(keys < 0) | (keys >= self.size)][0]
            raise InputError(f"key {wrong} must be in 0..{self.size - 1}")
        rows: Rows = (keys[:, None] // self._strides) % self.nvec
        return rows

    def violations(self, rows: Rows) -> NDArray[np.float64]:
        """How far each row breaks each constraint: (N, C), 0 where it holds."""
        if not self.constraints:
            return np.zeros((len(rows), 0))
        columns = _LazyColumns(self, rows)
        violations = np.empty((len(rows), len(self.constraints)))
        for c, rule in enumerate(self.constraints):
            violations[:, c] = rule.violation(columns)
        return violations

    # ---- readable values -----------------------------------------------------------------------------------------

    def values(self, rows: Rows) -> dict[str, NDArray[Any]]:
        """What a model computes with: values (N,) by name; orders (N, items), factors (N, slots)."""
        return {p.name: p.values_of(rows[:, self._slices[p.name]]) for p in self.parameters}

    def decode(self, rows: ArrayLike) -> dict[str, NDArray[Any]]:
        """Readable columns: one scalar or string a design, (N,) by parameter name."""
        checked = self.as_rows(rows)
        return {p.name: p.readable(checked[:, self._slices[p.name]]) for p in self.parameters}

    def decode_row(self, row: Sequence[int] | NDArray[np.int64]) -> Design:
        """One design in readable values; without NumPy, because single designs are decoded in every step."""
        digits = tuple(row.tolist() if isinstance(row, np.ndarray) else row)
        return {name: values[digits[where]] for name, where, values in self._readable}

    def encode(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> Rows:
        """Rows (N, D) of readable columns; the inverse of `decode`. Columns that are no parameter are ignored.

        Raises:
            InputError: for a missing column, or a wrong value, with its row counted from 1.
        """
        missing = [name for name in self.names if name not in columns]
        if missing:
            hint = did_you_mean(missing[0], columns)
            raise InputError(f"missing column {missing[0]!r}{hint}; a design has the columns {', '.join(self.names)}")
        blocks = [
            parameter.encode(_as_column(parameter.name, columns[parameter.name])) for parameter in self.parameters
        ]
        for name, block in zip(self.names, blocks, strict=True):
            if len(block) != len(blocks[0]):
                raise InputError(f"column {name!r} has {len(block)} values, {self.names[0]!r} has {len(blocks[0])}")
        return np.hstack(blocks)

    def encode_row(self, design: Mapping[str, Any]) -> NDArray[np.int64]:
        """The row (D,) of one readable design.

        Raises:
            InputError: for a missing or unknown parameter, or a wrong value.
        """
        for name in design:
            self.parameter(name)
        missing = [name for name in self.names if name not in design]
        if missing:
            raise InputError(f"missing parameter {missing[0]!r}; a design has {', '.join(self.names)}")
        return np.array([d for p in self.parameters for d in p.digits_of(design[p.name])], dtype=np.int64)

    def to_json(self) -> dict[str, Any]:
        """A JSON-able description: parameters, names of the constraints, what is inert."""
        return {
            "parameters": [parameter.to_json() for parameter in self.parameters],
            "constraints": [{"name": c.name, "template": c.reason.template} for c in self.constraints],
            "inert": [
                {"parameter": f.parameter, "condition": f.condition, "values": list(f.values)} for f in self.inert
            ],
        }

    @staticmethod
    def from_json(description: Mapping[str, Any]) -> DesignSpace:
        """A space with the same parameters and canonical form; constraints are code and do not travel."""
        inert = [InertWhen(f["parameter"], f["condition"], tuple(f["values"])) for f in description.get("inert", ())]
        return DesignSpace([parameter_from_json(p) for p in description["parameters"]], inert=inert)

    @cached_property
    def digest(self) -> str:
        """A content hash: equal for equal descriptions."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DesignSpace) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"DesignSpace({', '.join(self.names)}; {self.size:,} designs)"

    # ---- compiled once -------------------------------------------------------------------------------------------

    @cached_property
    def _strides(self) -> NDArray[np.int64]:
        strides = np.ones(self.width, dtype=np.int64)
        strides[:-1] = np.cumprod(self.nvec[:0:-1])[::-1]
        return strides

    @cached_property
    def _packed_type(self) -> np.dtype[Any]:
        return np.min_scalar_type(int(self.nvec.max()) - 1).newbyteorder("<")


class _LazyColumns(Mapping[str, NDArray[Any]]):
    """Value columns by name, worked out when a constraint asks for them: most ask for two of many."""

    def __init__(self, space: DesignSpace, rows: Rows) -> None:
        self._space = space
        self._rows = rows
        self._known: dict[str, NDArray[Any]] = {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._known:
            self._known[name] = self._space.parameter(name).values_of(self._rows[:, self._space.columns_of(name)])
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._space.names

    def __iter__(self) -> Iterator[str]:
        return iter(self._space.names)

    def __len__(self) -> int:
        return len(self._space.names)


class _Readable(dict[tuple[int, ...], Any]):
    """Readable values of a parameter by its digits, worked out once: writing a permutation takes longer."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__()
        self._parameter = parameter

    def __missing__(self, digits: tuple[int, ...]) -> Any:
        if len(self) >= _KNOWN_READABLE:
            self.clear()
        self[digits] = readable = self._parameter.readable_one(digits)
        return readable


def _readable_of(parameter: Parameter, columns: slice) -> tuple[int, Sequence[Any]] | tuple[slice, _Readable]:
    """Where a parameter's digits stand in a row, and the readable values that they point into."""
    if isinstance(parameter, Scalar):
        return columns.start, parameter.choices
    return columns, _Readable(parameter)


def rounded(size: int) -> str:
    """A number of designs in few digits, also beyond the largest float.

    >>> rounded(4_930), rounded(10**400)
    ('4.93e+03', '1e+400')
    """
    exponent = len(str(size)) - 1
    return f"{size:.3g}" if exponent < 300 else f"{size // 10 ** (exponent - 2) / 100:g}e+{exponent}"


def _as_column(name: str, values: Sequence[Any] | NDArray[Any]) -> Sequence[Any] | NDArray[Any]:
    if isinstance(values, str) or not hasattr(values, "__len__"):
        raise InputError(f"column {name!r} must be a list of values, one a design, not {values!r}")
    return values
