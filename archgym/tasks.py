"""The versioned task suite: what search agents are compared on.

A task fixes everything but the agent: environment, workloads, objective, constraints, options and budget. Bounds in
constraints are frozen numbers derived once from enumerated optima; they are public, a task's own optimum is hidden from
agents. Tasks of role "dev" are for tuning, of role "test" for judging; they share no workload seed. ``judge_workload``
has seeds that no search sees: the design found is judged there.
"""

from __future__ import annotations

__all__ = ["SUITE", "Task", "is_task", "problem_of", "task", "task_names", "tasks"]

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from archgym.options import STAND_IN
from archgym.problem import ProblemSpec
from archgym.registry import environments
from archgym_simulators import InputError
from archgym_simulators.nearest import did_you_mean

SUITE = "core-1"


@dataclass(frozen=True)
class Task:
    """One problem of the suite.

    Attributes:
        name: ``"dram-mixed-time"``; unique and never reused.
        description: one sentence.
        env_id: the environment.
        workload: what agents search on; ``"A + B"`` is the mean over two.
        judge_workload: unseen workloads of the same kind on which the found design is judged.
        objectives: one, or several for a hypervolume task.
        constraints: bounds such as ``"total_time_ns<=80000"``.
        options: of the simulator.
        budget: simulator calls, or cost units.
        budget_unit: ``"calls"`` or ``"cost"``.
        role: ``"dev"`` or ``"test"``.
        standing: ``"headline"``, or ``"smoke test"`` where the audit found that random search solves it.
        reference_point: for several objectives, the rewards from which hypervolume is measured.
        judge_constraints: the bounds on the unseen workloads, at the same distance from what is best there.
        suite: the suite's name and version.
    """

    name: str
    description: str
    env_id: str
    workload: str
    judge_workload: str
    objectives: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    budget: int = 300
    budget_unit: str = "calls"
    role: str = "test"
    standing: str = "headline"
    reference_point: tuple[float, ...] = ()
    judge_constraints: tuple[str, ...] = ()
    suite: str = SUITE

    def spec(self, *, judge: bool = False) -> ProblemSpec:
        """The problem that agents search, or the one that their designs are judged on."""
        return ProblemSpec.create(
            self.env_id,
            workload=self.judge_workload if judge else self.workload,
            objective=self.objectives,
            constraints=self.judge_constraints if judge else self.constraints,
            options=self.options,
        )


@cache
def tasks() -> dict[str, Task]:
    """Every task by name."""
    from archgym.core_1 import TASKS

    return {one.name: one for one in TASKS}


def task_names() -> dict[str, str]:
    """Names and descriptions."""
    return {name: one.description for name, one in tasks().items()}


def is_task(name: str) -> bool:
    """Whether a name is a task's."""
    return "/" not in name and name in tasks()


def task(name: str) -> Task:
    """The task of that name.

    Raises:
        InputError: for an unknown name, with the nearest match.
    """
    known = tasks()
    if name not in known:
        raise InputError(f"unknown task {name!r}{did_you_mean(name, known)}; allowed: {', '.join(known)}")
    return known[name]


def problem_of(
    name: str,
    *,
    workload: str | None = None,
    objective: str | list[str] | tuple[str, ...] | None = None,
    constraints: str | list[str] | tuple[str, ...] = (),
    options: Mapping[str, Any] | None = None,
) -> tuple[ProblemSpec, Task | None]:
    """The problem that an environment or a task stands for, and the task if it is one.

    ``simulator="table"`` is the one option that a task takes: it changes the speed of answers, not the answers.

    Raises:
        InputError: anything unknown, or something that the task fixes.
    """
    if not is_task(name):
        _refuse_near_task(name)
        given = {"workload": workload, "objective": objective, "constraints": constraints, "options": options}
        return ProblemSpec.create(name, **given), None  # type: ignore[arg-type]
    chosen = task(name)
    changed = {key: value for key, value in (options or {}).items() if key != STAND_IN}
    fixed = {"workload": workload, "objective": objective, "constraints": constraints, "option": changed}
    for what, value in fixed.items():
        if value:
            raise InputError(
                f"task {name!r} fixes its {what}, found {value!r}; to choose, name the environment: {chosen.env_id}"
            )
    spec = chosen.spec()
    return replace(spec, options={**spec.options, **(options or {})}), chosen


def _refuse_near_task(name: str) -> None:
    if "/" in name or ".py" in name or name in environments():
        return
    # A family's bare name is nearer to many a task than to its id.
    family = [one for one in environments() if one.lower() == f"archgym/{name}-v0".lower()]
    hint = f"; did you mean {family[0]!r}?" if family else did_you_mean(name, [*tasks(), *environments()])
    raise InputError(f"unknown environment or task {name!r}{hint}; see 'archgym list envs' and 'archgym list tasks'")
