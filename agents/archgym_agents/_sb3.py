"""Stable-Baselines3 by the rules of the house: one thread, global random states as they were, no files, no output.

Importing this module needs the extra ``rl``; agents import it when they run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import DQN
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnvWrapper

from archgym.envs.sb3_bridge import Sb3VecEnv
from archgym.session import Session, SessionOver

_ENDLESS = 2**62
_BELOW_EVERY_FEASIBLE = 1e6
_CHANGE = 1.3  # of exploration, after a rollout


@contextmanager
def isolated() -> Iterator[None]:
    """One torch thread (two change bits), and the global generators that Stable-Baselines3 seeds left as they were."""
    threads = torch.get_num_threads()
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])


def train(model: BaseAlgorithm, callback: BaseCallback | None = None) -> None:
    """Learn until the session is over, without output or log folder."""
    model.set_logger(Logger(folder=None, output_formats=[]))
    with suppress(SessionOver):
        model.learn(_ENDLESS, callback=callback, log_interval=_ENDLESS)


class RankedRewards(VecEnvWrapper):
    """Rewards as ranks among the designs evaluated last: -1 worst, 1 best, 0 the middle.

    Rewards differ in scale from family to family, and an invalid design (-30) would drown every difference between
    valid ones. Feasible designs rank before infeasible ones. A failed evaluation says nothing about its design and gets
    0, as does a step that evaluates none.
    """

    def __init__(self, envs: Sb3VecEnv, memory: int) -> None:
        super().__init__(envs)
        self._memory = memory
        self._seen = np.zeros(0)

    def reset(self) -> Any:
        return self.venv.reset()

    def step_wait(self) -> tuple[Any, NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        observations, rewards, done, infos = self.venv.step_wait()
        counts = np.array([info.get("status", "failed") != "failed" for info in infos])
        feasible = np.array([_is_feasible(info) for info in infos])
        ranked = np.zeros(len(infos), dtype=np.float32)
        if counts.any():
            exact = rewards.astype(np.float64)
            keys = np.where(feasible, exact, exact - _BELOW_EVERY_FEASIBLE)
            ranked[counts] = self._ranks(keys[counts])
        return observations, ranked, done, infos

    def _ranks(self, keys: NDArray[np.float64]) -> NDArray[np.float64]:
        self._seen = np.concatenate([self._seen, keys])[-self._memory :]
        ordered = np.sort(self._seen)
        below, upto = np.searchsorted(ordered, keys, "left"), np.searchsorted(ordered, keys, "right")
        return np.asarray((below + upto) / len(ordered) - 1.0)


def _is_feasible(info: dict[str, Any]) -> bool:
    return info.get("status") == "ok" and not any(info["violations"].values())


class Novelty(BaseCallback):
    """Turns up an agent's exploration while rollouts propose too few new designs, and down while there are enough.

    A policy that has converged proposes what is known, which costs nothing and finds nothing.
    """

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
        self._adjust(_CHANGE if calls < self._share * proposals else 1.0 / _CHANGE)


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
