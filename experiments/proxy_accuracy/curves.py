"""Error against the number of training designs, by trace, metric, regressor and split."""

from __future__ import annotations

__all__ = ["METRICS", "POOL", "SEEDS", "TRACES", "Cell", "cells", "measured", "parts"]

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym.datasets import Dataset
from archgym.proxies.features import DesignFeatures
from archgym.proxies.quality import rmse_percent, spearman
from archgym.proxies.regressors import kind_named

METRICS = ("total_time_ns", "energy_pj", "power_mw")
TRACES = ("stream", "cloud-1-like", "cloud-2-like", "random")
SIZES = (100, 300, 550, 1_000, 1_700, 3_000, 5_500, 10_000, 30_000, 100_000)
SEEDS = 5
TESTED = 10_000
POOL = 112_000
LARGE = "lightgbm-63-leaves"
"""LightGBM with the settings of large sizes, at small ones: what the choice of settings does to a crossing."""
_KINDS = {LARGE: "lightgbm"}
_LARGE_SETTINGS = {"trees": 400, "leaves": 63, "rate": 0.15, "least": 2, "ridge": 0.1}
_SETTINGS = {
    "lightgbm": (
        (3_000, {"trees": 300, "leaves": 15, "rate": 0.1, "least": 2, "ridge": 0.1}),
        (200_000, _LARGE_SETTINGS),
    ),
    LARGE: ((200_000, _LARGE_SETTINGS),),
    "random-forest": ((200_000, {"trees": 50, "least": 1, "share": 1.0}),),
}
_LARGEST = {
    ("lightgbm", "rows"): 100_000,
    ("lightgbm", "region"): 100_000,
    ("random-forest", "rows"): 100_000,
    (LARGE, "rows"): 3_000,
}


@dataclass(frozen=True)
class Cell:
    """One curve's point for one seed: all metrics of one trace."""

    trace: str
    regressor: str
    split: str
    size: int
    seed: int

    @property
    def key(self) -> str:
        return f"{self.trace},{self.regressor},{self.split},{self.size},{self.seed}"


def cells() -> Iterator[Cell]:
    """Every cell, those of the headline first, small ones first."""
    for (regressor, split), largest in _LARGEST.items():
        for size in SIZES:
            for trace in TRACES if size <= largest else ():
                yield from (Cell(trace, regressor, split, size, seed) for seed in range(SEEDS))


def measured(cell: Cell, pool: Dataset) -> list[str]:
    """A line of the table a metric: the cell, RMSE in percent of the mean, rank correlation, seconds of training."""
    train, test = parts(cell, pool)
    features = DesignFeatures(pool.space)
    nothing = np.zeros(0)
    known, unknown = (features.of(features.codes(pool.rows[part]), nothing) for part in (train, test))
    kind = kind_named(_KINDS.get(cell.regressor, cell.regressor))
    settings = next(found for most, found in _SETTINGS[cell.regressor] if cell.size <= most)
    lines = []
    for metric in METRICS:
        values = pool.column(metric)
        began = time.process_time()
        model, _ = kind.train(known, np.log(values[train]), settings, cell.seed)
        seconds = time.process_time() - began
        predicted = np.exp(model.predict(unknown))
        error, ranks = rmse_percent(values[test], predicted), spearman(values[test], predicted)
        lines.append(f"{cell.key},{metric},{error:.4f},{ranks:.5f},{seconds:.2f}")
    return lines


def parts(cell: Cell, pool: Dataset) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows for training and testing; a region is the tenth of the designs nearest to a random one."""
    from archgym.datasets.splits import group_parts

    rng = np.random.default_rng([cell.seed, cell.size])
    if cell.split == "rows":
        order = np.random.default_rng(cell.seed).permutation(len(pool))
        return order[TESTED : TESTED + cell.size], order[:TESTED]
    train, test = group_parts(pool, "region", fraction=0.1, seed=cell.seed)
    return rng.permutation(train)[: cell.size], rng.permutation(test)[:TESTED]
