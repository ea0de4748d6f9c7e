"""DQN: learns what each choice of a parameter is worth, and builds designs from the best choices (Stable-Baselines3).

Algorithm: deep Q-learning (Mnih et al. 2015) on the sequential view: a design is built one index column a step, and a
network estimates the reward that the finished design will have. Targets are n-step returns over a whole design
(Hessel et al. 2018), so the reward of the last choice reaches the first at once and no estimate feeds on another.
Choices are greedy but for ``explore`` random ones a design, drawn among the allowed. Two things are added to the
library's DQN: rewards are ranks among the designs evaluated last, so that neither the scale of a family nor the -30 of
an invalid design matters; and exploration follows the share of new designs, so that greedy designs do not repeat for
ever.

Does well: good choices that depend on earlier choices, which it sees; it reuses everything it has evaluated.
Does badly: fewer than some 100 evaluations; permutations, whose digits mean little one by one. On the DRAM controller
the genetic algorithm is ahead of it at 100 and 300 calls (`docs/train-rl.md`). A call takes some 7 ms of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from archgym.agent import Settings, setting
from archgym.session import Session
from archgym_agents._sb3_agent import Sb3Agent

REQUIRES = "rl"


@dataclass(frozen=True)
class DQNConfig(Settings):
    """Settings of DQN."""

    envs: int = setting(8, "designs built at a time, between two updates", values=(4, 8, 16), low=1)
    warm_up: int = setting(32, "random designs before the first greedy choice", values=(16, 32, 64), low=1)
    explore: float = setting(1.0, "random choices a design, at least", values=(0.5, 1.0, 2.0), low=0.0)
    novelty: float = setting(
        0.5,
        "share of new designs below which it explores more, and above which it explores less",
        values=(0.25, 0.5, 0.75),
        low=0.0,
        high=1.0,
    )
    learning_rate: float = setting(0.003, "step size of Adam", values=(0.001, 0.003, 0.01), low=1e-6, high=1.0)
    updates: int = setting(16, "gradient steps an update", values=(8, 16, 32), low=1)
    batch: int = setting(64, "choices a gradient step", values=(32, 64, 128), low=1)
    hidden: int = setting(64, "neurons of each of two hidden layers", values=(32, 64, 128), low=1)
    replay: int = setting(4096, "designs that are remembered and learned from", values=(512, 4096), low=1)
    memory: int = setting(1024, "designs among which rewards are ranked", values=(256, 1024, 4096), low=1)


class DQNAgent(Sb3Agent):
    """Deep Q-learning on the sequential view."""

    Config = DQNConfig
    _config: DQNConfig

    def run(self, session: Session) -> None:
        """Train on the session until it is over."""
        from archgym.envs.sb3_bridge import Sb3VecEnv
        from archgym_agents import _sb3

        config, width = self._config, session.space.width
        with _sb3.isolated():
            model = _sb3.ExploringDQN(
                "MlpPolicy",
                _sb3.RankedRewards(Sb3VecEnv(session, config.envs, view="sequential"), config.memory),
                learning_rate=config.learning_rate,
                # Whole designs, so that none is unfinished when returns are computed.
                buffer_size=max(config.replay // config.envs, 1) * config.envs * width,
                train_freq=width,
                n_steps=width,
                gamma=1.0,
                learning_starts=0,
                batch_size=config.batch,
                gradient_steps=config.updates,
                policy_kwargs={"net_arch": [config.hidden, config.hidden]},
                seed=self._seed,
                device="cpu",
            )
            model.warm_up = config.warm_up * width
            model.epsilon = least = min(config.explore / width, 1.0)

            def adjust(factor: float) -> None:
                model.epsilon = min(max(model.epsilon * factor, least), 1.0)

            _sb3.train(model, _sb3.Novelty(session, config.novelty, adjust))
