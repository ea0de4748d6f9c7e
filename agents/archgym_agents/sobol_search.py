"""Scrambled Sobol search: a control that covers the space more evenly than chance.

Algorithm: scrambled Sobol points (SciPy's ``qmc.Sobol``, Joe & Kuo 2008 directions), one dimension an index column;
a point u becomes the index floor(u * values), so every value has an equal share. Points whose design is known already
are passed over.

Does well: early coverage: every value of every parameter is seen soon, and pairs of values evenly.
Does badly: like random search it learns nothing; beyond some twenty columns it is no better than chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archgym.agent import Settings, setting
from archgym_agents._search import Search
from archgym_simulators import DesignSpace
from archgym_simulators.errors import import_extra
from archgym_simulators.space import Rows

REQUIRES = "bo"
_ROUNDS = 16  # of points that are all known, until random designs take over


@dataclass(frozen=True)
class SobolSearchConfig(Settings):
    """Settings of Sobol search."""

    batch: int = setting(64, "points drawn at a time, a power of two; it changes no point", low=1)


class SobolSearch(Search):
    """A scrambled low-discrepancy sequence, without repeats."""

    REQUIRES = REQUIRES
    Config = SobolSearchConfig
    _config: SobolSearchConfig

    def __init__(self, space: DesignSpace, config: SobolSearchConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        qmc = import_extra("scipy.stats.qmc", "bo")
        self._points = qmc.Sobol(space.width, scramble=True, rng=np.random.default_rng(rng.integers(2**63)))

    def plan(self) -> Rows:
        for _ in range(_ROUNDS):
            points = self._points.random(self._config.batch)
            last = self._space.nvec - 1
            rows = self._untried.take(np.minimum((points * self._space.nvec).astype(np.int64), last))
            if len(rows):
                return rows
        return self._untried.draw(self._config.batch, self._rng)
