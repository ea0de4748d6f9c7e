"""Proxy-assisted search: evolve on a model of what was seen, verify the best in the simulator, learn, begin again.

Algorithm: a forest of random trees is fitted to what was seen (and one more to feasibility). A genetic algorithm of
``generations`` generations runs on the forest alone, from the best designs and from random ones; the designs that it
thinks best are simulated, with some drawn at random among its last generation so that the model is tested where it was
not trusted, and the model is fitted again. It is the loop in which ArchGym's proxies are meant to be used (Krishnan et
al., ISCA 2023, section 7), with the refit that keeps a search from being fooled by its model (the "surrogate-managed"
evolution of Jin 2011). No design is tried twice.

Does well: hundreds to thousands of calls where one takes ten milliseconds or more; hardly ahead of a genetic algorithm
at 100 and 300 calls.
Does badly: time: about a millisecond a call of its own; fewer than a few dozen calls; smooth objectives, of which
`bayesian` learns more; bounds that most designs break, where a forest has steps and no slopes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.agent import Settings, setting
from archgym_agents._batches import Outcomes
from archgym_agents._search import Search
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows

if TYPE_CHECKING:
    from archgym_agents._beliefs import Beliefs


@dataclass(frozen=True)
class ProxyAssistedConfig(Settings):
    """Settings of proxy-assisted search."""

    startup: int = setting(16, "random designs at first", values=(8, 16, 32, 64), low=2)
    batch: int = setting(8, "designs that are verified before the model is fitted again", values=(4, 8, 16, 32), low=1)
    population: int = setting(64, "designs that evolve on the model", values=(32, 64, 128), low=4)
    generations: int = setting(8, "generations on the model", values=(2, 4, 8, 16), low=1)
    mutation: float = setting(
        0.15, "probability that a parameter of a child is moved", values=(0.05, 0.1, 0.15, 0.3), low=0.0, high=1.0
    )
    doubt: float = setting(
        0.2,
        "share of a batch that is drawn from the last generation at random",
        values=(0.0, 0.1, 0.2, 0.4),
        low=0.0,
        high=1.0,
    )
    known: int = setting(1000, "designs that the model learns from at most", values=(300, 1000), low=10)


class ProxyAssisted(Search):
    """Evolution on a forest, verified batch by batch."""

    Config = ProxyAssistedConfig
    _config: ProxyAssistedConfig

    def __init__(self, space: DesignSpace, config: ProxyAssistedConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._beliefs: Beliefs | None = None
        self._seen: Outcomes | None = None

    def plan(self) -> Rows:
        seen, config = self._seen, self._config
        missing = config.startup - (0 if seen is None else len(seen.rows))
        if seen is None or missing > 0:
            return self._untried.draw(missing, self._rng)
        self._proxy().learn(seen, self._rng)
        evolved = self._untried.among(self._evolved(seen))  # best first
        doubtful = int((self._rng.random(config.batch) < config.doubt).sum())
        trusted = evolved[: config.batch - doubtful]
        others = self._rng.permutation(evolved[len(trusted) :], axis=0)[:doubtful]
        return self.fresh(np.concatenate([trusted, others]), config.batch)

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        born = outcomes.take(np.flatnonzero(~outcomes.failed))
        self._seen = born if self._seen is None else self._seen.followed_by(born)

    def _evolved(self, seen: Outcomes) -> Rows:
        """Designs after the generations on the model, tried ones among them, best first."""
        size = self._config.population
        rows = np.concatenate([seen.rows[seen.best_first()[: size // 2]], self._space.sample(size // 2, self._rng)])
        worth = self._proxy().expected(rows)
        for _ in range(self._config.generations):
            children = self._children(rows[np.argsort(-worth, kind="stable")], size)
            rows = np.concatenate([children, rows])
            worth = np.concatenate([self._proxy().expected(children), worth])
            distinct = self._distinct(rows)
            best = distinct[np.argsort(-worth[distinct], kind="stable")][:size]
            rows, worth = rows[best], worth[best]
        return rows

    def _distinct(self, rows: Rows) -> NDArray[np.intp]:
        """Where each different design of ``rows`` (N, D) is first, in the order of keys."""
        first_of: dict[Any, int] = {}
        for position, key in enumerate(self._space.keys(rows)):
            first_of.setdefault(key, position)
        return np.array([first_of[key] for key in sorted(first_of)], dtype=np.intp)

    def _children(self, parents: Rows, count: int) -> Rows:
        """Crossed and mutated, of parents (best first) that won tournaments of two."""
        mothers, fathers = (parents[self._rng.integers(0, len(parents), (count, 2)).min(axis=1)] for _ in range(2))
        children = self._moves.cross(mothers, fathers, self._rng)
        chosen = self._moves.choose(count, self._config.mutation, self._rng)
        return self._space.canonical(self._moves.mutate(children, chosen, self._rng))

    def _proxy(self) -> Beliefs:
        if self._beliefs is None:
            from archgym_agents._beliefs import Beliefs  # compiled, so not with the module

            self._beliefs = Beliefs(self._space, "forest", self._config.known)
        return self._beliefs
