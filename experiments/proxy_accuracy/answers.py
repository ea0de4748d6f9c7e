"""The tables of the README, from `accuracy.csv`."""

from __future__ import annotations

__all__ = ["crossing", "curves_of", "printed"]

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from experiments.proxy_accuracy.curves import METRICS, SEEDS, SIZES, TRACES

TARGET = 0.61
"""RMSE in percent that ArchGym's abstract names (Krishnan et al., ISCA 2023)."""

Key = tuple[str, str, str, str]  # regressor, split, metric, trace


def curves_of(table: Path, statistic: Callable[[Sequence[float]], float] = median) -> dict[Key, dict[int, float]]:
    """RMSE in percent of the mean by curve and size, a statistic of the seeds; sizes with all seeds only."""
    found: defaultdict[Key, defaultdict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            key = row["regressor"], row["split"], row["metric"], row["trace"]
            found[key][int(row["size"])].append(float(row["rmse_percent"]))
    return {
        key: {size: statistic(errors) for size, errors in sizes.items() if len(errors) == SEEDS}
        for key, sizes in found.items()
    }


def crossing(curve: Mapping[int, float]) -> int | None:
    """The least size from which on a curve stays at or below the target; None where it is never reached."""
    below = None
    for size in sorted(curve):
        below = (below or size) if curve[size] <= TARGET else None
    return below


def printed(table: Path) -> Iterator[str]:
    """Markdown: one table a regressor and split, rows by metric and trace."""
    middle, worst = curves_of(table), curves_of(table, max)
    for regressor, split in dict.fromkeys(key[:2] for key in middle):
        yield f"\n{regressor}, split by {split}\n"
        yield f"| metric | trace | {' | '.join(f'{size:,}' for size in SIZES)} | {TARGET} % from | in every seed from |"
        yield f"|---|---|{'---|' * (len(SIZES) + 2)}"
        for metric in METRICS:
            for trace in TRACES:
                key = (regressor, split, metric, trace)
                curve = middle.get(key, {})
                cells = [f"{curve[size]:.2g}" if size in curve else "" for size in SIZES]
                cells += [_reached(curve), _reached(worst.get(key, {}))]
                yield f"| {metric} | {trace} | {' | '.join(cells)} |"


def _reached(curve: Mapping[int, float]) -> str:
    size = crossing(curve)
    return f"{size:,}" if size else f"not up to {max(curve, default=0):,}"
