"""SAC: a normal distribution over a cube of designs, pulled to where a critic expects most (Stable-Baselines3).

Algorithm: soft actor-critic (Haarnoja et al. 2018) on the continuous view: an action is a point of a cube, a number an
index column, cut into equal bins, one a value. Two critics learn ranks of rewards among the designs evaluated last from
everything that was evaluated; the policy climbs them, and its entropy is paid for by a temperature that follows the
share of new designs. An episode is one design, so nothing is discounted.

Does well: ordered parameters with many values; it reuses everything it has evaluated.
Does badly: categories and orders, whose neighbouring bins mean nothing; a policy with one peak cannot keep two good
regions, and stalls early. Some 10 ms a call of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

from archgym.agent import setting
from archgym.session import Session
from archgym_agents._learner_settings import OffPolicySettings
from archgym_agents._sb3_agent import Sb3Agent

REQUIRES = "rl"
_HOTTEST = 1.0


@dataclass(frozen=True)
class SACConfig(OffPolicySettings):
    """Settings of SAC."""

    spread: float = setting(
        0.3, "first spread of the distribution, before tanh", values=(0.1, 0.3, 1.0), low=0.01, high=10.0
    )
    temperature: float = setting(0.01, "smallest price of entropy", values=(0.001, 0.01, 0.1), low=1e-6, high=1.0)


class SACAgent(Sb3Agent):
    """Soft actor-critic on the continuous view."""

    SLOW: ClassVar[bool] = True
    Config = SACConfig
    _config: SACConfig

    def run(self, session: Session) -> None:
        """Train on the session until it is over."""
        from stable_baselines3 import SAC

        from archgym.envs.sb3_bridge import Sb3VecEnv
        from archgym_agents import _sb3

        config = self._config
        with _sb3.isolated():
            model = SAC(
                "MlpPolicy",
                _sb3.RankedRewards(Sb3VecEnv(session, config.envs, view="continuous"), config.memory),
                ent_coef=config.temperature,
                **_sb3.off_policy_arguments(config, self._seed),
            )

            # The library begins with a spread that covers the cube, which hundreds of evaluations hardly narrow.
            model.actor.log_std.bias.data.fill_(log(config.spread))  # type: ignore[attr-defined]

            def adjust(factor: float) -> None:
                price = float(model.ent_coef_tensor) * factor
                model.ent_coef_tensor.fill_(min(max(price, config.temperature), _HOTTEST))

            _sb3.train(model, _sb3.Novelty(session, config.novelty, adjust))
