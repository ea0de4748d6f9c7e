"""How tight are the tight budgets? ``python -m experiments.soc_explorer.margin`` writes ``margin.csv``.

Annealed from the best designs of long searches: the design of edge detection whose worst metric is furthest below its
budget. It shows that the budgets can be kept, and with how much to spare at least; not that there is no better.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.core_1.soc import BUDGETS, SOC
from archgym.problem import Problem, ProblemSpec
from archgym_agents._moves import Moves
from archgym_simulators.space import Rows
from experiments.core_1.best_known_soc import LOG
from experiments.soc_explorer.__main__ import write_table

TARGET = Path(__file__).parent / "margin.csv"
WORKLOAD = "edge-detection"
RATIOS = ("latency_ratio", "power_ratio", "area_ratio")
CHAINS, STEPS, SEED = 48, 6_000, 100
HOT, COLD = 0.15, 0.002
_OF_ALL = 0.05
"""Weight of the sum of the logarithms beside the largest: it leads where the largest does not change."""


def problem() -> Problem:
    """Edge detection under realistic rules and tight budgets."""
    options = {"rules": "realistic", "space": "tasks"}
    return ProblemSpec.create(SOC, workload=WORKLOAD, objective="energy", constraints=BUDGETS, options=options).bind()


def ratios(searched: Problem, rows: Rows) -> NDArray[np.float64]:
    """Latency, power and area over their budgets (N, 3), infinite for designs that are not valid."""
    columns = [searched.metric_names.index(name) for name in RATIOS]
    values = searched.evaluate(searched.space.canonical(rows)).values[:, columns]
    return np.where(np.isnan(values), np.inf, values)


def slackest(searched: Problem, starts: Rows, rng: np.random.Generator, steps: int) -> Rows:
    """Anneal chains (C, D) twice from hot to cold; returns the best design that any has been at, (D,)."""
    moves = Moves(searched.space)
    here = starts
    energy, worst = _energy(ratios(searched, here))
    best: Rows = here[worst.argmin()]
    least = float(worst.min())
    for step in range(steps):
        temperature = HOT * (COLD / HOT) ** (step % (steps // 2) / (steps // 2))
        moved = here
        for _ in range(int(rng.integers(1, 4))):
            moved = moves.mutate(moved, moves.choose_one(len(moved), rng), rng)
        tried, worst = _energy(ratios(searched, moved))
        accepted = rng.random(len(here)) < np.exp(np.minimum(0.0, (energy - tried) / temperature))
        here, energy = np.where(accepted[:, None], moved, here), np.where(accepted, tried, energy)
        if worst.min() < least:
            best, least = moved[worst.argmin()], float(worst.min())
    return best


def _energy(found: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is annealed, and the largest ratio: both (C,)."""
    logs = np.log(np.minimum(found, 1e3))
    return logs.max(axis=1) + _OF_ALL * logs.sum(axis=1), found.max(axis=1)


def main() -> None:
    os.nice(5)
    lines = [line for line in csv.DictReader(LOG.read_text().splitlines()) if line["workload"] == WORKLOAD]
    known = [np.array(line["row"].split(), dtype=np.int64) for line in lines]
    searched = problem()
    starts = searched.space.canonical(np.stack([known[chain % len(known)] for chain in range(CHAINS)]))
    best = slackest(searched, starts, np.random.default_rng(SEED), STEPS)
    found = dict(zip(RATIOS, ratios(searched, best[None])[0].tolist(), strict=True))
    line: dict[str, Any] = {"workload": WORKLOAD, "evaluations": CHAINS * (STEPS + 1), **found}
    write_table(TARGET, [{**line, "row": " ".join(map(str, best.tolist()))}])


if __name__ == "__main__":
    main()
