"""Ids with a vector reward."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import archgym
from archgym_simulators import InputError

BOWL, SEVERAL = "toy/Bowl-v0", "toy/Bowl-MO-v0"
ROW = np.array([1, 2, 3, 1, 0, 14])


def test_every_family_has_one(env_id: str, arguments: dict[str, Any]) -> None:
    env = gym.make(archgym.registry.several_objectives_id(env_id), **arguments)
    env.reset(seed=0)
    _, reward, *_ = env.step(env.action_space.sample())
    assert env.unwrapped.reward_space.contains(reward)
    assert np.isfinite(reward).all()


def test_each_reward_is_that_of_the_scalar_environment() -> None:
    names = ["time", "energy-delay", "max:speed_mhz"]
    several = gym.make(SEVERAL, objective=names)
    several.reset(seed=0)
    _, rewards, *_, info = several.step(ROW)
    for name, reward in zip(names, rewards, strict=True):
        scalar = gym.make(BOWL, objective=name)
        scalar.reset(seed=0)
        _, expected, *_, scalar_info = scalar.step(ROW)
        assert reward == expected
        assert info == scalar_info


def test_the_default_is_the_familys_first_two_objectives_that_stand_alone() -> None:
    env = gym.make(SEVERAL).unwrapped
    assert env.session.spec.objectives == ("time", "energy-delay")


DECLARING = """
from archgym.testing.toys import Bowl


class Chip(Bowl):
    pareto_objectives = ("time_ns", "energy_pj", "slack_ns")
"""


def test_a_family_may_declare_its_objectives(tmp_path) -> None:
    path = tmp_path / "chip.py"
    path.write_text(DECLARING)
    env = archgym.envs.multi_objective.MultiObjectiveDesignEnv(f"{path}:Chip")
    assert env.reward_space.shape == (3,)


def test_the_scalar_id_refuses_a_list_and_the_other_way_round() -> None:
    with pytest.raises(InputError, match="for several use toy/Bowl-MO-v0"):
        gym.make(BOWL, objective=["time", "energy-delay"])
    with pytest.raises(InputError, match="for one use toy/Bowl-v0"):
        gym.make(SEVERAL, objective="time")
    with pytest.raises(InputError, match="at least one objective"):
        gym.make(SEVERAL, objective=[])


def test_vector_rewards_have_a_row_an_environment() -> None:
    envs = gym.make_vec(SEVERAL, num_envs=3, objective=["time", "energy-delay"])
    envs.reset(seed=0)
    actions = np.tile(ROW, (3, 1))
    _, rewards, *_ = envs.step(actions)
    assert rewards.shape == (3, 2)
    assert envs.reward_space.shape == (2,)
    single = gym.make(SEVERAL, objective=["time", "energy-delay"])
    single.reset(seed=0)
    assert np.array_equal(rewards[1], single.step(ROW)[1])


def test_the_best_goes_by_the_mean_reward() -> None:
    env = gym.make(SEVERAL, horizon=2)
    env.reset(seed=0)
    _, rewards, *_ = env.step(ROW)
    assert env.unwrapped.session.best.reward == pytest.approx(rewards.mean())


def test_the_spec_survives_json() -> None:
    env = gym.make(SEVERAL, objective=["time", "energy-delay"])
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert again.unwrapped.session.spec == env.unwrapped.session.spec


def test_mo_gymnasiums_linear_reward_gives_a_scalar() -> None:
    wrappers = pytest.importorskip("mo_gymnasium.wrappers", reason="needs mo-gymnasium")
    env = wrappers.LinearReward(gym.make(SEVERAL), weight=np.array([0.5, 0.5]))
    env.reset(seed=0)
    assert np.isscalar(env.step(ROW)[1])
