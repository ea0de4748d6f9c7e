"""What every face of a session needs to be built: the session, its workloads, and checked arguments."""

from __future__ import annotations

__all__ = ["check_horizon", "check_render_mode", "session_and_source"]

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from archgym.envs.workload_source import WorkloadSource
from archgym.problem import ProblemSpec
from archgym.registry import several_objectives_id
from archgym.session import Session
from archgym_simulators import InputError

RENDER_MODES = ("ansi",)


class UnsupportedRenderMode(InputError, TypeError):
    """A render mode that is not offered.

    A TypeError as well: Stable-Baselines3's `make_vec_env` asks for "rgb_array" and takes only a TypeError for a no.
    """


def session_and_source(
    env_id: str | None,
    *,
    workload: str | Sequence[str] | None,
    objective: str | Sequence[str] | None,
    constraints: str | Sequence[str],
    session: Session | None,
    options: Mapping[str, Any],
    several: bool = False,
) -> tuple[Session, WorkloadSource]:
    """The session of a face, its own or a shared one, and where its workloads come from.

    Args:
        env_id: of the family; not needed with a session.
        workload: as `DesignEnv` takes it.
        objective: one, or with ``several`` a list; the family's default where None.
        constraints: bounds on metrics.
        session: to be shared; brings its own objective, constraints and options.
        options: of the simulator.
        several: whether the face pays a vector of rewards.

    Raises:
        InputError: for anything unknown or contradictory.
    """
    if session is not None:
        if objective is not None or constraints or options:
            raise InputError(
                "a shared session brings its own objective, constraints and options; give only workload and horizon"
            )
        return session, WorkloadSource(session.spec.env_id, workload or session.spec.workload)
    if env_id is None:
        raise InputError("an environment needs an env_id such as 'archgym/DRAM-v0', or a session")
    objectives = _checked_objective(env_id, objective, several)
    source = WorkloadSource(env_id, workload)
    bounds = constraints if isinstance(constraints, str) else tuple(constraints)
    first = source.draw(0, 0)
    spec = ProblemSpec.create(env_id, workload=first, objective=objectives, constraints=bounds, options=options)
    if several and objective is None:
        spec = replace(spec, objectives=_pareto_objectives(spec))
    return Session(spec), source


def check_horizon(horizon: object) -> None:
    """Raise where a horizon is no positive whole number."""
    if isinstance(horizon, bool) or not isinstance(horizon, int | np.integer) or horizon < 1:
        raise InputError(f"horizon must be a whole number of at least 1, not {horizon!r}")


def check_render_mode(render_mode: str | None) -> None:
    """Raise for a render mode that is not offered."""
    if render_mode not in (None, *RENDER_MODES):
        raise UnsupportedRenderMode(f"render_mode must be None or 'ansi', not {render_mode!r}")


def _checked_objective(
    env_id: str, objective: str | Sequence[str] | None, several: bool
) -> str | tuple[str, ...] | None:
    if objective is None:
        return None
    several_id = several_objectives_id(env_id)
    if isinstance(objective, str):
        if several:
            raise InputError(f"{several_id} takes a list of objectives, not {objective!r}; for one use {env_id}")
        return objective
    if not several:
        raise InputError(f"{env_id} takes one objective, not {list(objective)}; for several use {several_id}")
    if not objective:
        raise InputError(f"{several_id} needs at least one objective, not an empty list")
    return tuple(objective)


def _pareto_objectives(spec: ProblemSpec) -> tuple[str, ...]:
    """What the family declares, else its first two objectives that need no bound, else its first two metrics."""
    declared = spec.bind().simulator if spec.options else spec.declaration()  # options may take metrics away
    if declared.pareto_objectives:
        return declared.pareto_objectives
    alone = tuple(named.name for named in declared.objectives if not named.requires)
    return alone[:2] if len(alone) > 1 else tuple(metric.name for metric in declared.metrics)[:2]
