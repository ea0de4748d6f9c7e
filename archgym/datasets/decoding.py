"""Batches of a Parquet file as index rows and metrics, every value checked."""

from __future__ import annotations

__all__ = ["BatchDecoder", "may_enter"]

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.wording import split_unit
from archgym_simulators import FAILED, OK, STATUS_NAMES, DesignSpace, InputError, Parameter
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.space import Rows

if TYPE_CHECKING:
    import pyarrow as pa

_KNOWN_VALUES = 1 << 16


class BatchDecoder:
    """Reads the columns of one file. Rows are counted from 1 in messages.

    Args:
        space: the design space.
        metrics: names of the metrics, in the order of the columns that it makes.
        columns: names of the file's columns.

    Raises:
        InputError: a parameter, metric or status without a column, with the nearest match.
    """

    def __init__(self, space: DesignSpace, metrics: Sequence[str], columns: Sequence[str]) -> None:
        self._space = space
        self._metrics = tuple(metrics)
        self._known: dict[str, dict[Any, tuple[int, ...]]] = {name: {} for name in space.names}
        self._row = 0
        kinds = {"parameter": space.names, "metric": self._metrics, "column": ("status",)}
        for kind, names in kinds.items():
            for name in names:
                if name not in columns:
                    raise InputError(_missing(kind, name, columns))

    def decode(self, batch: pa.RecordBatch) -> tuple[Rows, NDArray[np.float64], NDArray[np.int8]]:
        """Canonical index rows (n, D), metrics (n, M) and status (n,) of the next batch; failed rows are there, too.

        Raises:
            InputError: naming the first wrong value, its column and its row.
        """
        status = self._status(batch.column("status"))
        rows = np.empty((batch.num_rows, self._space.width), np.int64)
        for parameter in self._space.parameters:
            rows[:, self._space.columns_of(parameter.name)] = self._digits(parameter, batch.column(parameter.name))
        values = np.empty((batch.num_rows, len(self._metrics)))
        for place, name in enumerate(self._metrics):
            values[:, place] = self._numbers(name, batch.column(name), status)
        values[status != OK] = np.nan
        self._row += batch.num_rows
        return self._space.canonical(rows), values, status

    def whole(self, batch: pa.RecordBatch, name: str) -> NDArray[Any]:
        """A column (n,) of plain values without gaps.

        Raises:
            InputError: naming the first row without a value.
        """
        column = batch.column(name)
        if column.null_count:
            raise InputError(f"row {self._row - batch.num_rows + _first_null(column) + 1}: {name} is missing")
        values: NDArray[Any] = column.to_numpy(zero_copy_only=False)
        return values

    def texts(self, batch: pa.RecordBatch, name: str) -> tuple[list[str], NDArray[np.int64]]:
        """The different texts of a column, and which of them each row (n,) has."""
        encoded = _encoded(batch.column(name))
        if encoded.null_count:
            raise InputError(f"row {self._row - batch.num_rows + _first_null(encoded) + 1}: {name} is missing")
        return [str(text) for text in encoded.dictionary.to_pylist()], encoded.indices.to_numpy().astype(np.int64)

    def _status(self, column: pa.Array) -> NDArray[np.int8]:
        encoded = _encoded(column)
        names = encoded.dictionary.to_pylist()
        for name in names:
            if name not in STATUS_NAMES:
                raise InputError(f"status must be one of {', '.join(STATUS_NAMES)}, not {name!r}")
        if encoded.null_count:
            raise InputError(f"row {self._row + _first_null(encoded) + 1}: status is missing")
        codes = np.array([STATUS_NAMES.index(name) for name in names], np.int8)
        status: NDArray[np.int8] = codes[encoded.indices.to_numpy()]
        return status

    def _digits(self, parameter: Parameter, column: pa.Array) -> Rows:
        encoded = _encoded(column)
        if encoded.null_count:
            raise InputError(f"row {self._row + _first_null(encoded) + 1}: {parameter.name} is missing")
        known = self._known[parameter.name]
        if len(known) > _KNOWN_VALUES:
            known.clear()
        indices = encoded.indices.to_numpy()
        table = np.empty((len(encoded.dictionary), len(parameter.radices)), np.int64)
        for place, value in enumerate(encoded.dictionary.to_pylist()):
            digits = known.get(value)
            if digits is None:
                digits = known[value] = self._parsed(parameter, value, indices, place)
            table[place] = digits
        digits_of_rows: Rows = table[indices]
        return digits_of_rows

    def _parsed(self, parameter: Parameter, value: Any, indices: NDArray[Any], place: int) -> tuple[int, ...]:
        try:
            return parameter.digits_of(value)
        except InputError as error:
            row = self._row + int(np.flatnonzero(indices == place)[0]) + 1
            raise InputError(f"row {row}: {error}") from None

    def _numbers(self, name: str, column: pa.Array, status: NDArray[np.int8]) -> NDArray[np.float64]:
        import pyarrow as pa

        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
            raise InputError(f"metric {name!r} must be a column of numbers, not of {column.type}")
        numbers: NDArray[np.float64] = column.to_numpy(zero_copy_only=False).astype(np.float64)
        wrong = np.flatnonzero((status == OK) & ~np.isfinite(numbers))
        if len(wrong):
            raise InputError(
                f"row {self._row + int(wrong[0]) + 1}: {name} is {float(numbers[wrong[0]])} although the status is ok"
            )
        return numbers


def may_enter(status: NDArray[np.int8]) -> NDArray[np.bool_]:
    """(n,) all but failed evaluations, which say nothing about their design."""
    return np.asarray(status != FAILED)


def _encoded(column: pa.Array) -> pa.DictionaryArray:
    import pyarrow as pa

    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()


def _first_null(column: pa.Array) -> int:
    return int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])


def _missing(kind: str, name: str, columns: Sequence[str]) -> str:
    what, unit = split_unit(name)
    others = [column for column in columns if unit and split_unit(column)[0] == what and split_unit(column)[1]]
    if others:
        return f"mixed units: a column {others[0]!r}, where {name!r} is expected"
    return f"no column {name!r}, which every {kind} needs{did_you_mean(name, columns)}"
