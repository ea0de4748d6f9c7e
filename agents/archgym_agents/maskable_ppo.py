"""MaskablePPO: PPO that builds a design choice by choice, in sight of what it has chosen (sb3-contrib).

Algorithm: proximal policy optimisation (Schulman et al. 2017) with invalid-action masking (Huang and Ontanon 2022) on
the sequential view: a network sees the design so far and which column is next, and draws its value among those that the
column has. The reward of the finished design reaches every choice undiscounted. Rewards are ranks among the designs
evaluated last, and the entropy bonus follows the share of new designs, as for `ppo`.

Does well: good choices that depend on earlier choices; columns with very different numbers of values.
Does badly: fewer than some 200 evaluations; one network has to learn all columns, and sees them as a long one-hot
position. Some 10 to 15 ms a call of its own, more for more parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archgym.agent import setting
from archgym.session import Session
from archgym_agents._learner_settings import ClippedSettings
from archgym_agents._sb3_agent import Sb3Agent
from archgym_simulators.errors import import_extra

REQUIRES = "rl"


@dataclass(frozen=True)
class MaskablePPOConfig(ClippedSettings):
    """Settings of MaskablePPO."""

    envs: int = setting(16, "designs built at a time, between two updates", values=(8, 16, 32), low=2)
    learning_rate: float = setting(0.003, "step size of Adam", values=(0.001, 0.003, 0.01), low=1e-6, high=1.0)
    hidden: int = setting(64, "neurons of the hidden layer", values=(32, 64, 128), low=1)


class MaskablePPOAgent(Sb3Agent):
    """Proximal policy optimisation with masks, on the sequential view."""

    SLOW: ClassVar[bool] = True
    LIBRARY: ClassVar[str] = "sb3_contrib"
    Config = MaskablePPOConfig
    _config: MaskablePPOConfig

    def run(self, session: Session) -> None:
        """Train on the session until it is over."""
        sb3_contrib = import_extra("sb3_contrib", REQUIRES)

        from archgym.envs.sb3_bridge import Sb3VecEnv
        from archgym_agents import _sb3

        config, width = self._config, session.space.width
        with _sb3.isolated():
            model = sb3_contrib.MaskablePPO(
                "MlpPolicy",
                _sb3.RankedRewards(Sb3VecEnv(session, config.envs, view="sequential"), config.memory),
                n_steps=width,
                batch_size=max(config.envs * width // 4, 2),
                n_epochs=config.epochs,
                learning_rate=config.learning_rate,
                clip_range=config.clip,
                gamma=1.0,
                gae_lambda=1.0,
                ent_coef=config.entropy,
                policy_kwargs={"net_arch": [config.hidden]},
                seed=self._seed,
                device="cpu",
            )
            _sb3.train_with_entropy(model, session, novelty=config.novelty, least=config.entropy)
