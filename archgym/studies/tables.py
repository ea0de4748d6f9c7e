"""A study's Parquet files, written by chunks so that memory does not grow with the number of runs."""

from __future__ import annotations

__all__ = ["IMPROVEMENTS", "RUNS", "evaluations_name", "write_tables"]

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archgym.run_directory import PART
from archgym.studies.records import PROBLEM, RunRecord, improvement_table, run_table

if TYPE_CHECKING:
    import pyarrow as pa

RUNS, IMPROVEMENTS = "runs.parquet", "improvements.parquet"
_RUNS_AT_ONCE = 1024
_ROWS_A_GROUP = 1 << 16


def evaluations_name(problem: int) -> str:
    """The file of all evaluations of a task, by its place in the manifest: columns differ between tasks."""
    return f"evaluations-{problem:03d}.parquet"


def write_tables(folder: Path, records: Iterable[RunRecord]) -> None:
    """Write the tables of a study, each whole or not at all.

    Args:
        folder: an existing directory.
        records: every run, those of one task together.

    Raises:
        OSError: a full disk, with the file's name; no table is changed then.
    """
    runs, improvements = _Part(folder / RUNS), _Part(folder / IMPROVEMENTS)
    parts = [runs, improvements]
    try:
        for problem, of_problem in groupby(records, key=lambda record: int(record.run[PROBLEM])):
            evaluations = _Part(folder / evaluations_name(problem))
            parts.append(evaluations)
            for chunk in _chunks(of_problem):
                runs.add(run_table(chunk))
                improvements.add(improvement_table(chunk))
                for record in chunk:
                    evaluations.add_stream(record.evaluations)
            evaluations.close()
        runs.add(run_table([]))
        improvements.add(improvement_table([]))
        for part in parts:
            part.close()
    except BaseException:
        for part in parts:
            part.abandon()
        raise
    for part in parts:
        part.put_in_place()


def _chunks(records: Iterable[RunRecord]) -> Iterator[list[RunRecord]]:
    waiting = iter(records)
    while chunk := list(islice(waiting, _RUNS_AT_ONCE)):
        yield chunk


class _Part:
    """A Parquet file under way, opened with its first table; it takes its name when all are complete."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(path.name + PART)
        self._writer: Any = None
        self._pending: list[pa.Table] = []
        self._rows = 0

    def add(self, table: pa.Table) -> None:
        self._pending.append(table)
        self._rows += len(table)
        if self._rows >= _ROWS_A_GROUP:
            self._flush()

    def add_stream(self, stream: bytes) -> None:
        import pyarrow as pa

        if stream:
            self.add(pa.ipc.open_stream(stream).read_all())

    def close(self) -> None:
        self._flush()
        if self._writer is not None:
            with self._named():
                self._writer.close()

    def abandon(self) -> None:
        self._part.unlink(missing_ok=True)

    def put_in_place(self) -> None:
        if self._writer is not None:
            self._part.replace(self._path)

    def _flush(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self._pending:
            return
        with self._named():
            table = pa.concat_tables(self._pending)
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._part, table.schema, compression="zstd")
            self._writer.write_table(table)
        self._pending, self._rows = [], 0

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, f"cannot write {self._path}: {error.strerror or error}") from error
