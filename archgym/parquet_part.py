"""Parquet files that appear whole or not at all, written piece by piece."""

from __future__ import annotations

__all__ = ["ParquetPart"]

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archgym.run_directory import PART

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_A_GROUP = 1 << 16


class ParquetPart:
    """A Parquet file under way, opened with its first table; it takes its name in `put_in_place`.

    Small tables are gathered into row groups of some 65,000 rows. Without any table there is no file.

    Raises:
        OSError: in any method, a full disk, with the file's name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(path.name + PART)
        self._writer: Any = None
        self._pending: list[pa.Table] = []
        self._rows = 0

    def add(self, table: pa.Table) -> None:
        """Append rows; all tables have the same columns."""
        self._pending.append(table)
        self._rows += len(table)
        if self._rows >= _ROWS_A_GROUP:
            self._flush()

    def close(self) -> None:
        """Complete the file under its temporary name."""
        self._flush()
        if self._writer is not None:
            with self._named():
                self._writer.close()

    def put_in_place(self) -> None:
        """Give a closed file its name."""
        if self._writer is not None:
            self._part.replace(self._path)

    def abandon(self) -> None:
        """Delete what was written."""
        if self._writer is not None:
            with suppress(OSError):
                self._writer.close()
        self._part.unlink(missing_ok=True)

    def _flush(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self._pending:
            return
        with self._named():
            table = pa.concat_tables(self._pending)
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._part, table.schema, compression="zstd", write_page_checksum=True)
            self._writer.write_table(table)
        self._pending, self._rows = [], 0

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, f"cannot write {self._path}: {error.strerror or error}") from error
