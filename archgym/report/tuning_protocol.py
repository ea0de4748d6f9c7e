"""Tuned against default: settings are chosen on dev tasks, frozen, and judged on test tasks."""

from __future__ import annotations

__all__ = ["Protocol", "protocol_table"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.report.charts import Table
from archgym.report.fields import interval_text, regret_text, setting_names
from archgym.report.study_data import StudyData
from archgym.statistics import TunedVersusDefault, tuned_versus_default

if TYPE_CHECKING:
    import pandas as pd

_SEED = 5


@dataclass(frozen=True)
class Protocol:
    """What came of it: sentences, and a table where it could be done."""

    words: list[str]
    table: Table | None = None


def protocol_table(data: StudyData) -> Protocol:
    """Carry the protocol out for every agent that was swept on dev and test tasks, with equal trials for all."""
    dev = [no for no, one in enumerate(data.tasks) if one.role == "dev"]
    test = [no for no, one in enumerate(data.tasks) if one.role == "test"]
    if not dev or not test:
        which = "dev" if not dev else "test"
        return Protocol(
            [f"This study has no {which} task, so the worth of tuning cannot be judged: only luck is seen."]
        )
    grids = {name: grid for name in data.agents if (grid := _grid(data, name, dev, test)) is not None}
    if not grids:
        return Protocol(
            ["No agent has several settings on all dev and test tasks besides its default, so tuning is not judged."]
        )
    trials = min(len(grid[0]) for grid in grids.values())
    budget = min(data.tasks[no].budget for no in dev)
    judged = {}
    for name, (on_dev, on_test, default, says) in grids.items():
        rng = np.random.default_rng(_SEED)
        one = tuned_versus_default(on_dev, on_test, default, rng, evaluations_per_run=budget, trials=trials)
        judged[name] = (one, says)
    return Protocol(_words(judged, trials), _table(judged))


Grid = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], list[str]]


def _grid(data: StudyData, name: str, dev: list[int], test: list[int]) -> Grid | None:
    """Scores on dev tasks (S, R, D), on test tasks (S, Q, T), of the default (P, T), and the settings' names."""
    runs = data.complete[data.complete["agent"] == name]
    blocks = {str(setting): _blocks(mine, dev, test) for setting, mine in runs.groupby("setting_id", sort=True)}
    whole = {setting: block for setting, block in blocks.items() if block is not None}
    default = runs.loc[runs["is_default"], "setting_id"]
    if len(whole) < 2 or default.empty or str(default.iloc[0]) not in whole:
        return None
    fewest = [min(block[k].shape[0] for block in whole.values()) for k in (0, 1)]
    stacked = [np.stack([block[k][: fewest[k]] for block in whole.values()]) for k in (0, 1)]
    says = setting_names(runs).reindex(list(whole)).tolist()
    return stacked[0], stacked[1], whole[str(default.iloc[0])][1], says


def _blocks(
    runs: pd.DataFrame, dev: list[int], test: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    found = []
    for tasks in (dev, test):
        lists = [runs.loc[runs["task_no"] == no, "regret"].to_numpy(dtype=np.float64) for no in tasks]
        fewest = min(map(len, lists))
        if not fewest:
            return None
        found.append(-np.stack([one[:fewest] for one in lists], axis=1))
    return found[0], found[1]


def _words(judged: dict[str, tuple[TunedVersusDefault, list[str]]], trials: int) -> list[str]:
    words = [
        f"Tuned against default: {trials} settings of each agent were tried on the dev tasks, the best was frozen and "
        "judged on the test tasks."
    ]
    for name, (one, _) in judged.items():
        low, high = one.improvement_interval
        gain = "better for it" if low > 0.5 else "worse for it" if high < 0.5 else "neither clearly better nor worse"
        words.append(
            f"{name} was tuned with {one.tuning_evaluations:,} simulations and is {gain}: a tuned run beats a "
            f"default run with a chance of {one.improvement:.0%} "
            f"({low:.0%} to {high:.0%})."
        )
    return words


def _table(judged: dict[str, tuple[TunedVersusDefault, list[str]]]) -> Table:
    rows = [
        (
            name,
            f"{one.trials}",
            f"{one.tuning_evaluations:,}",
            regret_text(-one.dev_score),
            f"{regret_text(-one.tuned)} ({interval_text(-one.tuned_interval[1], -one.tuned_interval[0])})",
            f"{regret_text(-one.default)} ({interval_text(-one.default_interval[1], -one.default_interval[0])})",
            f"{one.improvement:.0%}",
            says[one.chosen],
        )
        for name, (one, says) in judged.items()
    ]
    header = (
        "agent", "trials", "tuning cost (simulations)", "on dev tasks", "tuned, on test tasks",
        "default, on test tasks", "tuned beats default", "setting",
    )  # fmt: skip
    title = "Regret of the setting tuned on dev tasks, and of the default"
    return Table(
        key="tuned", title=title, header=header, rows=rows, right=(1, 2, 3, 6), agents=[row[0] for row in rows]
    )
