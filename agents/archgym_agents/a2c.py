"""A2C: a policy with one distribution a parameter, one policy-gradient step a rollout (Stable-Baselines3).

Algorithm: advantage actor-critic (Mnih et al. 2016), synchronous, on the flat view: a small network maps the
observation to independent categorical distributions, one an index column, from which ``envs`` designs are drawn a step.
As `ppo`, but each rollout is used once and nothing is clipped. Rewards are ranks among the designs evaluated last, and
the entropy bonus follows the share of new designs, as for `ppo`.

Does well: many parameters that hardly interact, large spaces.
Does badly: fewer than some 100 evaluations; parameters whose good values depend on each other, which independent
distributions cannot express. It takes some 4 ms a call of its own, half of it for proposals that repeat.
"""

from __future__ import annotations

from dataclasses import dataclass

from archgym.agent import setting
from archgym.session import Session
from archgym_agents._learner_settings import EntropySettings
from archgym_agents._sb3_agent import Sb3Agent

REQUIRES = "rl"


@dataclass(frozen=True)
class A2CConfig(EntropySettings):
    """Settings of A2C."""

    envs: int = setting(8, "designs drawn from the policy at a time", values=(4, 8, 16, 32), low=2)
    steps: int = setting(1, "times that many designs between two updates", values=(1, 2, 4), low=1)
    learning_rate: float = setting(0.01, "step size of RMSprop", values=(0.001, 0.003, 0.01, 0.03), low=1e-6, high=1.0)
    hidden: int = setting(32, "neurons of the hidden layer", values=(16, 32, 64), low=1)


class A2CAgent(Sb3Agent):
    """Advantage actor-critic on the flat view."""

    Config = A2CConfig
    _config: A2CConfig

    def run(self, session: Session) -> None:
        """Train on the session until it is over."""
        from stable_baselines3 import A2C

        from archgym.envs.sb3_bridge import Sb3VecEnv
        from archgym_agents import _sb3

        config = self._config
        with _sb3.isolated():
            model = A2C(
                "MlpPolicy",
                _sb3.RankedRewards(Sb3VecEnv(session, config.envs), config.memory),
                n_steps=config.steps,
                learning_rate=config.learning_rate,
                ent_coef=config.entropy,
                normalize_advantage=True,
                policy_kwargs={"net_arch": [config.hidden]},
                seed=self._seed,
                device="cpu",
            )
            _sb3.train_with_entropy(model, session, novelty=config.novelty, least=config.entropy)
