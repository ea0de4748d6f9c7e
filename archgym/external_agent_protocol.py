"""What archgym and an external agent say to each other, one JSON object a line; ``docs/external-agents.md``."""

from __future__ import annotations

__all__ = ["PROTOCOL", "Refused", "end_message", "evaluations_message", "proposed_rows", "start_message"]

from importlib.metadata import version
from math import isfinite
from typing import Any

import numpy as np

from archgym.objectives import Objective
from archgym.problem import Problem, ScoredEvaluation
from archgym.registry import environments
from archgym.session import Session
from archgym_simulators import DesignSpace, Metric
from archgym_simulators.space import Rows

PROTOCOL = 1
_BETTER = {"min": "lower", "max": "higher"}
_LONGEST_TEXT = 1000  # of a value: nearest matches of a megabyte take minutes
_LONGEST_COMPLAINT = 500


class Refused(Exception):
    """An answer is JSON, but not designs of this space; the program is told, and may answer again."""


def start_message(session: Session, seed: int) -> dict[str, Any]:
    """The first message: what is searched and what may be spent. Nothing in it tells where the optimum is."""
    problem, space = session.problem(), session.space
    simulator, limits = problem.simulator, session.budget
    known = environments().get(session.spec.env_id)  # a file's class has no description
    features = zip(simulator.workload.feature_names, map(float, simulator.workload.features), strict=True)
    return {
        "type": "start",
        "protocol": PROTOCOL,
        "archgym": version("archgym"),
        "environment": {
            "id": session.spec.env_id,
            "description": known.description if known is not None else "",
            "workload": simulator.workload.name,
            "features": dict(features),
        },
        "parameters": [{**one.to_json(), "size": one.size} for one in space.parameters],
        "rules": [{"name": one.name, "message": one.reason.template} for one in space.constraints],
        "inert": space.to_json()["inert"],
        "metrics": [_metric(metric) for metric in simulator.metrics],
        "objectives": [_objective(one) for one in problem.objectives],
        "bounds": list(problem.bound_names),
        "baseline": {
            "design": problem.baseline_design,
            "metrics": dict(zip(problem.metric_names, problem.baseline_values.tolist(), strict=True)),
        },
        "budget": {"limit": limits.limit, "unit": limits.unit, "remaining": session.remaining},
        "seed": seed,
    }


def evaluations_message(problem: Problem, scored: ScoredEvaluation, remaining: int) -> dict[str, Any]:
    """What the designs of the last answer are worth, in their order."""
    return {
        "type": "evaluations",
        "evaluations": [_evaluation(problem, scored, i) for i in range(len(scored))],
        "remaining": remaining,
    }


def end_message(session: Session) -> dict[str, Any]:
    """The last message: why there are no more evaluations, and the best design that was found."""
    best = session.best
    shown = None
    if best is not None:
        shown = {"design": session.best_design(), "feasible": best.feasible, "reward": best.reward}
    return {"type": "end", "reason": session.stop_reason or "agent", "best": shown}


def proposed_rows(answer: dict[str, Any], space: DesignSpace) -> Rows:
    """Index rows (N, D) of the designs of an answer; 0 rows where the program has finished.

    Raises:
        Refused: no list of designs, or a design that is not of the space.
    """
    designs = answer.get("designs")
    if not isinstance(designs, list):
        raise Refused('an answer must have "designs", a list of objects with a value for each parameter')
    rows = [_row(space, design, number) for number, design in enumerate(designs, start=1)]
    return np.array(rows, dtype=np.int64).reshape(len(rows), space.width)


def _row(space: DesignSpace, design: object, number: int) -> Rows:
    if not isinstance(design, dict):
        raise Refused(f"design {number} must be an object with a value for each parameter, not {_short(repr(design))}")
    for text in (*design, *design.values()):
        if isinstance(text, str | list | dict) and len(text) > _LONGEST_TEXT:
            raise Refused(f"design {number} has a value of more than {_LONGEST_TEXT} characters")
    try:
        return space.encode_row(design)
    except (ValueError, TypeError, OverflowError) as error:
        raise Refused(f"design {number}: {_short(str(error))}") from None


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_COMPLAINT else f"{text[:_LONGEST_COMPLAINT]}..."


def _metric(metric: Metric) -> dict[str, Any]:
    return {"name": metric.name, "description": metric.description, "better": _BETTER[metric.direction]}


def _objective(objective: Objective) -> dict[str, Any]:
    terms = [{"metric": t.metric, "better": _BETTER[t.direction], "weight": t.weight} for t in objective.terms]
    return {"name": objective.name, "terms": terms, "targets": [str(bound) for bound in objective.targets]}


def _evaluation(problem: Problem, scored: ScoredEvaluation, i: int) -> dict[str, Any]:
    values = scored.values[i].tolist()
    rewards = scored.rewards[i].tolist()
    return {
        "status": scored.status_name(i),
        "reason": scored.reason(i),
        "feasible": bool(scored.feasible[i]),
        "missed": float(scored.missed[i]),
        "reward": float(scored.reward[i]),
        **({"rewards": rewards} if len(rewards) > 1 else {}),
        "metrics": {name: x for name, x in zip(problem.metric_names, values, strict=True) if isfinite(x)},
    }
