"""PPO: a policy with one distribution a parameter, improved by clipped policy gradients (Stable-Baselines3).

Algorithm: proximal policy optimisation (Schulman et al. 2017) on the flat view: a small network maps the observation to
independent categorical distributions, one an index column (a factorised policy), from which ``envs`` designs are drawn
a step. Every episode is one design, so PPO is a contextual bandit here. Set for hundreds of evaluations, not for
millions: rollouts of ``envs * steps`` designs, a high learning rate, a small network. Two things are added to the
library's PPO: rewards are ranks among the designs evaluated last, so that neither the scale of a family nor the -30 of
an invalid design matters; and the entropy bonus follows the share of new designs, so that the policy does not go on to
propose what it knows.

Does well: many parameters that hardly interact; large spaces; what it has learned is a policy, which other workloads
may use.
Does badly: fewer than some 100 evaluations, of which the first rollouts are random; parameters whose good values depend
on each other, which independent distributions cannot express. On the DRAM controller the genetic algorithm is ahead of
it at 100 and 300 calls (`docs/train-rl.md`). A call takes some 5 ms of its own, half of it for proposals that repeat.
"""

from __future__ import annotations

from dataclasses import dataclass

from archgym.agent import setting
from archgym.session import Session
from archgym_agents._learner_settings import ClippedSettings
from archgym_agents._sb3_agent import Sb3Agent

REQUIRES = "rl"


@dataclass(frozen=True)
class PPOConfig(ClippedSettings):
    """Settings of PPO."""

    envs: int = setting(8, "designs drawn from the policy at a time", values=(4, 8, 16, 32), low=2)
    steps: int = setting(2, "times that many designs between two updates", values=(1, 2, 4), low=1)
    learning_rate: float = setting(0.01, "step size of Adam", values=(0.001, 0.003, 0.01, 0.03), low=1e-6, high=1.0)
    hidden: int = setting(32, "neurons of the hidden layer", values=(16, 32, 64), low=1)


class PPOAgent(Sb3Agent):
    """Proximal policy optimisation on the flat view."""

    Config = PPOConfig
    _config: PPOConfig

    def run(self, session: Session) -> None:
        """Train on the session until it is over."""
        from stable_baselines3 import PPO

        from archgym.envs.sb3_bridge import Sb3VecEnv
        from archgym_agents import _sb3

        config = self._config
        with _sb3.isolated():
            model = PPO(
                "MlpPolicy",
                _sb3.RankedRewards(Sb3VecEnv(session, config.envs), config.memory),
                n_steps=config.steps,
                batch_size=config.envs * config.steps,
                n_epochs=config.epochs,
                learning_rate=config.learning_rate,
                clip_range=config.clip,
                ent_coef=config.entropy,
                policy_kwargs={"net_arch": [config.hidden]},
                seed=self._seed,
                device="cpu",
            )
            _sb3.train_with_entropy(model, session, novelty=config.novelty, least=config.entropy)
