"""TD3: a point in a cube of designs that climbs what two critics expect, with noise around it (Stable-Baselines3).

Algorithm: twin delayed deep deterministic policy gradient (Fujimoto et al. 2018) on the continuous view: an action is a
point of a cube, a number an index column, cut into equal bins, one a value. Two critics learn ranks of rewards among
the designs evaluated last from everything that was evaluated; the policy is one point that climbs one of them, and
designs are drawn around it by normal noise, whose size follows the share of new designs. Nothing is discounted.

Does well: ordered parameters with many values; it reuses everything it has evaluated.
Does badly: categories and orders, whose neighbouring bins mean nothing; it is in one place at a time, and stays at a
local optimum, often at an edge of the cube; fewer than some 200 evaluations. Some 5 ms a call of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archgym.agent import setting
from archgym.session import Session
from archgym_agents._learner_settings import OffPolicySettings
from archgym_agents._sb3_agent import Sb3Agent

REQUIRES = "rl"
_LOUDEST = 2.0


@dataclass(frozen=True)
class TD3Config(OffPolicySettings):
    """Settings of TD3."""

    noise: float = setting(
        0.2, "smallest size of the noise, on a cube of side 2", values=(0.05, 0.1, 0.2), low=1e-6, high=2.0
    )


class TD3Agent(Sb3Agent):
    """Twin delayed policy gradients on the continuous view."""

    SLOW: ClassVar[bool] = True
    Config = TD3Config
    _config: TD3Config

    def run(self, session: Session) -> None:
        """Train on the session until it is over."""
        from stable_baselines3 import TD3

        from archgym.envs.sb3_bridge import Sb3VecEnv
        from archgym_agents import _sb3

        config = self._config
        with _sb3.isolated():
            noise = _sb3.SharedNoise(session.space.width, config.noise)
            model = TD3(
                "MlpPolicy",
                _sb3.RankedRewards(Sb3VecEnv(session, config.envs, view="continuous"), config.memory),
                action_noise=noise,
                **_sb3.off_policy_arguments(config, self._seed),
            )

            def adjust(factor: float) -> None:
                noise.size = min(max(noise.size * factor, config.noise), _LOUDEST)

            _sb3.train(model, _sb3.Novelty(session, config.novelty, adjust))
