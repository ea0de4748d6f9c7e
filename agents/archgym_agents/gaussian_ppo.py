"""Gaussian PPO: a normal distribution over a cube of designs, improved by clipped policy gradients (Stable-Baselines3).

Algorithm: proximal policy optimisation (Schulman et al. 2017) on the continuous view: a small network maps the
observation to a point of a cube, a number an index column, around which actions are drawn with independent normal
noise, never larger than at first; what leaves the cube is clipped to its faces. ``reach`` says what an action means.
``all``: a number is cut into equal bins, one a value, so that every design can be chosen. ``rounded``: it is first
rounded to -1, 0 or 1, as the released ArchGym does before it bins, so that of each column only the first value, the
middle one and the last can be chosen: of that project's own encoding of the DRAM controller 26,244 designs of 442,368.
Rewards are ranks and the entropy bonus follows the share of new designs, as for `ppo`, with whose settings it is set.

Does well: ordered parameters; it is the control that continuous actions are compared by.
Does badly: categories, whose neighbouring bins mean nothing; two good regions, of which a single peak keeps one.
Large noise, clipped, favours a column's first and last value. ``rounded`` never reaches most designs, whatever it
learns. `ppo` on the flat view is the same method without an order among values.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

from archgym.agent import setting
from archgym.session import Session
from archgym_agents._sb3_agent import Sb3Agent
from archgym_agents.ppo import PPOConfig

REQUIRES = "rl"


@dataclass(frozen=True)
class GaussianPPOConfig(PPOConfig):
    """Settings of Gaussian PPO."""

    spread: float = setting(
        0.6,
        "first and largest standard deviation, in a cube of side 2; at 0.6 first designs are nearly uniform",
        values=(0.3, 0.6, 1.0),
        low=0.01,
        high=10.0,
    )
    reach: str = setting(
        "all",
        "all: every value of every column; rounded: the first, middle and last only, as in the released ArchGym",
        choices=("all", "rounded"),
    )


class GaussianPPO(Sb3Agent):
    """Proximal policy optimisation on the continuous view."""

    SLOW: ClassVar[bool] = True  # not quite, but what a full check of it would show, that of `ppo` shows
    Config = GaussianPPOConfig
    _config: GaussianPPOConfig

    def run(self, session: Session) -> None:
        """Train on the session until it is over."""
        from stable_baselines3 import PPO

        from archgym.envs.sb3_bridge import Sb3VecEnv
        from archgym_agents import _sb3
        from archgym_agents._gaussian_cube import CubePolicy, RoundedActions

        config = self._config
        envs = _sb3.RankedRewards(Sb3VecEnv(session, config.envs, view="continuous"), config.memory)
        with _sb3.isolated():
            model = PPO(
                CubePolicy,
                RoundedActions(envs) if config.reach == "rounded" else envs,
                n_steps=config.steps,
                batch_size=config.envs * config.steps,
                n_epochs=config.epochs,
                learning_rate=config.learning_rate,
                clip_range=config.clip,
                ent_coef=config.entropy,
                policy_kwargs={"net_arch": [config.hidden], "log_std_init": log(config.spread)},
                seed=self._seed,
                device="cpu",
            )
            _sb3.train_with_entropy(model, session, novelty=config.novelty, least=config.entropy)
