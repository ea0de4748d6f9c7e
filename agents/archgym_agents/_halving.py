"""Races over the one parameter of a space that buys accuracy with cost: many designs cheaply, few of them well."""

from __future__ import annotations

__all__ = ["Fidelity", "Halving"]

from abc import abstractmethod
from typing import Any

import numpy as np

from archgym_agents._batches import Outcomes
from archgym_agents._search import Search
from archgym_simulators import DesignSpace, InputError
from archgym_simulators.space import Rows

_DRAWS = 8  # of new designs, until a bracket is content with fewer


class Fidelity:
    """The fidelity parameter of a space.

    Attributes:
        levels: number of its values; a higher index is more accurate and costs more.
    """

    def __init__(self, agent: str, space: DesignSpace) -> None:
        """Find it.

        Raises:
            InputError: the space has none, or several, or one without an order.
        """
        found = [parameter for parameter in space.parameters if parameter.role == "fidelity"]
        if len(found) != 1:
            names = ", ".join(parameter.name for parameter in found) or "none"
            raise InputError(
                f"agent {agent!r} needs a space with one fidelity parameter, which buys accuracy with cost; this one "
                f"has {names}; take an environment with one, such as archgym/Accelerator-v0, or another agent"
            )
        if found[0].kind not in ("ordinal", "integer"):
            raise InputError(f"fidelity parameter {found[0].name!r} must be ordinal or integer, not {found[0].kind}")
        self.levels = found[0].size
        self._column = space.columns_of(found[0].name).start

    def at(self, rows: Rows, level: int) -> Rows:
        """Copies of designs (N, D) at a level."""
        moved = rows.copy()
        moved[:, self._column] = level
        return moved


class Halving(Search):
    """Brackets of successive halving, one after the other, as long as the budget lasts.

    A bracket begins with new random designs at one rung; at each rung the best of them, one in ``eta``, are promoted to
    the next. Rungs are ``rungs`` levels of the fidelity, evenly spaced by index, the highest among them.
    """

    NEEDS_FIDELITY = True

    def __init__(self, space: DesignSpace, config: Any, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._fidelity = Fidelity(type(self).__module__.rpartition(".")[2], space)
        levels = self._fidelity.levels
        self._rungs = np.unique(np.round(np.linspace(0, levels - 1, min(config.rungs, levels))).astype(np.int64))
        self._rung = -1
        self._promoted: Rows = np.zeros((0, space.width), np.int64)

    @abstractmethod
    def bracket(self) -> tuple[int, int]:
        """The rung that the next bracket begins at, and with how many designs."""

    def plan(self) -> Rows:
        while len(self._promoted):
            promoted, self._promoted = self._promoted, self._promoted[:0]
            fresh = self._untried.take(self._fidelity.at(promoted, int(self._rungs[self._rung])))
            if len(fresh):
                return fresh
        self._rung, count = self.bracket()
        return self._new(count)

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        order = outcomes.best_first()
        self._rung += 1
        if self._rung < len(self._rungs) and len(order):
            self._promoted = outcomes.rows[order[: max(len(outcomes.rows) // self._config.eta, 1)]]

    def _new(self, count: int) -> Rows:
        """Up to ``count`` new designs at the rung; where none is left there, untried ones at any level."""
        found = np.zeros((0, self._space.width), np.int64)
        for _ in range(_DRAWS):
            if len(found) == count:
                return found
            drawn = self._fidelity.at(self._space.sample(2 * count, self._rng), int(self._rungs[self._rung]))
            found = np.concatenate([found, self._untried.take(drawn, count - len(found))])
        return found if len(found) else self._untried.draw(count, self._rng)
