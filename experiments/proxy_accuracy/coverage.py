"""What intervals promise and what they hold: on designs like those of training, and in a region never seen."""

from __future__ import annotations

__all__ = ["HEADER", "coverage_lines", "coverage_table"]

import csv
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np

from archgym.datasets import Dataset
from archgym.proxies import fit, score
from archgym.statistics import bootstrap_interval, mean
from experiments.proxy_accuracy.curves import METRICS, POOL, SEEDS, TRACES, Cell, parts
from experiments.proxy_accuracy.pools import pool_of

HEADER = "trace,split,designs,seed,metric,promised,held,outside"
SPLITS = ("rows", "region")
SIZES = (300, 1_000, 10_000)
"""Designs given: 70 % train, 15 % calibrate."""
PROMISES = (0.8, 0.9, 0.95)


def coverage_lines(work: Path) -> Iterator[str]:
    """Fit whole proxies with default settings, ask each for intervals, count what they hold."""
    for trace in TRACES:
        pool = pool_of("archgym/DRAM-v0", trace, METRICS, POOL, work)
        for split, size, seed in product(SPLITS, SIZES, range(SEEDS)):
            yield from _lines(Cell(trace, "lightgbm", split, size, seed), pool)


def _lines(cell: Cell, pool: Dataset) -> Iterator[str]:
    known, unknown = parts(cell, pool)
    proxy, test = fit(pool.take(known), seed=cell.seed), pool.take(unknown)
    for promised in PROMISES:
        for metric, found in score(proxy, test, coverage=promised).items():
            start = f"{cell.trace},{cell.split},{cell.size},{cell.seed},{metric},{promised}"
            yield f"{start},{found.coverage:.4f},{found.outside:.4f}"


def coverage_table(table: Path) -> Iterator[str]:
    """Markdown: mean over seeds, traces and metrics, with its interval over seeds."""
    shares: defaultdict[tuple[str, int, str], defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            key = row["split"], int(row["designs"]), row["promised"]
            shares[key][row["trace"] + row["metric"]].append(float(row["held"]))
    yield f"| split | designs given | {' | '.join(f'{100 * promised:.0f} % promised' for promised in PROMISES)} |"
    yield f"|---|---|{'---|' * len(PROMISES)}"
    rng = np.random.default_rng(0)
    for split, size in product(SPLITS, SIZES):
        cells = []
        for promised in PROMISES:
            held = np.array(list(shares[split, size, str(promised)].values())).T  # (R, T)
            low, high = bootstrap_interval(held, mean, rng)
            cells.append(f"{100 * float(mean(held)):.1f} % ({100 * low:.1f} to {100 * high:.1f})")
        yield f"| {split} | {size:,} | {' | '.join(cells)} |"
