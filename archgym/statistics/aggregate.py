"""Numbers that sum up many runs on several tasks.

Scores have the shape (..., R, T): R runs (seeds) on each of T tasks. Leading axes are for resamples; one statistic
serves a study and its 2,000 resamples alike.
"""

from __future__ import annotations

__all__ = ["iqm", "mean", "median", "performance_profile"]

import numpy as np
from numpy.typing import ArrayLike, NDArray

_CUT = 0.25


def iqm(scores: ArrayLike) -> NDArray[np.float64]:
    """Interquartile mean over all runs of all tasks: scores (..., R, T) to (...).

    The lowest and highest quarter are left out, each rounded down to whole runs (Agarwal et al., "Deep reinforcement
    learning at the edge of the statistical precipice", NeurIPS 2021, section 4.3).

    >>> float(iqm([[0.0], [1.0], [2.0], [90.0]]))
    1.5
    """
    pooled = np.sort(_pooled(scores), axis=-1)
    cut = int(_CUT * pooled.shape[-1])
    middle = pooled[..., cut : pooled.shape[-1] - cut].mean(axis=-1)
    # Sorting puts what is not a number last, where it would be cut off unseen.
    return np.asarray(np.where(np.isnan(pooled[..., -1]), np.nan, middle))


def mean(scores: ArrayLike) -> NDArray[np.float64]:
    """Mean over tasks of the mean over runs: scores (..., R, T) to (...)."""
    return np.asarray(np.asarray(scores, dtype=np.float64).mean(axis=(-2, -1)))


def median(scores: ArrayLike) -> NDArray[np.float64]:
    """Median over tasks of the mean over runs, as is customary: scores (..., R, T) to (...)."""
    return np.asarray(np.median(np.asarray(scores, dtype=np.float64).mean(axis=-2), axis=-1))


def performance_profile(regrets: ArrayLike, thresholds: ArrayLike) -> NDArray[np.float64]:
    """Share of runs whose regret is at most each threshold: regrets (..., R, T), thresholds (K,) to (..., K).

    Runs count alike (Agarwal et al. 2021, section 4.2, the run-score distribution, turned round for regret).

    >>> performance_profile([[0.1], [0.3]], [0.0, 0.1, 1.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    pooled, limits = _pooled(regrets), np.asarray(thresholds, dtype=np.float64)
    return np.stack([(pooled <= limit).mean(axis=-1) for limit in limits.tolist()], axis=-1)


def _pooled(scores: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(scores, dtype=np.float64)
    return array.reshape(*array.shape[:-2], -1)
