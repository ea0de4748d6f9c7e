"""The report as one page that needs nothing else: text, tables, charts, and the library that draws them."""

from __future__ import annotations

__all__ = ["page", "require_plotly"]

import json
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from archgym.report.charts import Chart, Section, Table, View
from archgym.report.plotly_charts import as_plotly
from archgym_simulators.errors import import_extra

_EVERY = "All tasks"
_LONGEST_LINE = 26


def page(title: str, sections: Sequence[Section], agents: Sequence[str], facts: Sequence[str]) -> str:
    """The whole page.

    Args:
        title: of the study.
        sections: in order.
        agents: in the order that gives them their colours.
        facts: of the study, for the head of the page.

    Raises:
        MissingExtra: plotly is not installed.
    """
    library = require_plotly()
    scopes = list(sections[0].views)
    parts = {
        "title": escape(title),
        "facts": " · ".join(map(escape, facts)),
        "css": _resource("page.css"),
        "scopes": "".join(f'<option value="{escape(scope)}">{escape(scope or _EVERY)}</option>' for scope in scopes),
        "agents": "".join(_agent(name) for name in agents),
        "links": "".join(f'<a href="#{one.key}">{escape(one.title)}</a>' for one in sections),
        "sections": "".join(_section(one) for one in sections),
        "charts": _script_json({one.key: _charts(one) for one in sections}),
        "names": _script_json(list(agents)),
        "library": library,
        "script": _resource("page.js"),
    }
    return _filled(_resource("page.html"), parts)


@cache
def require_plotly() -> str:
    """The text of plotly.js.

    Raises:
        MissingExtra: plotly is not installed.
    """
    return str(import_extra("plotly.offline", "report").get_plotlyjs())


def _filled(template: str, parts: dict[str, str]) -> str:
    """Each ``{{name}}`` replaced once; what is put in is not looked at again."""
    pieces = template.split("{{")
    made = [pieces[0]]
    for piece in pieces[1:]:
        name, rest = piece.split("}}", 1)
        made += [parts[name], rest]
    return "".join(made)


def _agent(name: str) -> str:
    return (
        f'<label class="agent"><input type="checkbox" value="{escape(name)}" checked>'
        f'<span class="chip"></span>{escape(name)}</label>'
    )


def _section(section: Section) -> str:
    views = "".join(_view(scope, view, hidden=k > 0) for k, (scope, view) in enumerate(section.views.items()))
    tables = "".join(_tables(scope, view, hidden=k > 0) for k, (scope, view) in enumerate(section.views.items()))
    head = f'<section id="{section.key}"><h2>{escape(section.title)}</h2>'
    return f'{head}{views}<div class="plots"></div>{tables}</section>'


def _view(scope: str, view: View, *, hidden: bool) -> str:
    words = "".join(f"<li>{escape(sentence)}</li>" for sentence in view.words)
    state = " hidden" if hidden else ""
    heading = f'<p class="scope">{escape(scope or _EVERY)}</p>'
    return f'<div class="view" data-scope="{escape(scope)}"{state}>{heading}<ul class="words">{words}</ul></div>'


def _tables(scope: str, view: View, *, hidden: bool) -> str:
    tables = "".join(map(_table, view.tables))
    state = " hidden" if hidden else ""
    return f'<div class="view" data-scope="{escape(scope)}"{state}>{tables}</div>' if tables else ""


def _table(table: Table) -> str:
    head = "".join(f"<th{_side(table, k)}>{escape(cell)}</th>" for k, cell in enumerate(table.header))
    body = []
    for r, row in enumerate(table.rows):
        filled = "".join(f"<td{_side(table, k, cell)}>{escape(cell)}</td>" for k, cell in enumerate(row))
        agent = f' data-agent="{escape(table.agents[r])}"' if table.agents else ""
        body.append(f"<tr{agent}>{filled}</tr>")
    cells = f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody>"
    return f"""<details open><summary>{escape(table.title)}</summary>
<div class="scroll"><table>{cells}</table></div></details>"""


def _side(table: Table, column: int, cell: str = "") -> str:
    """Numbers to the right; only long cells are wrapped."""
    kinds = ["n"] * (column in table.right) + ["w"] * (len(cell) > _LONGEST_LINE)
    return f' class="{" ".join(kinds)}"' if kinds else ""


def _charts(section: Section) -> dict[str, list[dict[str, Any]]]:
    return {scope: [_chart(one) for one in view.charts] for scope, view in section.views.items()}


def _chart(chart: Chart) -> dict[str, Any]:
    return {"key": chart.key, "title": chart.title, "note": chart.note, **as_plotly(chart)}


def _script_json(value: Any) -> str:
    """JSON that cannot end the script element that holds it."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("</", "<\\/").replace("<!--", "<\\!--")


@cache
def _resource(name: str) -> str:
    return (files("archgym.report") / name).read_text(encoding="utf-8")
