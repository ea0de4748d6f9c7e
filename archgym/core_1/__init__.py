"""The tasks of the suite core-1, as data: one module a family, ``TASKS`` in each."""

from __future__ import annotations

__all__ = ["TASKS"]

from archgym.core_1 import accelerator, attention, dram, maestro, mapping, soc, systolic, tpe
from archgym.tasks import Task

FAMILIES = (dram, attention, soc, mapping, maestro, accelerator, systolic, tpe)

TASKS: tuple[Task, ...] = tuple(task for family in FAMILIES for task in family.TASKS)
