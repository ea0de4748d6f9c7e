"""A Gaussian process over mixed columns, compiled: the surrogate that learns most from few designs.

Model (Rasmussen and Williams 2006, ch. 2 and 5): a Matern-5/2 kernel of the weighted distance
``r^2 = sum_f w_f d_f^2``, where ``d_f`` is the difference of a column, or 0 or 1 for a category; a little noise; the
signal's variance in closed form. The logarithms of weights and noise follow the gradient of the posterior by Rprop
(Riedmiller and Braun 1993), a few steps a fit from where the last one ended. No library of linear algebra, so bits do
not depend on its threads.
"""

from __future__ import annotations

__all__ = ["GaussianProcess"]

from typing import Self

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel

Floats = NDArray[np.float64]

_STEPS_FIRST, _STEPS_AGAIN = 30, 8
_FITS_A_CLIMB = 25  # so many designs let one fit more pass between those that follow the gradient
_BLOCK = 32  # designs that are predicted side by side
_NOISE = np.log(1e-3)  # of the standardised targets' variance: mean of its prior, and where it begins
_PRIOR_SD = 1.5  # of the logarithms of weights and noise
_LEAST_NOISE, _MOST_NOISE = np.log(1e-6), np.log(0.3)
_SLOWEST, _FASTEST = 0.01, 0.7


class GaussianProcess:
    """Regression over columns (N, F); it keeps its weights from one fit to the next."""

    def __init__(self, is_category: NDArray[np.bool_]) -> None:
        """Describe the columns: (F,) categories, of which only equality counts."""
        self._is_category = is_category
        # Distances add up over columns; with these weights two random designs are about one length apart.
        self._centre = np.append(np.full(len(is_category), np.log(3.0 / max(len(is_category), 1))), _NOISE)
        self._logs = self._centre.copy()  # (F + 1,) of the weights, and of the noise
        self._pace = np.full(len(self._logs), 0.3)
        self._slope = np.zeros(len(self._logs))
        self._fits = 0  # since the weights last followed the gradient; 0 before the first fit

    def fit(self, columns: Floats, targets: Floats, rng: np.random.Generator) -> Self:
        """Learn targets (N,) of designs (N, F). Nothing is drawn."""
        self._mean, self._scale = float(targets.mean()), float(targets.std()) or 1.0
        self._columns = columns
        standard = (targets - self._mean) / self._scale
        for _ in range(self._steps(len(targets))):
            _, _, _, slope = _posterior(columns, standard, self._is_category, self._logs, True)
            self._climb(slope - (self._logs - self._centre) / _PRIOR_SD**2)
        self._inverse, self._alpha, self._signal, _ = _posterior(
            columns, standard, self._is_category, self._logs, False
        )
        return self

    def predict(self, columns: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation, (N,) each."""
        mean, deviation = np.zeros(len(columns)), np.zeros(len(columns))
        _predict(
            columns,
            self._columns,
            self._is_category,
            self._logs,
            self._inverse,
            self._alpha,
            self._signal,
            mean,
            deviation,
        )
        return self._mean + self._scale * mean, self._scale * deviation

    def _steps(self, count: int) -> int:
        """Steps along the gradient in a fit to so many designs: many at first, none where hardly any design is new."""
        if not self._fits:
            self._fits = 1
            return _STEPS_FIRST
        if self._fits <= count // _FITS_A_CLIMB:
            self._fits += 1
            return 0
        self._fits = 1
        return _STEPS_AGAIN

    def _climb(self, slope: Floats) -> None:
        agrees = slope * self._slope
        self._pace = np.where(agrees > 0.0, self._pace * 1.2, np.where(agrees < 0.0, self._pace * 0.5, self._pace))
        self._pace = np.clip(self._pace, _SLOWEST, _FASTEST)
        self._slope = np.where(agrees < 0.0, 0.0, slope)
        self._logs = np.clip(self._logs + np.sign(self._slope) * self._pace, -12.0, 6.0)
        self._logs[-1] = np.clip(self._logs[-1], _LEAST_NOISE, _MOST_NOISE)


@kernel
def _posterior(columns, targets, is_category, logs, with_slope):  # type: ignore[no-untyped-def]
    """Inverse Cholesky factor (N, N + 3), weights of the designs (N,), signal variance, slope of the log likelihood."""
    n, width = columns.shape
    weights = np.exp(logs)
    distance = _distances(columns, is_category, weights)
    inverse = _inverse_factor(_factor(distance, weights[width]))
    half = np.zeros(n)
    alpha = np.zeros(n)
    for i in range(n):
        for j in range(i + 1):
            half[i] += inverse[i, j] * targets[j]
    signal = 0.0
    for i in range(n):
        signal += half[i] ** 2 / n
        for j in range(i + 1):
            alpha[j] += inverse[i, j] * half[i]
    signal = max(signal, 1e-12)
    slope = np.zeros(width + 1)
    if with_slope:
        _slope(columns, is_category, weights, distance, inverse, alpha, signal, slope)
    return inverse, alpha, signal, slope


@inner_kernel
def _distances(columns, is_category, weights):  # type: ignore[no-untyped-def]
    """Weighted squared distances of designs, lower half: (N, N)."""
    n, width = columns.shape
    distance = np.zeros((n, n))
    across = columns.T.copy()  # (F, N), so that inner loops run along memory
    for i in range(n):
        for f in range(width):
            value, weight = across[f, i], weights[f]
            if is_category[f]:
                for j in range(i):
                    distance[i, j] += 0.0 if across[f, j] == value else weight
            else:
                for j in range(i):
                    distance[i, j] += weight * (across[f, j] - value) ** 2
    return distance


@inner_kernel
def _factor(distance, noise):  # type: ignore[no-untyped-def]
    """Cholesky factor of the kernel matrix, column by column, so that no sum of one entry is regrouped."""
    n = len(distance)
    lower = np.zeros((n, n))
    for i in range(n):
        for j in range(i):
            root = np.sqrt(5.0 * distance[i, j])
            lower[i, j] = (1.0 + root + root * root / 3.0) * np.exp(-root)
        lower[i, i] = 1.0 + noise
    for first in range(0, n, 4):
        last = min(first + 4, n)
        for k in range(first, last):
            pivot = np.sqrt(max(lower[k, k], 1e-12))
            lower[k, k] = pivot
            for i in range(k + 1, n):
                lower[i, k] /= pivot
                for j in range(k + 1, min(last, i + 1)):
                    lower[i, j] -= lower[i, k] * lower[j, k]
        if last < n:
            _subtract_four(lower, first)
    return lower


@inner_kernel
def _subtract_four(lower, k):  # type: ignore[no-untyped-def]
    """From what is right of columns k to k + 3, their products: four in one pass over memory."""
    rest, left = lower[k + 4 :, k + 4 :], lower[k + 4 :, k : k + 4].T.copy()
    for i in range(len(rest)):
        a, b, c, d = left[0, i], left[1, i], left[2, i], left[3, i]
        for j in range(i + 1):
            rest[i, j] = rest[i, j] - a * left[0, j] - b * left[1, j] - c * left[2, j] - d * left[3, j]


@inner_kernel
def _inverse_factor(lower):  # type: ignore[no-untyped-def]
    """Inverse (N, N + 3) of a lower triangle, with columns of 0 so that it can be read four at a time."""
    n = len(lower)
    inverse = np.zeros((n, n + 3))
    for i in range(n):
        inverse[i, i] = 1.0
        fours = i - i % 4
        for k in range(0, fours, 4):
            a, b, c, d = lower[i, k], lower[i, k + 1], lower[i, k + 2], lower[i, k + 3]
            for j in range(k + 4):  # what is 0 right of the diagonal changes nothing
                inverse[i, j] = (
                    inverse[i, j]
                    - a * inverse[k, j]
                    - b * inverse[k + 1, j]
                    - c * inverse[k + 2, j]
                    - d * inverse[k + 3, j]
                )
        for k in range(fours, i):
            for j in range(k + 1):
                inverse[i, j] -= lower[i, k] * inverse[k, j]
        for j in range(i + 1):
            inverse[i, j] /= lower[i, i]
    return inverse


@inner_kernel
def _slope(columns, is_category, weights, distance, inverse, alpha, signal, slope):  # type: ignore[no-untyped-def]
    """Adds the derivatives of the log likelihood by the logarithms of weights and noise."""
    n, width = columns.shape
    full = _whole_inverse(inverse)
    for i in range(n):
        slope[width] += 0.5 * (alpha[i] ** 2 / signal - full[i, i]) * weights[width]
        for j in range(i):
            root = np.sqrt(5.0 * distance[i, j])
            # d k / d log w_f = -(5/6) (1 + root) exp(-root) w_f d_f^2; both halves of the matrix make it whole
            factor = (full[i, j] - alpha[i] * alpha[j] / signal) * (5.0 / 6.0) * (1.0 + root) * np.exp(-root)
            for f in range(width):
                if is_category[f]:
                    slope[f] += 0.0 if columns[i, f] == columns[j, f] else factor * weights[f]
                else:
                    slope[f] += factor * weights[f] * (columns[i, f] - columns[j, f]) ** 2


@inner_kernel
def _whole_inverse(inverse):  # type: ignore[no-untyped-def]
    """The inverse of the kernel matrix, lower half (N, N), of that of its factor."""
    n = len(inverse)
    full = np.zeros((n, n))
    fours = n - n % 4
    for k in range(0, fours, 4):
        for i in range(k + 4):
            a, b, c, d = inverse[k, i], inverse[k + 1, i], inverse[k + 2, i], inverse[k + 3, i]
            for j in range(i + 1):
                full[i, j] = (
                    full[i, j]
                    + a * inverse[k, j]
                    + b * inverse[k + 1, j]
                    + c * inverse[k + 2, j]
                    + d * inverse[k + 3, j]
                )
    for k in range(fours, n):
        for i in range(k + 1):
            for j in range(i + 1):
                full[i, j] += inverse[k, i] * inverse[k, j]
    return full


@kernel
def _predict(columns, known, is_category, logs, inverse, alpha, signal, mean, deviation):  # type: ignore[no-untyped-def]
    """Block by block, so that inner loops run over designs and no sum of one design is regrouped."""
    n, width = known.shape
    weights = np.exp(logs)
    block, near = np.zeros((width, _BLOCK)), np.zeros((n + 3, _BLOCK))
    part = np.zeros(_BLOCK)
    for first in range(0, len(columns), _BLOCK):
        size = min(_BLOCK, len(columns) - first)
        for m in range(size):
            for f in range(width):
                block[f, m] = columns[first + m, f]
        _near(block, known, is_category, weights, near)
        for i in range(n):
            for m in range(size):
                mean[first + m] += near[i, m] * alpha[i]
        left = np.full(_BLOCK, 1.0 + weights[width])
        for i in range(n):
            part[:] = 0.0
            for j in range(0, i + 1, 4):  # four at a time: what is 0 beyond the diagonal adds nothing
                a, b, c, d = inverse[i, j], inverse[i, j + 1], inverse[i, j + 2], inverse[i, j + 3]
                for m in range(_BLOCK):
                    part[m] = part[m] + a * near[j, m] + b * near[j + 1, m] + c * near[j + 2, m] + d * near[j + 3, m]
            for m in range(_BLOCK):
                left[m] -= part[m] * part[m]
        for m in range(size):
            deviation[first + m] = np.sqrt(signal * max(left[m], 1e-12))


@inner_kernel
def _near(block, known, is_category, weights, near):  # type: ignore[no-untyped-def]
    """Kernel between the known designs (N, F) and a block of others (F, B) into ``near`` (N, B)."""
    n, width = known.shape
    distance = np.zeros(_BLOCK)
    for i in range(n):
        distance[:] = 0.0
        for f in range(width):
            value, weight = known[i, f], weights[f]
            if is_category[f]:
                for m in range(_BLOCK):
                    distance[m] += 0.0 if block[f, m] == value else weight
            else:
                for m in range(_BLOCK):
                    distance[m] += weight * (block[f, m] - value) ** 2
        for m in range(_BLOCK):
            root = np.sqrt(5.0 * distance[m])
            near[i, m] = (1.0 + root + root * root / 3.0) * np.exp(-root)
