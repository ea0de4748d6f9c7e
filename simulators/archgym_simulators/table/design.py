"""Design columns of a table as parameters of a design space."""

from __future__ import annotations

__all__ = ["design_space", "ordered_columns"]

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean
from archgym_simulators.parameters import Categorical, Ordinal, Scalar
from archgym_simulators.space import DesignSpace, Rows
from archgym_simulators.table.columns import Column, TableFile


def design_space(
    table: TableFile,
    design: Sequence[str],
    *,
    ordinal: Mapping[str, Sequence[Any]],
    categorical: Sequence[str],
) -> tuple[DesignSpace, Rows]:
    """The space of the design columns, and the table's designs in it, in file order (R, D).

    Numbers become an `Ordinal` of the values that occur, in rising order; texts a `Categorical` in order of
    appearance; true and false a `Categorical`.

    Args:
        table: as read.
        design: names of the design columns.
        ordinal: values in order for columns whose order cannot be told, which may include values that do not occur.
        categorical: columns of numbers that are codes without an order.

    Raises:
        InputError: unknown or repeated column, empty cell, or a value outside ``ordinal``.
    """
    if not design:
        raise InputError(f"option design must name the design columns of {table.name!r}, of {', '.join(table.columns)}")
    for option, names in (("ordinal", ordinal), ("categorical", categorical)):
        wrong = next((name for name in names if name not in design), None)
        if wrong is not None:
            raise InputError(
                f"option {option}: {wrong!r} is no design column{did_you_mean(wrong, design)}; "
                f"those are {', '.join(design)}"
            )
    parameters, codes = [], []
    for name in design:
        column = _complete(table, table.column(name, "design"))
        values, code = _distinct(column)
        if name in ordinal:
            parameter: Scalar = Ordinal(name, ordinal[name], description=_about(name, ordinal[name]))
            code = _recoded(table, column, parameter, values, code)
        elif column.kind in ("integer", "number") and name not in categorical:
            parameter = Ordinal(name, values, description=_about(name, values))
        else:
            parameter = Categorical(name, values, description=_about(name, values))
        parameters.append(parameter)
        codes.append(code)
    return DesignSpace(parameters), np.stack(codes, axis=1)


def ordered_columns(space: DesignSpace) -> NDArray[np.bool_]:
    """Whether the values of each parameter have an order: (D,)."""
    return np.array([isinstance(parameter, Ordinal) for parameter in space.parameters])


def _complete(table: TableFile, column: Column) -> Column:
    if column.missing.any():
        row = int(column.missing.argmax())
        raise InputError(f"table {table.name!r}, row {row + 1}: design column {column.name!r} is empty")
    return column


def _distinct(column: Column) -> tuple[list[Any], NDArray[np.int64]]:
    """Distinct values of a column as plain Python values, and each cell's index among them (R,)."""
    if column.kind == "text":
        return list(column.texts), column.values
    values, code = np.unique(column.values, return_inverse=True)
    return values.tolist(), code.astype(np.int64)


def _recoded(
    table: TableFile, column: Column, parameter: Scalar, values: list[Any], code: NDArray[np.int64]
) -> NDArray[np.int64]:
    indices = []
    for number, value in enumerate(values):
        try:
            indices.append(parameter.digits_of(value)[0])
        except InputError as error:
            row = int((code == number).argmax()) + 1
            raise InputError(f"table {table.name!r}, row {row}: {error}; see option ordinal") from None
    return np.array(indices, dtype=np.int64)[code]


def _about(name: str, values: Sequence[Any]) -> str:
    # Without the table's name: tables with the same values have the same space.
    return f"Column {name} of the table: {allowed_values(list(values), most=8)}."
