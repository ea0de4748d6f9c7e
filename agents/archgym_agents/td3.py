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

from archgym.agent import Settings, setting
from archgym.session import Session
from archgym_agents._sb3_agent import Sb3Agent

REQUIRES = "rl"
_LOUDEST = 2.0


@dataclass(frozen=True)
class TD3Config(Settings):
    """Settings of TD3."""

    envs: int = setting(8, "designs drawn at a time, between two updates", values=(4, 8, 16), low=1)
    warm_up: int = setting(32, "random designs before the policy is asked", values=(16, 32, 64), low=1)
    novelty: float = setting(
        0.5,
        "share of new designs below which it explores more, and above which it explores less",
        values=(0.25, 0.5, 0.75),
        low=0.0,
        high=1.0,
    )
    noise: float = setting(
        0.2, "smallest size of the noise, on a cube of side 2", values=(0.05, 0.1, 0.2), low=1e-6, high=2.0
    )
    learning_rate: float = setting(0.003, "step size of Adam", values=(0.001, 0.003, 0.01), low=1e-6, high=1.0)
    updates: int = setting(8, "gradient steps an update", values=(4, 8, 16), low=1)
    batch: int = setting(64, "designs a gradient step", values=(32, 64, 128), low=1)
    hidden: int = setting(64, "neurons of each of two hidden layers", values=(32, 64, 128), low=1)
    replay: int = setting(4096, "designs that are remembered and learned from", values=(512, 4096), low=1)
    memory: int = setting(1024, "designs among which rewards are ranked", values=(256, 1024, 4096), low=1)


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
                learning_rate=config.learning_rate,
                buffer_size=config.replay,
                learning_starts=config.warm_up,
                batch_size=config.batch,
                train_freq=1,
                gradient_steps=config.updates,
                gamma=0.0,
                action_noise=noise,
                policy_kwargs={"net_arch": [config.hidden, config.hidden]},
                seed=self._seed,
                device="cpu",
            )

            def adjust(factor: float) -> None:
                noise.size = min(max(noise.size * factor, config.noise), _LOUDEST)

            _sb3.train(model, _sb3.Novelty(session, config.novelty, adjust))
