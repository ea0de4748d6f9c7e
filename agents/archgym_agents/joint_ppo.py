"""Joint PPO: the team of `ippo` with a single member, which chooses every parameter (PettingZoo).

Algorithm: proximal policy optimisation (Schulman et al. 2017) by the code of `ippo`: the same environment, networks,
rewards and updates, but one agent owns all parameters, each by a softmax of its own. Its one network feeds all of them,
its one critic judges them, and the probability ratio of the whole design is clipped, where a team clips the ratio of
each agent's share. It is the control for "are many agents better than one?": beside `ippo` nothing else differs.

Does well: as `ippo`, with narrow clips less so: the ratio of many choices leaves them after one step.
Does badly: as `ippo`. It is factorised, as `ppo` is, and differs from it in how networks begin and in the library.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

from archgym.agent import setting
from archgym.session import Session
from archgym_agents._learner_settings import ClippedSettings
from archgym_agents.ippo import IPPO

REQUIRES = "marl"


@dataclass(frozen=True)
class JointPPOConfig(ClippedSettings):
    """Settings of joint PPO: those of `archgym_agents.ippo.IPPOConfig`, but for groups, of which there is one."""

    envs: int = setting(8, "episodes between two updates", values=(4, 8, 16, 32), low=2)
    horizon: int = setting(1, "designs an episode", values=(1, 2, 4), low=1)
    learning_rate: float = setting(0.03, "step size of Adam", values=(0.003, 0.01, 0.03, 0.1), low=1e-6, high=1.0)
    hidden: int = setting(32, "neurons of each network's hidden layer", values=(16, 32, 64), low=1)


class JointPPO(IPPO):
    """One learner for all parameters."""

    SLOW: ClassVar[bool] = True  # not quite, but what a full check of it would show, that of `ippo` shows
    Config = JointPPOConfig  # type: ignore[assignment]  # has no groups
    _config: JointPPOConfig  # type: ignore[assignment]

    def run(self, session: Session) -> None:
        """Train on the session until it is over."""
        from archgym_agents._team import train_team

        everything = {"designer": session.space.names}
        train_team(session, SimpleNamespace(**self._config.to_json(), groups=everything), self._rng, central=False)
