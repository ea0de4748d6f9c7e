"""A table of measured designs as a simulator with an exactly known optimum."""

from __future__ import annotations

__all__ = ["TableSimulator"]

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from archgym_simulators.constraints import Reason
from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.simulator import Baseline, Simulator, Workload
from archgym_simulators.space import Rows
from archgym_simulators.table.measured import MeasuredTable, TableOptions
from archgym_simulators.table.workloads import EXAMPLES, Source, source_of

_KEPT_TABLES = 2
_tables: dict[tuple[str, str, str], MeasuredTable] = {}

NOT_IN_TABLE, NO_RESULT = 0, 1


class TableSimulator(Simulator):
    """Designs measured beforehand: rows of a CSV or Parquet file.

    The space is every combination of the values that occur in the design columns. A combination that the table lacks
    is invalid, as is a design with an empty, NaN or infinite metric cell; both are graded by their distance in steps
    to the nearest design of the table (`archgym_simulators.table.distance.StepsToTable`).

    The version and the workload's digest follow the file's content, so that a changed file is noticed.

    Args:
        workload: ``"default"`` for the table at ``path``, or without one for a built-in example; else a path.
        path: the file, ending in .csv, .tsv (also .gz) or .parquet.
        design: names of the design columns, as a list or separated by commas.
        metrics: names of the metric columns; all other columns of numbers where empty.
        maximise: metrics of which more is better.
        ordinal: design column -> its values in order, for texts such as small, medium, large.
        categorical: design columns of numbers that are codes without an order.
        spans: metric -> the difference that counts as 1 in a reward, for metrics to compare by difference.
        duplicates: what to do with rows of the same design: ``"refuse"``, ``"mean"`` or ``"first"``.
        baseline: reference design: a row of the file counted from 1, or a mapping of values; by default the first row
            that has every metric.
    """

    reasons: ClassVar[tuple[Reason, ...]] = (
        Reason(
            "not-in-table", "the table has no such design; steps to the nearest that it has: {steps:.0f}", ("steps",)
        ),
        Reason("no-result", "row {row:.0f} of the table has no value for some metric", ("row",)),
    )

    def __init__(
        self,
        workload: str = "default",
        *,
        path: str = "",
        design: Sequence[str] | str = (),
        metrics: Sequence[str] | str = (),
        maximise: Sequence[str] | str = (),
        ordinal: Mapping[str, Sequence[Any]] | None = None,
        categorical: Sequence[str] | str = (),
        spans: Mapping[str, float] | None = None,
        duplicates: str = "refuse",
        baseline: int | Mapping[str, Any] | None = None,
    ) -> None:
        source = source_of(workload, path)
        given = _names("design", design)
        chosen = _names("maximise", maximise)
        options = TableOptions(
            design=given or source.design,
            metrics=_names("metrics", metrics),
            maximise=chosen or (() if given or metrics else source.maximise),
            ordinal={name: list(values) for name, values in _mapping("ordinal", ordinal).items()},
            categorical=_names("categorical", categorical),
            spans=dict(_mapping("spans", spans)),
            duplicates=duplicates,
        )
        self._options = options
        self.table = _measured(source, options)
        self.space = self.table.space
        self.metrics = self.table.metrics
        self.version = f"1-{self.table.digest}"
        self.workload = Workload(source.name, digest=self.table.digest)
        self.baseline = _baseline(self.table, baseline)
        self._everywhere_complete = bool(self.table.complete.all())

    @classmethod
    def workload_names(cls) -> dict[str, str]:
        return {**EXAMPLES}

    def describe_options(self) -> dict[str, Any]:
        return json.loads(self._options.key)  # type: ignore[no-any-return]

    def designs(self) -> Rows:
        """The designs that have every metric (R, D), in the order of the file; all others are invalid."""
        return self.table.rows[self.table.complete]

    def simulate(self, rows: Rows) -> Evaluation:
        slots = self.table.index.find(rows)
        present = slots >= 0
        if self._everywhere_complete and present.all():
            return Evaluation.of(self.table.values.take(slots, axis=0), reasons=self.reasons)
        values = self.table.values.take(np.maximum(slots, 0), axis=0)
        without = present & ~self.table.complete.take(np.maximum(slots, 0))
        code = np.where(present, np.where(without, NO_RESULT, -1), NOT_IN_TABLE)
        violation = np.zeros(len(rows))
        wrong = code >= 0
        violation[wrong] = self.table.steps.of(rows[wrong])
        numbers = np.where(without, self.table.file_rows.take(np.maximum(slots, 0)), violation)
        return Evaluation.of(
            values, reasons=self.reasons, reason_code=code, violation=violation, reason_detail=numbers[:, None]
        )


def _measured(source: Source, options: TableOptions) -> MeasuredTable:
    """The indexed table; kept for the next binding, since a problem is bound several times on its way."""
    content = source.load()
    key = (source.name, hashlib.sha256(content).hexdigest(), options.key)
    if key not in _tables:
        made = MeasuredTable.build(source.parse(content), options)
        while len(_tables) >= _KEPT_TABLES:
            _tables.pop(next(iter(_tables)), None)
        _tables[key] = made
    return _tables[key]


def _names(option: str, given: Sequence[str] | str) -> tuple[str, ...]:
    names = given.split(",") if isinstance(given, str) else given
    if not isinstance(names, list | tuple) or [name for name in names if type(name) is not str]:
        raise InputError(f"option {option} must be a list of column names, not {given!r}")
    return tuple(name.strip() for name in names if name.strip())


def _mapping(option: str, given: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if not isinstance(given, Mapping | None):
        raise InputError(f"option {option} must be a mapping from column names, not {given!r}")
    return given or {}


def _baseline(table: MeasuredTable, given: int | Mapping[str, Any] | None) -> Baseline:
    if given is None:
        slot = int(table.complete.argmax())
    elif isinstance(given, Mapping):
        slot = int(table.index.find(table.space.encode_row(given)[None])[0])
    elif type(given) is int:
        found = np.flatnonzero(table.file_rows == given)
        slot = int(found[0]) if len(found) else -1
    else:
        raise InputError(f"option baseline must be a row counted from 1 or a design, not {given!r}")
    if slot < 0 or not table.complete[slot]:
        raise InputError(f"option baseline: {given!r} is no row of table {table.name!r} that has every metric")
    return Baseline(f"row {table.file_rows[slot]} of {table.name}", tuple(table.rows[slot].tolist()))
