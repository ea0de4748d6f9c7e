"""What is DQN's own; see `test_ppo` for what both agents that train by Stable-Baselines3 keep to."""

import numpy as np
import pytest

import archgym

pytest.importorskip("stable_baselines3", reason="needs the extra rl")

from archgym.envs.sb3_bridge import Sb3VecEnv
from archgym_agents._sb3 import ExploringDQN


@pytest.fixture
def model():
    envs = Sb3VecEnv("toy/Bowl-v0", 32, view="sequential")
    model = ExploringDQN("MlpPolicy", envs, seed=1, device="cpu")
    model.seen = envs.reset()
    return model


def test_every_episode_explores_by_itself(model) -> None:
    model.epsilon = 0.5
    choices = {tuple(model.predict(model.seen)[0].tolist()) for _ in range(4)}
    assert len(choices) > 1
    assert all(len(set(choice)) > 1 for choice in choices)
    model.epsilon = 0.0
    assert len(set(model.predict(model.seen)[0].tolist())) == 1


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 1.0])
def test_only_allowed_choices_are_made(model, epsilon: float) -> None:
    model.epsilon = epsilon
    observations = model.seen
    for _ in range(12):
        masks = np.stack(model.env.env_method("action_masks"))
        chosen = model.predict(observations)[0]
        assert masks[np.arange(32), chosen].all()
        observations = model.env.step(chosen)[0]


def test_the_warm_up_is_random(model) -> None:
    model.epsilon, model.warm_up = 0.0, 100
    assert len(set(model.predict(model.seen)[0].tolist())) > 1
    model.num_timesteps = 100
    assert len(set(model.predict(model.seen)[0].tolist())) == 1


def test_targets_are_the_rewards_of_whole_designs() -> None:
    # Every transition in the replay memory leads, within a design, to the reward of its last choice.
    envs = Sb3VecEnv("toy/HugeSpace-v0", 4, view="sequential")
    width = envs.session.space.width
    model = ExploringDQN(
        "MlpPolicy", envs, n_steps=width, gamma=1.0, train_freq=width, buffer_size=4 * width * 3, learning_starts=0
    )
    model.learn(4 * width * 5)  # the memory has wrapped
    assert model.replay_buffer.full
    sample = model.replay_buffer.sample(256)
    assert sample.dones.numpy().all()
    rewards = set(np.round(model.replay_buffer.rewards[width - 1 :: width].ravel(), 5).tolist())
    assert set(np.round(sample.rewards.numpy().ravel(), 5).tolist()) <= rewards


def test_repeated_failures_do_not_break_learning() -> None:
    result = archgym.search("toy/Flaky-v0", "dqn", budget=80, seed=3)
    assert result.stop_reason == "budget"
