"""One task of a study: what the manifest says of it, and the problem as installed here, where it is."""

from __future__ import annotations

__all__ = ["TaskData", "task_of"]

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.problem import Problem, ProblemSpec
from archgym.report.fronts_of_runs import front_of_task, volume_of
from archgym.report.references import Reference, front_reference, reference_of
from archgym.tasks import Task, is_task, task
from archgym_simulators import ArchgymError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TaskData:
    """One task.

    Attributes:
        name: of the task, or of the environment with workload and objective.
        env_id: the environment.
        workload: what was searched on.
        objectives: one or several.
        constraints: bounds.
        role: "dev" or "test"; empty where the task is of no suite.
        budget: simulator calls of its shortest run.
        baseline_name: what the baseline is.
        baseline: its design.
        baseline_metrics: its metrics.
        reference_point: from which hypervolume is measured.
        problem: as installed here; None where it cannot be bound.
        missing: why it cannot, in words.
        reference: the scale of regret.
    """

    name: str
    env_id: str
    workload: str
    objectives: tuple[str, ...]
    constraints: tuple[str, ...]
    role: str
    budget: int
    baseline_name: str
    baseline: Mapping[str, Any]
    baseline_metrics: Mapping[str, float]
    reference_point: tuple[float, ...]
    problem: Problem | None
    missing: str
    reference: Reference

    @property
    def is_ratio(self) -> bool:
        """Whether rewards are logarithms of ratios to the baseline, as far as is known; else they are differences."""
        if self.problem is None:
            return True
        scales = {metric.name: metric.scale for metric in self.problem.simulator.metrics}
        return all(scales[term.metric] == "log" for one in self.problem.objectives for term in one.terms)

    @property
    def has_front(self) -> bool:
        """Whether there are several objectives."""
        return len(self.objectives) > 1


def task_of(name: str, runs: pd.DataFrame, improvements: pd.DataFrame, described: Mapping[str, Any]) -> TaskData:
    """Describe a task from its runs, its feasible improvements and what the study's manifest says of it."""
    row = runs.iloc[0]
    objectives, bounds = tuple(json.loads(row["objective"])), tuple(json.loads(row["constraints"]))
    suite_task = task(str(row["task"])) if row["task"] and is_task(str(row["task"])) else None
    spec, problem, missing = _bound(row, objectives, bounds, described)
    if problem is not None:
        objectives = tuple(one.name for one in problem.objectives)
    origin = tuple(described["reference_point"])
    baseline = described["baseline"]
    return TaskData(
        name=name,
        env_id=str(row["env_id"]),
        workload=str(row["workload"]),
        objectives=objectives,
        constraints=bounds,
        role=str(described["role"]),
        budget=int(runs["budget"].min()),
        baseline_name=str(baseline["name"]),
        baseline=baseline["design"],
        baseline_metrics=baseline["metrics"],
        reference_point=origin,
        problem=problem,
        missing=missing,
        reference=_reference(runs, improvements, spec, problem, suite_task, origin, len(objectives)),
    )


def _bound(
    row: pd.Series[Any],
    objectives: tuple[str, ...],
    bounds: tuple[str, ...],
    described: Mapping[str, Any],
) -> tuple[ProblemSpec | None, Problem | None, str]:
    try:
        spec = ProblemSpec.create(
            str(row["env_id"]),
            workload=str(row["workload"]),
            objective=objectives or None,
            constraints=bounds,
            options=described["options"],
        )
        return spec, spec.bind(), ""
    except (ArchgymError, OSError) as error:
        return None, None, " ".join(str(error).split())


def _reference(
    runs: pd.DataFrame,
    improvements: pd.DataFrame,
    spec: ProblemSpec | None,
    problem: Problem | None,
    suite_task: Task | None,
    origin: tuple[float, ...],
    objectives: int,
) -> Reference:
    if objectives > 1:
        union = volume_of(front_of_task(improvements), origin)
        # Hypervolumes from another point than the task's do not compare with those of its certified front.
        certified = suite_task if suite_task is not None and suite_task.reference_point == origin else None
        return front_reference(certified, runs["hypervolume"].to_numpy(dtype=np.float64), union)
    firsts = improvements.drop_duplicates("run_no")["reward"].to_numpy(dtype=np.float64)
    found = runs.loc[runs["feasible"], "best_reward"]
    best = float(found.max()) if len(found) else float("nan")
    return reference_of(spec, problem, best_found=best, first_rewards=firsts)
