"""A study's Parquet files, written by chunks so that memory does not grow with the number of runs."""

from __future__ import annotations

__all__ = ["IMPROVEMENTS", "RUNS", "evaluations_name", "write_tables"]

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from pathlib import Path

from archgym.parquet_part import ParquetPart
from archgym.studies.records import PROBLEM, RunRecord, improvement_table, run_table

RUNS, IMPROVEMENTS = "runs.parquet", "improvements.parquet"
_RUNS_AT_ONCE = 1024


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
    import pyarrow as pa

    runs, improvements = ParquetPart(folder / RUNS), ParquetPart(folder / IMPROVEMENTS)
    parts = [runs, improvements]
    try:
        for problem, of_problem in groupby(records, key=lambda record: int(record.run[PROBLEM])):
            evaluations = ParquetPart(folder / evaluations_name(problem))
            parts.append(evaluations)
            for chunk in _chunks(of_problem):
                runs.add(run_table(chunk))
                improvements.add(improvement_table(chunk))
                for stream in (record.evaluations for record in chunk if record.evaluations):
                    evaluations.add(pa.ipc.open_stream(stream).read_all())
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
