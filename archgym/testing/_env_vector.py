"""Checks of the native vector environment against single ones."""

from __future__ import annotations

__all__ = ["check_budget", "check_parity", "check_reset_mask", "check_sync_parity"]

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray

from archgym.session import Budget, Session, SessionOver
from archgym.testing._env_subject import Subject, finite, without_leaks

_ENVS = 4
_MORE_STEPS = 6
_SEED = 11


class _Singles:
    """Single environments stepped one by one, reset within the step that ends an episode."""

    def __init__(self, envs: list[gymnasium.Env[Any, Any]]) -> None:
        self.envs = envs

    def reset(self, seed: int) -> tuple[NDArray[Any], list[dict[str, Any]]]:
        results = [env.reset(seed=seed + i) for i, env in enumerate(self.envs)]
        return np.stack([o for o, _ in results]), [info for _, info in results]

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], Any]:
        steps, seen, infos = [], [], []
        for env, action in zip(self.envs, actions, strict=True):
            observation, reward, terminated, truncated, info = env.step(action)
            steps.append((reward, terminated, truncated))
            last = info
            if terminated or truncated:
                final = observation
                observation, info = env.reset()
                info = {**info, "final_obs": final, "final_info": last}
            infos.append((info, last))
            seen.append(observation)
        rewards, terminations, truncations = (np.array(column) for column in zip(*steps, strict=True))
        return np.stack(seen), rewards, terminations, truncations, infos


def check_parity(subject: Subject, horizon: int, *, several: bool = False) -> None:
    """The native vector environment equals single ones: arrays and infos, over varying workloads."""
    arguments = {"horizon": horizon, "workload": list(subject.workloads)}
    single, vector = (
        (subject.make_several, subject.make_several_vector) if several else (subject.make, subject.make_vector)
    )
    native, singles = vector(_ENVS, **arguments), _Singles([single(**arguments) for _ in range(_ENVS)])
    _check_declared(native)
    native.action_space.seed(_SEED)
    observations, info = native.reset(seed=_SEED)
    expected, infos = singles.reset(_SEED)
    _same(observations, expected, "observations of reset()")
    for i in range(_ENVS):
        _same_info(of_env(info, i), infos[i], f"environment {i} after reset()")
    for step in range(1, 2 * horizon + _MORE_STEPS):
        actions = native.action_space.sample()
        *arrays, info = native.step(actions)
        *expected_arrays, pairs = singles.step(actions)
        names = ("observations", "rewards", "terminations", "truncations")
        for name, array, wanted in zip(names, arrays, expected_arrays, strict=True):
            _same(array, wanted, f"{name} of step {step}")
        without_leaks(info, "the vector info")
        finite(info, "the vector info")
        for i, (merged, _) in enumerate(pairs):
            _same_info(of_env(info, i), merged, f"environment {i} at step {step}")
        _check_evaluated(info["evaluated"], actions, [last for _, last in pairs], native.session)


def check_sync_parity(subject: Subject, horizon: int) -> None:
    """The native vector environment equals Gymnasium's `SyncVectorEnv` with SAME_STEP autoreset."""
    arguments = {"horizon": horizon, "workload": list(subject.workloads)}
    native = subject.make_vector(_ENVS, **arguments)
    makers = [lambda: subject.make(**arguments) for _ in range(_ENVS)]
    sync: Any = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)
    _same(native.reset(seed=_SEED)[0], sync.reset(seed=_SEED)[0], "observations of reset()")
    native.action_space.seed(_SEED)
    for step in range(1, 2 * horizon + _MORE_STEPS):
        actions = native.action_space.sample()
        *arrays, info = native.step(actions)
        *wanted, sync_info = sync.step(actions)
        for array, other in zip(arrays, wanted, strict=True):
            _same(array, other, f"arrays of step {step}")
        _same(info.get("_final_obs", False), sync_info.get("_final_obs", False), f"final_obs mask of step {step}")
        for mine, other in zip(info.get("final_obs", ()), sync_info.get("final_obs", ()), strict=True):
            _same(mine, other, f"final_obs of step {step}")
    sync.close()


def check_reset_mask(subject: Subject) -> None:
    """``options["reset_mask"]`` starts the masked episodes again and leaves the others alone."""
    horizon = 3
    vector = subject.make_vector(_ENVS, horizon=horizon)
    vector.action_space.seed(_SEED)
    start, _ = vector.reset(seed=_SEED)
    before = vector.step(vector.action_space.sample())[0]
    mask = np.arange(_ENVS) == 0
    after, _ = vector.reset(options={"reset_mask": mask})
    _same(after[~mask], before[~mask], "observations that reset_mask leaves alone")
    _same(after[mask], start[mask], "observations that reset_mask resets")
    vector.step(vector.action_space.sample())
    truncated = vector.step(vector.action_space.sample())[3]
    _same(truncated, ~mask, "truncations after reset_mask")


def check_budget(subject: Subject) -> None:
    """A shared session is charged by its faces and ends them with `SessionOver`."""
    session = Session(subject.session.spec, budget=Budget(4, max_proposals=40))
    vector: Any = session.vector_env(2)
    vector.action_space.seed(_SEED)
    vector.reset(seed=_SEED)
    for _ in range(41):
        try:
            vector.step(vector.action_space.sample())
        except SessionOver:
            assert session.calls <= 4, f"a budget of 4 calls must not be exceeded, but {session.calls} were made"
            return
    raise AssertionError("a vector environment over a session with max_proposals=40 must end with SessionOver")


def of_env(info: dict[str, Any], i: int) -> dict[str, Any]:
    """What columnar info holds for one environment: the entries whose mask is True."""
    return {
        name: of_env(column, i) if isinstance(column, dict) else column[i]
        for name, column in info.items()
        if f"_{name}" in info and info[f"_{name}"][i]
    }


def _check_declared(native: Any) -> None:
    mode = native.metadata.get("autoreset_mode")
    assert mode == AutoresetMode.SAME_STEP, f"the vector environment must declare SAME_STEP autoreset, not {mode}"
    assert native.num_envs == _ENVS, f"num_envs must be {_ENVS}, not {native.num_envs}"


def _check_evaluated(evaluated: Any, actions: NDArray[Any], infos: list[dict[str, Any]], session: Session) -> None:
    _same(evaluated["row"], actions, "info['evaluated']['row']")
    for i, info in enumerate(infos):
        assert evaluated["status"][i] == info["status"], "info['evaluated']['status'] differs from the step's status"
        for metric in session.problem().simulator.metric_names():
            shown, value = bool(evaluated[f"_{metric}"][i]), float(evaluated[metric][i])
            assert shown == (info["status"] == "ok"), f"mask _{metric} must be True exactly for designs that are ok"
            wanted = info["metrics"].get(metric, 0.0)
            assert value == wanted, f"info['evaluated'][{metric!r}] must be {wanted}, not {value}"


def _same(mine: Any, other: Any, what: str) -> None:
    mine, other = np.asarray(mine), np.asarray(other)
    assert mine.dtype == other.dtype, f"{what} must be {other.dtype}, not {mine.dtype}"
    assert np.array_equal(mine, other), f"{what} differ between the vector environment and single ones"


def _same_info(mine: dict[str, Any], other: dict[str, Any], who: str) -> None:
    assert mine.keys() == other.keys(), f"the info of {who} has keys {sorted(mine)}, a single one {sorted(other)}"
    for key, value in other.items():
        if isinstance(value, dict):
            _same_info(mine[key], value, f"{who}, {key!r}")
        else:
            equal = np.array_equal(mine[key], value)
            assert equal, f"the info of {who} has {key!r} = {mine[key]}, a single one {value}"
