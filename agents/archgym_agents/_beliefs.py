"""What two surrogates believe of designs: how good they are, and whether they are feasible."""

from __future__ import annotations

__all__ = ["SURROGATES", "Beliefs", "Surrogate"]

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from archgym_agents._acquisition import log_feasible, log_improvement
from archgym_agents._batches import Outcomes
from archgym_agents._features import Features
from archgym_agents._forest import Forest
from archgym_agents._gaussian_process import GaussianProcess
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

SURROGATES = {"gp": GaussianProcess, "forest": Forest}
_ENOUGH = 8  # feasible designs, from which on the objective is learned from them alone
_LOWEST = 2.0  # rewards are cut that many times as far below the median as the best is above
_SOMETIMES = 20  # infeasible designs that a model of feasibility learns from at least, where there are any


class Surrogate(Protocol):
    """A model of one quantity."""

    def fit(self, columns: Floats, targets: Floats, rng: np.random.Generator) -> object:
        """Learn targets (N,) of designs (N, F)."""

    def predict(self, columns: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation, (N,) each."""


class Beliefs:
    """A surrogate of the objective and, where a design was infeasible, one of feasibility.

    The first is fitted to feasible designs; as long as there are fewer than eight, to all of them in the order of
    constrained domination. A few dreadful designs would stretch its scale, so rewards are cut off below. The second is
    fitted to -1 for feasible designs, and for others to how many miss less, between 0 and 1: the boundary is at 0.
    """

    def __init__(self, space: DesignSpace, surrogate: str, known: int) -> None:
        """Begin without knowledge.

        Args:
            space: of the designs.
            surrogate: of `SURROGATES`.
            known: designs that a model learns from at most: the best half of them, and the latest.
        """
        self._features = Features(space)
        self._objective: Surrogate = SURROGATES[surrogate](self._features.is_category)
        self._feasibility: Surrogate = SURROGATES[surrogate](self._features.is_category)
        self._known = known
        self._is_bounded = False

    def learn(self, seen: Outcomes, rng: np.random.Generator) -> None:
        """Fit both to what was seen, of which nothing has failed."""
        columns = self._features.of(seen.rows)
        worth, is_alone = _worth(seen)
        chosen = self._kept(np.flatnonzero(seen.feasible) if is_alone else np.arange(len(worth)), worth)
        self._objective.fit(columns[chosen], _cut(worth[chosen]), rng)
        self._is_bounded = is_alone and not bool(seen.feasible.all())
        if self._is_bounded:
            near = self._kept(np.arange(len(worth)), worth)
            near = np.union1d(near, np.flatnonzero(~seen.feasible)[-_SOMETIMES:])
            self._feasibility.fit(columns[near], np.where(seen.feasible, -1.0, _share_missing_less(seen))[near], rng)
        self._worth = worth

    def promise(self, rows: Rows, since: int = 0) -> Floats:
        """Logarithm of expected improvement times the chance of feasibility, of designs (N, D): (N,).

        Args:
            rows: the designs.
            since: improvement over the best of the designs seen from there on.
        """
        columns = self._features.of(rows)
        found = log_improvement(*self._objective.predict(columns), float(self._worth[since:].max()))
        return found + log_feasible(*self._feasibility.predict(columns)) if self._is_bounded else found

    def expected(self, rows: Rows) -> Floats:
        """What designs (N, D) are expected to be worth; less where they are expected to be infeasible: (N,)."""
        columns = self._features.of(rows)
        mean, _ = self._objective.predict(columns)
        if not self._is_bounded:
            return mean
        excess, _ = self._feasibility.predict(columns)
        return mean - (1.0 + float(np.ptp(self._worth))) * np.maximum(excess, 0.0)

    def _kept(self, positions: Positions, worth: Floats) -> Positions:
        if len(positions) <= self._known:
            return positions
        best = positions[np.argsort(-worth[positions], kind="stable")[: self._known // 2]]
        latest = np.setdiff1d(positions, best)[-(self._known - len(best)) :]
        return np.union1d(best, latest)


def _worth(seen: Outcomes) -> tuple[Floats, bool]:
    """One number a design by constrained domination (N,); whether the feasible ones suffice to learn from."""
    feasible = seen.feasible
    if not feasible.any():
        return -np.log(np.maximum(seen.missed, 1e-9)), False
    rewards = seen.reward[feasible]
    floor = rewards.min() - max(float(np.ptp(rewards)), 1e-3) * (0.5 + _share_missing_less(seen))
    return np.where(feasible, seen.reward, floor), int(feasible.sum()) >= min(_ENOUGH, len(feasible))


def _share_missing_less(seen: Outcomes) -> Floats:
    """Of each design, the share of infeasible ones that miss at most as much: above 0, up to 1; (N,)."""
    missed = np.sort(seen.missed[~seen.feasible])
    return np.searchsorted(missed, seen.missed, side="right") / max(len(missed), 1)


def _cut(worth: Floats) -> Floats:
    middle, best = float(np.median(worth)), float(worth.max())
    return np.maximum(worth, middle - _LOWEST * max(best - middle, 1e-9))
