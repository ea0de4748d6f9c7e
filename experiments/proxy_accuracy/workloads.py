"""One proxy for many workloads: error on workloads that training never saw, against the number that it did see."""

from __future__ import annotations

__all__ = ["HEADER", "workload_lines", "workload_table"]

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np

import archgym
from archgym.datasets import Dataset
from archgym.proxies import fit, score
from archgym.registry import simulator_class
from experiments.proxy_accuracy.curves import METRICS, SEEDS

HEADER = "workloads,seed,unseen,metric,rmse_percent,spearman,outside"
ENV_ID = "archgym/DRAM-v0"
COUNTS = (3, 10, 30)
UNSEEN = 10
DESIGNS = 200


def workload_lines(work: Path) -> Iterator[str]:
    """Fit to random designs of generated workloads of the split "train", score on each of the split "dev"."""
    draw = simulator_class(ENV_ID).draw_workload
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        seen, unseen = ([draw(split, rng) for _ in range(count)] for split, count in (("train", 30), ("dev", UNSEEN)))
        folders = {workload: _searched(workload, seed, work) for workload in (*seen, *unseen)}
        judged = [folders[workload] for workload in unseen]
        for count in COUNTS:
            known = [folders[workload] for workload in dict.fromkeys(seen[:count])]
            yield from (f"{count},{seed},{line}" for line in _scores(known, judged, seed))


def _scores(known: list[Path], judged: list[Path], seed: int) -> Iterator[str]:
    proxy = fit(Dataset.load(known, metrics=METRICS), seed=seed)
    for place, folder in enumerate(judged):
        for metric, one in score(proxy, Dataset.load(folder, metrics=METRICS)).items():
            yield f"{place},{metric},{one.rmse_percent:.4f},{one.spearman:.5f},{one.outside:.3f}"


def workload_table(table: Path) -> Iterator[str]:
    """Markdown: over seeds and unseen workloads."""
    found = defaultdict(list)
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            key = row["metric"], int(row["workloads"])
            found[key].append([float(row[name]) for name in ("rmse_percent", "spearman", "outside")])
    yield "| metric | workloads seen | RMSE in % of the mean | rank correlation | worst tenth | said to be outside |"
    yield "|---|---|---|---|---|---|"
    for metric in METRICS:
        for count in COUNTS:
            errors, ranks, outside = zip(*found[metric, count], strict=True)
            middle = f"{median(errors):.2g} | {median(ranks):.3f} | {np.quantile(ranks, 0.1):.3f}"
            yield f"| {metric} | {count} | {middle} | {100 * np.mean(outside):.0f} % |"


def _searched(workload: str, seed: int, work: Path) -> Path:
    out = work / "workloads" / f"{workload}-{seed}".replace("/", "_").replace(":", "_")
    archgym.search(ENV_ID, "random_search", workload=workload, budget=DESIGNS, seed=seed, out=out)
    return out
