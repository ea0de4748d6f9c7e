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

from archgym.certificates import identity_of
from archgym.core_1.dram import TASKS
from archgym.registry import agent_class
from archgym.session import Budget, Session
from experiments.core_1.best_known_soc import COLUMNS, Search, polished
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
    outcome = (calls, feasible, repr(reward), " ".join(map(str, best)))
    return dict(zip(COLUMNS, (*search.key, *outcome), strict=True))


Starts = list[tuple[NDArray[np.int64], tuple[bool, float]]]


def _evolved(search: Search) -> tuple[Starts, int]:
    """The best design of a genetic algorithm."""
    session = Session(search.task.spec(), budget=Budget(BUDGET))
    built = agent_class(GENETIC)
    config = built.Config.from_options(OPTIONS)
    built.create(session.space, config, np.random.default_rng(search.seed), budget=BUDGET).run(session)
    assert session.best is not None
    best = np.array(session.best.row), (session.best.feasible, session.best.reward)
    return [best], session.calls


def _sampled(search: Search) -> tuple[Starts, int]:
    """The best designs of a random sample."""
    problem = search.task.spec().bind()
    rows = problem.space.canonical(problem.space.sample(SAMPLE, np.random.default_rng(search.seed)))
    outcome = problem.evaluate(rows)
    order = np.lexsort((outcome.reward, outcome.feasible))[::-1][:STARTS]
    return [(rows[i], (bool(outcome.feasible[i]), float(outcome.reward[i]))) for i in order.tolist()], len(rows)


def best_of(lines: list[dict[str, str]]) -> dict[str, list[dict[str, Any]]]:
    """The best feasible design of every problem, checked by simulating it again."""
    stored = []
    for (name, workload), task in {search.key[:2]: search.task for search in searches()}.items():
        own = [line for line in lines if (line["task"], line["workload"]) == (name, workload)]
        good = [line for line in own if line["feasible"] == "True"]
        if good:
            best = max(good, key=lambda line: float(line["reward"]))
            stored.append({**_simulated(task, best), "calls": sum(int(line["calls"]) for line in own)})
    return {"best_known": stored}


def _simulated(task: Any, line: dict[str, str]) -> dict[str, Any]:
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
