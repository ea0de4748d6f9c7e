"""The tables of the README, from `accuracy.csv`."""

from __future__ import annotations

__all__ = ["crossings", "medians", "printed"]

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

from experiments.proxy_accuracy.curves import METRICS, SEEDS, SIZES, TRACES

TARGET = 0.61
"""RMSE in percent that ArchGym's abstract names (Krishnan et al., ISCA 2023)."""

Key = tuple[str, str, str, str]  # regressor, split, metric, trace


def medians(table: Path) -> dict[Key, dict[int, float]]:
    """Median over seeds of the RMSE in percent of the mean, by curve and size; sizes with all seeds only."""
    found: defaultdict[Key, defaultdict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            key = row["regressor"], row["split"], row["metric"], row["trace"]
            found[key][int(row["size"])].append(float(row["rmse_percent"]))
    return {
        key: {size: median(errors) for size, errors in sizes.items() if len(errors) == SEEDS}
        for key, sizes in found.items()
    }


def crossings(curve: Mapping[int, float]) -> int | None:
    """The least size from which on the median stays at or below the target; None where it is never reached."""
    below = None
    for size in sorted(curve):
        below = (below or size) if curve[size] <= TARGET else None
    return below


def printed(table: Path) -> Iterator[str]:
    """Markdown: one table a regressor and split, rows by metric and trace."""
    curves = medians(table)
    for regressor, split in dict.fromkeys(key[:2] for key in curves):
        yield f"\n{regressor}, split by {split}\n"
        yield f"| metric | trace | {' | '.join(f'{size:,}' for size in SIZES)} | at most {TARGET} % from |"
        yield f"|---|---|{'---|' * (len(SIZES) + 1)}"
        for metric in METRICS:
            for trace in TRACES:
                curve = curves.get((regressor, split, metric, trace), {})
                cells = [f"{curve[size]:.2g}" if size in curve else "" for size in SIZES]
                reached = crossings(curve)
                cells.append(f"{reached:,}" if reached else f"not up to {max(curve, default=0):,}")
                yield f"| {metric} | {trace} | {' | '.join(cells)} |"
