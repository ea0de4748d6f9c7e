"""Search long for the best designs of the extended DRAM tasks: ``python -m experiments.core_1.best_known_dram``.

Writes ``archgym/optima/dram_best_known.json``, the best feasible design of each task as searched and as judged, and
``best_known_dram.csv``, what every search found. The same command goes on where it was interrupted; all of it takes
about ten minutes of one core.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.core_1.dram import TASKS
from experiments.core_1.found_designs import Rank, Search, line_of, polished, searched
from experiments.core_1.long_searches import make_searches

HERE = Path(__file__).parent
LOG = HERE / "best_known_dram.csv"
TARGET = HERE.parents[1] / "archgym" / "optima" / "dram_best_known.json"
COMMAND = "python -m experiments.core_1.best_known_dram"
GENETIC, DESCENTS = "genetic_algorithm", "random_sample_descents"
BUDGET, OPTIONS = 6_000, {"population": 32, "children": 32, "mutation": 0.05}
SAMPLE, STARTS = 1_500, 10


def searches() -> Iterator[Search]:
    """Every search: each task of the extended space as searched, in two ways, and as judged, in one."""
    extended = [task for task in TASKS if task.options.get("space") == "extended"]
    yield from (Search(task, GENETIC, 0) for task in extended)
    yield from (Search(task, DESCENTS, 0) for task in extended)
    for task in extended:
        judged = replace(task, workload=task.judge_workload, constraints=task.judge_constraints)
        yield Search(judged, DESCENTS, 0)


def run(search: Search) -> dict[str, Any]:
    """Search, and descend from the best designs to where no neighbour is better."""
    starts, calls = _evolved(search) if search.agent == GENETIC else _sampled(search)
    problem = search.task.spec().bind()
    found = []
    for row, rank in starts:
        row, rank, calls = polished(problem, row, rank, calls)
        found.append((rank, row.tolist()))
    (feasible, reward), best = max(found)
    return line_of(search, np.array(best), (feasible, reward), calls)


Starts = list[tuple[NDArray[np.int64], Rank]]


def _evolved(search: Search) -> tuple[Starts, int]:
    """The best design of a genetic algorithm."""
    row, rank, calls = searched(search, BUDGET, OPTIONS)
    return [(row, rank)], calls


def _sampled(search: Search) -> tuple[Starts, int]:
    """The best designs of a random sample."""
    problem = search.task.spec().bind()
    rows = problem.space.canonical(problem.space.sample(SAMPLE, np.random.default_rng(search.seed)))
    outcome = problem.evaluate(rows)
    order = np.lexsort((outcome.reward, outcome.feasible))[::-1][:STARTS]
    return [(rows[i], (bool(outcome.feasible[i]), float(outcome.reward[i]))) for i in order.tolist()], len(rows)


if __name__ == "__main__":
    make_searches(list(searches()), run, log=LOG, target=TARGET, command=COMMAND, about=__doc__)
