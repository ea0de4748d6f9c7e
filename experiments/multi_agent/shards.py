"""The runs, cut into studies: one directory a stage, budget and arm; each can be redone alone, and be gone on with."""

from __future__ import annotations

__all__ = [
    "BUDGETS",
    "DEV_SEEDS",
    "DEV_TASKS",
    "SEEDS",
    "STAGES",
    "TASKS",
    "TASK_GROUPS",
    "TUNING_BUDGET",
    "folder_of",
    "run_shard",
    "shard",
]

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from archgym.studies.engine import StudySummary, run_study
from archgym.studies.study_file import parse_study
from experiments.multi_agent.arms import Arm, step_sizes

TASK_GROUPS: Mapping[str, tuple[str, ...]] = {
    "dram": ("dram-mixed-time", "dram-zipf-time", "dram-mixed-p99"),
    "coupled": ("mapping-small-edp",),
}
TASKS = tuple(task for tasks in TASK_GROUPS.values() for task in tasks)
DEV_TASKS = ("dram-dev-time", "dram-dev-p99", "mapping-dev-conv-edp")
BUDGETS = (300, 2000)
TUNING_BUDGET = 300
SEEDS, DEV_SEEDS = tuple(range(10)), tuple(range(100, 104))
STAGES = ("defaults", "sensitivity", "tuned")
"""Every arm at its defaults, at three step sizes on tasks for tuning, and at the best of these where it is another."""


def folder_of(out: Path, stage: str, budget: int, arm: Arm) -> Path:
    """Where the study of a stage, budget and arm is."""
    return out / stage / str(budget) / arm.name


def shard(arm: Arm, stage: str, *, seeds: Sequence[int], budget: int, size: float | None) -> dict[str, Any]:
    """The study of one arm in one stage, as its file would say.

    Args:
        arm: what is run.
        stage: one of `STAGES`.
        seeds: of each task and setting: the same for every arm, so that runs are paired.
        budget: calls of each run.
        size: the step size of the stage "tuned".
    """
    is_for_tuning = stage == "sensitivity"
    sizes = step_sizes(arm) if is_for_tuning else [size]
    settings = [dict(arm.settings) if one is None else {**arm.settings, arm.step_size: one} for one in sizes]
    return {
        "name": f"multi-agent, {stage}, {arm.name}",
        "tasks": list(DEV_TASKS if is_for_tuning else TASKS),
        "agents": [{"name": arm.agent, "settings": one} for one in settings],
        "seeds": list(seeds),
        "budget": budget,
    }


def run_shard(
    arm: Arm,
    stage: str,
    out: Path,
    *,
    seeds: Sequence[int],
    budget: int,
    size: float | None = None,
) -> StudySummary:
    """Run a shard below ``out``, or go on with it: more seeds are added, and what failed is run again."""
    content = shard(arm, stage, seeds=seeds, budget=budget, size=size)
    return run_study(parse_study(content), folder_of(out, stage, budget, arm), extend=True, retry_failed=True)
