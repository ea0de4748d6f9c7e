"""How well predictions match simulations."""

from __future__ import annotations

__all__ = ["MetricScore", "average_ranks", "rmse_percent", "score", "spearman"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.proxies.proxy import Proxy
from archgym_simulators import OK, InputError

if TYPE_CHECKING:
    from archgym.datasets.dataset import Dataset

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MetricScore:
    """Predictions of one metric against simulations.

    Attributes:
        rows: compared.
        rmse: root of the mean squared error, in the metric's unit.
        rmse_percent: of the mean magnitude.
        median_percent: half the designs are off by at most this share of their own value; NaN where one is 0.
        spearman: rank correlation; NaN where either side is constant.
        coverage: share of designs within the interval.
        outside: share of designs outside the training region.
    """

    rows: int
    rmse: float
    rmse_percent: float
    median_percent: float
    spearman: float
    coverage: float
    outside: float


def score(proxy: Proxy, data: Dataset, *, coverage: float = 0.9) -> dict[str, MetricScore]:
    """How the proxy does on simulated designs, by metric; invalid designs are left out.

    Args:
        proxy: trained on other designs, if the result is to mean something.
        data: simulated designs of workloads that the proxy can speak of.
        coverage: that the intervals promise.

    Raises:
        InputError: rows of another simulator, version, space or unit, of an unknown workload, or none that is valid.
    """
    proxy.check_data(data)
    valid = data.status == OK
    if not valid.any():
        raise InputError("no valid design to score a proxy on")
    names = [model.metric.name for model in proxy.models]
    truth = np.stack([data.column(name)[valid] for name in names], axis=1)
    values, low, high = np.empty_like(truth), np.empty_like(truth), np.empty_like(truth)
    outside = np.empty(len(truth), bool)
    index, rows = data.workload_index[valid], data.rows[valid]
    for place in np.unique(index).tolist():
        mine = index == place
        found = proxy.predict(rows[mine].astype(np.int64), data.workloads[place], coverage=coverage)
        values[mine], low[mine], high[mine], outside[mine] = found.values, found.low, found.high, found.outside
    within = ((truth >= low) & (truth <= high)).mean(axis=0)
    return {
        name: _compared(truth[:, m], values[:, m], float(within[m]), float(outside.mean()))
        for m, name in enumerate(names)
    }


def rmse_percent(truth: Floats, values: Floats) -> float:
    """Root of the mean squared error (N,), in percent of the mean magnitude; NaN where that is 0."""
    mean = float(np.abs(truth).mean())
    return 100.0 * float(np.sqrt(np.mean((values - truth) ** 2))) / mean if mean > 0 else float("nan")


def spearman(one: Floats, other: Floats) -> float:
    """Rank correlation of (N,) and (N,), ties sharing their ranks; NaN where either is constant."""
    a, b = average_ranks(one), average_ranks(other)
    a, b = a - a.mean(), b - b.mean()
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / spread if spread > 0 else float("nan")


def average_ranks(values: Floats) -> Floats:
    """Rank (N,) of each value, from 0; equal values have the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle: Floats = (last - 1 + last - counts) / 2.0
    return middle[inverse]


def _compared(truth: Floats, values: Floats, coverage: float, outside: float) -> MetricScore:
    relative = np.abs(values - truth) / np.abs(truth) if (truth != 0).all() else np.full(1, np.nan)
    return MetricScore(
        rows=len(truth),
        rmse=float(np.sqrt(np.mean((values - truth) ** 2))),
        rmse_percent=rmse_percent(truth, values),
        median_percent=100.0 * float(np.median(relative)),
        spearman=spearman(truth, values),
        coverage=coverage,
        outside=outside,
    )
