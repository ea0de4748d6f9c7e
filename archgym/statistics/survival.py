"""Evaluations until something happens (a feasible design, a target), where some runs end before it does."""

from __future__ import annotations

__all__ = ["KaplanMeier", "kaplan_meier"]

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym_simulators import InputError

_ROUNDING = 1e-12


@dataclass(frozen=True)
class KaplanMeier:
    """The share of runs in which it has not happened yet.

    Attributes:
        times: (K,) ascending, those at which it happened to some run.
        at_risk: (K,) runs that were still waiting just before.
        events: (K,) runs to which it happened then.
        survival: (K,) share still waiting afterwards.
        low: (K,) lower end of the pointwise interval.
        high: (K,) upper end.
    """

    times: NDArray[np.float64]  # (K,)
    at_risk: NDArray[np.int64]  # (K,)
    events: NDArray[np.int64]  # (K,)
    survival: NDArray[np.float64]  # (K,)
    low: NDArray[np.float64]  # (K,)
    high: NDArray[np.float64]  # (K,)

    @property
    def median(self) -> float:
        """Evaluations after which half of the runs have it; infinite where they never do."""
        reached = self.times[self.survival <= 0.5 + _ROUNDING]
        return float(reached[0]) if len(reached) else float("inf")

    def waiting(self, evaluations: ArrayLike) -> NDArray[np.float64]:
        """Share still waiting after each number of evaluations (G,)."""
        index = np.searchsorted(self.times, np.asarray(evaluations, dtype=np.float64), side="right")
        return np.concatenate([[1.0], self.survival])[index]


def kaplan_meier(times: ArrayLike, observed: ArrayLike, *, confidence: float = 0.95) -> KaplanMeier:
    """Estimate from runs of which some were censored: stopped (budget, proposals, a crash) before it happened.

    A censored run counts as waiting up to its last evaluation, that one included, and says nothing afterwards. That is
    right where stopping has nothing to do with how near the run was; a crash that infeasible designs cause breaks it.
    Kaplan and Meier, JASA 1958; intervals by Greenwood's variance of log(-log S), Kalbfleisch and Prentice 1980.

    Args:
        times: (R,) the evaluation at which it happened, or the last one of a censored run.
        observed: (R,) whether it happened.
        confidence: of the pointwise intervals.

    Raises:
        InputError: no runs, other shapes, times that are not finite, or a confidence that is no share.
    """
    if not 0.0 < confidence < 1.0:
        raise InputError(f"confidence must lie between 0 and 1, not {confidence!r}")
    ends, happened = np.asarray(times, dtype=np.float64), np.asarray(observed, dtype=bool)
    if ends.ndim != 1 or ends.shape != happened.shape or not len(ends) or not np.isfinite(ends).all():
        raise InputError(
            f"times and observed must be columns of one length with finite times, not {ends.shape} and {happened.shape}"
        )
    moments, events = np.unique(ends[happened], return_counts=True)
    at_risk = len(ends) - np.searchsorted(np.sort(ends), moments, side="left")
    survival = np.cumprod(1.0 - events / at_risk, dtype=np.float64)
    low, high = _interval(survival, events, at_risk, confidence)
    return KaplanMeier(moments, at_risk, events, survival, low, high)


def _interval(
    survival: NDArray[np.float64], events: NDArray[np.int64], at_risk: NDArray[np.int64], confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    z = NormalDist().inv_cdf(0.5 + confidence / 2.0)
    low, high = np.zeros(len(survival)), np.zeros(len(survival))
    inside = (survival > 0.0) & (survival < 1.0)  # nobody waits any longer: the transform ends there
    waiting = survival[inside]
    spread = np.sqrt(np.cumsum(events[inside] / (at_risk[inside] * (at_risk[inside] - events[inside]))))
    width = z * spread / np.log(waiting)
    low[inside], high[inside] = waiting ** np.exp(-width), waiting ** np.exp(width)
    return low, high
