"""What fixes a run, checked before anything runs, and the steps of running it."""

from __future__ import annotations

__all__ = ["RunPlan", "limits_of", "run_agent", "whole_seed"]

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from archgym.budget import Budget, SessionOver
from archgym.problem import Problem, ProblemSpec
from archgym.registry import agent_class, source_digest
from archgym.run_directory import RunManifest
from archgym.tasks import Task
from archgym_simulators import InputError

if TYPE_CHECKING:
    from archgym.agent import Agent, Settings
    from archgym.session import Session


@dataclass(frozen=True)
class RunPlan:
    """Everything that a run's evaluations depend on, except the versions of what is installed.

    Attributes:
        spec: what is searched.
        task: the task that it is, None for a problem of one's own.
        limits: budget and proposals.
        agent: name, or ``path/agent.py``.
        agent_type: its class.
        config: all settings of the agent.
        seed: of the agent's random draws.
        record: ``"all"`` evaluations in tables, or only ``"improvements"``.
        agent_source: content hash of the agent's file where it is given by path.
    """

    spec: ProblemSpec
    task: Task | None
    limits: Budget
    agent: str
    agent_type: type[Agent]
    config: Settings
    seed: int
    record: str = "all"
    agent_source: str = ""

    @classmethod
    def create(
        cls,
        spec: ProblemSpec,
        task: Task | None,
        limits: Budget,
        *,
        agent: str,
        settings: Mapping[str, Any] | None = None,
        seed: int = 0,
        record: str = "all",
    ) -> Self:
        """Check everything that can be checked without binding the problem.

        Raises:
            InputError: no budget; an unknown agent, setting or way to record; a seed that is no whole number.
            MissingExtra: the agent's optional dependency is missing.
        """
        if record not in ("all", "improvements"):
            raise InputError(f"record must be all or improvements, not {record!r}")
        if limits.limit is None:
            raise InputError(f"a search of {spec.env_id} needs a budget: new designs that may be simulated")
        chosen = agent_class(agent)
        config = chosen.Config.from_options(settings or {})
        return cls(spec, task, limits, agent, chosen, config, whole_seed(seed), record, source_digest(agent))

    def with_seed(self, seed: int) -> Self:
        """The same run with another seed."""
        return replace(self, seed=seed)

    def manifest(self, problem: Problem) -> RunManifest:
        """Identity and environment of the run, ``problem`` being what the spec is bound to."""
        return RunManifest.create(
            problem,
            spec=self.spec.to_json(),
            agent={"name": self.agent, "config": self.config.to_json(), "source": self.agent_source},
            seed=self.seed,
            budget={
                "limit": self.limits.limit,
                "unit": self.limits.unit,
                "max_proposals": self.limits.max_proposals,
                "record": self.record,
            },
            task=None if self.task is None else {"name": self.task.name, "suite": self.task.suite},
        )

    def create_agent(self, session: Session) -> Agent:
        """The agent, seeded, for a session that has not begun.

        Raises:
            InputError: the agent refuses the problem.
            MissingExtra: its optional dependency is missing.
        """
        return self.agent_type.create(
            session.space,
            self.config,
            np.random.default_rng(self.seed),
            budget=session.remaining,
            n_objectives=len(session.problem().objectives),
        )


def limits_of(task: Task | None, budget: float | None, unit: str = "calls", max_proposals: int | None = None) -> Budget:
    """What a run may spend; where no budget is given, the task's own, whose unit the default gives way to."""
    if task is not None and budget is None and unit in ("calls", task.budget_unit):
        return Budget(task.budget, task.budget_unit, max_proposals)
    return Budget(budget, unit, max_proposals)


def whole_seed(seed: object) -> int:
    """A seed as a Python integer.

    Raises:
        InputError: no whole number of at least 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed must be a whole number of at least 0, not {seed!r}")
    return int(seed)


def run_agent(session: Session, agent: Agent) -> float:
    """Let the agent search until the session is over or it is finished; returns the seconds that it took."""
    started = time.perf_counter()
    with suppress(SessionOver):
        agent.run(session)
    if session.error is not None:
        raise session.error
    session.stop("agent")
    return time.perf_counter() - started
