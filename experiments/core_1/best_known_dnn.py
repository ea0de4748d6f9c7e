"""Search long for the best designs of the DNN tasks: ``python -m experiments.core_1.best_known_dnn``.

Writes ``archgym/optima/dnn_best_known.json``, the best feasible design of each task with one objective on systolic
arrays, attention, mappings by MAESTRO and accelerators, and ``best_known_dnn.csv``, what every search found. The same
command goes on where it was interrupted. Small mappings have certified optima.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from archgym.certificates import identity_of
from archgym.core_1 import accelerator, attention, maestro, systolic
from archgym.registry import agent_class
from archgym.session import Budget, Session
from archgym.tasks import Task
from experiments.core_1.best_known_soc import COLUMNS, Search, polished
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
    budget = BUDGETS[search.task.env_id]
    session = Session(search.task.spec(), budget=Budget(budget))
    built = agent_class(AGENT)
    config = built.Config.from_options(OPTIONS)
    built.create(session.space, config, np.random.default_rng(search.seed), budget=budget).run(session)
    assert session.best is not None
    rank = session.best.feasible, session.best.reward
    row, rank, calls = polished(session.problem(), np.array(session.best.row), rank, session.calls)
    found = (calls, rank[0], repr(rank[1]), " ".join(map(str, row.tolist())))
    return dict(zip(COLUMNS, (*search.key, *found), strict=True))


def best_of(lines: list[dict[str, str]]) -> dict[str, list[dict[str, Any]]]:
    """The best feasible design of every task, checked by simulating it again."""
    stored = []
    for task in {search.task.name: search.task for search in searches()}.values():
        own = [line for line in lines if line["task"] == task.name]
        good = [line for line in own if line["feasible"] == "True"]
        if good:
            best = max(good, key=lambda line: float(line["reward"]))
            stored.append({**_simulated(task, best), "calls": sum(int(line["calls"]) for line in own)})
    return {"best_known": stored}


def _simulated(task: Task, line: dict[str, str]) -> dict[str, Any]:
    spec = task.spec()
    problem = spec.bind()
    row = np.array([int(digit) for digit in line["row"].split()])
    outcome = problem.evaluate(row[None])
    return {
        **identity_of(spec, problem),
        "reward": float(outcome.reward[0]),
        "metrics": dict(zip(problem.metric_names, outcome.values[0].tolist(), strict=True)),
        "design": problem.space.decode_row(row),
        "found_by": f"{line['agent'].replace('_', ' ')}, seed {line['seed']}, and descent",
        "command": COMMAND,
    }


if __name__ == "__main__":
    make_searches(searches(), run, best_of, log=LOG, columns=COLUMNS, target=TARGET, about=__doc__)
