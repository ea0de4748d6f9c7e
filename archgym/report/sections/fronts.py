"""Tasks with several objectives: the trade-offs that were found."""

from __future__ import annotations

__all__ = ["build"]

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from archgym.report.charts import ALL_TASKS, Axis, Chart, Line, Mark, Points, Section, Table, View
from archgym.report.fields import interval_text, regret_text
from archgym.report.fronts_of_runs import front_of_task, rewards_of
from archgym.report.study_data import StudyData
from archgym.report.task_data import TaskData
from archgym.statistics import adrs, bootstrap_interval, igd_plus, iqm, non_dominated
from archgym.wording import number

_SEED = 6
_MOST_POINTS = 400
Rows = NDArray[np.int64]
Fronts = dict[str, NDArray[np.float64]]


def build(data: StudyData) -> Section:
    """Fronts of each task with several objectives."""
    return Section("fronts", "Pareto fronts", {scope: _view(data, scope) for scope in data.scopes()})


def _view(data: StudyData, scope: str) -> View:
    several = [no for no in data.tasks_in(scope) if data.tasks[no].has_front]
    if not several:
        what = "No task of this study has" if scope == ALL_TASKS or len(data.tasks) == 1 else "This task does not have"
        return View((f"{what} several objectives, so there is no front; one best design is what is sought.",))
    return _front_of(data, several[0], also=[data.tasks[no].name for no in several[1:]])


def _front_of(data: StudyData, no: int, *, also: list[str]) -> View:
    one, field = data.tasks[no], data.field(data.tasks[no].name)
    improvements = data.improvements[data.improvements["task_no"] == no]
    fronts = {}
    for name, rows in field.items():
        mine = improvements[improvements["run_no"].isin(rows.ravel())]
        fronts[name] = front_of_task(mine)
    fronts = {name: front for name, front in fronts.items() if front.shape[1] == len(one.objectives)}
    if not fronts:
        return View((f"The fronts of {one.name} were not recorded, only their hypervolumes.",))
    together = np.concatenate(list(fronts.values()))
    known = np.unique(together[non_dominated(together)], axis=0)
    charts = [_chart(one, fronts, known, pair) for pair in combinations(range(len(one.objectives)), 2)][:6]
    per_run = {name: _distances(data, rows, known) for name, rows in field.items() if name in fronts}
    words = [_words(one, fronts, known), _best_words(data, field)]
    if also:
        words.insert(0, f"Shown is {one.name}; choose {', '.join(also)} above for another.")
    return View(words, charts, (_table(data, one, field, fronts, known, per_run),))


def _chart(
    one: TaskData, fronts: dict[str, NDArray[np.float64]], known: NDArray[np.float64], pair: tuple[int, int]
) -> Chart:
    a, b = pair
    marks: list[Mark] = [_points(name, front[:, [a, b]], one, pair) for name, front in fronts.items()]
    if len(one.objectives) == 2:
        order = np.argsort(known[:, a])
        marks.append(Line(name="best known front", x=known[order, a].tolist(), y=known[order, b].tolist()))
    names = [one.objectives[k] for k in pair]
    note = "Higher and further right is better; 0 is the baseline" + (
        ", each unit a factor of e." if one.is_ratio else "."
    )
    if len(one.objectives) > 2:
        others = " or ".join(one.objectives[k] for k in range(len(one.objectives)) if k not in pair)
        note += f" A projection: points that look beaten here are better in {others}."
    return Chart(
        key=f"front-{a}-{b}",
        title=f"{names[0]} against {names[1]}",
        x=Axis(f"reward of {names[0]}"),
        y=Axis(f"reward of {names[1]}"),
        marks=marks,
        note=note,
    )


def _points(name: str, points: NDArray[np.float64], one: TaskData, pair: tuple[int, int]) -> Points:
    kept = np.unique(points, axis=0)
    kept = kept[np.unique(np.linspace(0, len(kept) - 1, _MOST_POINTS).astype(np.int64))] if len(kept) else kept
    texts = [
        ", ".join(
            f"{one.objectives[k]} {np.exp(-value):.3g} x the baseline" for k, value in zip(pair, point, strict=True)
        )
        for point in kept.tolist()
    ]
    return Points(name=name, agent=name, x=kept[:, 0].tolist(), y=kept[:, 1].tolist(), texts=texts)


def _distances(
    data: StudyData, rows: Rows, known: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """IGD+ and ADRS of each run's own front against the best known front: twice (R, 1)."""
    runs = rows.ravel()
    kept = data.improvements[data.improvements["run_no"].isin(runs)]
    rewards, of_run = rewards_of(kept), kept["run_no"].to_numpy(dtype=np.int64)
    fronts = [rewards[of_run == run] for run in runs.tolist()]
    near = [igd_plus(front, known) for front in fronts]
    costs = [adrs(np.exp(-front), np.exp(-known)) for front in fronts]
    return np.array(near)[:, None], np.array(costs)[:, None]


def _words(one: TaskData, fronts: dict[str, NDArray[np.float64]], known: NDArray[np.float64]) -> str:
    on_front = {name: _shared(front, known) for name, front in fronts.items()}
    most = max(on_front, key=lambda name: on_front[name])
    return (
        f"{one.name}: all runs together found {len(known):,} trade-offs (distinct rewards) that no other beats; {most} "
        f"found {on_front[most]:,} of them, the most."
    )


def _shared(front: NDArray[np.float64], known: NDArray[np.float64]) -> int:
    """How many points of a front are on the front of all."""
    return int((front[:, None] == known[None]).all(axis=2).any(axis=1).sum())


def _best_words(data: StudyData, field: dict[str, Rows]) -> str:
    missing = {name: float(iqm(data.regrets(rows))) for name, rows in field.items()}
    best, worst = min(missing, key=lambda name: missing[name]), max(missing, key=lambda name: missing[name])
    if best == worst:
        return f"A run of {best} covers {1.0 - missing[best]:.1%} of the best hypervolume."
    return (
        f"A run of {best} covers {1.0 - missing[best]:.1%} of the best hypervolume, a run of {worst} "
        f"{1.0 - missing[worst]:.1%}."
    )


def _table(
    data: StudyData,
    one: TaskData,
    field: dict[str, Rows],
    fronts: Fronts,
    known: NDArray[np.float64],
    per_run: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> Table:
    rng = np.random.default_rng(_SEED)
    rows = []
    for name in sorted(fronts, key=lambda name: float(iqm(data.regrets(field[name])))):
        regrets = data.regrets(field[name])
        volumes = one.reference.best * (1.0 - regrets)
        near, costs = per_run[name]
        rows.append(
            (
                name,
                number(float(iqm(volumes))),
                regret_text(float(iqm(regrets))),
                interval_text(*bootstrap_interval(regrets, iqm, rng)),
                number(float(iqm(near)), 3),
                f"{float(iqm(costs)):.2%}" if one.is_ratio else "-",
                f"{_shared(fronts[name], known):,} of {len(fronts[name]):,}",
            )
        )
    header = ("agent", "hypervolume", "share missing", "95 % interval", "IGD+", "ADRS", "of its front on that of all")
    title = f"Fronts of single runs against the best ({one.reference.best_source}; distances to the best known front)"
    return Table(
        key="fronts", title=title, header=header, rows=rows, right=(1, 2, 4, 5, 6), agents=[row[0] for row in rows]
    )
