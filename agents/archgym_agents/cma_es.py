"""CMA-ES: a Gaussian over indices that learns which parameters vary together, with the library ``cmaes``.

Algorithm: CatCMA with margin (Hamano et al., GECCO 2025): ordinals and integers are integers of a multivariate Gaussian
whose margin keeps all of them alive; categoricals, factorisations, the digits of orders and whatever has two values are
independent distributions. Designs are told by rank, feasible ones first, so no scale matters. Designs of a generation
that are known already cost nothing: their ranks are told again; where all are known for long, it starts anew.

Does well: ordinals that interact smoothly, with several hundred calls and more.
Does badly: short budgets; parameters of few values, where a Gaussian has nothing to hold on to; orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.agent import Settings, setting
from archgym_agents._batches import Outcomes
from archgym_agents._search import Search
from archgym_simulators import Categorical, DesignSpace, Factors, Permutation
from archgym_simulators.errors import import_extra
from archgym_simulators.space import Rows

REQUIRES = "bo"
_LONGEST = 1024  # values of a column that are listed; longer ones are continuous and rounded
_STALE_ROUNDS = 8


@dataclass(frozen=True)
class CmaEsConfig(Settings):
    """Settings of CMA-ES."""

    population: int = setting(0, "designs a generation; 0 for the library's 4 + 3 log(D)", values=(0, 8, 16, 32), low=0)
    sigma: float = setting(
        0.25, "first step size, as a share of a column's range", values=(0.1, 0.17, 0.25, 0.4), low=1e-3, high=1.0
    )


class CmaEs(Search):
    """CatCMA with margin on index columns."""

    REQUIRES = REQUIRES
    Config = CmaEsConfig
    _config: CmaEsConfig

    def __init__(self, space: DesignSpace, config: CmaEsConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._library = import_extra("cmaes", "bo")
        nvec = space.nvec
        unordered = _unordered_columns(space) | (nvec == 2)
        self._free = np.flatnonzero(nvec > 1)
        self._of_c = np.flatnonzero(unordered & (nvec > 1))
        self._of_z = np.flatnonzero(~unordered & (nvec > 2) & (nvec <= _LONGEST))
        self._of_x = np.flatnonzero(~unordered & (nvec > _LONGEST))
        self._known: dict[Any, tuple[bool, float]] = {}
        self._optimiser: Any = None
        self._solutions: list[Any] = []
        self._generation: Rows = np.zeros((0, space.width), np.int64)

    def plan(self) -> Rows:
        for _ in range(_STALE_ROUNDS if len(self._free) else 0):
            optimiser = self._optimiser or self._new_optimiser()
            self._solutions = [optimiser.ask() for _ in range(optimiser.population_size)]
            self._generation = self._space.canonical(self._rows_of(self._solutions))
            fresh = self._untried.take(self._generation)
            if len(fresh):
                return fresh
            self._tell()
        self._optimiser, self._solutions = None, []
        return self._untried.draw(1, self._rng)

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        told = np.flatnonzero(~outcomes.failed)
        for position, key in zip(told.tolist(), self._space.keys(outcomes.rows[told]), strict=True):
            self._known[key] = outcomes.rank(position)
        if self._solutions:
            self._tell()

    def _tell(self) -> None:
        """Ranks of the generation; a failed design counts as the worst of it."""
        worst = (False, -np.inf)
        ranks = [self._known.get(key, worst) for key in self._space.keys(self._generation)]
        order = {rank: place for place, rank in enumerate(sorted(set(ranks), reverse=True))}
        self._optimiser.tell([(one, float(order[rank])) for one, rank in zip(self._solutions, ranks, strict=True)])
        self._solutions = []
        has_gaussian = len(self._of_x) + len(self._of_z) > 0
        if has_gaussian and self._optimiser.should_stop():
            self._optimiser = None

    def _new_optimiser(self) -> Any:
        nvec = self._space.nvec
        count = len(self._of_x) + len(self._of_z)
        self._optimiser = self._library.CatCMAwM(
            x_space=[[0.0, float(n - 1)] for n in nvec[self._of_x].tolist()] or None,
            z_space=[list(range(n)) for n in nvec[self._of_z].tolist()] or None,
            c_space=nvec[self._of_c].tolist() or None,
            population_size=self._config.population or None,
            sigma=self._config.sigma if count else None,
            cov=self._spread(nvec) if count else None,
            mean=self._start(nvec) if count else None,
            seed=int(self._rng.integers(2**31)),
        )
        return self._optimiser

    def _start(self, nvec: NDArray[np.int64]) -> NDArray[np.float64]:
        ordered = np.concatenate([nvec[self._of_x], nvec[self._of_z]])
        return np.asarray(self._rng.random(len(ordered)) * (ordered - 1.0))

    def _spread(self, nvec: NDArray[np.int64]) -> NDArray[np.float64]:
        """Covariance (C, C) in which every column's range counts alike."""
        return np.diag((np.concatenate([nvec[self._of_x], nvec[self._of_z]]) - 1.0) ** 2)

    def _rows_of(self, solutions: list[Any]) -> Rows:
        rows = np.zeros((len(solutions), self._space.width), dtype=np.int64)
        if len(self._of_x):
            rows[:, self._of_x] = np.rint([one.x for one in solutions])
        if len(self._of_z):
            rows[:, self._of_z] = np.rint([one.z for one in solutions])
        if len(self._of_c):
            rows[:, self._of_c] = [one.c.argmax(axis=1) for one in solutions]
        return np.asarray(np.clip(rows, 0, self._space.nvec - 1))


def _unordered_columns(space: DesignSpace) -> NDArray[np.bool_]:
    unordered = np.zeros(space.width, dtype=bool)
    for parameter in space.parameters:
        if isinstance(parameter, Categorical | Permutation | Factors) and parameter.size <= _LONGEST:
            unordered[space.columns_of(parameter.name)] = True
    return unordered
