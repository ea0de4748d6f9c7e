"""Simulations until the first feasible design, where some runs end without one."""

from __future__ import annotations

__all__ = ["build"]

import numpy as np
from numpy.typing import NDArray

from archgym.report.charts import Axis, Chart, Line, Section, Table, View
from archgym.report.study_data import StudyData
from archgym.statistics import KaplanMeier, kaplan_meier


def build(data: StudyData) -> Section:
    """One curve an agent."""
    title = "How soon a feasible design is found"
    return Section("feasibility", title, {scope: _view(data, scope) for scope in data.scopes()})


def _view(data: StudyData, scope: str) -> View:
    field = data.field(scope)
    if not field:
        return View(("No run has ended as it should, so nothing is known of feasible designs.",))
    first = _first_feasible(data)
    times = {name: first[rows.ravel()] for name, rows in field.items()}
    if all((moments == 1).all() for moments in times.values()):
        return View(("Every run found a feasible design with its first simulation, so there is nothing to wait for.",))
    spent = data.runs["evaluations"].to_numpy(dtype=np.float64)
    curves = {name: _curve(times[name], spent[rows.ravel()]) for name, rows in field.items()}
    longest = max(2.0, *(float(spent[rows.ravel()].max()) for rows in field.values()))
    chart = Chart(
        key="waiting",
        title="Share of runs with a feasible design",
        x=Axis("simulations", log=True),
        y=Axis("share of runs", limits=(0.0, 1.0)),
        marks=[_line(name, curve, longest) for name, curve in curves.items()],
        note="Kaplan-Meier with 95 % interval. A run that ended without one is censored at its last simulation.",
    )
    return View(_words(times, curves), (chart,), (_table(times, curves),))


def _first_feasible(data: StudyData) -> NDArray[np.float64]:
    """The simulation of each run's first feasible design; infinite where there is none."""
    first = np.full(len(data.runs), np.inf)
    run, evaluation, _, _ = data.steps
    np.minimum.at(first, run, evaluation.astype(np.float64))
    return first


def _curve(first: NDArray[np.float64], spent: NDArray[np.float64]) -> KaplanMeier:
    observed = np.isfinite(first)
    return kaplan_meier(np.where(observed, first, spent), observed)


def _line(name: str, curve: KaplanMeier, longest: float) -> Line:
    def ends(values: NDArray[np.float64], start: float) -> list[float]:
        steps: list[float] = np.concatenate([[start], 1.0 - values]).tolist()
        return [*steps, steps[-1]]

    begins = 1.0 if len(curve.times) and curve.times[0] == 1.0 else 0.0
    x = [1.0, *curve.times.tolist(), longest]
    start = float(1.0 - curve.survival[0]) if begins else 0.0
    band = (float(1.0 - curve.high[0]), float(1.0 - curve.low[0])) if begins else (0.0, 0.0)
    y, low, high = ends(curve.survival, start), ends(curve.high, band[0]), ends(curve.low, band[1])
    return Line(name=name, agent=name, x=x, y=y, low=low, high=high, step=True)


def _words(times: dict[str, NDArray[np.float64]], curves: dict[str, KaplanMeier]) -> list[str]:
    never = {name: int((~np.isfinite(moments)).sum()) for name, moments in times.items()}
    soonest = min(curves, key=lambda name: curves[name].median)
    words = []
    if np.isfinite(curves[soonest].median):
        words.append(f"{soonest} is soonest: half of its runs have one after {_count(curves[soonest].median)}.")
    else:
        words.append("No agent finds one in half of its runs.")
    slowest = max(curves, key=lambda name: curves[name].median)
    if slowest != soonest and curves[slowest].median > curves[soonest].median:
        middle = curves[slowest].median
        words.append(
            f"{slowest} is last, with half after {_count(middle)}."
            if np.isfinite(middle)
            else f"{slowest} does not get there in half of its runs."
        )
    missing = [f"{count} of {len(times[name])} runs of {name}" for name, count in never.items() if count]
    if missing:
        words.append(f"Without any feasible design ended {', '.join(missing)}.")
    return words


def _table(times: dict[str, NDArray[np.float64]], curves: dict[str, KaplanMeier]) -> Table:
    rows = [
        (
            name,
            f"{len(times[name])}",
            f"{int(np.isfinite(times[name]).sum())}",
            f"{curve.median:,.0f}" if np.isfinite(curve.median) else "more than half wait",
        )
        for name, curve in curves.items()
    ]
    header = ("agent", "runs", "with a feasible design", "median simulations until then")
    title = "Evaluations to the first feasible design"
    return Table(
        key="feasible", title=title, header=header, rows=rows, right=(1, 2, 3), agents=[row[0] for row in rows]
    )


def _count(simulations: float) -> str:
    return f"{simulations:,.0f} simulation{'' if simulations == 1 else 's'}"
