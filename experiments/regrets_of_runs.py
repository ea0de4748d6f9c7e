"""Regret of the runs of studies, for experiments that compare agents across them."""

from __future__ import annotations

__all__ = ["is_run", "matrix", "with_regret"]

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.report.references import Reference, reference_of
from archgym.run_directory import RESULT
from archgym.statistics import regret
from archgym.tasks import task

if TYPE_CHECKING:
    import pandas as pd


def is_run(folder: Path) -> bool:
    """Whether a study has ended."""
    return (folder / RESULT).is_file()


def with_regret(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with the columns ``task`` and ``reward`` (NaN for none), and two more: ``best`` and ``regret``.

    The best of a task is the best that is known, or that of these rows where it is above.
    """
    rewards = rows["reward"].to_numpy(dtype=np.float64)
    best, found = np.empty(len(rows)), np.empty(len(rows))
    for name, places in rows.reset_index(drop=True).groupby("task", sort=False).indices.items():
        reference = _reference(str(name), rewards[places])
        best[places] = reference.best
        found[places] = regret(rewards[places], reference.best, median=reference.median)
    return rows.assign(best=best, regret=found)


def _reference(name: str, rewards: NDArray[np.float64]) -> Reference:
    spec = task(name).spec()
    found = rewards[np.isfinite(rewards)]
    best = float(found.max()) if len(found) else float("nan")
    return reference_of(spec, spec.bind(), best_found=best, first_rewards=found)


def matrix(rows: pd.DataFrame, tasks: Sequence[str], seeds: Sequence[int]) -> NDArray[np.float64]:
    """Regrets (R, T) of one agent at one budget, by seed and task."""
    wide = rows.pivot(index="seed", columns="task", values="regret")
    return wide.loc[list(seeds), list(tasks)].to_numpy(dtype=np.float64)
