"""The conformance suite of environments: `check_env`."""

from __future__ import annotations

__all__ = ["ENVIRONMENT_CHECKS", "check_env"]

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium

from archgym.envs.design_env import DesignEnv
from archgym.registry import environment
from archgym.testing import _env_single, _env_vector, _env_views
from archgym.testing._env_subject import HORIZONS, Subject, judged
from archgym_simulators import InputError
from archgym_simulators.nearest import did_you_mean


def _at_each_horizon(check: Callable[[Subject, int], None]) -> Callable[[Subject], None]:
    def run(subject: Subject) -> None:
        for horizon in HORIZONS:
            check(subject, horizon)

    return run


def _check_single(subject: Subject, horizon: int) -> None:
    env = subject.make(horizon=horizon, render_mode="ansi")
    _env_single.check_instance(env)
    _env_single.check_round_trip(env)


def _check_vector_of_several(subject: Subject, horizon: int) -> None:
    _env_views.check_several_objectives(subject, horizon)
    _env_vector.check_parity(subject, horizon, several=True)


ENVIRONMENT_CHECKS: dict[str, Callable[[Subject], None]] = {
    "single": _at_each_horizon(_check_single),
    "seeding": _at_each_horizon(_env_single.check_seeding),
    "contexts": _env_single.check_contexts,
    "splits": _env_single.check_splits,
    "vector": _at_each_horizon(_env_vector.check_parity),
    "sync": _at_each_horizon(_env_vector.check_sync_parity),
    "reset-mask": _env_vector.check_reset_mask,
    "budget": _env_vector.check_budget,
    "views": _at_each_horizon(lambda subject, horizon: _env_views.check_views(lambda: subject.make(horizon=horizon))),
    "parallel": _at_each_horizon(_env_views.check_parallel),
    "objectives": _at_each_horizon(_check_vector_of_several),
}
"""What `check_env` checks of an id, by name."""


def check_env(
    env_or_id: str | gymnasium.Env[Any, Any], *, checks: Sequence[str] | None = None, **arguments: Any
) -> None:
    """Check that an environment keeps archgym's contract, at horizons 1 and 5, through every face.

    For an id: the single environment (Gymnasium's ``check_env`` with warnings as errors, spaces, observations in
    [-1, 1], the info schema, no word of the optimum), seeding, workloads at reset, the native vector environment
    against single ones and against ``SyncVectorEnv``, ``reset_mask``, budgets, the views, the multi-agent environment
    (where PettingZoo is installed) and the vector reward. For an environment object: that object and the views of it.

    Args:
        env_or_id: an id of ``archgym list``, ``path/chip.py:Chip``, or an environment.
        checks: names of `ENVIRONMENT_CHECKS`; all of them where None.
        **arguments: of ``gym.make``, for an id.

    Raises:
        AssertionError: with one sentence that says what is wrong.
        InputError: an unknown id or check.

    >>> check_env("archgym/DRAM-v0", checks=["seeding"])  # doctest: +SKIP
    """
    if not isinstance(env_or_id, str):
        _check_object(env_or_id)
        return
    subject = Subject(env_or_id if env_or_id in gymnasium.registry else environment(env_or_id).id, arguments)
    for name in ENVIRONMENT_CHECKS if checks is None else checks:
        if name not in ENVIRONMENT_CHECKS:
            hint = did_you_mean(name, ENVIRONMENT_CHECKS)
            raise InputError(f"unknown check {name!r}{hint}; allowed: {', '.join(ENVIRONMENT_CHECKS)}")
        with judged(f"{subject.env_id} fails {name!r}"):
            ENVIRONMENT_CHECKS[name](subject)


def _check_object(env: gymnasium.Env[Any, Any]) -> None:
    base = env.unwrapped
    if not isinstance(base, DesignEnv):
        raise InputError(f"check_env takes an id or an archgym environment, not {type(base).__name__}")
    with judged(f"{env} fails"):
        _env_single.check_instance(env)
        horizon = base.horizon
        _env_views.check_views(lambda: env)
        base.set_horizon(horizon)
