"""Percentile intervals by the stratified bootstrap: runs are drawn again within each task, tasks stay.

Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice", NeurIPS 2021, section 4.1. The
interval speaks of other seeds on the same tasks, not of other tasks.
"""

from __future__ import annotations

__all__ = ["bootstrap_band", "bootstrap_interval", "resample", "resampled_statistic"]

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym_simulators import InputError

RESAMPLES = 2_000
_VALUES_AT_ONCE = 1 << 22

Statistic = Callable[[NDArray[np.float64]], ArrayLike]


def bootstrap_interval(
    scores: ArrayLike,
    statistic: Statistic,
    rng: np.random.Generator,
    confidence: float = 0.95,
    *,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """Interval of a statistic that is one number.

    Args:
        scores: (R, T), R runs on each of T tasks.
        statistic: maps (B, R, T) to (B,), as `archgym.statistics.iqm` does.
        rng: source of every draw.
        confidence: share of resamples inside.
        resamples: number of them.

    Returns:
        Lower and upper end.

    Raises:
        InputError: another shape, no runs, NaN, or a confidence that is no share.
    """
    low, high = bootstrap_band(scores, statistic, rng, confidence=confidence, resamples=resamples)
    return float(low), float(high)


def bootstrap_band(
    scores: ArrayLike,
    statistic: Statistic,
    rng: np.random.Generator,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pointwise intervals of a statistic with several numbers: lower and upper ends (...), as the statistic's shape.

    Raises:
        InputError: as for `bootstrap_interval`.
    """
    if not 0.0 < confidence < 1.0:
        raise InputError(f"confidence must lie between 0 and 1, not {confidence!r}")
    drawn = resampled_statistic(scores, statistic, rng, resamples=resamples)
    # Between two infinities there is nothing to interpolate.
    method = "linear" if np.isfinite(drawn).all() else "closest_observation"
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(drawn, [tail, 1.0 - tail], axis=0, method=method)  # type: ignore[call-overload]
    return np.asarray(low), np.asarray(high)


def resampled_statistic(
    scores: ArrayLike, statistic: Statistic, rng: np.random.Generator, *, resamples: int = RESAMPLES
) -> NDArray[np.float64]:
    """The statistic of each resample: (B, ...)."""
    array = checked_scores(scores)
    drawn = (statistic(resample(array, rng, n)) for n in batches(resamples, array.size))
    return np.concatenate([np.asarray(one, dtype=np.float64) for one in drawn])


def batches(total: int, size: int) -> list[int]:
    """How many resamples to hold at once, so often that there are ``total``, where each has ``size`` values."""
    at_once = max(1, _VALUES_AT_ONCE // size)
    return [min(at_once, total - start) for start in range(0, total, at_once)]


def resample(scores: NDArray[np.float64], rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Runs drawn with replacement, for each task on its own: scores (R, T) to (n, R, T)."""
    runs, tasks = scores.shape
    return scores[rng.integers(runs, size=(n, runs, tasks)), np.arange(tasks)]


def checked_scores(scores: ArrayLike) -> NDArray[np.float64]:
    """Scores (R, T) as an array.

    Raises:
        InputError: another shape, nothing in it, or NaN.
    """
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 2 or not array.size:
        raise InputError(f"scores must have the shape (runs, tasks) with at least one of each, not {array.shape}")
    if np.isnan(array).any():
        raise InputError("scores must be numbers; a run that found nothing feasible has a regret of 10, not NaN")
    return array
