"""What runs came to: the regret of each at each budget, and which step size is best on the tasks for tuning."""

from __future__ import annotations

__all__ = ["best_size", "is_run", "matrix", "outcomes", "size_regrets"]

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.report.references import reference_of
from archgym.run_directory import RESULT
from archgym.statistics import iqm, regret
from archgym.studies.results import StudyResults, load_study
from archgym.tasks import task
from experiments.multi_agent.arms import Arm, step_sizes

if TYPE_CHECKING:
    import pandas as pd

NEAR = 1e-3
"""Of reward, a logarithm: within it of the best, the metric is within 0.1 %."""


def is_run(folder: Path) -> bool:
    """Whether a study has ended."""
    return (folder / RESULT).is_file()


def outcomes(folders: Sequence[tuple[str, Path]]) -> pd.DataFrame:
    """One row a complete run: arm, settings, task, seed, budget, regret, whether it found and reached, and its cost.

    Args:
        folders: arms and their studies. What is best in any of them is what regret is measured against where no optimum
            is certified.
    """
    import pandas as pd

    parts = [_rewards(arm, load_study(folder)) for arm, folder in folders]
    rows = pd.concat(parts, ignore_index=True)
    scaled = [_with_regret(name, of_task) for name, of_task in rows.groupby("task", sort=False)]
    return pd.concat(scaled, ignore_index=True)


def _rewards(arm: str, study: StudyResults) -> pd.DataFrame:
    """Best feasible reward of each run, NaN where there is none."""
    runs = study.runs[study.runs["state"] == "complete"]
    return runs[["task", "seed", "budget", "settings", "agent_seconds"]].assign(
        arm=arm,
        proposals_a_call=runs["proposals"] / runs["evaluations"],
        reward=runs["best_reward"].where(runs["feasible"]),
    )


def _with_regret(name: Any, rows: pd.DataFrame) -> pd.DataFrame:
    spec = task(name).spec()
    rewards = rows["reward"].to_numpy(dtype=np.float64)
    found = rewards[np.isfinite(rewards)]
    best = float(found.max()) if len(found) else float("nan")
    reference = reference_of(spec, spec.bind(), best_found=best, first_rewards=found)
    return rows.assign(
        regret=regret(rewards, reference.best, median=reference.median),
        found=np.isfinite(rewards),
        reached=np.nan_to_num(rewards, nan=-np.inf) >= reference.best - NEAR,
    )


def matrix(rows: pd.DataFrame, tasks: Sequence[str], seeds: Sequence[int]) -> NDArray[np.float64]:
    """Regrets (R, T) of one arm, by seed and task."""
    wide = rows.pivot(index="seed", columns="task", values="regret")
    return wide.loc[list(seeds), list(tasks)].to_numpy(dtype=np.float64)


def size_regrets(arm: Arm, folder: Path) -> dict[float, NDArray[np.float64]]:
    """Of each step size of an arm, regrets (R, T) on the tasks for tuning, from the study there."""
    rows = outcomes([(arm.name, folder)])
    chosen = rows["settings"].map(lambda text: float(json.loads(text)[arm.step_size]))
    tasks, seeds = rows["task"].unique().tolist(), sorted(rows["seed"].unique().tolist())
    return {size: matrix(rows[np.isclose(chosen, size)], tasks, seeds) for size in step_sizes(arm)}


def best_size(regrets: Mapping[float, NDArray[np.float64]], default: float) -> float | None:
    """The step size of the least interquartile mean; None where no other is better than the default."""
    means = {size: float(iqm(one)) for size, one in regrets.items()}
    best = min(means, key=lambda size: (means[size], size != default))
    return None if best == default else best
