"""The hyperparameter lottery: what settings do to an agent, and what tuning is worth after its cost."""

from __future__ import annotations

__all__ = ["build"]

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.report.charts import ALL_TASKS, Axis, Boxes, Chart, Line, Points, Section, Table, View
from archgym.report.fields import FLOOR, regret_axis, regret_text, setting_names
from archgym.report.study_data import StudyData
from archgym.report.tuning_protocol import protocol_table
from archgym.statistics import expected_best_of, iqm, lottery_odds

if TYPE_CHECKING:
    import pandas as pd

_SEED = 4
_GOOD = 0.1
_MOST_POINTS, _MOST_TICKETS = 250, 60
_HALF_WIDTH = 0.32


def build(data: StudyData) -> Section:
    """Boxes over settings, and tuned against default."""
    return Section("lottery", "The hyperparameter lottery", {scope: _view(data, scope) for scope in data.scopes()})


def _view(data: StudyData, scope: str) -> View:
    tasks = data.common_tasks(scope) if scope == ALL_TASKS else data.tasks_in(scope)
    runs = data.complete[data.complete["task_no"].isin(tasks)]
    found = {name: _by_setting(runs[runs["agent"] == name], len(tasks)) for name in data.agents}
    swept = {name: one for name, one in found.items() if len(one) > 1}
    if not swept:
        return View(("Every agent was run with one setting only, so there is no lottery to look at.",))
    names = list(swept)[::-1]
    rng = np.random.default_rng(_SEED)
    marks = [mark for place, name in enumerate(names) for mark in _box(name, place, swept[name], rng)]
    boxes = Chart(
        key="boxes",
        title="Regret of each setting",
        x=regret_axis(),
        y=Axis("", ticks=names),
        marks=marks,
        note=(
            "A point is a setting (interquartile mean over its runs at the whole budget), the diamond the default; the "
            "box holds the middle half of the settings; left is better."
        ),
    )
    protocol = protocol_table(data) if scope == ALL_TASKS or len(data.tasks) == 1 else None
    tables = [_table(swept), *([protocol.table] if protocol is not None and protocol.table is not None else [])]
    words = [*_words(swept), *(protocol.words if protocol is not None else [])]
    return View(words, (boxes, _tickets(swept)), tables)


def _by_setting(runs: pd.DataFrame, tasks: int) -> pd.DataFrame:
    """One row a setting that ran on every task: its regrets' interquartile mean, odds, and what it changes."""
    import pandas as pd

    rows = []
    for setting, mine in runs.groupby("setting_id", sort=True):
        if mine["task_no"].nunique() < tasks:
            continue
        regrets = mine["regret"].to_numpy(dtype=np.float64)
        rows.append(
            {
                "setting": setting,
                "regret": float(iqm(regrets[:, None])),
                "odds": float(lottery_odds(regrets[None], _GOOD)[0]),
                "runs": len(mine),
                "default": bool(mine["is_default"].iloc[0]),
            }
        )
    made = pd.DataFrame(rows, columns=["setting", "regret", "odds", "runs", "default"])
    made["says"] = setting_names(runs).reindex(made["setting"]).to_numpy() if rows else []
    return made


def _box(name: str, place: int, settings: pd.DataFrame, rng: np.random.Generator) -> list[Boxes | Points]:
    regrets = settings["regret"].to_numpy(dtype=np.float64)
    low, first, middle, third, high = np.quantile(regrets, [0.0, 0.25, 0.5, 0.75, 1.0]).tolist()
    kept = rng.permutation(len(regrets))[:_MOST_POINTS]
    jitter = place + rng.uniform(-_HALF_WIDTH, _HALF_WIDTH, size=len(kept))
    marks: list[Boxes | Points] = [
        Boxes(name=name, agent=name, place=place, quantiles=(low, first, middle, third, high)),
        Points(
            name=f"{name}: settings",
            agent=name,
            x=regrets[kept].tolist(),
            y=jitter.round(3).tolist(),
            texts=[str(settings["says"].iloc[int(k)]) for k in kept],
        ),
    ]
    default = settings[settings["default"]]
    if len(default):
        x = default["regret"].to_numpy(dtype=np.float64)[:1].tolist()
        marks.append(
            Points(name=f"{name}: default", agent=name, x=x, y=[place], texts=["the default setting"], symbol="diamond")
        )
    return marks


def _tickets(swept: dict[str, pd.DataFrame]) -> Chart:
    marks = []
    for name, settings in swept.items():
        regrets = settings["regret"].to_numpy(dtype=np.float64)
        expected = -expected_best_of(-regrets)
        tries = np.unique(np.rint(np.geomspace(1, len(regrets), _MOST_TICKETS)).astype(np.int64))
        marks.append(Line(name=name, agent=name, x=tries.astype(float).tolist(), y=expected[tries - 1].tolist()))
    return Chart(
        key="tickets",
        title="What more tickets buy",
        x=Axis("settings tried", log=True, whole=True),
        y=regret_axis("expected regret of the best"),
        marks=marks,
        note="Too good by as much as luck helps: the best is chosen on the very runs that it is judged by.",
    )


def _table(swept: dict[str, pd.DataFrame]) -> Table:
    rows = []
    for name, settings in swept.items():
        regrets, odds = settings["regret"].to_numpy(dtype=np.float64), settings["odds"].to_numpy(dtype=np.float64)
        default = settings[settings["default"]]
        best = settings.iloc[int(np.argmin(regrets))]
        rows.append(
            (
                name,
                f"{len(settings):,}",
                regret_text(float(default["regret"].iloc[0])) if len(default) else "not run",
                regret_text(float(regrets.min())),
                regret_text(float(np.median(regrets))),
                regret_text(float(regrets.max())),
                f"{odds.min():.0%} to {odds.max():.0%}",
                str(best["says"]),
            )
        )
    header = (
        "agent", "settings", "default", "best", "median", "worst",
        f"chance of a run within {_GOOD:g}", "best setting",
    )  # fmt: skip
    title = "Regret by setting"
    return Table(
        key="settings", title=title, header=header, rows=rows, right=(1, 2, 3, 4, 5), agents=[row[0] for row in rows]
    )


def _words(swept: dict[str, pd.DataFrame]) -> list[str]:
    words = []
    regrets = {name: one["regret"].to_numpy(dtype=np.float64) for name, one in swept.items()}
    widest = max(swept, key=lambda name: _spread(regrets[name]))
    low, high = float(regrets[widest].min()), float(regrets[widest].max())
    words.append(
        f"Settings matter most to {widest}: its {len(swept[widest])} settings range from a regret of "
        f"{regret_text(low)} to {regret_text(high)}."
    )
    for name, one in swept.items():
        default = one.loc[one["default"], "regret"]
        if len(default):
            better = float((regrets[name] < float(default.iloc[0])).mean())
            words.append(f"{better:.0%} of the settings of {name} are better than its default.")
    if len(swept) > 1:
        words.append(_overlap(regrets))
    return words


def _overlap(regrets: dict[str, NDArray[np.float64]]) -> str:
    ordered = sorted(regrets, key=lambda name: float(np.median(regrets[name])))
    first, second = ordered[:2]
    share = float((regrets[first][:, None] < regrets[second][None, :]).mean())
    return f"A random setting of {first} beats a random setting of {second} with a chance of {share:.0%}: " + (
        "who wins is decided by the settings." if share < 0.7 else "the agent matters more than its settings."
    )


def _spread(regrets: NDArray[np.float64]) -> float:
    drawn = np.log(np.maximum(regrets, FLOOR))
    return float(drawn.max() - drawn.min())
