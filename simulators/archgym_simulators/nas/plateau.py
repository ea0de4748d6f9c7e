"""The cells that cannot be told apart from the best: a subset that holds it with stated confidence.

Gupta's procedure (Technometrics, 1965): of k means of n values each with a common standard deviation s, keep those
within d * s * sqrt(2 / n) of the largest, where d * sqrt(2) is the quantile of the largest of k - 1 standard normal
variables minus another one. The subset then holds the truly best with the confidence asked, or more, for any means.
"""

from __future__ import annotations

__all__ = ["Plateau", "largest_difference", "plateau"]

from dataclasses import dataclass
from functools import cache
from math import erfc, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nas.digits_table import IMAGES, Measurements

_FAR, _STEP = 9.0, 0.01
_GRID = np.arange(-_FAR, _FAR, _STEP)
_DENSITY = np.exp(-0.5 * _GRID**2) / sqrt(2.0 * pi)


@dataclass(frozen=True, eq=False)
class Plateau:
    """The subset, best first.

    Attributes:
        groups: the functions, by descending mean.
        accuracy: (G,) percent at the end, the means.
        best: percent of the largest mean.
        margin: percent below it that is kept.
        seed_std: percent, the common standard deviation between seeds.
        confidence: that the truly best is among them.
        of: functions that were compared.
    """

    groups: NDArray[np.int64]
    accuracy: NDArray[np.float64]
    best: float
    margin: float
    seed_std: float
    confidence: float
    of: int


def plateau(measured: Measurements, *, confidence: float = 0.95) -> Plateau:
    """The functions among ``measured`` that cannot be told apart from the best of them at the end of training.

    Args:
        measured: with seeds that did not choose the functions.
        confidence: that the truly best of them is kept.

    Raises:
        InputError: fewer than two functions or seeds, or a confidence outside 0..1.
    """
    functions, seeds = measured.right.shape[:2]
    if functions < 2 or seeds < 2:
        raise InputError(f"a plateau needs two functions and two seeds, not {functions} and {seeds}")
    if not 0.0 < confidence < 1.0:
        raise InputError(f"confidence must be between 0 and 1, not {confidence!r}")
    percent = 100.0 * measured.right[:, :, -1] / IMAGES[-1]  # (R, S)
    means = percent.mean(axis=1)
    seed_std = float(np.sqrt(percent.var(axis=1, ddof=1).mean()))
    margin = largest_difference(functions, confidence) * seed_std / np.sqrt(seeds)
    kept = np.flatnonzero(means >= means.max() - margin)
    kept = kept[np.argsort(-means[kept], kind="stable")]
    return Plateau(
        measured.groups[kept], means[kept], float(means.max()), float(margin), seed_std, confidence, functions
    )


@cache
def largest_difference(k: int, confidence: float) -> float:
    """The quantile of max(Z_2 .. Z_k) - Z_1, of standard normal variables, to 1e-9."""
    low, high = -_FAR, 2.0 * _FAR
    while high - low > 1e-9:
        middle = 0.5 * (low + high)
        below = float(np.sum(_normal_below(_GRID + middle) ** (k - 1) * _DENSITY) * _STEP)
        low, high = (middle, high) if below < confidence else (low, middle)
    return high


def _normal_below(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([0.5 * erfc(-one / sqrt(2.0)) for one in x.tolist()])
