"""Regret: how far what was found stays from the best, on a scale that tasks share."""

from __future__ import annotations

__all__ = ["CEILING", "regret"]

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym_simulators import InputError

CEILING = 10.0
"""Regret of a run that found nothing feasible, and the largest that counts: a mean of infinities says nothing."""

_ROUNDING = 1e-9


def regret(rewards: ArrayLike, best: float, *, median: float) -> NDArray[np.float64]:
    """(log f - log f*) / (log f_median-random - log f*): 0 is the best design, 1 the median of all feasible designs.

    Rewards are logarithms of ratios to a baseline (signed differences for linear metrics), so the baseline cancels.
    Where nothing feasible was found it is `CEILING`, which is also the largest that any design has.

    Args:
        rewards: of any shape; NaN or minus infinity where nothing feasible was found.
        best: reward of the certified optimum or, labelled so by the caller, of the best design known.
        median: median reward of the feasible designs, as `archgym.optimum.Optimum.median_reward`.

    Returns:
        Regrets of the same shape, from 0 to `CEILING`.

    Raises:
        InputError: a reward above the best, or a best that is not above the median.

    >>> regret([2.0, 1.0, 0.0, float("nan")], 2.0, median=1.0).tolist()
    [0.0, 1.0, 2.0, 10.0]
    """
    found = np.asarray(rewards, dtype=np.float64)
    if not (np.isfinite(best) and np.isfinite(median) and best > median):
        raise InputError(
            f"regret needs a best reward above the median of random designs, not {best!r} and {median!r}; where half "
            "of the designs are the best it has no scale"
        )
    missing = best - np.where(np.isnan(found), -np.inf, found)
    if (missing < -_ROUNDING * max(1.0, abs(best))).any():
        raise InputError(f"the best reward is said to be {best!r}, but {float(np.nanmax(found))!r} was found")
    return np.asarray(np.clip(missing / (best - median), 0.0, CEILING))
