"""Simulated annealing: one random move at a time, worse designs accepted ever more rarely.

Algorithm: Metropolis acceptance (Kirkpatrick, Gelatt & Vecchi 1983). From the best of a few random designs, ``moves``
parameters are moved by a step of their kind (ordinals to near values, categoricals redrawn, orders swapped, one prime
moved); a better design is accepted, one that is worse by d with probability exp(-d / T). T begins at a share of the
spread of the first designs' rewards, so that no scale of a family needs to be known, and halves every ``halving``
evaluations; at a hundredth of its first value it is raised again, and the walk goes on from the best design so far. An
infeasible design counts as worse than a feasible one by at least the whole spread, and while the walk is at infeasible
ones, what they miss counts ever more (an adaptive penalty, Hadj-Alouane and Bean 1997): by 1 each ``halving``
evaluations, again from 0 at a feasible design and when the temperature is raised. Nothing is tried twice.

Does well: many parameters with many local optima, and a few hundred calls.
Does badly: fewer calls than parameters, because each is moved blindly and one at a time; flat rewards. Without the
penalty it stayed where the objective is good and a bound just out of reach (`dram-dev-p99`: 5 of 8 runs of 300 calls);
by what is missed alone, walks on systems on chip got stuck near their bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from archgym.agent import Settings, refuse_several_objectives, setting
from archgym_agents._batches import BatchSearch, Outcomes
from archgym_agents._moves import Moves
from archgym_agents._untried import Untried
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows

_COLD = 0.01
_TRIES = 8  # rounds of moves that lead to known designs, until a random design is drawn


@dataclass(frozen=True)
class SimulatedAnnealingConfig(Settings):
    """Settings of simulated annealing."""

    starts: int = setting(8, "random designs, the best of which the walk begins at", values=(2, 4, 8, 16, 32), low=2)
    temperature: float = setting(
        0.1,
        "first temperature, as a share of the spread of the rewards of the first designs",
        values=(0.01, 0.03, 0.1, 0.3, 1.0),
        low=0.0,
    )
    halving: int = setting(50, "evaluations after which the temperature is halved", values=(15, 25, 50, 100), low=1)
    moves: int = setting(1, "parameters that a move changes", values=(1, 2, 3), low=1)


@dataclass(frozen=True)
class _Stand:
    """A design that the walk has been at."""

    row: Rows  # (D,)
    feasible: bool
    reward: float
    missed: float

    def rank(self, penalty: float) -> tuple[bool, float]:
        """Feasible designs by reward, after them others by their reward less what they miss times a penalty."""
        return self.feasible, self.reward - penalty * self.missed


class SimulatedAnnealing(BatchSearch):
    """A random walk that cools down, and is heated again."""

    Config = SimulatedAnnealingConfig

    def __init__(self, space: DesignSpace, config: SimulatedAnnealingConfig, rng: np.random.Generator) -> None:
        super().__init__(space.width)
        self._config = config
        self._rng = rng
        self._moves = Moves(space)
        self._untried = Untried(space)
        self._here: _Stand | None = None
        self._best: _Stand | None = None
        self._spread = self._first_temperature = self._temperature = self._penalty = 0.0

    @classmethod
    def create(
        cls,
        space: DesignSpace,
        config: SimulatedAnnealingConfig,
        rng: np.random.Generator,
        *,
        budget: int,
        n_objectives: int = 1,
    ) -> Self:
        """Build the agent; the budget does not change what it proposes."""
        refuse_several_objectives("simulated_annealing", n_objectives)
        return cls(space, config, rng)

    def plan(self) -> Rows:
        if self._here is None:
            return self._untried.draw(self._config.starts, self._rng)
        for _ in range(_TRIES):
            moved = self._here.row
            for _ in range(self._config.moves):
                moved = self._moves.step(moved, self._rng)
            fresh = self._untried.take(moved[None])
            if len(fresh):
                return fresh
        return self._untried.draw(1, self._rng)

    def learn(self, outcomes: Outcomes) -> None:
        if outcomes.failed.any():
            self._untried.forget_failed(outcomes.rows[outcomes.failed])
        stands = [
            _Stand(row, feasible, reward, missed)
            for row, feasible, reward, missed, failed in zip(
                outcomes.rows,
                outcomes.feasible.tolist(),
                outcomes.reward.tolist(),
                outcomes.missed.tolist(),
                outcomes.failed.tolist(),
                strict=True,
            )
            if not failed
        ]
        if not stands:
            return
        found = max(stands, key=lambda stand: stand.rank(self._penalty))
        if self._best is None or found.rank(self._penalty) > self._best.rank(self._penalty):
            self._best = found
        if self._here is None:
            self._here = found
            self._spread = _spread(outcomes)
            self._first_temperature = self._temperature = self._config.temperature * self._spread
        elif self._accepts(self._here, found):
            self._here = found
        self._cool()

    def _accepts(self, here: _Stand, found: _Stand) -> bool:
        luck = float(self._rng.random())
        ours, theirs = here.rank(self._penalty), found.rank(self._penalty)
        if theirs >= ours:
            return True
        loss = ours[1] - theirs[1]
        if here.feasible and not found.feasible:
            loss = max(loss, 0.0) + self._spread
        return self._temperature > 0.0 and luck < float(np.exp(-loss / self._temperature))

    def _cool(self) -> None:
        assert self._here is not None
        self._temperature *= 0.5 ** (1.0 / self._config.halving)
        self._penalty = 0.0 if self._here.feasible else self._penalty + 1.0 / self._config.halving
        if self._temperature < _COLD * self._first_temperature:
            self._temperature, self._penalty = self._first_temperature, 0.0
            self._here = self._best


def _spread(outcomes: Outcomes) -> float:
    """Standard deviation of the rewards: of feasible designs where there are two, else of all that did not fail."""
    reward = outcomes.reward[outcomes.feasible]
    if len(reward) < 2:
        reward = outcomes.reward[~outcomes.failed]
    return float(reward.std())
