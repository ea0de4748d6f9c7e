"""Charts as the data that plotly.js draws. Colours are the page's business, because it can be light or dark."""

from __future__ import annotations

__all__ = ["as_plotly"]

from collections.abc import Sequence
from math import isfinite
from typing import Any

from archgym.report.charts import Axis, Bars, Boxes, Chart, Line, Mark, Points, as_drawn

_DIGITS = 5
_SYMBOLS = {"circle": "circle", "cross": "x", "diamond": "diamond", "star": "star"}
Trace = dict[str, Any]


def as_plotly(chart: Chart) -> dict[str, Any]:
    """Traces and axes. ``agent`` of a trace says whose it is, ``part`` how the page paints it."""
    traces = [trace for mark in as_drawn(chart) for trace in _traces(mark, chart)]
    return {"traces": traces, "x": _axis(chart.x), "y": _axis(chart.y)}


def _traces(mark: Mark, chart: Chart) -> list[Trace]:
    if isinstance(mark, Line):
        return _line(mark)
    if isinstance(mark, Points):
        return [_points(mark)]
    if isinstance(mark, Boxes):
        return [_box(mark)]
    return [_bars(mark, chart.x.log)]


def _line(mark: Line) -> list[Trace]:
    shape = {"shape": "hv"} if mark.step else {}
    drawn: Trace = {"type": "scatter", "mode": "lines", "name": mark.name, "x": _numbers(mark.x), "y": _numbers(mark.y)}
    traces = [{**drawn, "line": shape, "agent": mark.agent, "part": "line"}]
    if len(mark.low):
        x, low, high = _stairs(mark) if mark.step else (mark.x, mark.low, mark.high)
        kept = [k for k in range(len(x)) if isfinite(low[k]) and isfinite(high[k])]
        around = [*kept, *kept[::-1]]
        band = {
            "type": "scatter",
            "mode": "lines",
            "fill": "toself",
            "hoverinfo": "skip",
            "showlegend": False,
            "x": _numbers([x[k] for k in around]),
            "y": _numbers([*(low[k] for k in kept), *(high[k] for k in kept[::-1])]),
        }
        traces.insert(0, {**band, "agent": mark.agent, "part": "band"})
    return traces


def _stairs(mark: Line) -> tuple[list[float], list[float], list[float]]:
    """The corners of a band that changes in steps."""
    x = [value for k in range(1, len(mark.x)) for value in (mark.x[k - 1], mark.x[k])]
    low, high = ([value for value in ends[:-1] for _ in (0, 1)] for ends in (mark.low, mark.high))
    return x, low, high


def _points(mark: Points) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": mark.name,
        "x": _numbers(mark.x),
        "y": _numbers(mark.y),
        "text": list(mark.texts),
        "hovertemplate": ("%{text}<br>" if len(mark.texts) else "") + "%{x:.4g}<extra>%{fullData.name}</extra>",
        "marker": {"symbol": _SYMBOLS[mark.symbol]},
        "agent": mark.agent,
        "part": "points" if mark.symbol != "diamond" else "signs",
    }


def _box(mark: Boxes) -> Trace:
    low, first, middle, third, high = mark.quantiles
    return {
        "type": "box",
        "orientation": "h",
        "name": mark.name,
        "y": [mark.place],
        "lowerfence": _numbers([low]),
        "q1": _numbers([first]),
        "median": _numbers([middle]),
        "q3": _numbers([third]),
        "upperfence": _numbers([high]),
        "width": 0.7,
        "showlegend": False,
        "agent": mark.agent,
        "part": "box",
    }


def _bars(mark: Bars, log: bool) -> Trace:
    """On a logarithmic axis a bar has no beginning: a point with its interval instead."""
    whiskers = {}
    if len(mark.low):
        above = [high - length for high, length in zip(mark.high, mark.lengths, strict=True)]
        below = [length - low for low, length in zip(mark.low, mark.lengths, strict=True)]
        errors = {"type": "data", "symmetric": False, "array": _numbers(above), "arrayminus": _numbers(below)}
        whiskers = {"error_x": errors}
    place = {"x": _numbers(mark.lengths), "y": list(mark.places), "name": mark.name, "agent": mark.agent}
    if log:
        return {"type": "scatter", "mode": "markers", "part": "estimate", "showlegend": False, **place, **whiskers}
    return {"type": "bar", "orientation": "h", "part": "bar", "showlegend": False, **place, **whiskers}


def _axis(axis: Axis) -> dict[str, Any]:
    made: dict[str, Any] = {"label": axis.label, "log": axis.log, "ticks": list(axis.ticks), "whole": axis.whole}
    if axis.limits is not None:
        made["limits"] = list(axis.limits)
    return made


def _numbers(values: Sequence[float]) -> list[float | None]:
    """Five digits are more than a screen shows; what is not finite is a gap."""
    return [float(f"{value:.{_DIGITS}g}") if isfinite(value) else None for value in values]
