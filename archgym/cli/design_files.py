"""Tables of designs in CSV or Parquet files: read with exact places for errors, written whole or not at all."""

from __future__ import annotations

__all__ = ["DesignTable", "OutputFile", "read_designs"]

import csv
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from archgym_simulators import DesignSpace, InputError
from archgym_simulators.space import Rows

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True)
class DesignTable:
    """Columns as a file has them.

    Attributes:
        path: the file.
        columns: name -> cells; text in CSV files, so that what is written back is what was read.
        lines: line of the file where each row ends, for CSV; empty for Parquet.
        arrow: the Arrow table, for Parquet.
    """

    path: Path
    columns: Mapping[str, Sequence[Any]]
    lines: Sequence[int] = ()
    arrow: pa.Table | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def rows(self, space: DesignSpace) -> Rows:
        """Index rows (N, D) of the designs.

        Raises:
            InputError: a missing column, or a wrong value, with its row and line.
        """
        try:
            return space.encode(self.columns)
        except InputError as error:
            found = re.match(r"row (\d+): (.*)", str(error), re.DOTALL)
            if not found:
                raise InputError(f"{self.path}: {error}") from None
            raise InputError(f"{self.path}: {self._place(int(found[1]))}: {found[2]}") from None

    def _place(self, row: int) -> str:
        return f"row {row} (line {self.lines[row - 1]})" if self.lines else f"row {row}"


def suffix_of(path: Path, flag: str) -> str:
    """``".csv"`` or ``".parquet"``.

    Raises:
        InputError: for any other extension.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{flag} must end in {' or '.join(SUFFIXES)}, not {str(path)!r}")
    return suffix


def read_designs(path: Path) -> DesignTable:
    """Read a table of designs.

    Raises:
        InputError: another extension, a missing, empty or unreadable file, or a column that appears twice.
    """
    suffix = suffix_of(path, "--designs")
    if not path.is_file():
        what = "is no file" if path.exists() else "does not exist"
        raise InputError(f"--designs {str(path)!r} {what}")
    try:
        found = _read_csv(path) if suffix == ".csv" else _read_parquet(path)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: byte {error.start} is 0x{error.object[error.start]:02x}") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if not len(found):
        raise InputError(f"{path} names columns but has no designs")
    return found


def _read_csv(path: Path) -> DesignTable:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = next(reader, None)
            if header is None:
                raise InputError(f"{path} is empty; the first line must name the columns")
            if len(header) == 1 and (other := next((sign for sign in ";\t|" if sign in header[0]), None)):
                raise InputError(f"{path}: cells are separated by {other!r}; they must be separated by commas")
            names = _distinct([name.strip() for name in header], path)
            rows: list[list[str]] = []
            lines: list[int] = []
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(names):
                    raise InputError(
                        f"{path}: row {len(rows) + 1} (line {reader.line_num}) has {len(cells)} cells, "
                        f"the header names {len(names)} columns"
                    )
                rows.append(cells)
                lines.append(reader.line_num)
        except csv.Error as error:
            raise InputError(f"{path}: line {reader.line_num}: {error}") from None
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return DesignTable(path, dict(zip(names, columns, strict=True)), lines)


def _read_parquet(path: Path) -> DesignTable:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"{path} is no Parquet file: {error}") from None
    names = _distinct(table.column_names, path)
    return DesignTable(path, {name: table.column(name).to_pylist() for name in names}, (), table)


def _distinct(names: list[str], path: Path) -> list[str]:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: column {twice!r} appears {names.count(twice)} times; column names must differ")
    return names


class OutputFile:
    """A file that appears whole when the block ends well, and not at all (or as before) when it does not.

    Made at once, so that a directory that is missing or not writable is noticed before hours of simulation.

    Raises:
        InputError: another extension, a missing directory, or the input file itself.
    """

    def __init__(self, path: Path, source: Path) -> None:
        self.path = path
        self.suffix = suffix_of(path, "--out")
        if not path.parent.is_dir():
            raise InputError(f"--out {str(path)!r}: no directory {str(path.parent)!r}")
        if path.is_dir():
            raise InputError(f"--out {str(path)!r} is a directory")
        if path.exists() and source.exists() and path.samefile(source):
            raise InputError(f"--out {str(path)!r} is the designs file itself; choose another name")
        try:
            handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        except OSError as error:
            raise InputError(f"cannot write {str(path)!r}: {error.strerror}") from error
        os.close(handle)
        self._part = Path(part)

    def write(
        self,
        columns: Mapping[str, Sequence[Any]],
        arrow: pa.Table | None = None,
        metadata: Mapping[bytes, bytes] | None = None,
    ) -> None:
        """Write columns of equal length.

        Args:
            columns: name -> cells.
            arrow: for Parquet to Parquet, the columns of the input that stay, with their types.
            metadata: for Parquet, what the file says about itself.
        """
        try:
            if self.suffix == ".csv":
                self._write_csv(columns)
            else:
                self._write_parquet(columns, arrow, metadata)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise OSError(error.errno, f"cannot write {self.path}: {reason}") from error

    def _write_csv(self, columns: Mapping[str, Sequence[Any]]) -> None:
        with self._part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(zip(*(map(_cell, cells) for cells in columns.values()), strict=True))

    def _write_parquet(
        self, columns: Mapping[str, Sequence[Any]], arrow: pa.Table | None, metadata: Mapping[bytes, bytes] | None
    ) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        kept = {} if arrow is None else {name: arrow.column(name) for name in arrow.column_names}
        table = pa.table({name: kept.get(name, cells) for name, cells in columns.items()})
        pq.write_table(table.replace_schema_metadata(metadata), self._part, write_page_checksum=True)

    def __enter__(self) -> OutputFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            # mkstemp makes files private; a result should be as readable as any file of this user.
            mask = os.umask(0)
            os.umask(mask)
            self._part.chmod(0o666 & ~mask)
            self._part.replace(self.path)
        self._part.unlink(missing_ok=True)


def _cell(value: Any) -> Any:
    """A cell of a CSV file: numbers so that they read back to the same bits, nothing for NaN."""
    return "" if value is None or value != value else value
