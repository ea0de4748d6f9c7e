"""Regret of recorded runs after any number of calls."""

from __future__ import annotations

__all__ = ["is_run", "matrix", "outcomes"]

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.report.references import reference_of
from archgym.run_directory import RESULT
from archgym.statistics import regret
from archgym.studies.results import StudyResults, load_study
from archgym.tasks import task

if TYPE_CHECKING:
    import pandas as pd


def is_run(folder: Path) -> bool:
    """Whether a study has ended."""
    return (folder / RESULT).is_file()


def outcomes(folders: Sequence[tuple[str, Path]], budgets: Sequence[int]) -> pd.DataFrame:
    """One row a complete run and budget: contender, settings, task, seed, budget, regret.

    Args:
        folders: contenders and their studies. The best that any of them found is what regret is measured against where
            no better design is known.
        budgets: calls after which to look.
    """
    import pandas as pd

    rows = pd.concat([_rewards(name, load_study(folder), budgets) for name, folder in folders], ignore_index=True)
    return pd.concat([_with_regret(name, of_task) for name, of_task in rows.groupby("task", sort=False)])


def _rewards(name: str, study: StudyResults, budgets: Sequence[int]) -> pd.DataFrame:
    """Best feasible reward of each run after each budget, NaN where there is none."""
    import pandas as pd

    runs = study.runs[study.runs["state"] == "complete"]
    steps = study.improvements[study.improvements["feasible"]]
    parts = []
    for budget in budgets:
        best = steps[steps["evaluation"] <= budget].groupby("run_id")["reward"].max()
        reward = runs["run_id"].map(best).astype(np.float64)
        parts.append(runs[["task", "seed", "settings"]].assign(contender=name, budget=budget, reward=reward))
    return pd.concat(parts, ignore_index=True)


def _with_regret(name: Any, rows: pd.DataFrame) -> pd.DataFrame:
    spec = task(name).spec()
    rewards = rows["reward"].to_numpy(dtype=np.float64)
    found = rewards[np.isfinite(rewards)]
    best = float(found.max()) if len(found) else float("nan")
    reference = reference_of(spec, spec.bind(), best_found=best, first_rewards=found)
    return rows.assign(regret=regret(rewards, reference.best, median=reference.median))


def matrix(rows: pd.DataFrame, tasks: Sequence[str], seeds: Sequence[int]) -> NDArray[np.float64]:
    """Regrets (R, T) of one contender at one budget, by seed and task."""
    wide = rows.pivot(index="seed", columns="task", values="regret")
    return wide.loc[list(seeds), list(tasks)].to_numpy(dtype=np.float64)
