"""Which search finds better cells: means of test accuracy, and how likely a run of one is above a run of another."""

from __future__ import annotations

__all__ = ["Comparison", "Line", "comparisons", "lines_of"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym import statistics
from experiments.nas201_baselines.searches import Found, Search, judged, run_search

BUDGET_S = 12_000.0
SIGNAL = "cifar10"
_SEED = 201

Accuracies = Mapping[str, NDArray[np.float64]]
"""Test accuracy (R,) after 200 epochs of the cells that the runs of a search found, by data set."""


@dataclass(frozen=True, eq=False)
class Line:
    """A search on the data sets.

    Attributes:
        search: its name.
        runs: how many.
        evaluations: trainings a run, mean.
        accuracies: by data set and run.
    """

    search: str
    runs: int
    evaluations: float
    accuracies: Accuracies


@dataclass(frozen=True)
class Comparison:
    """Two searches on one data set.

    Attributes:
        search: which.
        against: which other.
        images: data set.
        probability: that a run of the first finds a better cell than a run of the second, ties counted half.
        low: end of its 95 % interval; the other is ``high``.
        high: see ``low``.
        p: of a permutation test, adjusted for all comparisons by Holm.
    """

    search: str
    against: str
    images: str
    probability: float
    low: float
    high: float
    p: float


def lines_of(searches: Mapping[str, Search], *, runs: int, data: str = "") -> list[Line]:
    """Run every search from seeds 0, 1, ... and judge what it found."""
    lines = []
    for name, search in searches.items():
        found: Found = run_search(search, images=SIGNAL, budget_s=BUDGET_S, runs=runs, data=data)
        lines.append(Line(name, runs, float(found.evaluations.mean()), judged(found.rows, data=data)))
    return lines


def comparisons(lines: Sequence[Line], pairs: Sequence[tuple[str, str]]) -> list[Comparison]:
    """Compare pairs of searches on every data set."""
    by_name = {line.search: line.accuracies for line in lines}
    rng = np.random.default_rng(_SEED)
    found, raw = [], []
    for search, against in pairs:
        for images, accuracies in by_name[search].items():
            mine, theirs = accuracies[:, None], by_name[against][images][:, None]
            probability = statistics.probability_of_improvement(mine, theirs)
            low, high = statistics.improvement_interval(mine, theirs, rng)
            raw.append(statistics.permutation_p_value(mine, theirs, rng))
            found.append((search, against, images, probability, low, high))
    return [Comparison(*one, float(p)) for one, p in zip(found, statistics.holm(raw), strict=True)]
