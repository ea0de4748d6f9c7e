"""What long searches have in common: a search and its line, an agent's run, descent, and the best of all lines."""

from __future__ import annotations

__all__ = ["COLUMNS", "Line", "Rank", "Search", "best_of", "line_of", "polished", "searched"]

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.certificates import identity_of
from archgym.problem import Problem
from archgym.registry import agent_class
from archgym.session import Budget, Session
from archgym.tasks import Task

COLUMNS = ("task", "workload", "agent", "seed", "calls", "feasible", "reward", "row")
"""Of a log; the first four tell searches apart."""
Line = dict[str, str]
"""What one search found, by column."""
Rank = tuple[bool, float]
"""Feasible, reward."""


@dataclass(frozen=True)
class Search:
    """One long search."""

    task: Task
    agent: str
    seed: int

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.task.name, self.task.workload, self.agent, str(self.seed)


def searched(search: Search, budget: int, options: Mapping[str, Any]) -> tuple[NDArray[np.int64], Rank, int]:
    """The best design of an agent's run, its rank, and the calls made."""
    session = Session(search.task.spec(), budget=Budget(budget))
    built = agent_class(search.agent)
    config = built.Config.from_options(options)
    built.create(session.space, config, np.random.default_rng(search.seed), budget=budget).run(session)
    assert session.best is not None
    return np.array(session.best.row), (session.best.feasible, session.best.reward), session.calls


def polished(problem: Problem, row: Any, rank: Rank, calls: int) -> tuple[Any, Rank, int]:
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


def line_of(search: Search, row: Any, rank: Rank, calls: int) -> dict[str, Any]:
    """A search's line in its log."""
    found = (calls, rank[0], repr(rank[1]), " ".join(map(str, row.tolist())))
    return dict(zip(COLUMNS, (*search.key, *found), strict=True))


def best_of(searches: Iterable[Search], lines: list[Line], command: str) -> dict[str, list[dict[str, Any]]]:
    """The best feasible design of every problem, checked by simulating it again."""
    stored = []
    for (name, workload), task in {search.key[:2]: search.task for search in searches}.items():
        own = [line for line in lines if (line["task"], line["workload"]) == (name, workload)]
        good = [line for line in own if line["feasible"] == "True"]
        if good:
            best = max(good, key=lambda line: float(line["reward"]))
            calls = sum(int(line["calls"]) for line in own)
            stored.append({**_simulated(task, best), "calls": calls, "command": command})
    return {"best_known": stored}


def _simulated(task: Task, line: Line) -> dict[str, Any]:
    spec = task.spec()
    problem = spec.bind()
    row = np.array([int(digit) for digit in line["row"].split()])
    outcome = problem.evaluate(row[None])
    agent = line["agent"].replace("_", " ")
    return {
        **identity_of(spec, problem),
        "reward": float(outcome.reward[0]),
        "metrics": dict(zip(problem.metric_names, outcome.values[0].tolist(), strict=True)),
        "design": problem.space.decode_row(row),
        "found_by": f"{agent}, seed {line['seed']}" + ("" if "descent" in agent else ", and descent"),
    }
