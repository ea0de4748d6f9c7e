"""The runs of the check, cut into studies: one directory a group of tasks and agent; each can be redone alone."""

from __future__ import annotations

__all__ = ["BUDGET", "SLOW_BUDGET", "groups", "run_shard", "shard"]

from pathlib import Path
from typing import Any

import numpy as np

from archgym.registry import agent_class
from archgym.studies.engine import StudySummary, run_study
from archgym.studies.study_file import parse_study
from archgym.tasks import Task, tasks
from archgym_simulators import InputError

BUDGET, SLOW_BUDGET = 300, 150
"""Calls a run; of agents that are slow (`archgym.Agent.SLOW`), such as Gaussian processes and SMAC."""

FRONTS = "fronts"


def groups() -> dict[str, list[Task]]:
    """Every task of the suite that its audit left standing, by family; those with several objectives are "fronts"."""
    found: dict[str, list[Task]] = {}
    for one in tasks().values():
        if one.standing != "headline":
            continue
        found.setdefault(_family(one) if len(one.objectives) == 1 else FRONTS, []).append(one)
    return found


def _family(one: Task) -> str:
    """The environment; the extended DRAM space apart, whose simulations take eight times as long."""
    name = one.env_id.removeprefix("archgym/").partition("-")[0].lower()
    return f"{name}-extended" if one.name.startswith(f"{name}-extended") else name


def shard(group: str, agent: str, *, seeds: int) -> dict[str, Any] | None:
    """The study of one agent on the tasks of a group that it takes, as its file would say; None where it takes none.

    Raises:
        MissingExtra: the agent's optional dependency is missing.
    """
    taken = [one.name for one in groups()[group] if _takes(agent, one)]
    if not taken:
        return None
    budget = SLOW_BUDGET if agent_class(agent).SLOW else BUDGET
    return {"name": f"agent check, {group}", "tasks": taken, "agents": [agent], "seeds": seeds, "budget": budget}


def run_shard(group: str, agent: str, *, seeds: int, out: Path) -> StudySummary | None:
    """Run a shard below ``out``, or go on with it: more seeds are added, and what failed is run again."""
    content = shard(group, agent, seeds=seeds)
    if content is None:
        return None
    return run_study(parse_study(content), out / group / agent, extend=True, retry_failed=True)


def _takes(agent: str, one: Task) -> bool:
    """Whether an agent can be built for a task: some need a fidelity, and most take one objective."""
    built = agent_class(agent)
    try:
        built.create(
            one.spec().bind().space,
            built.Config(),
            np.random.default_rng(0),
            budget=BUDGET,
            n_objectives=len(one.objectives),
        )
    except InputError:
        return False
    return True
