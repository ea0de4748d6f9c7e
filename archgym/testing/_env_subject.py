"""The environment under check, every face of it, and the sentences that checks end with."""

from __future__ import annotations

__all__ = ["HORIZONS", "Subject", "finite", "judged", "without_leaks"]

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import gymnasium
import numpy as np

from archgym.problem import Problem, ProblemSpec
from archgym.registry import environment, several_objectives_id
from archgym.session import Session
from archgym_simulators import InputError

HORIZONS = (1, 5)
_LEAKS = ("regret", "optimum", "optimal")
_MOST_WORKLOADS = 2


@dataclass(frozen=True)
class Subject:
    """An environment by id, with the arguments it is checked with.

    Attributes:
        env_id: registered, or ``path/chip.py:Chip``.
        arguments: of ``gym.make``.
    """

    env_id: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def make(self, **more: Any) -> gymnasium.Env[Any, Any]:
        """One environment: through Gymnasium's registry where the id is in it."""
        return self._made(self.env_id, "DesignEnv", {**self.arguments, **more})

    def make_several(self, **more: Any) -> gymnasium.Env[Any, Any]:
        """The environment with a vector reward."""
        return self._made(several_objectives_id(self.env_id), "MultiObjectiveDesignEnv", self._several(more))

    def make_vector(self, num_envs: int, **more: Any) -> Any:
        """The native vector environment."""
        return self._made_vector(self.env_id, "DesignVectorEnv", num_envs, {**self.arguments, **more})

    def make_several_vector(self, num_envs: int, **more: Any) -> Any:
        """The native vector environment with rewards (n, K)."""
        several = several_objectives_id(self.env_id)
        return self._made_vector(several, "MultiObjectiveDesignVectorEnv", num_envs, self._several(more))

    @cached_property
    def problem(self) -> Problem:
        """The problem of the workload that is bound first."""
        return self.session.problem()

    @cached_property
    def session(self) -> Session:
        """A session of the subject, to read from."""
        session: Session = self.make().unwrapped.session  # type: ignore[attr-defined]
        return session

    @cached_property
    def workloads(self) -> tuple[str, ...]:
        """Two workloads with the same design space where there are two, the first one the subject's own."""
        session = self.session
        found = [session.spec.workload]
        if session.spec.workload != environment(self.env_id).default_workload:
            return tuple(found)
        for name in session.problem().simulator.workload_names():
            if len(found) < _MOST_WORKLOADS and name not in found and _binds(session, name):
                found.append(name)
        return tuple(found)

    @cached_property
    def other_space(self) -> str | None:
        """A built-in workload with another design space, if there is one."""
        session = self.session
        names = session.problem().simulator.workload_names()
        return next((name for name in names if _space_differs(session.spec, session, name)), None)

    def _several(self, more: Mapping[str, Any]) -> dict[str, Any]:
        arguments = {**self.arguments, **more}
        one = arguments.pop("objective", None)
        return arguments if one is None else {**arguments, "objective": [one]}

    def _made(self, env_id: str, name: str, arguments: dict[str, Any]) -> gymnasium.Env[Any, Any]:
        if self._is_registered:
            return gymnasium.make(env_id, **arguments)
        env: gymnasium.Env[Any, Any] = _face(name)(self.env_id, **arguments)
        return env

    def _made_vector(self, env_id: str, name: str, num_envs: int, arguments: dict[str, Any]) -> Any:
        if self._is_registered:
            return gymnasium.make_vec(env_id, num_envs=num_envs, **arguments)
        return _face(name)(self.env_id, num_envs=num_envs, **arguments)

    @property
    def _is_registered(self) -> bool:
        return self.env_id in gymnasium.registry


def _face(name: str) -> Any:
    from archgym.envs import design_env, design_vector_env, multi_objective

    return next(getattr(m, name) for m in (multi_objective, design_vector_env, design_env) if hasattr(m, name))


def _binds(session: Session, workload: str) -> bool:
    try:
        session.problem(workload)
    except InputError:
        return False
    return True


def _space_differs(spec: ProblemSpec, session: Session, workload: str) -> bool:
    if _binds(session, workload):
        return False
    try:
        return spec.bind(workload).space != session.space
    except InputError:  # a workload that needs a file, say
        return False


@contextmanager
def judged(what: str) -> Iterator[None]:
    """Warnings and errors of a check as one sentence of an AssertionError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # Gymnasium's checker prefers bare environments; a view is none.
            warnings.filterwarnings("ignore", message=".*is different from the unwrapped version.*")
            yield
    except AssertionError as error:
        raise AssertionError(_sentence(what, error)) from error
    except Exception as error:
        raise AssertionError(_sentence(f"{what}: {type(error).__name__}", error)) from error


def _sentence(what: str, error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"{what}: {lines[0].strip()}"


def finite(value: Any, where: str) -> None:
    """Raise an AssertionError for a NaN or infinity anywhere in nested data."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            finite(inner, f"{where}[{key!r}]")
    elif isinstance(value, np.ndarray) and value.dtype == object:
        for inner in value.tolist():
            finite(inner, where)
    elif isinstance(value, float | np.ndarray | np.floating) and np.asarray(value).dtype.kind == "f":
        assert np.isfinite(value).all(), f"{where} must be finite, but holds {value}"


def without_leaks(info: Mapping[str, Any], where: str) -> None:
    """Raise an AssertionError where nested data tell of the optimum."""
    for key, inner in info.items():
        leak = next((word for word in _LEAKS if word in str(key).lower()), None)
        assert leak is None, f"{where} must not tell of the optimum, but has the key {key!r}"
        if isinstance(inner, Mapping):
            without_leaks(inner, where)
