"""Hyperband: successive halving that does not have to know how far the cheap fidelities can be trusted.

Algorithm: Li et al. (JMLR 2018). Brackets take turns: the first begins with many random designs at the lowest rung of
the fidelity parameter, the next with fewer one rung higher, the last with a few at the highest, so that each costs
about the same where a rung costs ``eta`` times the one below. With K rungs, a bracket of m promotions begins with
``K / (m + 1) * eta^m`` designs, rounded up. A design at another level is another call, with its own cost: compare by
cost, with ``budget_unit = "cost"``.

Does well: where it is not known whether low fidelities mislead; never much worse than random search at the highest.
Does badly: where they do not: successive halving is then faster; and new designs are random, like there.
Refuses: spaces without a fidelity parameter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archgym.agent import Settings, setting
from archgym_agents._halving import Halving
from archgym_simulators import DesignSpace


@dataclass(frozen=True)
class HyperbandConfig(Settings):
    """Settings of Hyperband."""

    eta: int = setting(3, "of how many designs one is promoted", values=(2, 3, 4), low=2)
    rungs: int = setting(4, "levels of fidelity that are used at most", values=(2, 3, 4, 5), low=2)


class Hyperband(Halving):
    """Brackets that begin at each rung in turn."""

    Config = HyperbandConfig
    _config: HyperbandConfig

    def __init__(self, space: DesignSpace, config: HyperbandConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._turn = -1

    def bracket(self) -> tuple[int, int]:
        self._turn += 1
        rungs = len(self._rungs)
        first = self._turn % rungs
        promotions = rungs - 1 - first
        return first, -(-rungs * self._config.eta**promotions // (promotions + 1))
