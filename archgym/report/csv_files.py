"""Charts and tables as CSV: what was drawn, number by number, in full precision."""

from __future__ import annotations

__all__ = ["COLUMNS", "long_table", "separate_tables"]

import csv
import io
from collections.abc import Iterator, Sequence
from math import isfinite

from archgym.report.charts import Axis, Bars, Boxes, Chart, Line, Mark, Section, Table

COLUMNS = ("section", "task", "chart", "agent", "series", "x", "y", "low", "high", "text")
_QUANTILES = ("lower fence", "first quartile", "median", "third quartile", "upper fence")
Cells = tuple[str, ...]


def long_table(sections: Sequence[Section]) -> str:
    """Every mark of every chart of every task, one row each, `COLUMNS`; where the task is empty, all tasks."""
    return _csv([COLUMNS, *_rows(sections)])


def separate_tables(sections: Sequence[Section]) -> dict[str, str]:
    """One file a chart (all tasks in it) and one a table, by name."""
    files: dict[str, list[Cells]] = {}
    for row in _rows(sections):
        files.setdefault(f"{row[0]}-{row[2]}.csv", [COLUMNS[1:]]).append(row[1:])
    for section in sections:
        for scope, view in section.views.items():
            for table in view.tables:
                rows = files.setdefault(f"{section.key}-{table.key}-table.csv", [])
                rows += _of_table(table, scope, is_first=not rows)
    return {name: _csv(rows) for name, rows in files.items()}


def _of_table(table: Table, scope: str, *, is_first: bool) -> list[Cells]:
    """Rows with the task before them; the header again only where the columns are others than before."""
    head = [("for task", *table.header)] if is_first else []
    return [*head, *((scope, *row) for row in table.rows)]


def _rows(sections: Sequence[Section]) -> Iterator[Cells]:
    for section in sections:
        for scope, view in section.views.items():
            for chart in view.charts:
                for mark in chart.marks:
                    yield from ((section.key, scope, chart.key, *cells) for cells in _marks(mark, chart))


def _marks(mark: Mark, chart: Chart) -> Iterator[Cells]:
    who = (mark.agent, mark.name)
    if isinstance(mark, Boxes):
        for what, value in zip(_QUANTILES, mark.quantiles, strict=True):
            yield (*who, _number(value), _tick(chart.y, mark.place), "", "", what)
        return
    if isinstance(mark, Bars):
        for k, (place, length) in enumerate(zip(mark.places, mark.lengths, strict=True)):
            yield (*who, _number(length), _tick(chart.y, place), *_ends(mark, k), "")
        return
    texts = () if isinstance(mark, Line) else mark.texts
    for k, (x, y) in enumerate(zip(mark.x, mark.y, strict=True)):
        ends = _ends(mark, k) if isinstance(mark, Line) else ("", "")
        yield (*who, _number(x), _tick(chart.y, y), *ends, texts[k] if len(texts) else "")


def _ends(mark: Line | Bars, k: int) -> tuple[str, str]:
    return (_number(mark.low[k]), _number(mark.high[k])) if len(mark.low) else ("", "")


def _tick(axis: Axis, place: float) -> str:
    """The category at a place, jitter rounded off; the number where the axis has no categories."""
    return axis.ticks[round(place)] if axis.ticks else _number(place)


def _number(value: float) -> str:
    return repr(float(value)) if isfinite(value) else ""


def _csv(rows: Sequence[Cells]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
