"""What runs came to: the regret of each at each budget, and which step size is best on the tasks for tuning."""

from __future__ import annotations

__all__ = ["best_size", "outcomes", "size_regrets"]

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.statistics import iqm
from archgym.studies.results import StudyResults, load_study
from experiments.multi_agent.arms import Arm, step_sizes
from experiments.regrets_of_runs import matrix, with_regret

if TYPE_CHECKING:
    import pandas as pd

NEAR = 1e-3
"""Of reward, a logarithm: within it of the best, the metric is within 0.1 %."""


def outcomes(folders: Sequence[tuple[str, Path]]) -> pd.DataFrame:
    """One row a complete run: arm, settings, task, seed, budget, regret, whether it found and reached, and its cost.

    Args:
        folders: arms and their studies. What is best in any of them is what regret is measured against where no optimum
            is certified.
    """
    import pandas as pd

    parts = [_rewards(arm, load_study(folder)) for arm, folder in folders]
    rows = with_regret(pd.concat(parts, ignore_index=True))
    return rows.assign(found=rows["reward"].notna(), reached=rows["reward"] >= rows["best"] - NEAR)


def _rewards(arm: str, study: StudyResults) -> pd.DataFrame:
    """Best feasible reward of each run, NaN where there is none."""
    runs = study.runs[study.runs["state"] == "complete"]
    return runs[["task", "seed", "budget", "settings", "agent_seconds"]].assign(
        arm=arm,
        proposals_a_call=runs["proposals"] / runs["evaluations"],
        reward=runs["best_reward"].where(runs["feasible"]),
    )


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
