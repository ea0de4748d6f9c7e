"""Stable-Baselines3 by the rules of the house: no files, no output; `isolated` for the rest.

Importing this module needs the extra ``rl``; agents import it when they run.
"""

from __future__ import annotations

__all__ = [
    "ExploringDQN",
    "Novelty",
    "RankedRewards",
    "SharedNoise",
    "isolated",
    "off_policy_arguments",
    "train",
    "train_with_entropy",
]

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import DQN
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.noise import ActionNoise
from stable_baselines3.common.vec_env import VecEnvWrapper

from archgym.envs.sb3_bridge import Sb3VecEnv
from archgym.session import Session, SessionOver
from archgym_agents._learner_settings import OffPolicySettings
from archgym_agents._rewards import Ranks, exploration_change
from archgym_agents._torch import isolated

_ENDLESS = 2**62
_MOST_ENTROPY = 1.0


def train(model: BaseAlgorithm, callback: BaseCallback | None = None) -> None:
    """Learn until the session is over, without output or log folder."""
    model.set_logger(Logger(folder=None, output_formats=[]))
    with suppress(SessionOver):
        model.learn(_ENDLESS, callback=callback, log_interval=_ENDLESS)


def train_with_entropy(model: Any, session: Session, *, novelty: float, least: float) -> None:
    """As `train`, with an entropy bonus of at least ``least`` that follows the share of new designs."""

    def adjust(factor: float) -> None:
        model.ent_coef = min(max(model.ent_coef * factor, least), _MOST_ENTROPY)

    train(model, Novelty(session, novelty, adjust))


def off_policy_arguments(config: OffPolicySettings, seed: int) -> dict[str, Any]:
    """What SAC and TD3 are built with; an episode is one design, so nothing is discounted."""
    return {
        "learning_rate": config.learning_rate,
        "buffer_size": config.replay,
        "learning_starts": config.warm_up,
        "batch_size": config.batch,
        "train_freq": 1,
        "gradient_steps": config.updates,
        "gamma": 0.0,
        "policy_kwargs": {"net_arch": [config.hidden, config.hidden]},
        "seed": seed,
        "device": "cpu",
    }


class RankedRewards(VecEnvWrapper):
    """Rewards as ranks among the designs evaluated last; see `Ranks`."""

    def __init__(self, envs: Sb3VecEnv, memory: int) -> None:
        super().__init__(envs)
        self._ranks = Ranks(memory)

    def reset(self) -> Any:
        return self.venv.reset()

    def step_wait(self) -> tuple[Any, NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        observations, rewards, done, infos = self.venv.step_wait()
        return observations, self._ranks.of_infos(rewards.astype(np.float64), infos).astype(np.float32), done, infos


class Novelty(BaseCallback):
    """Changes an agent's exploration after each rollout by `exploration_change`."""

    def __init__(self, session: Session, share: float, adjust: Callable[[float], None]) -> None:
        """Watch a session.

        Args:
            session: the model's.
            share: of new designs in a rollout, below which it explores too little.
            adjust: is given the factor of change, above or below 1, after each rollout.
        """
        super().__init__()
        self._session = session
        self._share = share
        self._adjust = adjust
        self._before = (0, 0)

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        self._before = self._session.calls, self._session.proposals

    def _on_rollout_end(self) -> None:
        calls, proposals = self._session.calls - self._before[0], self._session.proposals - self._before[1]
        self._adjust(exploration_change(calls, proposals, self._share))


class SharedNoise(ActionNoise):
    """Normal noise on actions, of one size for all episodes of a batch, which may change."""

    def __init__(self, width: int, size: float) -> None:
        super().__init__()
        self.size = size
        self._width = width

    def __call__(self) -> NDArray[np.float32]:
        return (self.size * np.random.standard_normal(self._width)).astype(np.float32)  # noqa: NPY002 - as the library

    def __deepcopy__(self, memo: object) -> SharedNoise:
        return self  # the library copies it for each episode


class ExploringDQN(DQN):
    """DQN whose episodes explore one by one and keep to the action masks.

    The library's explores with all episodes or with none, so that a batch of greedy ones is the same design n times.

    Attributes:
        epsilon: probability that a choice is random.
        warm_up: steps during which every choice is.
    """

    epsilon = 1.0
    warm_up = 0

    def predict(
        self,
        observation: NDArray[Any] | dict[str, NDArray[Any]],
        state: tuple[NDArray[Any], ...] | None = None,
        episode_start: NDArray[Any] | None = None,
        deterministic: bool = False,
    ) -> tuple[NDArray[Any], tuple[NDArray[Any], ...] | None]:
        """The best allowed action of each episode or, with probability `epsilon`, a random allowed one."""
        assert self.env is not None
        masks = np.stack(self.env.env_method("action_masks"))  # (n, A)
        with torch.no_grad():
            values = self.q_net(self.policy.obs_to_tensor(observation)[0]).numpy()
        best = np.where(masks, values, -np.inf).argmax(axis=1)
        epsilon = 1.0 if self.num_timesteps < self.warm_up else self.epsilon
        drawn, chances = np.random.random(masks.shape), np.random.random(len(masks))  # noqa: NPY002 - as the library
        return np.where(chances < epsilon, (drawn * masks).argmax(axis=1), best), state
