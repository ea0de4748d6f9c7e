"""Regret of recorded runs after any number of calls."""

from __future__ import annotations

__all__ = ["outcomes"]

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from archgym.studies.results import StudyResults, load_study
from experiments.regrets_of_runs import with_regret

if TYPE_CHECKING:
    import pandas as pd


def outcomes(folders: Sequence[tuple[str, Path]], budgets: Sequence[int]) -> pd.DataFrame:
    """One row a complete run and budget: contender, settings, task, seed, budget, regret.

    Args:
        folders: contenders and their studies. The best that any of them found is what regret is measured against where
            no better design is known.
        budgets: calls after which to look.
    """
    import pandas as pd

    rows = pd.concat([_rewards(name, load_study(folder), budgets) for name, folder in folders], ignore_index=True)
    return with_regret(rows)


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
