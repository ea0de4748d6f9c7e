"""Checks of one environment, on its own."""

from __future__ import annotations

__all__ = ["check_contexts", "check_instance", "check_round_trip", "check_seeding", "check_splits", "walk"]

import json
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env as gymnasium_check_env

from archgym.envs.design_env import DesignEnv
from archgym.envs.workload_source import SPLITS
from archgym.problem import Problem
from archgym.testing._env_subject import Subject, finite, without_leaks
from archgym_simulators import STATUS_NAMES, InputError

_STEP_INFO = {"design", "metrics", "status", "reason", "violations"}
_OPTIONAL = {"bottleneck"}  # in families that name what holds a design back


def check_instance(env: gymnasium.Env[Any, Any]) -> None:
    """Everything that one environment can be asked: Gymnasium's checker, spaces, episodes, infos."""
    base = env.unwrapped
    gymnasium_check_env(base, skip_render_check=base.render_mode is None or base.spec is None)
    assert isinstance(base, DesignEnv), f"an archgym environment is a DesignEnv, not {type(base).__name__}"
    _check_spaces(base)
    for _ in range(2):
        _check_episode(env, base)


def _check_spaces(env: DesignEnv) -> None:
    actions, observations = env.action_space, env.observation_space
    assert isinstance(actions, spaces.MultiDiscrete), f"actions must be MultiDiscrete, not {actions}"
    assert (actions.start == 0).all(), f"action indices must start at 0, not {actions.start}"
    nvec = env.session.space.nvec
    assert np.array_equal(actions.nvec, nvec), f"actions must have the design space's {nvec}, not {actions.nvec}"
    assert isinstance(observations, spaces.Box), f"observations must be a Box, not {observations}"
    assert observations.dtype == np.float32, f"observations must be float32, not {observations.dtype}"
    assert len(observations.shape) == 1, f"observations must be flat, not of shape {observations.shape}"
    low, high = float(observations.low.min()), float(observations.high.max())
    assert -1.0 <= low <= high <= 1.0, f"observations must be bounded by [-1, 1], not [{low}, {high}]"


def _check_episode(env: gymnasium.Env[Any, Any], base: DesignEnv) -> None:
    observation, info = env.reset()
    _check_observation(observation, "reset()")
    _check_plain(info, "the info of reset()")
    problem = base.session.problem(info["workload"])
    name = problem.simulator.workload.name
    again = base.session.spec.bind(name).simulator.workload.name
    assert again == name, f"workload {info['workload']!r} calls itself {name!r}, which binds to {again!r}"
    for step in range(1, base.horizon + 1):
        action = env.action_space.sample()
        observation, reward, terminated, truncated, info = env.step(action)
        _check_observation(observation, f"step {step}")
        finite(reward, f"the reward of step {step}")
        ends = (step == base.horizon == 1, step == base.horizon > 1)
        assert (terminated, truncated) == ends, (
            f"step {step} of horizon {base.horizon} must give (terminated, truncated) = {ends}, "
            f"not {(terminated, truncated)}"
        )
        _check_step_info(info, problem, np.asarray(action))


def _check_observation(observation: Any, where: str) -> None:
    kind = getattr(observation, "dtype", type(observation).__name__)
    assert kind == np.float32, f"the observation of {where} must be a float32 array, not {kind}"
    finite(observation, f"the observation of {where}")
    worst = float(np.abs(observation).max(initial=0.0))
    assert worst <= 1.0, f"the observation of {where} must lie in [-1, 1], but holds {worst}"


def _check_plain(info: dict[str, Any], where: str) -> None:
    without_leaks(info, where)
    finite(info, where)
    try:
        json.dumps(info, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"{where} must hold plain values: {error}") from error


def _check_step_info(info: dict[str, Any], problem: Problem, row: np.ndarray[Any, Any]) -> None:
    _check_plain(info, "the info of step()")
    assert set(info) - _OPTIONAL == _STEP_INFO, (
        f"the info of step() must have the keys {sorted(_STEP_INFO)}, not {sorted(info)}"
    )
    expected = problem.space.decode_row(row)
    assert info["design"] == expected, f"info['design'] must be {expected}, not {info['design']}"
    assert info["status"] in STATUS_NAMES, f"info['status'] must be one of {STATUS_NAMES}, not {info['status']!r}"
    ok = info["status"] == "ok"
    names = set(problem.simulator.metric_names()) if ok else set()
    assert set(info["metrics"]) == names, (
        f"info['metrics'] of a design with status {info['status']!r} must name {sorted(names)}, "
        f"not {sorted(info['metrics'])}"
    )
    assert bool(info["reason"]) != ok, f"status {info['status']!r} goes with the reason {info['reason']!r}"


Step = tuple[Any, Any, bool, bool, dict[str, Any]]


def walk(env: gymnasium.Env[Any, Any], steps: int, seed: int) -> list[Step]:
    """Seeded steps, with a reset after each end; every reset counts as a step with reward 0."""
    env.action_space.seed(seed)
    observation, info = env.reset(seed=seed)
    seen: list[Step] = [(observation, 0.0, False, False, info)]
    for _ in range(steps):
        seen.append(env.step(env.action_space.sample()))
        if seen[-1][2] or seen[-1][3]:
            observation, info = env.reset()
            seen.append((observation, 0.0, False, False, info))
    return seen


def check_seeding(subject: Subject, horizon: int) -> None:
    """Two environments with one seed, on varying workloads, give the same bits."""
    workload = list(subject.workloads)
    first, second = (walk(subject.make(horizon=horizon, workload=workload), 2 * horizon + 2, 7) for _ in range(2))
    assert_same_walk(first, second, "two environments with one seed")


def check_splits(subject: Subject) -> None:
    """The splits that the family has draw workloads by seed and episode, all with one design space."""
    for split in SPLITS:
        try:
            envs = [subject.make(workload=split) for _ in range(2)]
        except InputError:  # the family has no such split
            continue
        drawn = [[env.reset(seed=s)[1]["workload"] for s in (3, None, None)] for env in envs]
        assert drawn[0] == drawn[1], f"split {split!r} must draw by the seed, not {drawn[0]} and {drawn[1]}"


def check_round_trip(env: gymnasium.Env[Any, Any]) -> None:
    """What an environment's JSON spec makes behaves like the environment."""
    if env.spec is None:
        return
    again = gymnasium.make(EnvSpec.from_json(env.spec.to_json()))
    assert str(again) == str(env), f"the JSON spec of {env} makes {again}"
    assert_same_walk(walk(env, 3, 3), walk(again, 3, 3), "an environment and what its JSON spec makes")


def assert_same_walk(first: list[Step], second: list[Step], who: str) -> None:
    """Raise where two walks differ in a bit."""
    for step, (one, other) in enumerate(zip(first, second, strict=True)):
        for name, a, b in zip(("observation", "reward", "terminated", "truncated"), one[:4], other[:4], strict=True):
            assert np.array_equal(a, b), f"{who} differ in the {name} of step {step}"
        assert repr(one[4]) == repr(other[4]), f"{who} differ in the info of step {step}: {one[4]} and {other[4]}"


def check_contexts(subject: Subject) -> None:
    """``reset(options=...)``: a workload for one episode, unknown options ignored, other spaces refused."""
    env = subject.make(horizon=1)
    env.reset(seed=5, options={"nothing": "known"})
    for other in subject.workloads[1:2]:
        _, info = env.reset(options={"workload": other})
        assert info["workload"] == other, f"reset to workload {other!r} gives {info['workload']!r}"
        env.step(env.action_space.sample())
        _, info = env.reset()
        assert info["workload"] == subject.workloads[0], "a workload given to reset() must hold for one episode only"
    if subject.other_space is not None:
        _check_refused(env, subject.other_space)


def _check_refused(env: gymnasium.Env[Any, Any], workload: str) -> None:
    try:
        env.reset(options={"workload": workload})
    except ValueError as error:
        said = str(error)
    else:
        raise AssertionError(f"workload {workload!r} has another design space, so reset() must raise a ValueError")
    assert "gym.make(" in said, f"refusing workload {workload!r} must name gym.make(...), not say {said}"
