"""A surrogate of the MnasNet space: ridge regression on a network's blocks and on products of two blocks' features.

A block has one of 36 settings (48 the sixth) of expansion, kernel, layers and squeeze-and-excitation. The prediction is

    y = mean + sum_b own[b, setting_b] + sum_{a<b} features(setting_a)^T pair[a, b] features(setting_b)

with six features a block: the four values, expansion times layers, and whether there is one layer. What is predicted is
near additive: latency itself, the reciprocal of a throughput, the logarithm of the top-1 error and of training seconds.
Multiply-accumulates and parameters are sums over blocks, so products are left out there. The penalties below were
chosen on a tenth of the data that is neither fitted to nor tested on.

Evaluation is 28 look-ups a design, added in one order, so that no number depends on the batch.
"""

from __future__ import annotations

__all__ = ["BLOCKS", "TARGETS", "Errors", "Surrogate", "Tables", "Target", "fit", "predict", "settings_of_block"]

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Tables = tuple[Floats, Floats, Floats]
"""To look up by index of setting: mean (M,), own (7, 48, M), pairs (21, 48 * 48, M)."""

BLOCKS = 7
EXPANSIONS, KERNELS, LAYERS, SQUEEZES = (1, 4, 6), (3, 5), (1, 2, 3), (0, 1)
_LONGEST_BLOCK = 5
_PAIRS = tuple(combinations(range(BLOCKS), 2))
_MOST = 48
_FEATURES = 6
_TEST_SHARE = 10  # one row in ten is tested on, and one chose the penalties
_DIGITS = 12


def settings_of_block(block: int) -> list[tuple[int, int, int, int]]:
    """Every (expansion, kernel, layers, squeeze) of a block, in the order of its index."""
    layers = (*LAYERS, 4) if block == _LONGEST_BLOCK else LAYERS
    return list(product(EXPANSIONS, KERNELS, layers, SQUEEZES))


@dataclass(frozen=True)
class Target:
    """What is predicted, and how.

    Attributes:
        forward: from the measured value to what is fitted.
        back: the inverse.
        penalties: of a block's own numbers and of pairs; None for pairs that are left out.
        outlier: values above this times the median are not fitted or tested on.
    """

    forward: Callable[[Floats], Floats]
    back: Callable[[Floats], Floats]
    penalties: tuple[float, float | None]
    outlier: float = np.inf


def _same(values: Floats) -> Floats:
    return values


def _reciprocal(values: Floats) -> Floats:
    return np.asarray(1.0 / values)


def _log_of_error(accuracy: Floats) -> Floats:
    return np.log(100.0 - accuracy)


def _accuracy_of_log(logarithm: Floats) -> Floats:
    return np.asarray(100.0 - np.exp(logarithm))


_THROUGHPUT = Target(_reciprocal, _reciprocal, (0.1, 10.0))
_LATENCY = Target(_same, _same, (0.01, None))
_COUNT = Target(_same, _same, (1e-4, None))
TARGETS: Mapping[str, Target] = {
    "val_top1": Target(_log_of_error, _accuracy_of_log, (0.01, 1000.0)),
    "latency_zcu102": _LATENCY,
    "latency_vck190": _LATENCY,
    "throughput_a100": _THROUGHPUT,
    "throughput_3090": _THROUGHPUT,
    "throughput_tpuv2": _THROUGHPUT,
    "throughput_tpuv3": _THROUGHPUT,
    "throughput_zcu102": _THROUGHPUT,
    "throughput_vck190": _THROUGHPUT,
    "macs": _COUNT,
    "params": _COUNT,
    "train_time": Target(np.log, np.exp, (3.0, None), outlier=5.0),
}
"""By column name of Accel-NASBench."""


@dataclass(frozen=True)
class Errors:
    """On the tenth of the data that was kept back.

    Attributes:
        rows: number of designs.
        r2: share of variance explained.
        kendall: rank correlation.
        mae: mean absolute error, in the metric's unit.
    """

    rows: int
    r2: float
    kendall: float
    mae: float


@dataclass(frozen=True, eq=False)
class Surrogate:
    """Coefficients of every target, and what they give.

    Attributes:
        coefficients: (K, M): mean, own numbers of 7 blocks x 48, then 21 pairs x 6 x 6.
        scales: (2, 7, 6) mean and spread of each block's features.
    """

    coefficients: Floats
    scales: Floats

    def tables(self) -> Tables:
        """The coefficients multiplied out, for `predict`."""
        targets = self.coefficients.shape[1]
        own = self.coefficients[1 : 1 + BLOCKS * _MOST].reshape(BLOCKS, _MOST, targets)
        crossed = self.coefficients[1 + BLOCKS * _MOST :].reshape(len(_PAIRS), _FEATURES, _FEATURES, targets)
        features = _scaled(self.scales)
        pairs = np.zeros((len(_PAIRS), _MOST, _MOST, targets))
        for number, (a, b) in enumerate(_PAIRS):
            for f, g in product(range(_FEATURES), repeat=2):
                both = features[a, :, f, None] * features[b, None, :, g]
                pairs[number] += both[:, :, None] * crossed[number, f, g]
        return self.coefficients[0], own, pairs.reshape(len(_PAIRS), _MOST * _MOST, targets)


def predict(tables: Tables, settings: Integers) -> Floats:
    """Fitted values (N, M), before `Target.back`, of designs by index of each block's setting (N, 7)."""
    mean, own, pairs = tables
    total = np.repeat(mean[None], len(settings), axis=0)
    for block in range(BLOCKS):
        total += own[block].take(settings[:, block], axis=0)
    for number, (a, b) in enumerate(_PAIRS):
        total += pairs[number].take(settings[:, a] * _MOST + settings[:, b], axis=0)
    return total


def fit(settings: Integers, measured: Mapping[str, Floats], *, seed: int = 0) -> tuple[Surrogate, dict[str, Errors]]:
    """Fit every target on nine tenths of the rows.

    Args:
        settings: (R, 7) index of each block's setting.
        measured: (R,) by column name; NaN where a measurement is missing.
        seed: of the split.
    """
    shuffled = np.random.default_rng(seed).permutation(len(settings))
    tested = np.zeros(len(settings), dtype=bool)
    tested[shuffled[: len(settings) // _TEST_SHARE]] = True
    scales = _scales_of(settings)
    design = np.hstack(list(_columns(settings, scales)))
    trained = np.flatnonzero(~tested)
    products = design[trained].T @ design[trained]
    fitted = []
    for name, target in TARGETS.items():
        usable = _usable(measured[name], target)[trained]
        used, left = design[trained[usable]], design[trained[~usable]]
        values = target.forward(measured[name][trained[usable]])
        fitted.append(_ridge(products - left.T @ left, used, values, target))
    surrogate = Surrogate(np.stack(fitted, axis=1), scales)
    return surrogate, _errors(surrogate, settings, measured, tested)


def _errors(
    surrogate: Surrogate, settings: Integers, measured: Mapping[str, Floats], tested: NDArray[np.bool_]
) -> dict[str, Errors]:
    predicted = predict(surrogate.tables(), settings[tested])
    found = {}
    for number, (name, target) in enumerate(TARGETS.items()):
        usable = _usable(measured[name], target)[tested]
        ours, values = target.back(predicted[usable, number]), measured[name][tested][usable]
        unexplained = ((ours - values) ** 2).sum() / ((values - values.mean()) ** 2).sum()
        found[name] = Errors(
            int(usable.sum()), float(1.0 - unexplained), _kendall(ours, values), float(np.abs(ours - values).mean())
        )
    return found


def _usable(values: Floats, target: Target) -> NDArray[np.bool_]:
    return np.isfinite(values) & (values < target.outlier * np.nanmedian(values))


def _kendall(ours: Floats, theirs: Floats) -> float:
    """Kendall's tau-b over all pairs."""
    upper = np.triu_indices(len(ours), k=1)
    a, b = (np.sign(values[:, None] - values[None])[upper] for values in (ours, theirs))
    return float((a * b).sum() / np.sqrt((a != 0).sum() * (b != 0).sum()))


def _ridge(products: Floats, design: Floats, values: Floats, target: Target) -> Floats:
    """Coefficients (K,), the mean first, rounded so that the order of a library's sums does not show.

    Args:
        products: (K - 1, K - 1) of the design's columns with each other.
        design: (R, K - 1) a row a network.
        values: (R,) to be fitted.
        target: gives the penalties.
    """
    own, pairs = target.penalties
    single = BLOCKS * _MOST
    width = design.shape[1] if pairs is not None else single
    penalty = np.full(width, own)
    penalty[single:] = pairs if pairs is not None else 0.0
    mean, scale = values.mean(), values.std()
    right = design[:, :width].T @ ((values - mean) / scale)
    solved = np.linalg.solve(products[:width, :width] + np.diag(penalty), right) * scale
    whole = np.zeros(1 + design.shape[1])
    whole[0], whole[1 : 1 + width] = mean, solved
    return np.array([float(f"{number:.{_DIGITS}g}") for number in whole])


def _columns(settings: Integers, scales: Floats) -> Iterator[Floats]:
    features = _scaled(scales)
    for block in range(BLOCKS):
        yield np.eye(_MOST)[settings[:, block]]
    for a, b in _PAIRS:
        left, right = features[a][settings[:, a]], features[b][settings[:, b]]
        yield (left[:, :, None] * right[:, None, :]).reshape(len(settings), -1)


def _scales_of(settings: Integers) -> Floats:
    found = [_raw(block)[settings[:, block]] for block in range(BLOCKS)]
    return np.array([[one.mean(axis=0) for one in found], [one.std(axis=0) for one in found]])


def _scaled(scales: Floats) -> Floats:
    """Features (7, 48, 6) of every setting; those of settings that a block does not have are never looked up."""
    features = np.zeros((BLOCKS, _MOST, _FEATURES))
    for block in range(BLOCKS):
        raw = _raw(block)
        features[block, : len(raw)] = (raw - scales[0, block]) / scales[1, block]
    return features


def _raw(block: int) -> Floats:
    values = np.array(settings_of_block(block), dtype=np.float64)
    expansion, layers = values[:, 0], values[:, 2]
    return np.column_stack([values, expansion * layers, layers == 1])
