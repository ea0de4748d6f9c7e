"""Certified Pareto fronts: what all designs of an enumerated space are worth together, for several objectives.

As optima they are for results and reports, and hidden from agents.
"""

from __future__ import annotations

__all__ = ["Front", "certified_front", "find_front"]

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from archgym.certificates import (
    Certificate,
    enumerate_problem,
    identity_of,
    key_of,
    peak_mib,
    stored_certificates,
)
from archgym.pareto import hypervolume, non_dominated
from archgym.tasks import Task
from archgym_simulators import InputError


@dataclass(frozen=True, kw_only=True)
class Front(Certificate):
    """The Pareto front of a task with several objectives.

    Attributes:
        reference_point: from which hypervolume is measured, as rewards (K,).
        hypervolume: of the front above the reference point.
        size: distinct reward vectors on the front.
        ties: canonical designs on the front.
        best: largest reward of each objective (K,), all on the front.
        worst: smallest reward of each objective on the front (K,).
    """

    reference_point: tuple[float, ...]
    hypervolume: float
    size: int
    ties: int
    best: tuple[float, ...]
    worst: tuple[float, ...]


def certified_front(task: Task) -> Front | None:
    """The stored front of a task with several objectives; None where none is stored for this very version."""
    spec = task.spec()
    found = _stored().get(key_of(identity_of(spec, spec.bind())))
    return found if found is not None and found.reference_point == task.reference_point else None


def find_front(task: Task, **how: Any) -> Front:
    """Enumerate a task's space and find its Pareto front.

    Args:
        task: with several objectives and a reference point.
        **how: as for `archgym.certificates.enumerate_problem`.

    Raises:
        InputError: a space that cannot be enumerated, one objective, or no feasible design.
    """
    if len(task.objectives) < 2:
        raise InputError(f"task {task.name!r} has one objective, so it has an optimum, not a front")
    spec = task.spec()
    every = enumerate_problem(spec, **how)
    designs, feasible, front = 0, 0, np.zeros((0, len(task.objectives)))
    for rows in every.chunks():
        scored = every.problem.evaluate(rows)
        designs, feasible = designs + len(rows), feasible + int(scored.feasible.sum())
        candidates = np.concatenate([front, scored.rewards[scored.feasible]])
        front = candidates[non_dominated(candidates)]
    if not feasible:
        raise InputError(f"no design of task {task.name!r} meets {', '.join(task.constraints) or 'its rules'}")
    return Front(
        **identity_of(spec, every.problem),
        designs=designs,
        feasible=feasible,
        method=every.method,
        command=shlex.join(["archgym", "optimum", task.name, "--recompute"]),
        seconds=every.seconds,
        peak_mib=peak_mib(),
        reference_point=task.reference_point,
        hypervolume=hypervolume(front, task.reference_point),
        size=len(np.unique(front, axis=0)),
        ties=len(front),
        best=tuple(front.max(axis=0).tolist()),
        worst=tuple(front.min(axis=0).tolist()),
    )


@cache
def _stored() -> dict[str, Front]:
    return {one.key: one for one in map(_from_json, stored_certificates()["fronts"])}


def _from_json(fields: Mapping[str, Any]) -> Front:
    lists = ("objectives", "constraints", "reference_point", "best", "worst")
    return Front(**{**fields, **{name: tuple(fields[name]) for name in lists}})
