"""A study, or a single run, as its readers see it: data frames."""

from __future__ import annotations

__all__ = ["StudyResults", "load_study"]

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archgym.run_directory import EVALUATIONS, MANIFEST, RESULT, read_json
from archgym.studies.definition import setting_digest
from archgym.studies.records import PROBLEM, improvement_table, run_table
from archgym.studies.store import JOURNAL, recorded_runs
from archgym.studies.tables import IMPROVEMENTS, RUNS, evaluations_name
from archgym_simulators import InputError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True)
class StudyResults:
    """What a study, or a single recorded search, found.

    Rows of a complete study are in the order of its cells (tasks, then agents with their settings, then seeds),
    whatever ran them.

    Attributes:
        path: the directory.
        manifest: ``"tasks"`` (the problems with metrics, baseline and reference point), ``"study"`` (all that makes it
            this study) and ``"about"`` (name, versions); of a single search its own manifest, with ``"tasks"``.
        is_complete: whether every run has ended.
    """

    path: Path
    manifest: Mapping[str, Any]
    is_complete: bool
    _tables: tuple[pa.Table, pa.Table] = field(repr=False)
    _streams: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row a run, the columns of `archgym.studies.records.RUN_COLUMNS`."""
        frame: pd.DataFrame = self._tables[0].drop_columns([PROBLEM]).to_pandas()
        whole = bool((frame["budget"] % 1 == 0).all())  # in cost units a budget may be any number
        return frame.astype({"budget": "int64"}) if whole else frame

    @cached_property
    def problems(self) -> list[int]:
        """Of each run, the place of its task in ``manifest["tasks"]``; names alone may not tell tasks apart."""
        return [int(place) for place in self._tables[0].column(PROBLEM).to_pylist()]

    @cached_property
    def improvements(self) -> pd.DataFrame:
        """One row an improvement, the columns of `archgym.studies.records.IMPROVEMENT_COLUMNS`."""
        frame: pd.DataFrame = self._tables[1].to_pandas()
        return frame

    def evaluations(self, run_id: str) -> pd.DataFrame:
        """Every evaluation of a run, columns as in the ``evaluations.parquet`` of a search.

        Raises:
            InputError: an unknown run, or a study that recorded improvements only.
        """
        if run_id not in self._places:
            raise InputError(f"no run {run_id!r} in {self.path}")
        if run_id in self._streams:
            return _frame_of(self._streams[run_id])
        problem, start, count = self._places[run_id]
        return _slice_of(self._evaluations_file(problem), start, count)

    @cached_property
    def _places(self) -> dict[str, tuple[int, int, int]]:
        """Of each run the task, and where in the task's file its evaluations begin and how many they are."""
        rows = self._tables[0].select(["run_id", PROBLEM, "evaluations"]).to_pydict()
        found: dict[str, tuple[int, int, int]] = {}
        begins: dict[int, int] = {}
        for run_id, problem, count in zip(rows["run_id"], rows[PROBLEM], rows["evaluations"], strict=True):
            start = begins.get(problem, 0)
            found[run_id] = (problem, start, count)
            begins[problem] = start + count
        return found

    def evaluation_groups(self) -> Iterator[pd.DataFrame]:
        """Every evaluation of the study, some 65,000 at a time; columns change from task to task.

        Raises:
            InputError: a study that recorded improvements only.
        """
        import pyarrow.parquet as pq

        for run_id in self._streams:
            yield self.evaluations(run_id)
        if self._streams:
            return
        for problem in dict.fromkeys(self._tables[0].column(PROBLEM).to_pylist()):
            with pq.ParquetFile(self._evaluations_file(problem)) as file:
                for group in range(file.num_row_groups):
                    yield file.read_row_group(group).to_pandas()

    def _evaluations_file(self, problem: int) -> Path:
        """Raises InputError where only improvements were recorded."""
        search = self.manifest.get("identity")
        file = self.path / (evaluations_name(problem) if search is None else EVALUATIONS)
        if not file.is_file() or (search is not None and search["budget"]["record"] != "all"):
            raise InputError(f"{self.path} recorded improvements only; record all to keep every evaluation")
        return file


def load_study(path: Path | str) -> StudyResults:
    """Read a study's directory, also while it runs, or the directory of a single search.

    Raises:
        InputError: no such directory, a damaged one, or a single search that has not ended.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = Path(path)
    if not (folder / MANIFEST).is_file():
        what = f"has no {MANIFEST}" if folder.is_dir() else "is no directory"
        raise InputError(f"{str(folder)!r} is no study: it {what}")
    manifest = read_json(folder / MANIFEST)
    if "study" not in manifest:
        return _single_search(folder)
    is_complete = (folder / RESULT).is_file()
    if not is_complete and (folder / JOURNAL).is_file():
        return _under_way(folder, manifest)
    try:
        tables = pq.read_table(folder / RUNS), pq.read_table(folder / IMPROVEMENTS)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"cannot read {folder}: {str(error).splitlines()[0]}") from error
    return StudyResults(folder, manifest, is_complete, tables)


def _under_way(folder: Path, manifest: Mapping[str, Any]) -> StudyResults:
    """The runs that have ended, by task, setting and seed."""
    newest = {record.run_id: record for record in recorded_runs(folder)}
    settings = [[one["agent"], one["settings"]] for one in manifest["study"]["settings"]]
    places = {setting_digest(agent, values): place for place, (agent, values) in enumerate(settings)}
    records = sorted(
        newest.values(), key=lambda one: (one.run[PROBLEM], places[one.run["setting_id"]], one.run["seed"])
    )
    streams = {record.run_id: record.evaluations for record in records if record.evaluations}
    return StudyResults(folder, manifest, False, (run_table(records), improvement_table(records)), streams)


def _single_search(folder: Path) -> StudyResults:
    from archgym.studies.single_run import record_of_search

    record, manifest = record_of_search(folder)
    return StudyResults(folder, manifest, True, (run_table([record]), improvement_table([record])))


def _frame_of(stream: bytes) -> pd.DataFrame:
    import pyarrow as pa

    frame: pd.DataFrame = pa.ipc.open_stream(stream).read_all().to_pandas()
    return frame


def _slice_of(path: Path, start: int, count: int) -> pd.DataFrame:
    """Rows of a Parquet file, reading only the row groups that hold them."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        needed: list[int] = []
        first = before = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if before < start + count and before + rows > start:
                first = before if not needed else first
                needed.append(group)
            before += rows
        frame: pd.DataFrame = file.read_row_groups(needed).slice(start - first, count).to_pandas()
        return frame
