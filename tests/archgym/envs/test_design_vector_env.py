"""The native vector environment."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import archgym
from archgym.session import SessionOver
from archgym.testing._env_vector import of_env
from archgym_simulators import InputError

BOWL = "toy/Bowl-v0"
WORKLOADS = ["default", "large"]


def same(mine: Any, other: Any) -> None:
    if isinstance(other, dict):
        assert mine.keys() == other.keys()
        for key in other:
            same(mine[key], other[key])
    else:
        assert np.array_equal(mine, other)


def _steps(envs: Any, actions: list[Any]) -> None:
    for action in actions:
        envs.step(action)


@pytest.mark.parametrize("workload", ["default", WORKLOADS, "train"])
@pytest.mark.parametrize("objective", ["time", "energy-delay"])
def test_it_equals_gymnasiums_sync_vector_env_infos_included(horizon: int, workload: Any, objective: str) -> None:
    n, arguments = 4, {"horizon": horizon, "workload": workload, "objective": objective, "constraints": "time_ns<=500"}
    native = gym.make_vec(BOWL, num_envs=n, **arguments)
    sync = SyncVectorEnv([lambda: gym.make(BOWL, **arguments)] * n, autoreset_mode=AutoresetMode.SAME_STEP)
    first, info = native.reset(seed=5)
    sync_first, sync_info = sync.reset(seed=5)
    same(first, sync_first)
    native.action_space.seed(5)
    for _ in range(4 * horizon + 3):
        for i in range(n):
            same(of_env(info, i), of_env(sync_info, i))
        actions = native.action_space.sample()
        *arrays, info = native.step(actions)
        *sync_arrays, sync_info = sync.step(actions)
        same(dict(enumerate(arrays)), dict(enumerate(sync_arrays)))
        for array, sync_array in zip(arrays, sync_arrays, strict=True):
            assert array.dtype == sync_array.dtype


def test_sixty_four_episodes_share_no_state() -> None:
    n = 64
    envs = gym.make_vec(BOWL, num_envs=n, horizon=5, workload=WORKLOADS)
    singles = [gym.make(BOWL, horizon=5, workload=WORKLOADS) for _ in range(n)]
    envs.reset(seed=0)
    for i, single in enumerate(singles):
        single.reset(seed=i)
    envs.action_space.seed(0)
    for _ in range(5):
        actions = envs.action_space.sample()
        _, rewards, _, truncated, info = envs.step(actions)
        for i, single in enumerate(singles):
            observation, reward, _, over, _ = single.step(actions[i])
            assert rewards[i] == reward
            if over:
                assert np.array_equal(info["final_obs"][i], observation)
    assert truncated.all()


def test_every_steps_metrics_stand_under_evaluated() -> None:
    envs = gym.make_vec(BOWL, num_envs=3)
    envs.reset(seed=0)
    actions = np.array([[1, 2, 3, 1, 0, 14], [0, 0, 7, 0, 0, 0], [1, 3, 3, 1, 0, 14]])
    *_, info = envs.step(actions)
    evaluated = info["evaluated"]
    assert evaluated["_time_ns"].tolist() == [True, False, True]
    assert evaluated["time_ns"][1] == 0.0
    assert evaluated["status"].tolist() == ["ok", "invalid", "ok"]
    assert evaluated["feasible"].tolist() == [True, False, True]
    assert np.array_equal(evaluated["row"], actions)
    assert not np.shares_memory(evaluated["row"], actions)


def test_returned_arrays_are_the_callers() -> None:
    envs = gym.make_vec(BOWL, num_envs=2, horizon=3)
    first, _ = envs.reset(seed=0)
    copy = first.copy()
    observations, rewards, *_ = envs.step(np.zeros((2, 6), dtype=np.int64))
    rewards += 1.0
    observations[:] = 9.0
    assert np.array_equal(first, copy)
    assert (envs.step(np.zeros((2, 6), dtype=np.int64))[0] <= 1.0).all()


def test_reset_mask_restarts_only_the_masked() -> None:
    envs = gym.make_vec(BOWL, num_envs=3, horizon=4)
    envs.reset(seed=0)
    envs.action_space.seed(0)
    before = envs.step(envs.action_space.sample())[0]
    after, info = envs.reset(options={"reset_mask": np.array([False, True, False])})
    assert np.array_equal(after[[0, 2]], before[[0, 2]])
    assert not np.array_equal(after[1], before[1])
    assert info["_workload"].tolist() == [False, True, False]
    ends = [envs.step(envs.action_space.sample())[3].tolist() for _ in range(4)]
    assert ends == [[False] * 3, [False] * 3, [True, False, True], [False, True, False]]


@pytest.mark.parametrize("mask", [np.zeros(3, dtype=bool), np.ones(2, dtype=bool), np.ones(3), [True] * 3])
def test_a_wrong_reset_mask_is_refused(mask: Any) -> None:
    envs = gym.make_vec(BOWL, num_envs=3)
    envs.reset(seed=0)
    with pytest.raises(InputError, match=r"reset_mask must be a bool array of shape \(3,\)"):
        envs.reset(options={"reset_mask": mask})


def test_max_episode_steps_is_another_word_for_horizon() -> None:
    assert gym.make_vec(BOWL, num_envs=2, max_episode_steps=5).horizon == 5
    assert gym.make_vec(BOWL, num_envs=2, vector_kwargs=None, horizon=4).horizon == 4
    with pytest.raises(InputError, match="are the same thing"):
        archgym.DesignVectorEnv(BOWL, num_envs=2, horizon=4, max_episode_steps=5)


def test_a_workload_given_at_reset_holds_for_those_episodes() -> None:
    envs = gym.make_vec(BOWL, num_envs=2)
    _, info = envs.reset(seed=0, options={"workload": "large"})
    assert info["workload"].tolist() == ["large", "large"]
    *_, info = envs.step(np.zeros((2, 6), dtype=np.int64))
    assert info["workload"].tolist() == ["default", "default"]


def test_seeds_may_be_a_list() -> None:
    envs = gym.make_vec(BOWL, num_envs=3, workload="train")
    together = [envs.reset(seed=[4, 9, 2])[1]["workload"][i] for i in range(3)]
    alone = [gym.make(BOWL, workload="train").reset(seed=seed)[1]["workload"] for seed in (4, 9, 2)]
    assert together == alone
    with pytest.raises(InputError, match="a list of seeds needs 3"):
        envs.reset(seed=[1, 2])


def test_it_refuses_what_makes_no_sense() -> None:
    envs = archgym.DesignVectorEnv(BOWL, num_envs=2)
    with pytest.raises(ResetNeeded):
        envs.step(np.zeros((2, 6), dtype=np.int64))
    envs.reset(seed=0)
    with pytest.raises(InputError, match="step needs 2 actions, not 3"):
        envs.step(np.zeros((3, 6), dtype=np.int64))
    with pytest.raises(InputError, match="num_envs must be at least 1"):
        archgym.DesignVectorEnv(BOWL, num_envs=0)


def test_a_shared_sessions_budget_ends_it() -> None:
    session = archgym.make_session(BOWL, budget=10)
    envs = session.vector_env(4)
    envs.reset(seed=0)
    envs.action_space.seed(0)
    with pytest.raises(SessionOver, match="budget"):
        _steps(envs, [envs.action_space.sample() for _ in range(10)])
    assert session.calls == 10
    with pytest.raises(SessionOver):
        envs.step(envs.action_space.sample())


def test_repeating_one_design_for_ever_ends_at_max_proposals() -> None:
    session = archgym.make_session(BOWL, budget=5)
    envs = session.vector_env(2)
    envs.reset(seed=0)
    with pytest.raises(SessionOver, match="max_proposals"):
        _steps(envs, [np.zeros((2, 6), dtype=np.int64)] * 101)
    assert (session.calls, session.proposals) == (1, 100)


def test_failed_designs_show_as_failed() -> None:
    envs = gym.make_vec("toy/Flaky-v0", num_envs=64)
    envs.reset(seed=0)
    envs.action_space.seed(0)
    _, rewards, *_, info = envs.step(envs.action_space.sample())
    failed = info["evaluated"]["status"] == "failed"
    assert failed.any()
    assert (rewards[failed] == -30.0).all()
    assert set(info["final_info"]["reason"][failed]) == {"the toy tool crashed"}
