"""Search long for the best designs of the SoC tasks: ``python -m experiments.core_1.best_known_soc``.

Writes ``archgym/optima/soc_best_known.json``, the best feasible design of each task as searched and as judged, and
``best_known_soc.csv``, what every search found. The same command goes on where it was interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from archgym.certificates import identity_of
from archgym.core_1.soc import TASKS
from archgym.problem import Problem
from archgym.registry import agent_class
from archgym.session import Budget, Session
from archgym.tasks import Task
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
COLUMNS = ("task", "workload", "agent", "seed", "calls", "feasible", "reward", "row")


@dataclass(frozen=True)
class Search:
    """One long search."""

    task: Task
    agent: str
    seed: int

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.task.name, self.task.workload, self.agent, str(self.seed)


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
        return _line(search, *descended(search.task.spec().bind(), np.random.default_rng(search.seed)))
    session = Session(search.task.spec(), budget=Budget(budget))
    built = agent_class(search.agent)
    config = built.Config.from_options(options)
    built.create(session.space, config, np.random.default_rng(search.seed), budget=budget).run(session)
    assert session.best is not None
    row, rank, calls = np.array(session.best.row), (session.best.feasible, session.best.reward), session.calls
    return _line(search, *polished(session.problem(), row, rank, calls))


def _line(search: Search, row: Any, rank: tuple[bool, float], calls: int) -> dict[str, Any]:
    found = (calls, rank[0], repr(rank[1]), " ".join(map(str, row.tolist())))
    return dict(zip(COLUMNS, (*search.key, *found), strict=True))


def descended(problem: Problem, rng: np.random.Generator) -> tuple[Any, tuple[bool, float], int]:
    """The best end of steepest descents from random designs."""
    starts = problem.space.canonical(problem.space.sample(STARTS, rng))
    outcome = problem.evaluate(starts)
    ends, calls = [], 0
    for row, feasible, reward in zip(starts, outcome.feasible.tolist(), outcome.reward.tolist(), strict=True):
        end, rank, calls = polished(problem, row, (feasible, reward), calls + 1)
        ends.append((rank, end))
    rank, row = max(ends, key=lambda pair: pair[0])
    return row, rank, calls


def polished(problem: Problem, row: Any, rank: tuple[bool, float], calls: int) -> tuple[Any, tuple[bool, float], int]:
    """Steepest descent over neighbours."""
    while True:
        around = problem.space.canonical(problem.space.neighbours(row))
        outcome = problem.evaluate(around)
        calls += len(around)
        best = np.lexsort((outcome.reward, outcome.feasible))[-1]
        found = bool(outcome.feasible[best]), float(outcome.reward[best])
        if found <= rank:
            return row, rank, calls
        row, rank = around[best], found


def best_of(lines: list[dict[str, str]]) -> dict[str, list[dict[str, Any]]]:
    """The best feasible design of every problem, checked by simulating it again."""
    stored = []
    problems = {search.key[:2]: search.task for search in searches()}
    for (name, workload), task in problems.items():
        own = [line for line in lines if (line["task"], line["workload"]) == (name, workload)]
        good = [line for line in own if line["feasible"] == "True"]
        if not good:
            continue
        best = max(good, key=lambda line: float(line["reward"]))
        spec = task.spec()
        problem = spec.bind()
        row = np.array([int(digit) for digit in best["row"].split()])
        outcome = problem.evaluate(row[None])
        stored.append(
            {
                **identity_of(spec, problem),
                "reward": float(outcome.reward[0]),
                "metrics": dict(zip(problem.metric_names, outcome.values[0].tolist(), strict=True)),
                "design": problem.space.decode_row(row),
                "found_by": f"{best['agent']}, seed {best['seed']}"
                + ("" if best["agent"] == "descent" else ", and descent"),
                "calls": sum(int(line["calls"]) for line in own),
                "command": COMMAND,
            }
        )
    return {"best_known": stored}


if __name__ == "__main__":
    make_searches(searches(), run, best_of, log=LOG, columns=COLUMNS, target=TARGET, about=__doc__)
