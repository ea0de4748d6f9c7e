"""What ``archgym dataset info`` says."""

from __future__ import annotations

__all__ = ["as_json", "as_text"]

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from archgym.cli import text
from archgym.wording import number
from archgym_simulators.space import rounded

if TYPE_CHECKING:
    from archgym.datasets.dataset import Dataset
    from archgym.datasets.summary import Summary


def as_json(data: Dataset) -> str:
    """The schema and the summary."""
    schema = data.schema
    about = {
        "env_id": schema.env_id,
        "options": dict(schema.options),
        "simulator_version": schema.simulator_version,
        "units": schema.units,
        **asdict(data.summary()),
    }
    return text.as_json(about)


def as_text(data: Dataset) -> str:
    """Tables for a terminal."""
    summary, schema = data.summary(), data.schema
    options = f", options {dict(schema.options)}" if schema.options else ""
    head = (
        f"{summary.rows:,} rows: {summary.designs:,} designs of {rounded(summary.space_size)}, "
        f"{_several(len(summary.workloads), 'workload')}, {_several(summary.runs, 'run')}. {schema.env_id}, version "
        f"{schema.simulator_version}{options}. {summary.valid:.1%} valid, {summary.feasible:.1%} feasible."
    )
    parts = [text.paragraph(head), _counts("agent", summary.agents), _counts("workload", summary.workloads)]
    parts += [_parameters(summary), _metrics(data, summary)]
    if summary.notes:
        parts.append("\n".join(text.paragraph(f"Note: {note}.") for note in summary.notes))
    return "\n\n".join(part for part in parts if part)


def _several(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _counts(what: str, counts: Mapping[str, int]) -> str:
    rows = [[name, f"{count:,}"] for name, count in counts.items()]
    return text.table(rows, (what, "rows"), right=(1,)) if rows else ""


def _parameters(summary: Summary) -> str:
    rows = [
        [name, f"{one.values:,}", f"{one.size:,}", f"{one.evenness:.2f}"] for name, one in summary.parameters.items()
    ]
    return text.table(rows, ("parameter", "seen", "values", "evenness"), right=(1, 2, 3))


def _metrics(data: Dataset, summary: Summary) -> str:
    rows = []
    for metric in data.metrics:
        one = summary.metrics[metric.name]
        rows.append([metric.name, one.unit or "-", metric.scale, number(one.low), number(one.median), number(one.high)])
    return text.table(rows, ("metric", "unit", "scale", "lowest", "median", "highest"), right=(3, 4, 5))
