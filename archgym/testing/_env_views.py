"""Checks of the views, the multi-agent environment and the vector reward."""

from __future__ import annotations

__all__ = ["check_parallel", "check_several_objectives", "check_views"]

import importlib.util
import io
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.utils.env_checker import check_env as gymnasium_check_env
from numpy.typing import NDArray

from archgym.envs.continuous_view import ContinuousView
from archgym.envs.design_env import DesignEnv
from archgym.envs.dict_view import DictView
from archgym.envs.edit_view import EditView
from archgym.envs.sequential_view import SequentialView
from archgym.registry import several_objectives_id
from archgym.testing._env_single import check_round_trip, walk
from archgym.testing._env_subject import Subject, finite, without_leaks
from archgym_simulators.space import Rows

Env = gymnasium.Env[Any, Any]
_MOST_VALUES = 4096
_CYCLES = 12


def check_views(make: Callable[[], Env]) -> None:
    """Every view: Gymnasium's checker, its JSON spec, every value reachable, rewards as the environment's."""
    for view in (SequentialView, ContinuousView, DictView, EditView):  # the last may change the horizon
        gymnasium_check_env(view(make()), skip_render_check=True)
        check_round_trip(view(make()))
        for observation, reward, _, _, info in walk(view(make()), 3, 1):
            finite(observation, f"the observation of {view.__name__}")
            finite(reward, f"the reward of {view.__name__}")
            without_leaks(info, f"the info of {view.__name__}")
    _check_sequential(make)
    _check_edits(make)
    _check_codecs(make)


def _first_rewards(make: Callable[[], Env], row: NDArray[np.int64]) -> Any:
    env = make()
    env.reset(seed=1)
    return env.step(row)[1]


def _sample(env: Env) -> NDArray[np.int64]:
    base = env.unwrapped
    assert isinstance(base, DesignEnv)
    row: NDArray[np.int64] = base.session.space.sample(1, np.random.default_rng(5))[0]
    return row


def _check_sequential(make: Callable[[], Env]) -> None:
    env = SequentialView(make(), strict=True)
    row = _sample(env)
    env.reset(seed=1)
    rewards = []
    for value in row.tolist():
        assert env.action_masks()[value], f"SequentialView masks {value}, a value of the column"
        rewards.append(env.step(value)[1])
    assert not np.any(rewards[:-1]), f"SequentialView must pay at the last choice only, not {rewards}"
    wanted = _first_rewards(make, row)
    assert np.array_equal(rewards[-1], wanted), f"SequentialView pays {rewards[-1]} where the design is worth {wanted}"


def _check_edits(make: Callable[[], Env]) -> None:
    env = EditView(make(), horizon=6)
    env.action_space.seed(3)
    _, info = env.reset(seed=1)
    base = env.unwrapped
    assert isinstance(base, DesignEnv)
    problem = base.session.problem(info["workload"])
    baseline = problem.space.canonical(np.array([problem.simulator.baseline.row]))
    first = problem.evaluate(baseline).reward[0]
    row, total, ended = np.array(problem.simulator.baseline.row), 0.0, False
    while not ended:
        action = int(env.action_space.sample())
        row[env.codec.columns[action]] = env.codec.values[action]
        _, gain, terminated, truncated, info = env.step(action)
        total, ended = total + float(np.mean(gain)), terminated or truncated
    assert info["design"] == problem.space.decode_row(row), "EditView must change one parameter of the current design"
    last = problem.evaluate(problem.space.canonical(row[None])).reward[0]
    assert np.isclose(total, last - first, rtol=1e-9, atol=1e-6), (
        f"the rewards of EditView must sum to {last - first}, the gain over the baseline, not to {total}"
    )


def _check_codecs(make: Callable[[], Env]) -> None:
    sequential, edit = SequentialView(make()), EditView(make())
    continuous, named = ContinuousView(make()), DictView(make())
    base = sequential.unwrapped
    assert isinstance(base, DesignEnv)
    for column, n in enumerate(base.session.space.nvec.tolist()):
        values = np.unique(np.linspace(0, n - 1, min(n, _MOST_VALUES)).astype(np.int64))
        rows: Rows = np.zeros((len(values), base.session.space.width), dtype=np.int64)
        rows[:, column] = values
        reached = {
            "SequentialView": sequential.codec.values(np.full(len(values), column), values),
            "EditView": edit.codec.apply(0 * rows, edit.codec.actions(column, values))[:, column],
            "ContinuousView": continuous.codec.rows(continuous.codec.actions(rows))[:, column],
            "DictView": named.codec.rows(named.codec.actions(rows))[:, column],
        }
        for view, found in reached.items():
            assert np.array_equal(found, values), f"{view} does not reach every value of column {column}"


def check_parallel(subject: Subject, horizon: int) -> None:
    """PettingZoo's own checks, and the shared reward; nothing where PettingZoo is not installed."""
    if importlib.util.find_spec("pettingzoo") is None:
        return
    from pettingzoo.test import parallel_api_test, parallel_seed_test

    from archgym.envs.parallel_env import parallel_env

    def make(groups: str | None = None) -> Any:
        return parallel_env(subject.env_id, groups=groups, horizon=horizon, **subject.arguments)

    with redirect_stdout(io.StringIO()):  # PettingZoo's checks print
        for groups in ("declared", "parameter"):
            parallel_api_test(make(groups), _CYCLES)
        parallel_seed_test(make, _CYCLES)
    env = make()
    env.reset(seed=1)
    row = env.session.space.sample(1, np.random.default_rng(5))
    actions = {agent: choice[0] for agent, choice in env.groups.actions(row).items()}
    observations, rewards, _, _, infos = env.step(actions)
    wanted = _first_rewards(lambda: subject.make(horizon=horizon), row[0])
    assert set(rewards.values()) == {wanted}, f"every agent must get the design's reward {wanted}, not {rewards}"
    for agent in env.possible_agents:
        without_leaks(infos[agent], f"the info of agent {agent!r}")
        assert np.array_equal(observations[agent], env.state()), f"agent {agent!r} must see the state"


class _Weighted(gymnasium.RewardWrapper[Any, Any], RecordConstructorArgs):
    """What MO-Gymnasium's LinearReward does with equal weights."""

    def __init__(self, env: Env) -> None:
        RecordConstructorArgs.__init__(self)
        super().__init__(env)

    def reward(self, reward: Any) -> float:
        return float(np.mean(reward))


def check_several_objectives(subject: Subject, horizon: int) -> None:
    """The id with a vector reward: its reward space, the rest as the scalar environment's."""
    env: Any = subject.make_several(horizon=horizon)
    reward_space = env.unwrapped.reward_space
    gymnasium_check_env(_Weighted(env), skip_render_check=True)
    env.action_space.seed(2)
    env.reset(seed=2)
    _, reward, _, _, info = env.step(env.action_space.sample())
    assert reward_space.contains(reward), f"the reward {reward} must lie in reward_space {reward_space}"
    finite(reward, "the vector reward")
    without_leaks(info, "the info of step()")
    several = several_objectives_id(subject.env_id)
    try:
        subject.make(objective=["one", "two"])
    except ValueError as error:
        said = str(error)
    else:
        raise AssertionError(f"{subject.env_id} must refuse a list of objectives and name {several}")
    assert several in said, f"refusing a list of objectives must name {several}, not say {said}"
