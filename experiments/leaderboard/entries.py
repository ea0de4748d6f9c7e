"""A study's entries of the leaderboard: one a task, budget, agent and setting."""

from __future__ import annotations

__all__ = ["COLUMNS", "entries_of", "merged", "read_entries", "write_entries"]

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.report.study_data import CEILING, StudyData, prepare
from archgym.run_directory import write_whole
from archgym.statistics.aggregate import iqm
from archgym.statistics.anytime import values_at
from archgym.statistics.bootstrap import bootstrap_interval
from archgym.studies.results import StudyResults

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("suite", "task", "role", "budget", "agent", "setting_id", "is_default", "settings", "seeds"),
    *("regret", "low", "high", "feasible", "evaluations", "wall_seconds", "agent_seconds"),
    *("reference", "best", "median", "version", "study", "command"),
)
_KEY = ("suite", "task", "budget", "agent", "setting_id")
_DIGITS = 6

Entry = Mapping[str, str]


def entries_of(source: StudyResults, *, command: str) -> list[Entry]:
    """The entries of a study's tasks that belong to a suite.

    Regret is the interquartile mean over seeds with its 95 % bootstrap interval, at every budget that the study asks
    for; seconds are medians of runs at the largest.

    Args:
        source: a complete study.
        command: what makes it again.
    """
    data = prepare(source)
    places = {about["task"]: about for about in source.manifest["tasks"] if about["task"]}
    found = []
    for no, task in enumerate(data.tasks):
        about = places.get(task.name)
        if about is None:
            continue
        runs = data.runs[data.runs["task_no"] == no]
        for _, of_setting in runs.groupby("setting_id", sort=False):
            for budget in about["budgets"]:
                found.append(_entry(data, of_setting, about, int(budget), source, command))
    return found


def _entry(
    data: StudyData,
    runs: pd.DataFrame,
    about: Mapping[str, Any],
    budget: int,
    source: StudyResults,
    command: str,
) -> Entry:
    first, regrets = runs.iloc[0], _regrets_at(data, runs, budget)
    reference = data.tasks[int(first["task_no"])].reference
    low, high = bootstrap_interval(regrets[:, None], iqm, np.random.default_rng(0))
    is_largest = budget == max(about["budgets"])
    values: dict[str, Any] = {
        "suite": about["suite"],
        "task": about["task"],
        "role": about["role"],
        "budget": budget,
        "agent": first["agent"],
        "setting_id": first["setting_id"],
        "is_default": first["is_default"],
        "settings": first["settings"],
        "seeds": len(runs),
        "regret": float(iqm(regrets[:, None])),
        "low": low,
        "high": high,
        "feasible": float((regrets < CEILING).mean()),
        "evaluations": float(np.minimum(runs["evaluations"], budget).mean()),
        "wall_seconds": float(runs["wall_seconds"].median()) if is_largest else "",
        "agent_seconds": float(runs["agent_seconds"].median()) if is_largest else "",
        "reference": reference.best_source,
        "best": reference.best,
        "median": reference.median,
        "version": source.manifest["about"]["archgym"],
        "study": source.manifest["digest"][:8],
        "command": command,
    }
    return {name: f"{v:.{_DIGITS}g}" if isinstance(v, float) else str(v) for name, v in values.items()}


def _regrets_at(data: StudyData, runs: pd.DataFrame, budget: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Regret of each run after ``budget`` evaluations (R,), the ceiling where nothing feasible was found."""
    steps = data.improvements[data.improvements["run_no"].isin(runs.index)]
    local = {run: place for place, run in enumerate(runs.index)}
    places = steps["run_no"].map(local).to_numpy(dtype=np.int64)
    found = values_at(places, steps["evaluation"], steps["regret"], grid=[budget], runs=len(runs))[:, 0]
    return np.asarray(np.where(np.isnan(found), CEILING, found))


def merged(old: Iterable[Entry], new: Iterable[Entry]) -> list[Entry]:
    """Old entries and new ones, which replace those of the same task, budget, agent and setting."""
    by_key = {tuple(entry[name] for name in _KEY): entry for entry in [*old, *new]}
    return list(by_key.values())


def read_entries(path: Path) -> list[Entry]:
    """The entries of a CSV file; none where there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_entries(path: Path, entries: Iterable[Entry]) -> None:
    """Write a CSV file of entries."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(entries)
    write_whole(path, text.getvalue())
