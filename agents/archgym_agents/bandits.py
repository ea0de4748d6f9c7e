"""Independent bandits: one per parameter, each learning what its values are worth as if the others did not exist.

Algorithm: every parameter is a bandit whose arms are its values. All choose at once, hear the same reward, and none
sees what the others chose (the independent learners of Claus and Boutilier, AAAI 1998). ``rule`` says how an arm is
chosen: ``ucb`` (UCB1, Auer et al. 2002: best mean plus what is owed to arms seldom tried), ``thompson`` (the highest
draw from each arm's posterior), or ``exp3`` (Auer et al. 2002: weights that grow with the reward of an arm over its
probability). Rewards are ranks among all designs so far, from 0 to 1, which no outlier stretches, infeasible designs
below feasible ones. An order is one bandit a digit. A parameter of more than 1,024 values has 1,024 bins as arms. A
design that was tried before is moved on.

Does well: parameters that hardly interact; a control for methods with many agents.
Does badly: coupled parameters, where what is good depends on choices that a bandit does not see; fewer calls than arms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym.agent import Settings, setting
from archgym_agents._batches import Outcomes
from archgym_agents._search import Search
from archgym_agents._values import ValueTable
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BanditsConfig(Settings):
    """Settings of independent bandits."""

    rule: str = setting(
        "thompson",
        "how a bandit chooses its arm",
        values=("ucb", "thompson", "exp3"),
        choices=("ucb", "thompson", "exp3"),
    )
    batch: int = setting(8, "designs that are chosen before the next outcomes", values=(1, 4, 8, 16, 32), low=1)
    exploration: float = setting(
        0.5,
        "ucb: factor of the bonus; thompson: of the spread; exp3: rate of learning",
        values=(0.1, 0.25, 0.5, 1.0),
        low=0.0,
        high=10.0,
    )
    random: float = setting(
        0.05, "probability that an arm is drawn at random instead", values=(0.0, 0.05, 0.1, 0.2), low=0.0, high=1.0
    )


class Bandits(Search):
    """One bandit a column of the index row."""

    Config = BanditsConfig
    _config: BanditsConfig

    def __init__(self, space: DesignSpace, config: BanditsConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._table = ValueTable(space)
        self._pulls = np.zeros(self._table.size)  # (V,) of each arm
        self._gains = np.zeros(self._table.size)  # (V,) summed ranks
        self._weights = np.zeros(self._table.size)  # (V,) logarithms, of exp3
        self._chances = self._table.uniform()  # (V,) of each arm when last chosen from, for exp3
        self._feasible: Floats = np.zeros(0)  # rewards of feasible designs, ascending
        self._infeasible: Floats = np.zeros(0)  # what infeasible ones miss, negated, ascending

    def plan(self) -> Rows:
        count = self._config.batch
        chosen = self._drawn(count) if self._config.rule == "exp3" else self._table.highest(self._scores(), self._rng)
        anywhere = self._space.sample(count, self._rng)
        is_random = self._rng.random(chosen.shape) < self._config.random
        return self.fresh(np.where(is_random, anywhere, chosen), count)

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        born = outcomes.take(np.flatnonzero(~outcomes.failed))
        if not len(born.rows):
            return
        places = self._table.places(born.rows)  # (N, D)
        ranks = np.broadcast_to(self._ranks(born)[:, None], places.shape)
        self._pulls += np.bincount(places.ravel(), minlength=self._table.size)
        self._gains += np.bincount(places.ravel(), ranks.ravel(), minlength=self._table.size)
        likely = np.maximum(self._chances[places], self._table.uniform()[places] * max(self._config.random, 1e-3))
        step = self._config.exploration * self._table.uniform()[places] * ranks / likely
        self._weights += np.bincount(places.ravel(), step.ravel(), minlength=self._table.size)

    def _scores(self) -> Floats:
        """What each design of a batch makes of each arm: (batch, V)."""
        shape = self._config.batch, self._table.size
        pulls = self._pulls + 1.0  # as if each arm had once been of middling worth
        mean = (self._gains + 0.5) / pulls
        if self._config.rule == "thompson":
            return np.asarray(mean + self._config.exploration * self._rng.standard_normal(shape) / np.sqrt(pulls))
        bonus = self._config.exploration * np.sqrt(2.0 * np.log(self._pulls.sum() / self._space.width + 2.0) / pulls)
        return np.asarray(mean + bonus + 1e-6 * self._rng.random(shape))  # equals by chance

    def _drawn(self, count: int) -> Rows:
        top = self._table.column_maxima(self._weights)
        weights = np.exp(np.maximum(self._weights - top, -50.0))
        self._chances = weights / self._table.column_sums(weights)
        return self._table.draw(self._chances, count, self._rng)

    def _ranks(self, outcomes: Outcomes) -> Floats:
        """Share of all designs so far, these included, that are no better: (N,), from 0 to 1."""
        good = outcomes.feasible
        self._feasible = np.sort(np.concatenate([self._feasible, outcomes.reward[good]]))
        self._infeasible = np.sort(np.concatenate([self._infeasible, -outcomes.missed[~good]]))
        below = np.where(
            good,
            len(self._infeasible) + np.searchsorted(self._feasible, outcomes.reward, side="right"),
            np.searchsorted(self._infeasible, -outcomes.missed, side="right"),
        )
        return np.asarray(below / (len(self._feasible) + len(self._infeasible)))
