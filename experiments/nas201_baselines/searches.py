"""The searches: agents with published settings, each run many times within a budget of simulated seconds."""

from __future__ import annotations

__all__ = ["SEARCHES", "Found", "Search", "judged", "run_search"]

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.agent import Agent
from archgym.budget import Budget
from archgym.problem import ProblemSpec
from archgym.registry import agent_class
from archgym.session import Session
from archgym_simulators.space import Rows
from experiments.nas201_baselines.reinforce import Reinforce

ENV_ID = "archgym/NAS201-v0"
IMAGES = ("cifar10", "cifar100", "imagenet16-120")
_BUDGET_IN_CALLS = 1000  # what agents are told; none of these plans by it


@dataclass(frozen=True)
class Search:
    """An agent with the settings of a published baseline.

    Attributes:
        title: for readers.
        agent: a name of ``archgym list agents``, or a class.
        settings: that differ from the agent's defaults.
        runs: how often it is run, as often as was published.
    """

    title: str
    agent: str | type[Agent]
    settings: Mapping[str, Any] = field(default_factory=dict)
    runs: int = 500


SEARCHES: Mapping[str, Search] = {
    "RS": Search("random search", "random_search"),
    "REA": Search("regularised evolution", "regularised_evolution", {"population": 10, "tournament": 3}),
    "REINFORCE": Search("REINFORCE", Reinforce, runs=150),
    "REINFORCE-0.02": Search("REINFORCE, larger steps", Reinforce, {"learning_rate": 0.02}, runs=150),
    "REINFORCE-0.1": Search("REINFORCE, large steps", Reinforce, {"learning_rate": 0.1}, runs=150),
    "LocalSearch": Search("local search", "hill_climbing", {"starts": 1, "batch": 1, "sideways": 0}),
}
"""By the name that the tables of published and measured means give them.

The publishers' scripts of REINFORCE leave its learning rate open and try 0.01, 0.02, 0.1, 0.2 and 0.5; which of them
gave the published means is not said, so three of them are run.
"""


@dataclass(frozen=True, eq=False)
class Found:
    """What the runs of a search found.

    Attributes:
        rows: (R, 6) the cell with the best validation accuracy of each run.
        evaluations: (R,) trainings that its seconds paid for.
    """

    rows: Rows
    evaluations: NDArray[np.int64]


def run_search(search: Search, *, images: str, budget_s: float, runs: int | None = None, data: str = "") -> Found:
    """Run a search from seeds 0, 1, ... on validation accuracy after 12 epochs.

    Args:
        search: of `SEARCHES`.
        images: the data set that is trained on.
        budget_s: simulated seconds of training a run.
        runs: how many; as many as were published where None.
        data: folder of imported tables; the user's where empty.
    """
    agent = agent_class(search.agent) if isinstance(search.agent, str) else search.agent
    config = agent.Config.from_options(search.settings)
    spec = ProblemSpec.create(ENV_ID, workload=images, options={"data": data})
    problem = spec.bind()
    best, evaluations = [], []
    for seed in range(search.runs if runs is None else runs):
        session = Session(spec, budget=Budget(budget_s, "cost"), problem=problem)
        agent.create(session.space, config, np.random.default_rng(seed), budget=_BUDGET_IN_CALLS).run(session)
        assert session.best is not None
        best.append(session.best.row)
        evaluations.append(session.calls)
    return Found(np.array(best, dtype=np.int64), np.array(evaluations))


def judged(rows: Rows, *, data: str = "") -> dict[str, NDArray[np.float64]]:
    """Test accuracy (R,) after 200 epochs of cells (R, 6), by data set: what nobody could search on."""
    found = {}
    for images in IMAGES:
        simulator = ProblemSpec.create(ENV_ID, workload=f"{images}-judge", options={"data": data}).bind().simulator
        found[images] = simulator.evaluate(rows).diagnostics[:, simulator.diagnostic_names.index("test_accuracy")]
    return found
