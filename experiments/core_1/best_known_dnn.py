"""Search long for the best designs of the DNN tasks: ``python -m experiments.core_1.best_known_dnn``.

Writes ``archgym/optima/dnn_best_known.json``, the best feasible design of each task with one objective on systolic
arrays, attention, mappings by MAESTRO and accelerators, and ``best_known_dnn.csv``, what every search found. The same
command goes on where it was interrupted. Small mappings have certified optima.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archgym.core_1 import accelerator, attention, maestro, systolic
from experiments.core_1.found_designs import Search, line_of, polished, searched
from experiments.core_1.long_searches import make_searches

HERE = Path(__file__).parent
LOG = HERE / "best_known_dnn.csv"
TARGET = HERE.parents[1] / "archgym" / "optima" / "dnn_best_known.json"
COMMAND = "python -m experiments.core_1.best_known_dnn"
AGENT, OPTIONS = "genetic_algorithm", {"population": 32, "children": 32, "mutation": 0.1}
BUDGETS = {
    systolic.SYSTOLIC: 20_000,
    attention.ATTENTION: 20_000,
    maestro.MAESTRO: 20_000,
    accelerator.ACCELERATOR: 600,
}
"""Calls of a genetic algorithm; an accelerator takes 20 to 100 ms."""
SEEDS = {systolic.SYSTOLIC: 3, attention.ATTENTION: 3, maestro.MAESTRO: 3, accelerator.ACCELERATOR: 1}


def searches() -> Iterator[Search]:
    """Every search, the quickest family first."""
    for family in (systolic, attention, maestro, accelerator):
        for task in (one for one in family.TASKS if len(one.objectives) == 1):
            for seed in range(SEEDS[task.env_id]):
                yield Search(task, AGENT, seed)


def run(search: Search) -> dict[str, Any]:
    """Evolve, then descend from the best design to where no neighbour is better."""
    found = searched(search, BUDGETS[search.task.env_id], OPTIONS)
    return line_of(search, *polished(search.task.spec().bind(), *found))


if __name__ == "__main__":
    make_searches(list(searches()), run, log=LOG, target=TARGET, command=COMMAND, about=__doc__)
