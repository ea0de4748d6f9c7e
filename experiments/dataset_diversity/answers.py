"""The tables of the README, from `results.csv`: ``python -m experiments.dataset_diversity.answers``."""

from __future__ import annotations

__all__ = ["Compared", "compared", "errors", "printed"]

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from archgym.statistics import bootstrap_interval, holm, mean, permutation_p_value

TABLE = Path(__file__).parent / "results.csv"
TESTS = ("uniform", "near-optimal")
METRICS = ("total_time_ns", "energy_pj", "power_mw")
REFERENCE = "mixture"
_CHANCE = 0.05

Key = tuple[str, str, str, str, str]  # trace, size, source, test, metric
Errors = dict[Key, dict[int, float]]


@dataclass(frozen=True)
class Compared:
    """Errors of a source against those of the mixture, over traces and seeds.

    Attributes:
        ratio: geometric mean of the source's over the mixture's, of equal seeds.
        low: of its interval of 95 %, stratified bootstrap over seeds.
        high: likewise.
        p: two-sided, of permutations within traces; adjusted by Holm over all comparisons of a regressor.
    """

    ratio: float
    low: float
    high: float
    p: float


def errors(regressor: str, table: Path = TABLE) -> Errors:
    """RMSE in percent of the mean, by seed."""
    found: defaultdict[Key, dict[int, float]] = defaultdict(dict)
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["regressor"] == regressor:
                key = row["trace"], row["size"], row["source"], row["test"], row["metric"]
                found[key][int(row["seed"])] = float(row["rmse_percent"])
    return dict(found)


def compared(found: Errors) -> dict[tuple[str, str, str, str], Compared]:
    """Every source but the mixture against the mixture, by size, source, test and metric."""
    rng = np.random.default_rng(0)
    keys = dict.fromkeys(key[1:] for key in sorted(found) if key[2] != REFERENCE)
    made = {}
    for size, source, test, metric in keys:
        theirs, ours = (_logarithms(found, size, name, test, metric) for name in (source, REFERENCE))
        low, high = np.exp(bootstrap_interval(theirs - ours, mean, rng)).tolist()
        p = permutation_p_value(-theirs, -ours, rng)
        made[size, source, test, metric] = Compared(float(np.exp(mean(theirs - ours))), low, high, p)
    adjusted = holm([one.p for one in made.values()]).tolist()
    return {key: replace(one, p=p) for (key, one), p in zip(made.items(), adjusted, strict=True)}


def _logarithms(found: Errors, size: str, source: str, test: str, metric: str) -> NDArray[np.float64]:
    """(R, T) over seeds and traces."""
    traces = sorted({key[0] for key in found})
    by_trace = [found[trace, size, source, test, metric] for trace in traces]
    seeds = sorted(set.intersection(*(set(one) for one in by_trace)))
    return np.log([[one[seed] for one in by_trace] for seed in seeds])


def printed() -> Iterator[str]:
    """Markdown: medians of the forest's errors, and both regressors' errors over those with the mixture."""
    yield from _medians(errors("random-forest"))
    for regressor in ("random-forest", "lightgbm"):
        yield f"\n{regressor}, over {REFERENCE}\n"
        yield from _ratios(compared(errors(regressor)))


def _medians(found: Errors) -> Iterator[str]:
    columns = [f"{metric.split('_')[-2]}, {test}" for metric in METRICS for test in TESTS]
    yield f"\n| trace | designs | source | {' | '.join(columns)} | seeds |"
    yield f"|---|---|---|{'---|' * (len(columns) + 1)}"
    for trace, size, source in dict.fromkeys(key[:3] for key in sorted(found, key=_order)):
        cells = [found[trace, size, source, test, metric] for metric in METRICS for test in TESTS]
        numbers = " | ".join(f"{median(cell.values()):.2g}" for cell in cells)
        yield f"| {trace} | {int(size):,} | {source} | {numbers} | {len(cells[0])} |"


def _ratios(found: dict[tuple[str, str, str, str], Compared]) -> Iterator[str]:
    yield f"| designs | test | source | {' | '.join(METRICS)} |"
    yield f"|---|---|---|{'---|' * len(METRICS)}"
    for size, source, test in sorted({key[:3] for key in found}, key=lambda key: (int(key[0]), key[2], key[1])):
        cells = [_cell(found[size, source, test, metric]) for metric in METRICS]
        yield f"| {int(size):,} | {test} | {source} | {' | '.join(cells)} |"


def _cell(one: Compared) -> str:
    """``"2.1 (1.8 to 2.4)"``; with a mark where it may be chance."""
    return f"{one.ratio:.2f} ({one.low:.2f} to {one.high:.2f}){'' if one.p < _CHANCE else ' ?'}"


def _order(key: Key) -> tuple[str, int, str]:
    return key[0], int(key[1]), key[2]


if __name__ == "__main__":
    print("\n".join(printed()))
