"""Charts as PNG pictures for papers, drawn with matplotlib, which is imported only here."""

from __future__ import annotations

__all__ = ["draw_each", "draw_together"]

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.pictures import COLOURS, DASHES
from archgym.report.charts import Axis, Bars, Boxes, Chart, Line, Mark, Points, as_drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import XAxis, YAxis
    from matplotlib.figure import Figure

_INK, _QUIET, _RULE = "#222222", "#5b6470", "#e0e0e0"
_WIDTH, _HEIGHT, _ROW, _HEAD = 6.4, 3.9, 0.32, 1.5  # inches
_DOTS_PER_INCH, _DOTS_TOGETHER = 200, 110
_COLUMNS, _MOST_LEGEND = 2, 10
_FEW_DECADES = 1000.0  # a range in which 2 and 5 are labelled besides 1
_SYMBOLS = {"circle": "o", "cross": "x", "diamond": "D", "star": "*"}
_OF_AGENTS = ("o", "s", "^", "D", "p", "h", "v")


def draw_each(charts: Mapping[str, Chart], agents: Sequence[str]) -> dict[str, bytes]:
    """One PNG a chart, by name; the same bytes for the same charts."""
    found = {}
    for name, chart in charts.items():
        figure = _figure(_WIDTH, _tall(chart))
        _draw(figure.subplots(), chart, agents)
        found[name] = _png(figure, _DOTS_PER_INCH)
    return found


def draw_together(charts: Sequence[Chart], agents: Sequence[str], title: str) -> bytes:
    """All charts on one sheet as PNG, two beside each other."""
    rows = -(-len(charts) // _COLUMNS)
    tall = [max(_tall(chart) for chart in charts[r * _COLUMNS : (r + 1) * _COLUMNS]) for r in range(rows)]
    figure = _figure(_WIDTH * _COLUMNS, sum(tall) + 0.5)
    figure.suptitle(title, x=0.01, ha="left", color=_INK, fontsize=14)
    grid = figure.add_gridspec(rows, _COLUMNS, height_ratios=tall)
    for k, chart in enumerate(charts):
        _draw(figure.add_subplot(grid[k // _COLUMNS, k % _COLUMNS]), chart, agents)
    return _png(figure, _DOTS_TOGETHER)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _png(figure: Figure, dots: int) -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=dots, metadata={"Software": None})
    return picture.getvalue()


def _tall(chart: Chart) -> float:
    return max(2.4, _HEAD + _ROW * len(chart.y.ticks)) if chart.y.ticks else _HEIGHT


def _draw(axes: Axes, chart: Chart, agents: Sequence[str]) -> None:
    for mark in as_drawn(chart):
        _mark(axes, mark, agents, log=chart.x.log)
    _axis(axes, chart.x, "x")
    _axis(axes, chart.y, "y")
    axes.set_title(chart.title, loc="left", fontsize=10, color=_INK, wrap=True)
    axes.grid(color=_RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    handles, labels = axes.get_legend_handles_labels()
    if not chart.y.ticks and 1 < len(labels) <= _MOST_LEGEND:
        axes.legend(handles, labels, frameon=False, fontsize=8)


def _mark(axes: Axes, mark: Mark, agents: Sequence[str], *, log: bool) -> None:
    place = agents.index(mark.agent) if mark.agent in agents else -1
    colour = COLOURS[place % len(COLOURS)] if place >= 0 else _QUIET
    if isinstance(mark, Line):
        _line(axes, mark, place, colour)
    elif isinstance(mark, Points):
        own = mark.symbol == "circle" and place >= 0
        symbol = _OF_AGENTS[place % len(_OF_AGENTS)] if own else _SYMBOLS[mark.symbol]
        edge = {"edgecolors": _INK} if mark.symbol == "diamond" else {}
        style: dict[str, Any] = {"s": 40 if edge else 14, "alpha": 1.0 if edge else 0.7, "zorder": 3, **edge}
        axes.scatter(mark.x, mark.y, color=colour, marker=symbol, label=mark.name, linewidths=1.0, **style)
    elif isinstance(mark, Boxes):
        _box(axes, mark, colour)
    else:
        _bars(axes, mark, colour, log=log)


def _line(axes: Axes, mark: Line, place: int, colour: str) -> None:
    style: dict[str, Any] = {"drawstyle": "steps-post"} if mark.step else {}
    dashes = DASHES[max(place, 0) % len(DASHES)]
    axes.plot(mark.x, mark.y, color=colour, linewidth=1.8, dashes=dashes, label=mark.name, **style)
    if len(mark.low):
        step: Any = "post" if mark.step else None
        axes.fill_between(mark.x, mark.low, mark.high, color=colour, alpha=0.15, linewidth=0, step=step)


def _box(axes: Axes, mark: Boxes, colour: str) -> None:
    low, first, middle, third, high = mark.quantiles
    statistics = {"whislo": low, "q1": first, "med": middle, "q3": third, "whishi": high, "fliers": []}
    drawn = axes.bxp([statistics], positions=[mark.place], widths=0.6, orientation="horizontal", showfliers=False)
    for part in ("boxes", "whiskers", "caps", "medians"):
        for artist in drawn[part]:
            artist.set_color(colour)


def _bars(axes: Axes, mark: Bars, colour: str, *, log: bool) -> None:
    errors = None
    if len(mark.low):
        lengths = np.asarray(mark.lengths)
        errors = np.stack([lengths - np.asarray(mark.low), np.asarray(mark.high) - lengths])
        errors = np.where(np.isfinite(errors), np.maximum(errors, 0.0), 0.0)
    if log:
        axes.errorbar(mark.lengths, mark.places, xerr=errors, fmt="o", color=colour, capsize=4, linewidth=1.6)
    else:
        axes.barh(mark.places, mark.lengths, xerr=errors, height=0.6, color=colour)


def _axis(axes: Axes, axis: Axis, side: str) -> None:
    if axis.log:
        getattr(axes, f"set_{side}scale")("log")
    getattr(axes, f"set_{side}label")(axis.label, color=_INK, fontsize=9)
    axes.tick_params(axis=side, labelsize=8)  # type: ignore[arg-type]
    if axis.limits is not None:
        getattr(axes, f"set_{side}lim")(*axis.limits)
    if axis.log:
        _log_ticks(axes.xaxis if side == "x" else axes.yaxis)
    if axis.ticks:
        getattr(axes, f"set_{side}ticks")(range(len(axis.ticks)), list(axis.ticks))
        getattr(axes, f"set_{side}lim")(-0.6, len(axis.ticks) - 0.4)


def _log_ticks(axis: XAxis | YAxis) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    # Plain numbers, few of them. Left alone, matplotlib labels minor ticks too where less than a decade is shown, as
    # powers of ten that overlap.
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < _FEW_DECADES * low else (1.0,)))
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
