"""The frame of the own searchers: whole batches are planned, handed out in pieces, and learned from when complete."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.agent import AskTell
from archgym.problem import ScoredEvaluation
from archgym_simulators import FAILED
from archgym_simulators.space import Rows


@dataclass(frozen=True)
class Outcomes:
    """What a planned batch was worth.

    Attributes:
        rows: (N, D) the designs.
        reward: (N,) finite; an invalid design's falls with its violation.
        feasible: (N,) valid, and every constraint met.
        missed: (N,) how far from feasible, 0 where it is.
        failed: (N,) evaluations that crashed; their reward says nothing about the design.
        rewards: (N, K) one column an objective; ``reward`` is their mean.
    """

    rows: Rows
    reward: NDArray[np.float64]
    feasible: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    rewards: NDArray[np.float64]
    missed: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Rows, heard: ScoredEvaluation) -> Outcomes:
        """Of designs (N, D) and what was heard of them."""
        return cls(rows, *_columns(heard))

    def best_first(self) -> NDArray[np.intp]:
        """Positions by `rank`, best first, equals in order; without failed ones."""
        order = np.lexsort((-self._worth(), ~self.feasible))
        return order[~self.failed[order]]

    def _worth(self) -> NDArray[np.float64]:
        return np.where(self.feasible, self.reward, -self.missed)

    def take(self, positions: NDArray[np.intp]) -> Outcomes:
        """The outcomes at ``positions`` (M,), in that order."""
        return Outcomes(**{name: getattr(self, name)[positions] for name in _COLUMNS})

    def followed_by(self, others: Outcomes) -> Outcomes:
        """These outcomes, then the others."""
        return Outcomes(**{name: np.concatenate([getattr(self, name), getattr(others, name)]) for name in _COLUMNS})

    def rank(self, position: int) -> tuple[bool, float]:
        """What designs are compared by: feasible ones by reward, after them others by how little they miss.

        Deb's rule (2000). The reward of an infeasible design trades its objective against what it misses, and would
        hold a search where the objective is good and the bound just out of reach.
        """
        feasible = bool(self.feasible[position])
        return feasible, float(self.reward[position] if feasible else -self.missed[position])


_COLUMNS = tuple(field.name for field in fields(Outcomes))


class BatchSearch(AskTell):
    """An agent that plans a batch, hears all of it, and plans the next.

    What is planned depends on the generator and on outcomes of whole batches only, never on how many rows `ask` may
    return. So a run with a smaller budget is a prefix of one with a larger budget, design by design.
    """

    def __init__(self, space_width: int) -> None:
        self._planned: Rows = np.zeros((0, space_width), np.int64)
        self._asked = 0
        self._heard: list[ScoredEvaluation] = []

    @abstractmethod
    def plan(self) -> Rows:
        """The next batch (N, D), any size; 0 rows when the search is finished."""

    @abstractmethod
    def learn(self, outcomes: Outcomes) -> None:
        """Hear what the last batch was worth."""

    def overhear(self, outcomes: Outcomes) -> None:
        """Hear what designs are worth that another agent proposed; by default they are ignored."""

    def ask(self, n: int) -> Rows:
        if self._asked == len(self._planned):
            self._planned, self._asked, self._heard = self.plan(), 0, []
        rows = self._planned[self._asked : self._asked + n]
        self._asked += len(rows)
        return rows

    def tell(self, rows: Rows, evaluation: ScoredEvaluation) -> None:
        self._heard.append(evaluation)
        if self._asked < len(self._planned):
            return
        parts = [_columns(part) for part in self._heard]
        columns = parts[0] if len(parts) == 1 else tuple(np.concatenate(column) for column in zip(*parts, strict=True))
        self.learn(Outcomes(self._planned, *columns))


def _columns(heard: ScoredEvaluation) -> tuple[NDArray[Any], ...]:
    """What `Outcomes` holds of each design, after its row."""
    return heard.reward, heard.feasible, heard.status == FAILED, heard.rewards, heard.missed
