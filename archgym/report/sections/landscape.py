"""What surrounds the best design: every change of one parameter, simulated for the report."""

from __future__ import annotations

__all__ = ["build"]

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym.problem import Problem
from archgym.report.charts import Axis, Chart, Points, Section, Table, View
from archgym.report.study_data import StudyData, best_words, one_at_a_time
from archgym_simulators import ArchgymError
from archgym_simulators.space import Rows

_MOST_VALUES = 40  # of one parameter
_MOST_DESIGNS = 512
_NOTHING = 1e-10
_MOST_LOST = 50.0  # a factor of 5e21
_LEAST = 0.01  # percent: smaller losses are drawn here


@dataclass(frozen=True)
class _Neighbourhood:
    """Designs that differ from the best in one parameter.

    Attributes:
        parameter: (N,) which one.
        value: (N,) its value there.
        loss: (N,) percent worse than the best, or hundredths of reward lost where rewards are no ratios; infinite where
            infeasible.
        unit: which of the two.
    """

    parameter: list[str]
    value: list[str]
    loss: NDArray[np.float64]
    unit: str


def build(data: StudyData) -> Section:
    """Points, one task at a time."""
    title = "What surrounds the best design"
    return Section("landscape", title, one_at_a_time(data, _view))


def _view(data: StudyData, no: int) -> View:
    one = data.tasks[no]
    if one.problem is None:
        return View((f"{one.name} cannot be simulated here, so its neighbourhood is not known: {one.missing}",))
    kept = data.improvements[data.improvements["task_no"] == no]
    if kept.empty:
        return View((f"{one.name}: no feasible design was found, so there is nothing to look around.",))
    best = kept.iloc[int(np.argmax(kept["reward"].to_numpy(dtype=np.float64)))]
    try:
        centre = one.problem.space.encode_row(json.loads(best["design"]))
        around = _around(one.problem, centre, is_ratio=one.is_ratio)
    except ArchgymError as error:
        return View((f"{one.name}: the neighbourhood of the best design cannot be simulated: {error}",))
    return View([*best_words(one), *_words(around)], (_chart(around, one.name),), (_table(around),))


def _around(problem: Problem, centre: NDArray[np.int64], *, is_ratio: bool) -> _Neighbourhood:
    space = problem.space
    start = space.canonical(space.as_rows(centre[None]))
    names, rows = [], []
    for parameter in space.parameters:
        where = space.columns_of(parameter.name)
        for changed in _changes(start, where, space.nvec[where]):
            names.append(parameter.name)
            rows.append(changed)
    spread = _evenly(len(rows))
    tried = space.canonical(np.array([rows[k] for k in spread], dtype=start.dtype).reshape(len(spread), start.shape[1]))
    differs = (tried != start).any(axis=1)
    kept = [names[k] for k, moved in zip(spread, differs.tolist(), strict=True) if moved]
    tried = tried[differs]
    scored = problem.evaluate(tried)
    best = float(problem.evaluate(start).reward[0])
    lost = best - scored.reward
    percent = 100.0 * np.expm1(np.minimum(lost, _MOST_LOST)) if is_ratio else 100.0 * lost
    loss = np.where(scored.feasible, percent, np.inf)
    values = [str(space.decode_row(row)[name]) for name, row in zip(kept, tried, strict=True)]
    return _Neighbourhood(kept, values, loss, "%" if is_ratio else "hundredths of reward")


def _changes(start: Rows, where: slice, nvec: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows with one other value of one digit of a parameter, at most so many for each."""
    found = []
    for offset, choices in enumerate(nvec.tolist()):
        column = where.start + offset
        for value in np.unique(np.linspace(0, choices - 1, min(choices, _MOST_VALUES)).astype(np.int64)).tolist():
            if value != start[0, column]:
                changed = start[0].copy()
                changed[column] = value
                found.append(changed)
    return found


def _evenly(count: int) -> list[int]:
    return np.unique(np.linspace(0, count - 1, min(count, _MOST_DESIGNS)).astype(np.int64)).tolist() if count else []


def _chart(around: _Neighbourhood, task: str) -> Chart:
    ticks = list(dict.fromkeys(around.parameter))[::-1]
    place = {name: k for k, name in enumerate(ticks)}
    feasible, better = np.isfinite(around.loss), around.loss < -_NOTHING
    beyond = 2.0 * float(around.loss[feasible].max(initial=1.0))
    kinds = (
        ("worse or equal", feasible & ~better, "circle"),
        ("better", better, "star"),
        ("infeasible", ~feasible, "cross"),
    )
    marks = [
        Points(
            name=name,
            x=np.where(feasible, around.loss, beyond)[which].tolist(),
            y=[place[around.parameter[k]] for k in np.flatnonzero(which).tolist()],
            texts=[f"{around.parameter[k]} = {around.value[k]}" for k in np.flatnonzero(which).tolist()],
            symbol=symbol,
        )
        for name, which, symbol in kinds
        if which.any()
    ]
    return Chart(
        key="neighbours",
        title=f"Every change of one parameter: {task}",
        x=Axis(f"{around.unit} worse than the best design", log=True, floor=_LEAST),
        y=Axis("", ticks=ticks),
        marks=marks,
        note=(
            f"Simulated for this report with the installed simulator. Points at {_LEAST} {around.unit} cost less than "
            "that or nothing; crosses at the right end are infeasible."
        ),
    )


def _table(around: _Neighbourhood) -> Table:
    rows = []
    for name in dict.fromkeys(around.parameter):
        mine = _of(around, name)
        finite = mine[np.isfinite(mine)]
        rows.append(
            (
                name,
                f"{len(mine)}",
                f"{int((np.abs(mine) <= _NOTHING).sum())}",
                f"{finite.max():.2f} {around.unit}" if len(finite) else "-",
                f"{int((~np.isfinite(mine)).sum())}",
            )
        )
    header = ("parameter", "other values", "change nothing", "worst", "infeasible")
    title = "One parameter changed, all others as in the best design"
    return Table(key="neighbours", title=title, header=header, rows=rows, right=(1, 2, 3, 4))


def _words(around: _Neighbourhood) -> list[str]:
    finite = np.isfinite(around.loss)
    better = around.loss < -_NOTHING
    words = []
    if better.any():
        k = int(np.argmin(around.loss))
        words.append(
            f"The best design found is no local optimum: {around.parameter[k]} = {around.value[k]} is "
            f"{-around.loss[k]:.2f} {around.unit} better."
        )
    else:
        words.append(f"No change of one parameter improves the best design ({len(around.loss):,} were simulated).")
    names = list(dict.fromkeys(around.parameter))
    free = [name for name in names if (np.abs(_of(around, name)) <= _NOTHING).all()]
    if finite.any() and around.loss[finite].max() > _NOTHING:
        worst = int(np.argmax(np.where(finite, around.loss, -np.inf)))
        words.append(
            f"The choice that costs most is {around.parameter[worst]} = {around.value[worst]}: "
            f"{around.loss[worst]:.1f} {around.unit} worse."
        )
    if free:
        words.append(f"{len(free)} of {len(names)} parameters can be set at will: {', '.join(free)}.")
    if not finite.all():
        words.append(f"{(~finite).mean():.0%} of the changes break a rule or a constraint.")
    return words


def _of(around: _Neighbourhood, name: str) -> NDArray[np.float64]:
    return around.loss[[k for k, other in enumerate(around.parameter) if other == name]]
