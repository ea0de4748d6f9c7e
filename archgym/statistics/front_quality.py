"""How near a found Pareto front comes to a reference front. Rewards are maximised."""

from __future__ import annotations

__all__ = ["adrs", "hypervolume", "igd_plus", "non_dominated"]

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.pareto import hypervolume, non_dominated
from archgym_simulators import InputError


def igd_plus(points: ArrayLike, reference: ArrayLike) -> float:
    """Mean distance from the reference front to what the found points lack: 0 where they reach all of it.

    Ishibuchi, Masuda, Tanigaki and Nojima, "Modified distance calculation in generational distance and inverted
    generational distance", EMO 2015. Unlike IGD it never gets worse by adding a point that dominates another.

    Args:
        points: found rewards (N, K).
        reference: rewards of the reference front (M, K).

    Returns:
        The mean over reference points of the shortest distance; infinite without points.

    >>> igd_plus([[1.0, 1.0]], [[1.0, 2.0], [0.5, 1.0]])
    0.5
    """
    found, front = _pair(points, reference)
    if not len(found):
        return float("inf")
    lacking = np.maximum(front[:, None, :] - found[None, :, :], 0.0)
    return float(np.sqrt((lacking**2).sum(axis=2)).min(axis=1).mean())


def adrs(points: ArrayLike, reference: ArrayLike) -> float:
    """Average distance from the reference set, of costs (lower is better, all above 0).

    For each reference design the found one that is least worse in its worst metric, relative to the reference
    (Palermo, Silvano and Zaccaria, "ReSPIR: a response surface-based Pareto iterative refinement for
    application-specific design space exploration", IEEE TCAD 2009). Of log rewards, the costs are ``exp(-rewards)``.

    Args:
        points: found costs (N, K).
        reference: costs of the reference front (M, K).

    Returns:
        0 where every reference design is reached; 0.01 for 1 % worse on average; infinite without points.

    Raises:
        InputError: a cost that is not above 0.

    >>> round(adrs([[1.1, 2.0]], [[1.0, 2.0], [2.0, 1.0]]), 12)
    0.55
    """
    found, front = _pair(points, reference)
    if (found <= 0.0).any() or (front <= 0.0).any():
        raise InputError("ADRS is relative to the reference, so every cost must be above 0")
    if not len(found):
        return float("inf")
    worse = np.maximum(found[None, :, :] / front[:, None, :] - 1.0, 0.0)
    return float(worse.max(axis=2).min(axis=1).mean())


def _pair(points: ArrayLike, reference: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found, front = np.asarray(points, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    if found.ndim != 2 or front.ndim != 2 or found.shape[1] != front.shape[1] or not len(front):
        raise InputError(
            f"points (N, K) and a reference front (M, K) with at least one point are needed, not {found.shape} and "
            f"{front.shape}"
        )
    if np.isnan(found).any() or np.isnan(front).any():
        raise InputError("points and reference front must be numbers")
    return found, front
