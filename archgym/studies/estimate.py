"""What a study would take, without running it."""

from __future__ import annotations

__all__ = ["StudyEstimate", "estimate"]

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archgym.run_directory import MANIFEST
from archgym.studies.definition import StudyTask
from archgym.studies.plan import StudyPlan
from archgym.studies.store import JOURNAL, StudyStore, recorded_runs
from archgym.studies.study_file import read_study

_DESIGNS, _SECONDS = 16, 0.2


@dataclass(frozen=True)
class TaskEstimate:
    """One task: how many runs, of which budget, and how long their simulations take on one core."""

    label: str
    budget: float
    runs: int
    seconds: float


@dataclass(frozen=True)
class AgentEstimate:
    """One agent: with how many settings."""

    agent: str
    settings: int


@dataclass(frozen=True)
class StudyEstimate:
    """What a study would take.

    Attributes:
        tasks: one a task.
        agents: one an agent.
        runs: in all.
        recorded: that have ended.
        evaluations: designs that may be simulated in all; cost units where budgets are in those.
        seconds: of one core for the simulations that are left.
    """

    tasks: tuple[TaskEstimate, ...]
    agents: tuple[AgentEstimate, ...]
    runs: int
    recorded: int
    evaluations: float
    seconds: float


def estimate(
    file: Path, out: Path, *, extend: bool = False, progress: Callable[[str], None] | None = None
) -> StudyEstimate:
    """Check a study as running it would, and time a few random designs of each task.

    Args:
        file: the study's file.
        out: the directory that it would go to; nothing in it is changed.
        extend: as for `archgym.studies.engine.run_study`.
        progress: told which task is being bound.

    Raises:
        InputError: whatever running the study would refuse.
    """
    plan = StudyPlan.create(read_study(file), progress=progress)
    StudyStore(out, plan, extend=extend)
    definition = plan.definition
    each = len(definition.settings) * definition.seeds.count
    recorded = _recorded_by_task(out)
    tasks = []
    for task in definition.tasks:
        seconds = _seconds_an_evaluation(task) * float(task.limits.limit or 0)
        tasks.append(TaskEstimate(task.label, float(task.limits.limit or 0), each, seconds * each))
    done = [min(recorded[place], each) for place in range(len(tasks))]
    return StudyEstimate(
        tasks=tuple(tasks),
        agents=tuple(AgentEstimate(*pair) for pair in Counter(one.agent for one in definition.settings).items()),
        runs=definition.size,
        recorded=sum(done),
        evaluations=sum(task.budget * each for task in tasks),
        seconds=sum(task.seconds * (1 - ended / each) for task, ended in zip(tasks, done, strict=True)),
    )


def _recorded_by_task(out: Path) -> Counter[int]:
    if not (out / JOURNAL).is_file() or not (out / MANIFEST).is_file():
        return Counter()
    return Counter(int(record.run["problem"]) for record in recorded_runs(out))


def _seconds_an_evaluation(task: StudyTask) -> float:
    problem, rng = task.spec.bind(), np.random.default_rng(0)
    rows = problem.space.canonical(problem.space.sample(_DESIGNS, rng))
    problem.evaluate(rows[:1])  # compiles
    started, done = time.perf_counter(), 0
    while done == 0 or time.perf_counter() - started < _SECONDS:
        problem.evaluate(rows)
        done += len(rows)
    return (time.perf_counter() - started) / done
