"""Points of a cube drawn from a normal distribution, for Stable-Baselines3. Importing this module needs ``rl``."""

from __future__ import annotations

__all__ = ["CubePolicy", "RoundedActions"]

from math import log
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.distributions import Distribution
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnvWrapper
from torch import Tensor

_LEAST_SPREAD = 0.01  # less than a bin of a hundred values


class CubePolicy(ActorCriticPolicy):
    """The library's normal policy with its mean inside the cube and its spread at most what it is at first.

    The library bounds neither. Where an entropy bonus asks for new designs, its spread then grows until every draw is
    clipped to a corner of the cube, which are few designs, so that the bonus grows on until there are no numbers left.
    """

    def _get_action_dist_from_latent(self, latent_pi: Tensor) -> Distribution:
        with torch.no_grad():
            self.log_std.clamp_(log(_LEAST_SPREAD), self.log_std_init)
        means = torch.tanh(self.action_net(latent_pi))
        return self.action_dist.proba_distribution(means, self.log_std)


class RoundedActions(VecEnvWrapper):
    """Rounds each number of [-1, 1] to -1, 0 or 1 before it is binned: a column's first, middle and last value."""

    def reset(self) -> Any:
        return self.venv.reset()

    def step_async(self, actions: NDArray[np.floating[Any]]) -> None:
        self.venv.step_async(np.round(actions))

    def step_wait(self) -> Any:
        return self.venv.step_wait()
