"""IPPO: an agent for each parameter, each learning by PPO as if the others were part of the world (PettingZoo).

Algorithm: independent proximal policy optimisation (de Witt et al. 2020) on the PettingZoo environment: every agent has
a network from the observation to its own choice, and a critic; all choose at once, one design is made of it, and all
get its reward. Agents differ in what they choose among; one of a declared group chooses several parameters, each by a
softmax. ``envs`` episodes are played, then each agent takes ``epochs`` steps of the clipped surrogate on its own ratio.
Returns are sums to the end of an episode, nothing is bootstrapped. Rewards are ranks among the designs evaluated last,
and the entropy bonus follows the share of new designs, as for `ppo`.

Does well: many parameters that hardly interact, large spaces; more than some 200 evaluations.
Does badly: parameters whose good values depend on each other, which agents that choose at once cannot agree on; short
budgets. At horizon 1 and on one workload all agents see the same constant, so that it is factorised PPO whose ratio is
clipped by agents; a critic of one's own is then a mean. It takes some 700 microseconds a design of its own: gradients
are written out and states that are alike are seen once, but each design is learned from by ten steps of all networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from archgym.agent import Agent, refuse_several_objectives, setting
from archgym.session import Session
from archgym_agents._learner_settings import ClippedSettings
from archgym_simulators import DesignSpace
from archgym_simulators.errors import import_extra


@dataclass(frozen=True)
class IPPOConfig(ClippedSettings):
    """Settings of IPPO and of MAPPO."""

    groups: str = setting(
        "parameter",
        "who chooses what: an agent a parameter, or an agent a group that the family declares",
        values=("parameter", "declared"),
        choices=("parameter", "declared"),
    )
    envs: int = setting(8, "episodes between two updates", values=(4, 8, 16, 32), low=2)
    horizon: int = setting(1, "designs an episode", values=(1, 2, 4), low=1)
    learning_rate: float = setting(0.03, "step size of Adam", values=(0.003, 0.01, 0.03, 0.1), low=1e-6, high=1.0)
    hidden: int = setting(32, "neurons of each network's hidden layer", values=(16, 32, 64), low=1)


class IPPO(Agent):
    """Independent learners, a critic each."""

    REQUIRES: ClassVar[str] = "marl"
    CENTRAL: ClassVar[bool] = False
    Config = IPPOConfig

    def __init__(self, config: IPPOConfig, rng: np.random.Generator) -> None:
        self._config = config
        self._rng = rng

    @classmethod
    def create(
        cls,
        space: DesignSpace,
        config: Any,
        rng: np.random.Generator,
        *,
        budget: int,
        n_objectives: int = 1,
    ) -> Self:
        """Build the agents; the budget does not change what they propose."""
        refuse_several_objectives(cls.__module__.rpartition(".")[2], n_objectives)
        import_extra("pettingzoo", cls.REQUIRES)
        return cls(config, rng)

    def run(self, session: Session) -> None:
        """Train on the session until it is over."""
        from archgym_agents._team import train_team

        train_team(session, self._config, self._rng, central=self.CENTRAL)
