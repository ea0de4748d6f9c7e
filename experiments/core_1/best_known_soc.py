"""Search long for the best designs of the SoC tasks: ``python -m experiments.core_1.best_known_soc``.

Writes ``archgym/optima/soc_best_known.json``, the best feasible design of each task as searched and as judged, and
``best_known_soc.csv``, what every search found. The same command goes on where it was interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from archgym.core_1.soc import TASKS
from archgym.problem import Problem
from experiments.core_1.found_designs import Rank, Search, line_of, polished, searched
from experiments.core_1.long_searches import make_searches

HERE = Path(__file__).parent
LOG = HERE / "best_known_soc.csv"
TARGET = HERE.parents[1] / "archgym" / "optima" / "soc_best_known.json"
COMMAND = "python -m experiments.core_1.best_known_soc"
STARTS = 8
"""Random designs from which the search "descent" goes down steepest; the others are agents: budget and settings."""
SEARCHES: dict[str, tuple[int, dict[str, Any]]] = {
    "descent": (STARTS, {}),
    "farsi_explorer": (3_000, {}),
    "genetic_algorithm": (20_000, {"population": 32, "children": 32, "mutation": 0.02}),
    "simulated_annealing": (20_000, {"halving": 2_000, "temperature": 0.03}),
}
AGENTS = tuple(agent for agent in SEARCHES if agent != "descent")
SEEDS = 3
"""Of the agents; one round of descents takes as long as all of those."""


def searches() -> Iterator[Search]:
    """Every search: each task as searched, and as judged where that is another graph."""
    for seed in range(SEEDS):
        for agent in SEARCHES if seed == 0 else AGENTS:
            for task in TASKS:
                yield Search(task, agent, seed)
                if task.judge_workload != task.workload:
                    judged = replace(task, workload=task.judge_workload, constraints=task.judge_constraints)
                    yield Search(judged, agent, seed)


def run(search: Search) -> dict[str, Any]:
    """Search, then descend from the best design to where no neighbour is better."""
    budget, options = SEARCHES[search.agent]
    if search.agent == "descent":
        return line_of(search, *descended(search.task.spec().bind(), np.random.default_rng(search.seed)))
    return line_of(search, *polished(search.task.spec().bind(), *searched(search, budget, options)))


def descended(problem: Problem, rng: np.random.Generator) -> tuple[Any, Rank, int]:
    """The best end of steepest descents from random designs."""
    starts = problem.space.canonical(problem.space.sample(STARTS, rng))
    outcome = problem.evaluate(starts)
    ends, calls = [], 0
    for row, feasible, reward in zip(starts, outcome.feasible.tolist(), outcome.reward.tolist(), strict=True):
        end, rank, calls = polished(problem, row, (feasible, reward), calls + 1)
        ends.append((rank, end))
    rank, row = max(ends, key=lambda pair: pair[0])
    return row, rank, calls


if __name__ == "__main__":
    make_searches(list(searches()), run, log=LOG, target=TARGET, command=COMMAND, about=__doc__)
