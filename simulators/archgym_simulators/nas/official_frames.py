"""Tables of published benchmarks as their users have them: CSV, Parquet or JSON in, checked columns out."""

from __future__ import annotations

__all__ = ["Frame", "cells_of_strings", "order_of_cells", "read_frame", "sha256_of"]

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nas.cells import SIZE, cell_of_text, cells_of_indices, index_of_cells, text_of_cell
from archgym_simulators.nearest import allowed_values, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

_SUFFIXES = (".csv", ".csv.gz", ".parquet")
_TEXTS = ("arch", "arch_str")  # such as 00000000, which is no number
_PIECE = 1 << 20


@dataclass(frozen=True, eq=False)
class Frame:
    """A table from a user's file.

    Attributes:
        name: of the file, for messages.
        data: R rows.
    """

    name: str
    data: pd.DataFrame

    def has(self, column: str) -> bool:
        """Whether there is such a column."""
        return column in self.data.columns

    def require(self, columns: Sequence[str]) -> None:
        """Refuse a table without the columns.

        Raises:
            InputError: naming the missing column and the nearest that is there.
        """
        present = [str(column) for column in self.data.columns]
        missing = [column for column in columns if column not in present]
        if missing:
            hint = did_you_mean(missing[0], present)
            raise InputError(f"{self.name!r} has no column {missing[0]!r}{hint}; needed: {allowed_values(columns)}")

    def numbers(self, column: str, *, low: float, high: float, may_lack: bool = False) -> NDArray[np.float64]:
        """A column (R,) of finite numbers between ``low`` and ``high``; NaN where empty, if ``may_lack``.

        Raises:
            InputError: naming file, row, column and value of the first cell that is not.
        """
        import pandas as pd

        self.require([column])
        cells = self.data[column]
        values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        empty = cells.isna().to_numpy()
        wrong = ~((values >= low) & (values <= high)) & ~(empty if may_lack else np.zeros(len(cells), dtype=bool))
        if wrong.any():
            row = int(wrong.argmax())
            raise InputError(
                f"{self.name!r}, row {row + 1}, column {column!r}: {cells.iloc[row]!r} must be a number from {low:g} "
                f"to {high:g}"
            )
        return values

    def texts(self, column: str) -> list[str]:
        """A column (R,) of texts."""
        self.require([column])
        return [str(cell) for cell in self.data[column]]


def read_frame(path: Path) -> Frame:
    """Read a CSV or Parquet file.

    Raises:
        InputError: another kind of file, or a damaged one.
    """
    import pandas as pd

    if not path.name.lower().endswith(_SUFFIXES):
        raise InputError(f"{str(path)!r} must end in one of {allowed_values(_SUFFIXES)}")
    try:
        if path.suffix.lower() == ".parquet":
            return Frame(str(path), pd.read_parquet(path))
        return Frame(str(path), pd.read_csv(path, low_memory=False, dtype=dict.fromkeys(_TEXTS, str)))
    except FileNotFoundError:
        raise InputError(f"no file {str(path)!r}") from None
    except (OSError, EOFError, ValueError) as error:  # pandas' and Arrow's own are kinds of ValueError
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{str(path)!r} cannot be read: {reason}") from None


def cells_of_strings(name: str, strings: Sequence[Any]) -> NDArray[np.int64]:
    """Our index (R,) of each architecture string; whatever order another library gives its operations, this is ours.

    Raises:
        InputError: a malformed string, with its row.
    """
    known = _index_of_strings()
    found = np.empty(len(strings), dtype=np.int64)
    for row, text in enumerate(strings):
        index = known.get(text) if isinstance(text, str) else None
        found[row] = _parsed(name, row, text) if index is None else index
    return found


@cache
def _index_of_strings() -> dict[str, int]:
    """Parsing one by one would take seconds."""
    return {text_of_cell(tuple(cell)): i for i, cell in enumerate(cells_of_indices(np.arange(SIZE)).tolist())}


def _parsed(name: str, row: int, text: Any) -> int:
    try:
        return int(index_of_cells(np.array([cell_of_text(str(text))]))[0])
    except InputError as error:
        raise InputError(f"{name!r}, row {row + 1}: {error}") from None


def order_of_cells(name: str, indices: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where each of the 15,625 cells is among ``indices`` (R,): (15,625).

    Raises:
        InputError: a cell is missing or occurs twice.
    """
    found = np.unique(indices)
    if len(found) < len(indices):
        raise InputError(f"{name!r} has {len(indices):,} rows, but only {len(found):,} different architectures")
    if len(found) != SIZE:
        raise InputError(f"{name!r} has {len(found):,} of the {SIZE:,} architectures; the whole table is needed")
    return np.argsort(indices)


def sha256_of(path: Path) -> str:
    """Hash of a file; of a folder, of the names and hashes of its files in order."""
    found = hashlib.sha256()
    if path.is_dir():
        for file in sorted(path.iterdir()):
            found.update(f"{file.name} {sha256_of(file)}\n".encode())
        return found.hexdigest()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            found.update(piece)
    return found.hexdigest()
