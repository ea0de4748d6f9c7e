"""What a design promises, from what models say of it: the logarithm of expected improvement and of feasibility."""

from __future__ import annotations

__all__ = ["log_feasible", "log_improvement"]

import math

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel

Floats = NDArray[np.float64]

_SQRT_HALF = math.sqrt(0.5)
_LOG_ROOT_TAU = 0.5 * math.log(2.0 * math.pi)
_FAR = -6.0  # where the closed forms cancel, and their first terms are taken


def log_improvement(mean: Floats, deviation: Floats, best: float) -> Floats:
    """Logarithm of the expected improvement over ``best`` (Jones 1998; in logarithms, Ament et al. 2023): (N,)."""
    found = np.empty(len(mean))
    _log_improvement(mean, np.maximum(deviation, 1e-12), best, found)
    return found


def log_feasible(mean: Floats, deviation: Floats) -> Floats:
    """Logarithm of the probability that a normal quantity is below zero: (N,)."""
    found = np.empty(len(mean))
    _log_below_zero(mean, np.maximum(deviation, 1e-12), found)
    return found


@kernel
def _log_improvement(mean, deviation, best, found):  # type: ignore[no-untyped-def]
    for i in range(len(mean)):
        z = (mean[i] - best) / deviation[i]
        density = -0.5 * z * z - _LOG_ROOT_TAU
        if z > _FAR:
            gain = math.exp(density) + z * 0.5 * math.erfc(-z * _SQRT_HALF)
            found[i] = math.log(max(gain, 1e-300)) + math.log(deviation[i])
        else:
            found[i] = density - 2.0 * math.log(-z) + math.log(deviation[i])


@inner_kernel
def _log_tail(z):  # type: ignore[no-untyped-def]
    """Logarithm of the normal distribution function."""
    if z > _FAR:
        return math.log(0.5 * math.erfc(-z * _SQRT_HALF))
    return -0.5 * z * z - _LOG_ROOT_TAU - math.log(-z)


@kernel
def _log_below_zero(mean, deviation, found):  # type: ignore[no-untyped-def]
    for i in range(len(mean)):
        found[i] = _log_tail(-mean[i] / deviation[i])
