"""REINFORCE: one softmax a parameter, whose logits follow the likelihood-ratio gradient.

Algorithm: REINFORCE (Williams 1992) with the policy that NAS by reinforcement learning is reduced to in its simplest
form (as in TuNAS, Bender et al. 2020): independent categorical distributions, one an index column, no network and no
observation. Each batch is drawn, evaluated, and takes one Adam step along (rank - baseline) * grad log probability plus
an entropy bonus; ranks among the designs evaluated last, from -1 to 1, are the rewards, and the baseline is their
moving average. The gradient is exact and written out: with torch, which derives it, a design took four times as long.
A parameter of more than 1,024 values has 1,024 bins.

Does well: many parameters that hardly interact; large batches; long budgets. Some 20 microseconds a design.
Does badly: parameters that only pay together, which independent softmaxes cannot express; fewer than some 100
evaluations; orders, whose digits mean little one by one.
"""

from __future__ import annotations

import numpy as np

from archgym_agents._policy_search import PolicyConfig, PolicySearch
from archgym_agents._rewards import Floats
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows


class Reinforce(PolicySearch):
    """A factorised policy."""

    Config = PolicyConfig
    _config: PolicyConfig

    def __init__(self, space: DesignSpace, config: PolicyConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        from archgym_agents._softmax_policies import Factorised  # compiled, so not with the module

        self._policy = Factorised(self._table, config.learning_rate)

    def drawn(self, n: int) -> Rows:
        return self._policy.draw(n, self._rng)

    def improve(self, rows: Rows, gains: Floats) -> None:
        self._policy.improve(rows, gains, self._config.entropy)
