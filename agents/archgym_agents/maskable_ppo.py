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

from archgym.agent import Settings, setting
from archgym.session import Session
from archgym_agents._sb3_agent import Sb3Agent
from archgym_simulators.errors import import_extra

REQUIRES = "rl"
_MOST_ENTROPY = 1.0


@dataclass(frozen=True)
class MaskablePPOConfig(Settings):
    """Settings of MaskablePPO."""

    envs: int = setting(16, "designs built at a time, between two updates", values=(8, 16, 32), low=2)
    learning_rate: float = setting(0.003, "step size of Adam", values=(0.001, 0.003, 0.01), low=1e-6, high=1.0)
    epochs: int = setting(10, "passes over the choices of an update", values=(5, 10, 20), low=1)
    clip: float = setting(0.2, "how far an update may move a probability ratio", values=(0.1, 0.2, 0.4), low=0.01)
    novelty: float = setting(
        0.5,
        "share of new designs below which the entropy bonus is raised, and above which it is lowered",
        values=(0.25, 0.5, 0.75),
        low=0.0,
        high=1.0,
    )
    entropy: float = setting(0.001, "smallest entropy bonus", values=(0.0001, 0.001, 0.01), low=1e-6, high=1.0)
    hidden: int = setting(64, "neurons of the hidden layer", values=(32, 64, 128), low=1)
    memory: int = setting(256, "designs among which rewards are ranked", values=(64, 256, 1024), low=1)


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

            def adjust(factor: float) -> None:
                model.ent_coef = min(max(model.ent_coef * factor, config.entropy), _MOST_ENTROPY)

            _sb3.train(model, _sb3.Novelty(session, config.novelty, adjust))
