"""How fast agents improve: regret over simulations and over proposals, and when targets are met."""

from __future__ import annotations

__all__ = ["build"]

import numpy as np
from numpy.typing import NDArray

from archgym.report.charts import Axis, Chart, Line, Section, Table, View
from archgym.report.fields import FLOOR, curves_of, regret_axis, regret_text
from archgym.report.study_data import StudyData
from archgym.statistics import (
    CEILING,
    area_under_log_regret,
    bootstrap_band,
    ecdf,
    evaluation_grid,
    iqm,
    time_to_target,
)

_SEED, _RESAMPLES, _POINTS = 2, 400, 28
_TARGETS = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01)
Rows = NDArray[np.int64]


def build(data: StudyData) -> Section:
    """Curves and the distribution of runtimes."""
    return Section("anytime", "How fast agents improve", {scope: _view(data, scope) for scope in data.scopes()})


def _view(data: StudyData, scope: str) -> View:
    field = data.field(scope)
    if not field or not len(data.improvements):
        return View(("No feasible design was recorded, so there is no progress to draw.",))
    budget = min(data.tasks[no].budget for no in data.common_tasks(scope))
    grid = evaluation_grid(budget, _POINTS)
    by_simulations = {name: curves_of(data, rows, grid) for name, rows in field.items()}
    charts = [
        _curves("simulations", "Regret over simulations", grid, by_simulations),
        _runtimes(data, field, grid),
    ]
    by_proposals = {name: curves_of(data, rows, grid, count="proposal") for name, rows in field.items()}
    charts.insert(1, _curves("proposals", "Regret over proposals, repeats included", grid, by_proposals))
    middle = {name: iqm(np.moveaxis(curves, 2, 0)) for name, curves in by_simulations.items()}
    return View(_words(grid, middle, budget), charts, (_table(data, scope, field, grid, middle, budget),))


def _curves(key: str, title: str, grid: NDArray[np.int64], curves: dict[str, NDArray[np.float64]]) -> Chart:
    marks = []
    for name, values in curves.items():
        bands = [
            bootstrap_band(values[:, :, g], iqm, np.random.default_rng(_SEED), resamples=_RESAMPLES)
            for g in range(len(grid))
        ]
        low, high = np.array(bands).T
        middle = iqm(np.moveaxis(values, 2, 0))
        x = grid.astype(float).tolist()
        marks.append(Line(name=name, agent=name, x=x, y=middle.tolist(), low=low.tolist(), high=high.tolist()))
    return Chart(
        key=key,
        title=title,
        x=Axis(key, log=True),
        y=regret_axis(),
        marks=marks,
        note=(
            "Of the best design so far: interquartile mean with 95 % interval over runs; lower is better. Regrets "
            f"under {FLOOR:g} are drawn there; a run without a feasible design so far counts as {CEILING:g}, "
            "with several objectives as 1."
        ),
    )


def _runtimes(data: StudyData, field: dict[str, Rows], grid: NDArray[np.int64]) -> Chart:
    marks = []
    for name, rows in field.items():
        shares = ecdf(_times(data, rows), grid)
        x = grid.astype(float).tolist()
        marks.append(Line(name=name, agent=name, x=x, y=shares.tolist(), step=True))
    return Chart(
        key="targets",
        title="Share of targets met",
        x=Axis("simulations", log=True),
        y=Axis("share of targets", limits=(0.0, 1.0)),
        marks=marks,
        note=f"Over all runs and the regrets {', '.join(f'{target:g}' for target in _TARGETS)}; higher is better.",
    )


def _times(data: StudyData, rows: Rows) -> NDArray[np.float64]:
    run, evaluation, _, value = data.steps
    place = np.full(len(data.runs), -1, dtype=np.int64)
    chosen = np.unique(rows)
    place[chosen] = np.arange(len(chosen))
    kept = place[run] >= 0
    goals = [-target for target in _TARGETS]
    return time_to_target(place[run[kept]], evaluation[kept], -value[kept], targets=goals, runs=len(chosen))


def _words(grid: NDArray[np.int64], middle: dict[str, NDArray[np.float64]], budget: int) -> list[str]:
    early = int(np.searchsorted(grid, max(1, budget // 10)))
    if len(middle) == 1:
        ((name, curve),) = middle.items()
        return [
            f"{name} has a regret of {regret_text(curve[early])} after {grid[early]:,} simulations and of "
            f"{regret_text(curve[-1])} after {budget:,}."
        ]
    first, last = (min(middle, key=lambda name, g=g: float(middle[name][g])) for g in (early, -1))  # type: ignore[misc]
    words = [
        f"After {grid[early]:,} simulations {first} is ahead with a regret of {regret_text(middle[first][early])}"
        + (
            f", and it still is after {budget:,} with {regret_text(middle[last][-1])}."
            if first == last
            else f"; after {budget:,} it is {last} with {regret_text(middle[last][-1])}."
        )
    ]
    others = [name for name in middle if name != last]
    if others:
        slowest = max(others, key=lambda name: float(middle[name][-1]))
        needed = int(grid[np.argmax(middle[last] <= middle[slowest][-1])])
        if needed < budget:
            words.append(
                f"{last} needs about {needed:,} simulations for what {slowest} reaches with {budget:,}: "
                f"{budget / needed:.1f} times fewer."
            )
    return words


def _table(
    data: StudyData,
    scope: str,
    field: dict[str, Rows],
    grid: NDArray[np.int64],
    middle: dict[str, NDArray[np.float64]],
    budget: int,
) -> Table:
    run, evaluation, _, value = data.steps
    areas = area_under_log_regret(
        run, evaluation, value, budget=budget, runs=len(data.runs), floor=FLOOR, ceiling=CEILING
    )
    places = [int(np.searchsorted(grid, max(1, budget // part))) for part in (10, 3, 1)]
    rows = [
        (
            name,
            *(regret_text(float(middle[name][place])) for place in places),
            f"{float(iqm(areas[field[name]])):.2f}",
            _median_time(data, field[name]),
        )
        for name in sorted(field, key=lambda name: float(iqm(areas[field[name]])))
    ]
    at = [f"regret after {int(grid[place]):,}" for place in places]
    header = ("agent", *at, "mean log10 regret", "simulations to regret 0.1 (median)")
    return Table(
        key="speed",
        title="One number for a whole curve: the mean of log10 regret over all simulations, lower is better",
        header=header,
        rows=rows,
        right=(1, 2, 3, 4, 5),
        agents=[row[0] for row in rows],
    )


def _median_time(data: StudyData, rows: Rows) -> str:
    times = np.sort(_times(data, rows)[:, _TARGETS.index(0.1)])
    middle = float(times[(len(times) - 1) // 2])  # when half of the runs have it, as Kaplan-Meier's median
    return f"{int(middle):,}" if np.isfinite(middle) else "not met by half"
