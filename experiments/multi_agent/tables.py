"""What the runs come to: one row an arm, and one a pair of arms that differ in one thing."""

from __future__ import annotations

__all__ = ["ARMS_FILE", "CONTRASTS_FILE", "SENSITIVITY", "gain", "write_tables"]

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.statistics import (
    bootstrap_interval,
    holm,
    improvement_interval,
    iqm,
    permutation_p_value,
    probability_of_improvement,
)
from experiments.multi_agent.arms import ARMS, CONTRASTS, Contrast, step_sizes
from experiments.multi_agent.csv_table import read_csv, short, write_csv
from experiments.multi_agent.outcomes import best_size, outcomes, size_regrets
from experiments.multi_agent.page import write_page
from experiments.multi_agent.shards import BUDGETS, TASK_GROUPS, TASKS, TUNING_BUDGET, folder_of
from experiments.regrets_of_runs import is_run, matrix

if TYPE_CHECKING:
    import pandas as pd

HERE = Path(__file__).parent
ARMS_FILE, CONTRASTS_FILE, SENSITIVITY = HERE / "arms.csv", HERE / "contrasts.csv", HERE / "sensitivity.csv"
SUBJECTS: Mapping[str, tuple[str, ...]] = {**TASK_GROUPS, **{task: (task,) for task in TASKS}}
"""What rows are about: groups of tasks, and single ones."""

Floats = NDArray[np.float64]


def write_tables(out: Path) -> None:
    """Write the tables, and the page, from the studies below ``out`` that have ended; empty ones are not written."""
    sensitivity = list(_sensitivity_rows(out))
    arms: list[Mapping[str, Any]] = []
    contrasts: list[Mapping[str, Any]] = []
    for budget in BUDGETS:
        for variant, folders in (
            ("defaults", _defaults(out, budget)),
            ("tuned", _tuned(out, budget, sensitivity)),
        ):
            if folders:
                rows, about = outcomes(folders), {"variant": variant, "budget": budget}
                arms += [{**about, **row} for row in _arm_rows(rows)]
                contrasts += [{**about, **row} for row in _contrast_rows(rows)]
    for file, table in ((ARMS_FILE, arms), (CONTRASTS_FILE, contrasts), (SENSITIVITY, sensitivity)):
        if table:
            write_csv(file, table)
    if arms:
        write_page(read_csv(ARMS_FILE), read_csv(CONTRASTS_FILE))


def _defaults(out: Path, budget: int) -> list[tuple[str, Path]]:
    folders = [(name, folder_of(out, "defaults", budget, arm)) for name, arm in ARMS.items()]
    return [(name, folder) for name, folder in folders if is_run(folder)]


def _tuned(out: Path, budget: int, sensitivity: Sequence[Mapping[str, Any]]) -> list[tuple[str, Path]]:
    """Of each arm whose best step size is another, the study at it; arms that are best at their default as they are.

    Arms whose best step size is not known are left out: beside tuned ones, defaults would be no fair table.
    """
    chosen = {row["arm"]: row for row in sensitivity if row["chosen"]}
    folders = []
    for name, arm in ARMS.items():
        is_other = name in chosen and chosen[name]["is_default"] == "no"
        folder = folder_of(out, "tuned" if is_other else "defaults", budget, arm)
        if is_run(folder) and (name in chosen or not arm.step_size):
            folders.append((name, folder))
    return folders if chosen else []


def _sensitivity_rows(out: Path) -> Iterator[dict[str, Any]]:
    for name, arm in ARMS.items():
        folder = folder_of(out, "sensitivity", TUNING_BUDGET, arm)
        if not arm.step_size or not is_run(folder):
            continue
        regrets, default = size_regrets(arm, folder), step_sizes(arm)[1]
        best = best_size(regrets, default) or default
        for size, one in regrets.items():
            yield {
                "arm": name,
                "setting": arm.step_size,
                "value": short(size),
                "is_default": "yes" if size == default else "no",
                **_middle(one),
                "chosen": "yes" if size == best else "",
            }


def _arm_rows(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for subject, tasks in SUBJECTS.items():
        for name, arm in ARMS.items():
            own = _own(rows, name, tasks)
            if seeds := _seeds(own, tasks):
                yield {
                    "tasks": subject,
                    "arm": name,
                    "actions": arm.actions,
                    "agents": arm.agents,
                    "joint": "yes" if arm.is_joint else "",
                    **_middle(matrix(own, tasks, seeds)),
                    "reached": short(float(own["reached"].mean())),
                    "nothing_feasible": short(float(1.0 - own["found"].mean())),
                    "agent_seconds": short(float(own["agent_seconds"].median())),
                    "proposals_a_call": short(float(own["proposals_a_call"].median())),
                }


def _middle(regrets: Floats) -> dict[str, Any]:
    """Interquartile mean of regrets (R, T), with a 95 % interval over seeds."""
    low, high = bootstrap_interval(regrets, iqm, np.random.default_rng(0))
    return {"seeds": len(regrets), "iqm": short(float(iqm(regrets))), "low": short(low), "high": short(high)}


def _own(rows: pd.DataFrame, arm: str, tasks: Sequence[str]) -> pd.DataFrame:
    return rows[(rows["arm"] == arm) & rows["task"].isin(tasks)]


def _seeds(rows: pd.DataFrame, tasks: Sequence[str]) -> list[int]:
    """Seeds that every task has been run with."""
    counts = rows.groupby("seed")["task"].nunique()
    return sorted(counts.index[counts == len(tasks)].tolist())


# ---- pairs of arms ---------------------------------------------------------------------------------------------------


def gain(first: Floats, second: Floats, rng: np.random.Generator) -> tuple[float, float, float]:
    """By how much the interquartile mean of regrets (R, T) is less in the second, with a 95 % interval.

    Rows are paired: a resample draws the same seeds of both.
    """
    seeds, tasks = first.shape
    places = np.repeat(np.arange(seeds, dtype=np.float64)[:, None], tasks, axis=1)

    def of(drawn: Floats) -> Floats:
        chosen = drawn.astype(np.int64), np.arange(tasks)
        return np.asarray(iqm(first[chosen]) - iqm(second[chosen]))

    return float(of(places)), *bootstrap_interval(places, of, rng)


def _contrast_rows(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for subject, tasks in SUBJECTS.items():
        found = [one for one in CONTRASTS if _both(rows, one, tasks)]
        compared = [{"tasks": subject, **_compared(rows, one, tasks)} for one in found]
        # The question has as many answers as there are pairs; each group of tasks and budget is asked by itself.
        for row, adjusted in zip(compared, holm([row["p"] for row in compared]).tolist(), strict=True):
            yield {**row, "p": short(row["p"]), "p_holm": short(adjusted)}


def _both(rows: pd.DataFrame, one: Contrast, tasks: Sequence[str]) -> list[int]:
    """Seeds of both arms of a pair."""
    first, second = (_seeds(_own(rows, arm, tasks), tasks) for arm in (one.first, one.second))
    return [seed for seed in first if seed in second]


def _compared(rows: pd.DataFrame, one: Contrast, tasks: Sequence[str]) -> dict[str, Any]:
    seeds = _both(rows, one, tasks)
    first, second = (matrix(_own(rows, arm, tasks), tasks, seeds) for arm in (one.first, one.second))
    rng = np.random.default_rng(0)
    value, low, high = gain(first, second, rng)
    wins_low, wins_high = improvement_interval(-second, -first, rng)
    return {
        "part": one.part,
        "first": one.first,
        "second": one.second,
        "seeds": len(seeds),
        "gain": short(value),
        "low": short(low),
        "high": short(high),
        "second_wins": short(probability_of_improvement(-second, -first)),
        "wins_low": short(wins_low),
        "wins_high": short(wins_high),
        "p": permutation_p_value(-second, -first, rng),
    }
