"""Many runs, studies and exported datasets as one dataset, filled batch by batch: nothing is held twice."""

from __future__ import annotations

__all__ = ["load_dataset"]

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.datasets.agreement import distinct_rows
from archgym.datasets.dataset import Dataset
from archgym.datasets.decoding import BatchDecoder, may_enter
from archgym.datasets.parquet_reading import opened
from archgym.datasets.schema import DatasetWorkload, Schema, SourceRun
from archgym.datasets.sources import Source, sources_of
from archgym.journal import row_type
from archgym_simulators import InputError
from archgym_simulators.nearest import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 1 << 14


def load_dataset(
    paths: Path | str | Sequence[Path | str], *, metrics: Sequence[str] | None = None, duplicates: str = "drop"
) -> Dataset:
    """Read run directories, studies, single tasks of studies, and exported datasets into one dataset.

    Peak memory is that of the dataset itself and some 30 bytes a row. Nothing that a file names is executed.

    >>> data = load_dataset(["runs/ga", "runs/study", "runs/study2/evaluations-001.parquet"])  # doctest: +SKIP

    Args:
        paths: one or several. A study with tasks of several simulators cannot be one dataset: name its files.
        metrics: only these; all where None.
        duplicates: ``"drop"`` keeps the first of each canonical design and workload; ``"keep"`` keeps all, which whole
            episodes need.

    Raises:
        InputError: naming the file and what is wrong: units, simulators, options or versions that do not go together,
            a missing column, a wrong value, a NaN of a valid design, the same design with other metrics.
    """
    if duplicates not in ("drop", "keep"):
        raise InputError(f"duplicates must be drop or keep, not {duplicates!r}")
    given = [paths] if isinstance(paths, Path | str) else list(paths)
    if not given:
        raise InputError("nothing to load: give at least one run, study or dataset")
    sources = [source for path in given for source in sources_of(Path(path))]
    for source in sources[1:]:
        sources[0].schema.check_same(source.schema, sources[0].label, source.label)
    if duplicates == "keep":
        _refuse_twice(sources)
    filling = _Filling(_narrowed(sources[0].schema, metrics), sources)
    for source in sources:
        filling.read(source)
    return filling.dataset(drop=duplicates == "drop")


class _Filling:
    """The arrays of a dataset under way, allocated once for all the rows that there may be."""

    def __init__(self, schema: Schema, sources: Sequence[Source]) -> None:
        self._schema = schema
        self._sources = sources
        self._workloads: dict[str, DatasetWorkload] = {}
        self._runs: dict[str, SourceRun] = {}
        self._owner: dict[str, str] = {}
        for source in sources:
            self._note(source)
        self._workload_places = {name: place for place, name in enumerate(self._workloads)}
        self._run_places = {name: place for place, name in enumerate(self._runs)}
        n = sum(_rows_of(source) for source in sources)
        self._columns: dict[str, NDArray[Any]] = {
            "rows": np.empty((n, schema.space.width), row_type(schema.space.nvec)),
            "values": np.empty((n, len(schema.metrics))),
            "status": np.empty(n, np.int8),
            "workload_index": np.empty(n, np.int32),
            "run_index": np.empty(n, np.int32),
            "step": np.empty(n, np.int64),
            "reward": np.empty(n),
            "feasible": np.empty(n, bool),
        }
        self._ends: list[int] = []
        self._end = 0

    def read(self, source: Source) -> None:
        """Append the rows of a source.

        Raises:
            InputError: with the file's name.
        """
        try:
            with opened(source.file) as file:
                columns = file.schema_arrow
            decoder = BatchDecoder(self._schema.space, self._schema.metric_names, columns.names)
            _check_columns(columns, source)
            with opened(source.file, dictionaries=_text_columns(source)) as file:
                position = _Position(source, self._run_places)
                wanted = [*self._schema.space.names, *self._schema.metric_names, *_others(source)]
                first = 0
                for batch in file.iter_batches(_ROWS_AT_ONCE, columns=wanted, use_threads=False):
                    whole = batch if source.evaluated is None else source.evaluated.completed(batch, first)
                    self._append(source, decoder, whole, position)
                    first += batch.num_rows
        except InputError as error:
            raise error if str(source.file) in str(error) else InputError(f"{source.file}: {error}") from error
        self._ends.append(self._end)

    def dataset(self, *, drop: bool) -> Dataset:
        """What was read, without repeated designs where ``drop``.

        Raises:
            InputError: a repeated design whose metrics differ.
        """
        whole = {name: column[: self._end] for name, column in self._columns.items()}
        keep = distinct_rows(self._schema, whole, self._label) if drop else None
        del whole  # arrays are shrunk in their place
        n = self._end if keep is None else len(keep)
        for name in list(self._columns):
            self._columns[name] = _shrunk(self._columns[name], keep, n)
        return Dataset(
            schema=self._schema,
            workloads=tuple(self._workloads.values()),
            runs=tuple(self._runs.values()),
            **self._columns,
            distinct=drop or (len(self._sources) == 1 and self._sources[0].distinct),
            whole_runs=not drop and all(source.whole_runs for source in self._sources),
        )

    # ---- one source ----------------------------------------------------------------------------------------------

    def _note(self, source: Source) -> None:
        """Register workloads and runs; the same name must mean the same thing."""
        for workload in source.workloads:
            known = self._workloads.setdefault(workload.name, workload)
            owner = self._owner.setdefault(workload.name, source.label)
            if known.digest and workload.digest and known.digest != workload.digest:
                raise InputError(
                    f"cannot merge: workload {workload.name!r} is another one in {owner} than in {source.label}"
                )
        for run in source.runs:
            self._runs.setdefault(run.run_id, run)

    def _append(self, source: Source, decoder: BatchDecoder, batch: pa.RecordBatch, position: _Position) -> None:
        rows, values, status = decoder.decode(batch)
        enters = may_enter(status)
        columns: dict[str, NDArray[Any]] = {
            "rows": rows,
            "values": values,
            "status": status,
            "workload_index": self._workloads_of(decoder, batch),
            "run_index": self._runs_of(source, decoder, batch, position),
            **{name: decoder.whole(batch, name) for name in ("step", "reward", "feasible")},
        }
        self._check_version(source, decoder, batch)
        end = self._end + int(enters.sum())
        for name, column in columns.items():
            self._columns[name][self._end : end] = column[enters]
        self._end = end

    def _workloads_of(self, decoder: BatchDecoder, batch: pa.RecordBatch) -> NDArray[np.int64]:
        names, index = decoder.texts(batch, "workload")
        for name in names:
            if name not in self._workload_places:
                self._workload_places[name] = len(self._workloads)
                self._workloads[name] = DatasetWorkload(name)
        return np.array([self._workload_places[name] for name in names], np.int64)[index]

    def _runs_of(
        self, source: Source, decoder: BatchDecoder, batch: pa.RecordBatch, position: _Position
    ) -> NDArray[np.int64]:
        if source.counts is not None:
            return position.advance(batch.num_rows)
        names, index = decoder.texts(batch, "run_id")
        unknown = next((name for name in names if name not in position.known), None)
        if unknown is not None:
            raise InputError(f"run {unknown!r} is not described in the file: damaged")
        return np.array([self._run_places[name] for name in names], np.int64)[index]

    def _check_version(self, source: Source, decoder: BatchDecoder, batch: pa.RecordBatch) -> None:
        for version in decoder.texts(batch, "simulator_version")[0]:
            if version != source.schema.simulator_version:
                raise InputError(
                    f"mixed versions: rows of simulator version {version!r}, described as version "
                    f"{source.schema.simulator_version!r}"
                )

    def _label(self, row: int) -> str:
        return self._sources[int(np.searchsorted(self._ends, row, side="right"))].label


_OTHERS = ("status", "workload", "step", "reward", "feasible", "simulator_version")


def _others(source: Source) -> list[str]:
    """Columns of the file besides designs and metrics."""
    absent = source.evaluated.absent if source.evaluated else ()
    return [*(name for name in _OTHERS if name not in absent), *(["run_id"] if source.counts is None else [])]


def _text_columns(source: Source) -> list[str]:
    return [name for name in _others(source) if name in ("status", "workload", "simulator_version", "run_id")]


def _check_columns(columns: pa.Schema, source: Source) -> None:
    import pyarrow as pa

    kinds = {"step": pa.types.is_integer, "reward": pa.types.is_floating, "feasible": pa.types.is_boolean}
    for name in _others(source):
        if name not in columns.names:
            raise InputError(f"no column {name!r}{did_you_mean(name, columns.names)}")
        if name in kinds and not kinds[name](columns.field(name).type):
            what = kinds[name].__name__.removeprefix("is_")
            raise InputError(f"column {name!r} must be of the kind {what}, not of {columns.field(name).type}")


def _rows_of(source: Source) -> int:
    with opened(source.file) as file:
        return int(file.metadata.num_rows)


def _refuse_twice(sources: Sequence[Source]) -> None:
    seen: dict[str, str] = {}
    for source in sources:
        for run in source.runs:
            if run.run_id in seen:
                raise InputError(
                    f"run {run.run_id} is in {seen[run.run_id]} and in {source.label}: to keep duplicates, name it once"
                )
            seen[run.run_id] = source.label


def _narrowed(schema: Schema, metrics: Sequence[str] | None) -> Schema:
    if metrics is None:
        return schema
    chosen = []
    for name in metrics:
        if name not in schema.metric_names:
            names = schema.metric_names
            raise InputError(f"unknown metric {name!r}{did_you_mean(name, names)}; allowed: {', '.join(names)}")
        chosen.append(schema.metrics[schema.metric_names.index(name)])
    if not chosen or len(set(metrics)) != len(chosen):
        raise InputError(f"metrics must be different names, at least one, not {list(metrics)}")
    return replace(schema, metrics=tuple(chosen))


class _Position:
    """Which run each row of a file is of, where its runs stand one after the other."""

    def __init__(self, source: Source, run_places: Mapping[str, int]) -> None:
        self.known = {run.run_id for run in source.runs}
        self._places = np.array([run_places[run.run_id] for run in source.runs], np.int64)
        self._ends = np.cumsum(source.counts or (), dtype=np.int64)
        self._row = 0
        if source.counts is not None and sum(source.counts) != _rows_of(source):
            raise InputError(f"{_rows_of(source):,} rows, the record of its runs says {sum(source.counts):,}: damaged")

    def advance(self, count: int) -> NDArray[np.int64]:
        """The runs of the next rows."""
        rows = np.arange(self._row, self._row + count)
        self._row += count
        runs: NDArray[np.int64] = self._places[np.searchsorted(self._ends, rows, side="right")]
        return runs


def _shrunk(column: NDArray[Any], keep: NDArray[np.intp] | None, n: int) -> NDArray[Any]:
    """The first ``n`` rows, or those of ``keep`` (ascending), moved within the array, whose rest is given back."""
    for start in range(0, n if keep is not None else 0, _ROWS_AT_ONCE):
        part = keep[start : start + _ROWS_AT_ONCE]  # type: ignore[index]
        column[start : start + len(part)] = column[part]
    column.resize((n, *column.shape[1:]), refcheck=False)
    return column
