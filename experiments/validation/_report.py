"""Turn a comparison into the entries of the JSON report and into text for people."""

from __future__ import annotations

__all__ = ["TableReport", "report_text", "summarise_table"]

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.validation._comparator import Comparator, Comparison, Metric
from experiments.validation._registry import Promise
from experiments.validation._statistics import Statistics, summarise

WHOLE_TABLE = "all"


@dataclass(frozen=True)
class Entry:
    """Agreement in one metric over one group of a table's rows."""

    table: str
    group: str
    metric: str
    skipped: int
    statistics: Statistics

    def to_json(self) -> dict[str, Any]:
        found = self.statistics
        return {
            "table": self.table,
            "group": self.group,
            "metric": self.metric,
            "rows": found.rows,
            "skipped": self.skipped,
            "exact": found.exact,
            "mean_rel_err": found.mean_rel_err,
            "p95_rel_err": found.p95_rel_err,
            "max_rel_err": found.max_rel_err,
            "spearman": found.spearman,
        }


@dataclass(frozen=True, eq=False)
class TableReport:
    """One table's entries, the whole table first, and what a reader should know about them."""

    name: str
    comparator: Comparator
    entries: Sequence[Entry]
    headline: Sequence[str]
    skips: Sequence[tuple[str, int]]
    notes: Sequence[str]


def summarise_table(name: str, comparator: Comparator, comparison: Comparison) -> TableReport:
    """Summarise every metric over the whole table and over each of its groups."""
    groups = np.array(list(comparison.groups), dtype=object)
    simulated = np.array([not reason for reason in comparison.skip_reasons], dtype=np.bool_)
    names = [WHOLE_TABLE, *sorted(set(groups.tolist()) - {WHOLE_TABLE})]
    entries = []
    for group in names:
        members = np.ones(len(groups), dtype=np.bool_) if group == WHOLE_TABLE else groups == group
        entries += [_entry(name, group, metric, members, simulated) for metric in comparison.metrics]
    skips = Counter(reason for reason in comparison.skip_reasons if reason).most_common()
    present = {metric.name for metric in comparison.metrics}
    headline = [metric for metric in comparison.headline if metric in present]
    return TableReport(name, comparator, entries, headline, skips, comparison.notes)


def _entry(
    table: str, group: str, metric: Metric, members: np.ndarray[Any, Any], simulated: np.ndarray[Any, Any]
) -> Entry:
    compared = members & simulated & ~np.isnan(metric.reference)
    statistics = summarise(
        metric.reference[compared],
        metric.ours[compared],
        is_integer=metric.is_integer,
        printed_decimals=metric.printed_decimals,
    )
    return Entry(table, group, metric.name, int(np.count_nonzero(members)) - statistics.rows, statistics)


def report_text(
    reports: Sequence[TableReport], *, waiting: Sequence[tuple[str, Promise]], unknown: Sequence[str]
) -> str:
    """Return the whole report as text.

    Args:
        reports: the tables compared.
        waiting: known tables that nothing compares yet.
        unknown: names of the tables that nobody knows.
    """
    blocks = [_table_text(report) for report in reports]
    if waiting:
        lines = [f"  {name}: {promise.simulator}" for name, promise in waiting]
        blocks.append("\n".join(["Known tables without a comparator yet:", *lines]))
    if unknown:
        blocks.append("\n".join(["Unknown tables, not compared:", *_by_folder(unknown)]))
    return "\n\n".join(blocks)


def _by_folder(names: Sequence[str]) -> list[str]:
    folders: dict[str, list[str]] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        folders.setdefault(folder or ".", []).append(file)
    return [f"  {folder}: {', '.join(files)}" for folder, files in folders.items()]


def _table_text(report: TableReport) -> str:
    comparator = report.comparator
    whole = [entry for entry in report.entries if entry.group == WHOLE_TABLE]
    lines = [f"{report.name}: {comparator.simulator} against {comparator.tool}"]
    lines.append('"exact" is exact to that tool. ' + comparator.tools_disagree)
    lines += [f"skipped {count}: {reason}" for reason, count in report.skips]
    lines += report.notes
    header = ["all rows", "rows", "skipped", "exact", "mean err", "p95 err", "max err", "spearman"]
    lines += _aligned([header, *(_whole_row(entry) for entry in whole)])
    if len(report.entries) > len(whole):
        lines += ["", "share of rows exact, with the largest relative error where it is not 100 %:"]
        lines += _aligned(_group_rows(report))
    return "\n".join(lines)


def _whole_row(entry: Entry) -> list[str]:
    found = entry.statistics
    errors = (found.mean_rel_err, found.p95_rel_err, found.max_rel_err)
    rank = "-" if found.spearman is None else f"{found.spearman:.6f}"
    return [
        entry.metric,
        str(found.rows),
        str(entry.skipped),
        _share(found.exact),
        *(_error(found.rows, value) for value in errors),
        rank,
    ]


def _group_rows(report: TableReport) -> list[list[str]]:
    rows = [["group", "rows", "skipped", *report.headline]]
    for group in dict.fromkeys(entry.group for entry in report.entries):
        if group == WHOLE_TABLE:
            continue
        found = {entry.metric: entry for entry in report.entries if entry.group == group}
        first = found[report.headline[0]]
        cells = [_cell(found[name].statistics) for name in report.headline]
        rows.append([group, str(first.statistics.rows), str(first.skipped), *cells])
    return rows


def _cell(found: Statistics) -> str:
    if found.exact in (None, 1.0):
        return _share(found.exact)
    return f"{_share(found.exact)} ({_error(found.rows, found.max_rel_err)})"


def _share(value: float | None) -> str:
    # Two decimals may not round the last inexact row of a large table away.
    if value is None:
        return "-"
    return "100 %" if value == 1 else f"{min(100 * value, 99.99):.2f} %"


def _error(rows: int, value: float | None) -> str:
    if value is None:
        return "-" if rows == 0 else "infinite"
    return "0" if value == 0 else f"{value:.1e}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  "
        + row[0].ljust(widths[0])
        + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]
