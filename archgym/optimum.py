"""Certified optima: what the best design of an enumerated space is worth.

They are for results and reports. Agents never see them: no observation, info or message of a session carries one.
"""

from __future__ import annotations

__all__ = ["Optimum", "certified_optimum", "find_optimum"]

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.certificates import (
    Certificate,
    command_for,
    enumerate_problem,
    identity_of,
    key_of,
    peak_mib,
    stored_certificates,
)
from archgym.problem import ProblemSpec
from archgym_simulators import Design, InputError
from archgym_simulators.space import Rows
from archgym_simulators.table.optimum import exact_optimum


@dataclass(frozen=True, kw_only=True)
class Optimum(Certificate):
    """The best feasible design of a problem with one objective.

    Attributes:
        reward: of the optimum, against the baseline.
        median_reward: of all feasible canonical designs; regret is 1 there.
        metrics: of one optimal design.
        design: one optimal design.
        ties: canonical designs with exactly the optimum's reward, that one included.
    """

    reward: float
    median_reward: float
    metrics: Mapping[str, float]
    design: Design
    ties: int


def certified_optimum(spec: ProblemSpec) -> Optimum | None:
    """The stored optimum of a problem with one objective; None where none is stored for this very version."""
    problem = spec.bind()
    return _stored().get(key_of(identity_of(spec, problem))) if len(problem.objectives) == 1 else None


def find_optimum(spec: ProblemSpec, **how: Any) -> Optimum:
    """Enumerate a problem's space and find its optimum.

    The enumeration stays in the user's cache, where ``simulator="table"`` answers from it.

    Args:
        spec: a problem with one objective.
        **how: as for `archgym.certificates.enumerate_problem`.

    Raises:
        InputError: a space that cannot be enumerated, several objectives, or no feasible design.
    """
    if len(spec.parse()[0]) != 1:
        raise InputError(
            f"an optimum belongs to one objective, not to {len(spec.objectives)}; several have a Pareto front, "
            "measured for the tasks that name a reference point"
        )
    every = enumerate_problem(spec, **how)
    problem, feasible = every.problem, []

    def score(rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        scored = problem.evaluate(rows)
        feasible.append(scored.reward[scored.feasible])
        return scored.reward, scored.feasible

    best = exact_optimum(every.chunks(), score)
    if not best.feasible:
        raise InputError(f"no design of {spec.env_id} meets {', '.join(spec.constraints) or 'its rules'}")
    row = best.rows[0]
    metrics = problem.evaluate(row[None]).values[0].tolist()
    return Optimum(
        **identity_of(spec, problem),
        designs=best.designs,
        feasible=best.feasible,
        method=every.method,
        command=command_for(spec, problem),
        seconds=every.seconds,
        peak_mib=peak_mib(),
        reward=best.reward,
        median_reward=float(np.median(np.concatenate(feasible))),
        metrics=dict(zip(problem.simulator.metric_names(), metrics, strict=True)),
        design=problem.space.decode_row(row),
        ties=len(best.rows),
    )


@cache
def _stored() -> dict[str, Optimum]:
    found = [Optimum(**_with_tuples(fields)) for fields in stored_certificates()["optima"]]
    return {one.key: one for one in found}


def _with_tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {**fields, "objectives": tuple(fields["objectives"]), "constraints": tuple(fields["constraints"])}
