"""The report of a study: one page, pictures or tables, from what was recorded."""

from __future__ import annotations

__all__ = ["ReportOutput", "render", "write_report"]

import re
from pathlib import Path
from typing import TYPE_CHECKING

from archgym.report.output import ReportOutput

if TYPE_CHECKING:
    from archgym.report.charts import Section
    from archgym.report.study_data import StudyData
    from archgym.studies.results import StudyResults


def write_report(directory: Path | str, out: Path | str, *, kind: str | None = None) -> list[Path]:
    """Report on a study directory, or on the directory of a single search.

    Args:
        directory: what was recorded.
        out: a file that ends in ``.html``, ``.png`` or ``.csv``, or a folder for PNG and CSV.
        kind: ``"html"``, ``"png"`` or ``"csv"``; by the end of ``out`` where None.

    Returns:
        The files written.

    Raises:
        InputError: no study, an empty one, or an unusable ``out``.
        MissingExtra: a page needs plotly.
        OSError: a full disk; nothing is left of the attempt.
    """
    from archgym.studies.results import load_study

    output = ReportOutput.create(Path(out), kind)
    return output.write(render(load_study(directory), output))


def render(source: StudyResults, output: ReportOutput) -> dict[str, bytes]:
    """The files of a report by name; a study gives the same bytes each time."""
    from archgym.report.sections import build_sections
    from archgym.report.study_data import prepare

    if output.kind == "html":
        from archgym.report.page import require_plotly

        require_plotly()
    data = prepare(source)
    sections = build_sections(data)
    if output.kind == "html":
        from archgym.report.page import page

        return {"report.html": page(_title(data), sections, data.agents, _facts(data)).encode()}
    if output.kind == "csv":
        from archgym.report.csv_files import long_table, separate_tables

        tables = separate_tables(sections) if output.is_folder else {"report.csv": long_table(sections)}
        return {name: text.encode() for name, text in tables.items()}
    return _pictures(data, sections, is_folder=output.is_folder)


def _pictures(data: StudyData, sections: list[Section], *, is_folder: bool) -> dict[str, bytes]:
    from archgym.report.drawings import draw_each, draw_together

    if is_folder:
        named = {
            f"{_plain('-'.join(filter(None, (section.key, chart.key, scope))))}.png": chart
            for section in sections
            for scope, view in section.views.items()
            for chart in view.charts
        }
        return draw_each(named, data.agents)
    first = data.scopes()[0]
    charts = [chart for section in sections for chart in section.views[first].charts]
    return {"report.png": draw_together(charts, data.agents, _title(data))}


def _title(data: StudyData) -> str:
    study = data.source.manifest.get("about", {})
    name = study.get("name") if isinstance(study, dict) else None
    return str(name or Path(data.source.path).resolve().name)


def _facts(data: StudyData) -> list[str]:
    tasks, agents = len(data.tasks), len(data.agents)
    return [
        f"{len(data.runs):,} run{'' if len(data.runs) == 1 else 's'}",
        f"{tasks} task{'' if tasks == 1 else 's'}",
        f"{agents} agent{'' if agents == 1 else 's'}",
        f"{int(data.runs['evaluations'].sum()):,} simulations",
    ]


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-")
