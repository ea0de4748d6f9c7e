"""A study's entries of the leaderboard: one a task, budget, agent and setting."""

from __future__ import annotations

__all__ = ["COLUMNS", "entries_of", "merged", "read_entries", "write_entries"]

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.report.fronts_of_runs import rewards_of
from archgym.report.study_data import StudyData, prepare
from archgym.run_directory import write_whole
from archgym.statistics.aggregate import iqm
from archgym.statistics.anytime import values_at
from archgym.statistics.bootstrap import bootstrap_interval
from archgym.statistics.front_quality import hypervolume
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
Regrets = np.ndarray[Any, np.dtype[np.float64]]


def entries_of(source: StudyResults, *, command: str) -> list[Entry]:
    """The entries of a study's tasks that belong to a suite.

    Regret is the interquartile mean over seeds with its 95 % bootstrap interval, at every budget that the study asks
    for; seconds are medians of runs at the largest. Runs that failed count with what they had found by then.

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
        "feasible": float(_evaluations_to_feasible(data, runs).le(budget).mean()),
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


def _regrets_at(data: StudyData, runs: pd.DataFrame, budget: int) -> Regrets:
    """Regret of each run after ``budget`` evaluations (R,); before its first feasible design, what `starts` says."""
    steps = data.improvements[data.improvements["run_no"].isin(runs.index)]
    task = data.tasks[int(runs["task_no"].iloc[0])]
    if task.has_front:
        fronts = dict(iter(steps[steps["evaluation"] <= budget].groupby("run_no")))
        volumes = [_volume(fronts.get(run), task.reference_point) for run in runs.index]
        return np.asarray(np.maximum(1.0 - np.array(volumes) / task.reference.best, 0.0))
    local = {run: place for place, run in enumerate(runs.index)}
    places = steps["run_no"].map(local).to_numpy(dtype=np.int64)
    found = values_at(places, steps["evaluation"], steps["regret"], grid=[budget], runs=len(runs))[:, 0]
    return np.asarray(np.where(np.isnan(found), data.starts[runs.index], found))


def _volume(steps: pd.DataFrame | None, origin: tuple[float, ...]) -> float:
    return 0.0 if steps is None else hypervolume(rewards_of(steps), origin)


def _evaluations_to_feasible(data: StudyData, runs: pd.DataFrame) -> pd.Series[float]:
    """The evaluation at which each run found its first feasible design, not a number where it never did."""
    return data.improvements.groupby("run_no")["evaluation"].min().reindex(runs.index)


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
