"""Bayesian optimisation in a trust region: a model of everything seen, and where near the best it promises most.

Algorithm: a surrogate (a Gaussian process with one length scale a parameter, or a forest of random trees) is fitted to
what was seen; a second one learns feasibility. Candidates are moves of the best designs by operators that know what a
parameter is: one parameter, several, or a crossing of two. Those that promise most (expected improvement times the
chance of feasibility, Schonlau et al. 1998) are improved by local search over their neighbours, and the best are tried.
A share of the designs (``neighbours``) are instead the most promising untried neighbours of the best one, as in hill
climbing: where the model is sure of a local optimum and wrong, it is corrected there. How many parameters a move
changes is the trust region (TuRBO, Eriksson et al. 2019; on mixed spaces Casmopolitan, Wan et al. 2021): it grows with
success and shrinks with failure. A region that has found nothing better for a while is left for one that begins at new
random designs; the models keep what they know. No design is tried twice.

Does well: 30 to 300 calls, parameters of every kind, bounds; where a call costs more than ten milliseconds.
Does badly: time: about two milliseconds a call of its own (the forest, at a batch of 8, 0.6), and bounds that no
random design meets, where it has nothing but what they miss to go by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from archgym.agent import Settings, setting
from archgym_agents._batches import Outcomes
from archgym_agents._search import Search
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows

if TYPE_CHECKING:
    from archgym_agents._beliefs import Beliefs

_POOL = 96  # candidates of each kind of move
_ROUNDS = 4  # of local search
_BEAM, _MOVES_EACH = 8, 8  # designs that each round starts from, and their neighbours that it looks at
_WIDEST = 0.6  # share of the parameters that a move changes at most, on average
_GROWS, _SHRINKS = 1.5, 0.945  # the region: at a success, at each failure


@dataclass(frozen=True)
class BayesianConfig(Settings):
    """Settings of Bayesian optimisation."""

    surrogate: str = setting(
        "gp",
        "model: a Gaussian process (learns most from few designs) or a forest (fast)",
        values=("gp", "forest"),
        choices=("gp", "forest"),
    )
    startup: int = setting(10, "random designs at first", values=(5, 10, 20), low=2)
    batch: int = setting(2, "designs proposed from one fit", values=(1, 2, 4, 8), low=1)
    neighbours: float = setting(
        0.3,
        "share of the designs that are neighbours of the region's best, whatever else promises more",
        values=(0.0, 0.15, 0.3, 0.5),
        low=0.0,
        high=1.0,
    )
    elite: int = setting(8, "best designs of a region that candidates are moves of", values=(2, 4, 8, 16), low=1)
    patience: int = setting(
        40, "calls without improvement after which a region is left; 0 for never", values=(0, 20, 40, 80), low=0
    )
    known: int = setting(200, "designs that a model learns from at most", values=(100, 200, 400), low=10)


class Bayesian(Search):
    """Surrogates, a trust region, local search, without repeats."""

    Config = BayesianConfig
    _config: BayesianConfig

    def __init__(self, space: DesignSpace, config: BayesianConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._beliefs: Beliefs | None = None
        self._seen: Outcomes | None = None
        self._enter_region()

    def _enter_region(self) -> None:
        self._since = 0 if self._seen is None else len(self._seen.rows)  # the region's first design
        self._failures = 0
        self._best: tuple[bool, float] = (False, -np.inf)
        self._reach = max(2.0, 0.4 * self._moves.count)  # parameters that a move changes, on average

    def plan(self) -> Rows:
        seen = self._seen
        missing = self._config.startup - (0 if seen is None else len(seen.rows) - self._since)
        if seen is None or missing > 0:
            return self._untried.draw(missing, self._rng)
        self._known().learn(seen, self._rng)
        batch = self._config.batch
        nearby = int((self._rng.random(batch) < self._config.neighbours).sum())
        chosen = self._improved(self._candidates())[:batch]
        if nearby:
            chosen = np.concatenate([self._neighbours()[:nearby], chosen])
        return self.fresh(chosen, batch)

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        born = outcomes.take(np.flatnonzero(~outcomes.failed))
        if not len(born.rows):
            return
        if self._remember(born):
            self._reach = min(self._reach * _GROWS, max(2.0, _WIDEST * self._moves.count))
            return
        self._failures += len(born.rows)
        self._reach = max(self._reach * _SHRINKS ** len(born.rows), 1.0)
        if self._config.patience and self._failures >= self._config.patience:
            self._enter_region()

    def overhear(self, outcomes: Outcomes) -> None:
        """Learn from what others found as from its own designs; the region moves to a better one."""
        super().overhear(outcomes)
        born = outcomes.take(np.flatnonzero(~outcomes.failed))
        if len(born.rows):
            self._remember(born)

    def _remember(self, born: Outcomes) -> bool:
        """Add designs to those seen; whether one is the best of the region."""
        self._seen = born if self._seen is None else self._seen.followed_by(born)
        found = born.rank(int(born.best_first()[0]))
        if found > self._best:
            self._best, self._failures = found, 0
            return True
        return False

    def _known(self) -> Beliefs:
        if self._beliefs is None:
            from archgym_agents._beliefs import Beliefs  # compiled, so not with the module

            self._beliefs = Beliefs(self._space, self._config.surrogate, self._config.known)
        return self._beliefs

    def _candidates(self) -> Rows:
        """Untried moves of the region's best designs: of one parameter, of several, and crossings."""
        assert self._seen is not None
        region = self._seen.take(np.arange(self._since, len(self._seen.rows)))
        elite = region.rows[region.best_first()[: self._config.elite]]
        # Squared, so that better ones have more moves.
        drawn = elite[(self._rng.random((4, _POOL)) ** 2 * len(elite)).astype(np.int64)]
        rate = min(self._reach / self._moves.count, 1.0)
        one = self._moves.mutate(drawn[0], self._moves.choose_one(_POOL, self._rng), self._rng)
        several = self._moves.mutate(drawn[1], self._moves.choose(_POOL, rate, self._rng), self._rng)
        crossed = self._moves.cross(drawn[2], drawn[3], self._rng)
        return self._untried.among(np.concatenate([one, several, crossed]))

    def _neighbours(self) -> Rows:
        """Untried neighbours of the region's best design, most promising first."""
        assert self._seen is not None
        region = self._seen.take(np.arange(self._since, len(self._seen.rows)))
        rows = self._untried.among(self._space.neighbours(region.rows[region.best_first()[0]]))
        if not len(rows):
            return rows
        return rows[np.argsort(-self._known().promise(rows, self._since), kind="stable")]

    def _improved(self, rows: Rows) -> Rows:
        """Local search over neighbours from the most promising of ``rows``; most promising first."""
        if not len(rows):
            return rows
        promise = self._known().promise(rows, self._since)
        for _ in range(_ROUNDS):
            order = np.argsort(-promise, kind="stable")[: _BEAM * _MOVES_EACH]
            rows, promise = rows[order], promise[order]
            near = np.repeat(rows[:_BEAM], _MOVES_EACH, axis=0)
            near = self._moves.mutate(near, self._moves.choose_one(len(near), self._rng), self._rng)
            near = self._not_among(self._untried.among(near), rows)
            if not len(near):
                break
            rows = np.concatenate([rows, near])
            promise = np.concatenate([promise, self._known().promise(near, self._since)])
        return rows[np.argsort(-promise, kind="stable")]

    def _not_among(self, rows: Rows, others: Rows) -> Rows:
        known = set(self._space.keys(others))
        return rows[[key not in known for key in self._space.keys(rows)]]
