"""One source agent or a mixture, at equal size: ``python -m experiments.dataset_diversity --work DIR``; resumable."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import archgym
from archgym.datasets import Dataset
from archgym.proxies.features import DesignFeatures
from archgym.proxies.quality import rmse_percent, spearman
from archgym.proxies.regressors import kind_named
from archgym_simulators import OK
from archgym_simulators.space import Rows
from experiments.proxy_accuracy.pools import pool_of

HERE = Path(__file__).parent
TABLE = HERE / "results.csv"
HEADER = "trace,source,size,seed,regressor,test,metric,rmse_percent,spearman"
TRACES = ("random", "cloud-1-like")
AGENTS = ("random_search", "genetic_algorithm", "simulated_annealing", "ant_colony", "bayesian")
SOURCES = (*AGENTS, "mixture")
METRICS = ("total_time_ns", "energy_pj", "power_mw")
SIZES = (200, 1000)
SEEDS = 10
BUDGET = 1600
"""Simulations a run; more than the largest size, because invalid designs are left out."""
NEAR_SHARE = 0.02
TESTED = 2000
POOL = 112_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="a folder for searches and simulated designs")
    parser.add_argument("--minutes", type=float, default=10.0, help="of processor time; no seed begins after them")
    arguments = parser.parse_args()
    if not TABLE.is_file():
        TABLE.write_text(HEADER + "\n")
    lines = Counter(line.rsplit(",", 5)[0] for line in TABLE.read_text().splitlines())
    ends = time.process_time() + 60 * arguments.minutes
    for trace in TRACES:
        pool = pool_of("archgym/DRAM-v0", trace, METRICS, POOL, arguments.work / "pools")
        for seed in range(SEEDS):
            cells = {f"{trace},{source},{size},{seed}": (source, size) for source, size in product(SOURCES, SIZES)}
            missing = {cell: what for cell, what in cells.items() if not lines[cell]}
            if missing and time.process_time() < ends:
                runs = {agent: searched(agent, trace, seed, arguments.work) for agent in AGENTS}
                with TABLE.open("a") as file:
                    for cell, (source, size) in missing.items():
                        file.write("".join(measured(cell, source, size, seed, runs, pool)))


def searched(agent: str, trace: str, seed: int, work: Path) -> Dataset:
    """The valid designs that an agent simulated on its way to the least total time, each once, in its order."""
    out = work / "searches" / f"{agent}-{trace}-{seed}"
    budget = BUDGET if agent != "bayesian" else 400  # a call of its own takes longer than our simulators
    archgym.search("archgym/DRAM-v0", agent, workload=trace, budget=budget, seed=seed, out=out)
    return Dataset.load(out, metrics=METRICS).valid()


def measured(cell: str, source: str, size: int, seed: int, runs: dict[str, Dataset], pool: Dataset) -> list[str]:
    """Lines of the table: each regressor on each test set; none where the source has not as many designs."""
    found = taken(source, size, seed, runs)
    if found is None:
        return [f"{cell},none,none,none,,\n"]
    rows, values = found
    features = DesignFeatures(pool.space)
    x = features.of(features.codes(rows), np.zeros(0))
    lines = []
    for regressor in ("random-forest", "lightgbm"):
        kind = kind_named(regressor)
        models = [kind.train(x, np.log(values[:, m]), kind.settings, seed)[0] for m in range(len(METRICS))]
        for test, which in test_sets(pool, rows, seed).items():
            unseen = features.of(features.codes(pool.rows[which].astype(np.int64)), np.zeros(0))
            for m, metric in enumerate(METRICS):
                truth, guess = pool.values[which, m], np.exp(models[m].predict(unseen))
                error, ranks = rmse_percent(truth, guess), spearman(truth, guess)
                lines.append(f"{cell},{regressor},{test},{metric},{error:.4f},{ranks:.4f}\n")
    return lines


def taken(source: str, size: int, seed: int, runs: dict[str, Dataset]) -> tuple[Rows, NDArray[np.float64]] | None:
    """The first ``size`` distinct designs (size, D) of one agent, or as many of each, with their metrics (size, M)."""
    names = AGENTS if source == "mixture" else (source,)
    kept: dict[bytes, tuple[NDArray[np.int64], NDArray[np.float64]]] = {}
    rows = {name: runs[name].designs for name in names}
    for place in range(max(map(len, rows.values()))):
        for name in names:  # in turn, so that each agent gives the designs that it tried first
            if place < len(rows[name]) and len(kept) < size:
                kept.setdefault(rows[name][place].tobytes(), (rows[name][place], runs[name].values[place]))
    if len(kept) < size:
        return None
    return np.stack([row for row, _ in kept.values()]), np.stack([value for _, value in kept.values()])


def test_sets(pool: Dataset, trained: Rows, seed: int) -> dict[str, NDArray[np.intp]]:
    """Uniform designs, and those of least total time, none of which was trained on: indices into the pool."""
    keys, known = pool.space.integer_keys(pool.designs), pool.space.integer_keys(trained)
    unseen = np.flatnonzero(~np.isin(keys, known) & (pool.status == OK))
    rng = np.random.default_rng(seed)
    best = unseen[np.argsort(pool.column("total_time_ns")[unseen], kind="stable")]
    near = best[: int(NEAR_SHARE * len(best))]
    return {"uniform": rng.permutation(unseen)[:TESTED], "near-optimal": rng.permutation(near)[:TESTED]}


if __name__ == "__main__":
    main()
