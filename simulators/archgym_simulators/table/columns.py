"""Read a CSV or Parquet file into typed columns."""

from __future__ import annotations

__all__ = ["Column", "TableFile", "read_table"]

import gzip
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a table, R cells.

    Attributes:
        name: without surrounding blanks.
        kind: ``"integer"``, ``"number"``, ``"truth"`` or ``"text"``.
        values: (R,) int64, float64 or bool; for text int64 codes into ``texts``. Undefined where missing.
        missing: (R,) empty cells and NaN.
        texts: distinct texts in order of appearance, without surrounding blanks.
    """

    name: str
    kind: str
    values: NDArray[Any]  # (R,)
    missing: NDArray[np.bool_]  # (R,)
    texts: tuple[str, ...] = ()

    def cell(self, row: int) -> object:
        """What the cell reads, for messages; ``row`` counts from 0."""
        value = self.values[row].item()
        return self.texts[value] if self.kind == "text" else value


@dataclass(frozen=True, eq=False)
class TableFile:
    """A table as read: rows are numbered from 1 in messages, without the header.

    Attributes:
        name: the path as given, or the name of a built-in example.
        digest: content hash.
        columns: by name, in order.
    """

    name: str
    digest: str
    columns: Mapping[str, Column]

    def column(self, name: str, role: str) -> Column:
        """The column of that name; ``role`` (such as "design") is for the message.

        Raises:
            InputError: for an unknown name, with the nearest match.
        """
        if name not in self.columns:
            raise InputError(
                f"{self.name!r} has no {role} column {name!r}{did_you_mean(name, self.columns)}; "
                f"it has {', '.join(self.columns)}"
            )
        return self.columns[name]


def read_bytes(path: str) -> bytes:
    """The file's content.

    Raises:
        InputError: missing (with the nearest name beside it), a directory, unreadable, or of an unknown kind.
    """
    file = Path(path)
    if os.path.isdir(path):
        raise InputError(f"table {path!r} is a directory; name a file that ends in {', '.join(SUFFIXES)}")
    if not path.lower().endswith(SUFFIXES):
        raise InputError(f"table {path!r} must be a file that ends in {', '.join(SUFFIXES)}")
    if not os.path.exists(path):  # False for an impossible name, where Path.exists raises
        beside = [other.name for other in file.parent.iterdir()] if file.parent.is_dir() else []
        raise InputError(f"no table {path!r}{did_you_mean(file.name, beside)}")
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read table {path!r}: {error.strerror}") from error


def read_table(path: str, content: bytes) -> TableFile:
    """Parse the content of a file.

    CSV: comma (``.tsv``: tab) separated with a header. Empty cells, ``NA``, ``NaN`` and ``null`` are missing in a
    column of numbers, and texts as they stand in a column of texts, where only the empty cell is missing.

    Raises:
        InputError: in one line: malformed, no rows, or a column name twice.
    """
    import pyarrow as pa

    try:
        table = _parquet(content) if path.lower().endswith(".parquet") else _csv(path, content)
    except (pa.ArrowException, OSError, EOFError) as error:
        raise InputError(f"cannot read table {path!r}: {_first_line(error)}") from error
    if not table.num_rows:
        raise InputError(f"table {path!r} has no rows")
    names = [str(name).strip() for name in table.column_names]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"table {path!r} has two columns {twice!r}; names must be distinct")
    columns = {name: _column(path, name, table.column(i)) for i, name in enumerate(names)}
    return TableFile(path, hashlib.sha256(content).hexdigest()[:16], columns)


def _csv(path: str, content: bytes) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    lower = path.lower()
    plain = gzip.decompress(content) if lower.endswith(".gz") else content
    separator = "\t" if ".tsv" in lower[-7:] else ","
    return csv.read_csv(
        pa.BufferReader(plain),
        parse_options=csv.ParseOptions(delimiter=separator, newlines_in_values=False),
        # Dates and times are labels here, so they stay as they are written.
        convert_options=csv.ConvertOptions(timestamp_parsers=[]),
    )


def _parquet(content: bytes) -> pa.Table:
    import pyarrow as pa
    from pyarrow import parquet

    return parquet.read_table(pa.BufferReader(content))


def _column(path: str, name: str, cells: pa.ChunkedArray) -> Column:
    import pyarrow as pa
    from pyarrow import types

    found = cells.type
    try:
        if types.is_boolean(found):
            return _filled(name, "truth", cells, pa.bool_(), False)
        if types.is_integer(found):
            return _filled(name, "integer", cells, pa.int64(), 0)
        if types.is_floating(found) or types.is_decimal(found) or types.is_null(found):
            column = _filled(name, "number", cells, pa.float64(), 0.0)
            return Column(name, "number", column.values, column.missing | np.isnan(column.values))
        return _text(name, cells.cast(pa.string()))
    except pa.ArrowException as error:
        raise InputError(f"table {path!r}, column {name!r}: cannot read cells of type {found}") from error


def _filled(name: str, kind: str, cells: pa.ChunkedArray, target: pa.DataType, filler: object) -> Column:
    missing = cells.is_null().to_numpy()
    values = cells.cast(target).fill_null(filler).to_numpy()
    return Column(name, kind, values, missing)


def _text(name: str, cells: pa.ChunkedArray) -> Column:
    encoded = cells.fill_null("").combine_chunks().dictionary_encode()
    raw = [text.strip() for text in encoded.dictionary.to_pylist()]
    texts = tuple(dict.fromkeys(text for text in raw if text))
    code_of = {text: code for code, text in enumerate(texts)}
    codes = np.array([code_of.get(text, -1) for text in raw], dtype=np.int64)
    values = codes[encoded.indices.to_numpy(zero_copy_only=False)]
    return Column(name, "text", np.maximum(values, 0), values < 0, texts)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
