"""The card of a dataset for people, in Markdown."""

from __future__ import annotations

__all__ = ["readme"]

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archgym.datasets.card import Publication, description_of, meaning_of
from archgym.datasets.summary import Summary
from archgym.wording import number
from archgym_simulators import Parameter
from archgym_simulators.nearest import allowed_values
from archgym_simulators.parameters import Scalar
from archgym_simulators.space import rounded

if TYPE_CHECKING:
    from archgym.datasets.dataset import Dataset

_SHOWN_VALUES = 8


def readme(data: Dataset, about: Publication) -> str:
    """The card in Markdown."""
    summary = data.summary()
    parts = [
        f"# {about.name}",
        about.description or description_of(data, summary),
        _table(("", ""), _facts(data, about, summary)),
        "## Parameters",
        _table(
            ("parameter", "values seen", "evenness", "values", "meaning"),
            [_parameter_row(data.space.parameter(name), summary) for name in data.space.names],
        ),
        "Evenness is the entropy of the values over that of a uniform draw: 1 where all are equally frequent.",
        "## Metrics",
        _table(
            ("metric", "unit", "better", "scale", "lowest", "median", "highest"),
            [_metric_row(metric, summary) for metric in data.metrics],
        ),
        "Over valid rows. Invalid designs are rows, too: their `status` is `invalid`, their metrics are NaN.",
        "## Where the rows come from",
        _table(("agent", "rows"), [(agent, f"{rows:,}") for agent, rows in summary.agents.items()]),
        _table(("workload", "rows"), [(f"`{name}`", f"{rows:,}") for name, rows in summary.workloads.items()]),
    ]
    if summary.notes:
        parts += ["## Notes", "\n".join(f"- {note}" for note in summary.notes)]
    parts += ["## Reading it", f'```python\nimport archgym\n\ndata = archgym.load_dataset("{about.name}")\n```']
    return "\n\n".join(parts) + "\n"


def _facts(data: Dataset, about: Publication, summary: Summary) -> list[tuple[str, str]]:
    return [
        ("environment", f"`{data.schema.env_id}`"),
        ("options", f"`{dict(data.schema.options)}`" if data.schema.options else "none"),
        ("simulator version", data.schema.simulator_version),
        ("rows", f"{summary.rows:,}"),
        ("different designs", f"{summary.designs:,} of {rounded(summary.space_size)}"),
        ("valid", f"{summary.valid:.1%}"),
        ("met the run's constraints", f"{summary.feasible:.1%}"),
        ("runs", f"{summary.runs:,}"),
        ("licence", about.license or "none stated"),
        ("creator", about.creator or "unknown"),
        ("published", about.date),
    ]


def _parameter_row(parameter: Parameter, summary: Summary) -> tuple[str, ...]:
    one = summary.parameters[parameter.name]
    choices = allowed_values(parameter.choices, _SHOWN_VALUES) if isinstance(parameter, Scalar) else parameter.kind
    return (
        f"`{parameter.name}`",
        f"{one.values:,} of {one.size:,}",
        f"{one.evenness:.2f}",
        choices,
        meaning_of(parameter),
    )


def _metric_row(metric: Any, summary: Summary) -> tuple[str, ...]:
    one = summary.metrics[metric.name]
    better = "lower" if metric.direction == "min" else "higher"
    numbers = (number(one.low), number(one.median), number(one.high))
    return (f"`{metric.name}`", one.unit or "-", better, metric.scale, *numbers)


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
