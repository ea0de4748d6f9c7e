"""The tasks of the suite, as data."""

from __future__ import annotations

__all__ = ["TASKS"]

from archgym.tasks import Task

DRAM = "archgym/DRAM-v0"

TASKS = (
    Task(
        name="dram-mixed-time",
        description="Finish mixed reads and writes sooner, on the mean over two traces.",
        env_id=DRAM,
        workload="mixed:seed=201 + mixed:seed=202",
        judge_workload="mixed:seed=211 + mixed:seed=212",
        objectives=("total-time",),
    ),
)
