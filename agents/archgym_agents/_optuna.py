"""Optuna's samplers as agents: their distributions for our parameters, their trials for our evaluations.

Importing this module needs no extra; making an agent imports Optuna.
"""

from __future__ import annotations

__all__ = ["OptunaSearch"]

import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np

from archgym_agents._batches import Outcomes
from archgym_agents._search import Search
from archgym_simulators import Categorical, DesignSpace
from archgym_simulators.errors import import_extra
from archgym_simulators.space import Rows

_KNOWN_IN_A_ROW = 20  # suggestions of known designs, until a random design is tried
_LONGEST_CATEGORY = 4096


class OptunaSearch(Search):
    """A study of Optuna that is asked and told.

    Columns of ordinals, integers, orders and factorisations are integers of it, categoricals are categories. Whether a
    design is feasible is told as a constraint, because the reward of an invalid design would drown all others; its
    reward is told as the lowest feasible one so far. A suggestion that is known already is told its known outcome at
    once and costs nothing (Optuna does not see to that itself).
    """

    REQUIRES: ClassVar[str] = "bo"

    def __init__(self, space: DesignSpace, config: Any, rng: np.random.Generator, n_objectives: int) -> None:
        super().__init__(space, config, rng)
        self._optuna = import_extra("optuna", "bo")
        self._n_objectives = n_objectives
        self._distributions = _distributions(self._optuna, space)
        self._known: dict[Any, tuple[list[float], float]] = {}
        self._lowest = np.zeros(n_objectives)  # reward of a feasible design
        self._trials: list[Any] = []
        with _quiet(self._optuna):
            sampler = self.sampler(int(rng.integers(2**31)), lambda trial: (float(trial.user_attrs["missed"]),))
            self._study = self._optuna.create_study(directions=["maximize"] * n_objectives, sampler=sampler)

    @classmethod
    def create(
        cls, space: DesignSpace, config: Any, rng: np.random.Generator, *, budget: int, n_objectives: int = 1
    ) -> Self:
        """Build the agent for any number of objectives; the budget does not change what it proposes."""
        import_extra("optuna", cls.REQUIRES)
        return cls(space, config, rng, n_objectives)

    @abstractmethod
    def sampler(self, seed: int, missed: Callable[[Any], Sequence[float]]) -> Any:
        """The sampler of Optuna; ``missed`` is its ``constraints_func``."""

    @property
    def batch(self) -> int:
        """Suggestions before the next outcomes."""
        return int(getattr(self._config, "batch", 1))

    def plan(self) -> Rows:
        rows: list[Rows] = []
        self._trials = []
        with _quiet(self._optuna):
            for _ in range(_KNOWN_IN_A_ROW + self.batch):
                if len(rows) == self.batch:
                    break
                trial = self._study.ask(self._distributions)
                row = self._space.canonical(self._row_of(trial))
                fresh = self._untried.take(row)
                if len(fresh):
                    rows.append(fresh)
                    self._trials.append(trial)
                else:
                    self._tell(trial, self._known.get(self._space.keys(row)[0]))
        if not rows:
            return self._untried.draw(self.batch, self._rng)
        return np.concatenate(rows)

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        columns = (outcomes.rewards, outcomes.feasible.tolist(), outcomes.missed.tolist(), outcomes.failed.tolist())
        found: list[tuple[list[float], float] | None] = []
        for rewards, feasible, missed, failed in zip(*columns, strict=True):
            if feasible:
                self._lowest = np.minimum(self._lowest, rewards)
            found.append(None if failed else ((rewards if feasible else self._lowest).tolist(), missed))
        for key, outcome in zip(self._space.keys(outcomes.rows), found, strict=True):
            if outcome is not None:
                self._known[key] = outcome
        with _quiet(self._optuna):
            if self._trials:
                for trial, outcome in zip(self._trials, found, strict=True):
                    self._tell(trial, outcome)
            else:  # random designs, when the sampler had only known ones
                for row, outcome in zip(outcomes.rows, found, strict=True):
                    self._add(row, outcome)

    def _tell(self, trial: Any, outcome: tuple[list[float], float] | None) -> None:
        if outcome is None:
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
            return
        rewards, missed = outcome
        trial.set_user_attr("missed", missed)
        self._study.tell(trial, rewards)

    def _add(self, row: Rows, outcome: tuple[list[float], float] | None) -> None:
        if outcome is None:
            return
        fixed = {name: int(value) for name, value in zip(self._distributions, row, strict=True)}
        self._study.enqueue_trial(fixed)
        self._tell(self._study.ask(self._distributions), outcome)

    def _row_of(self, trial: Any) -> Rows:
        return np.array([[int(trial.params[name]) for name in self._distributions]], dtype=np.int64)


def _distributions(optuna: Any, space: DesignSpace) -> dict[str, Any]:
    """One distribution an index column, in order."""
    kinds = {column: parameter for parameter in space.parameters for column in parameter.columns}
    found = {}
    for (column, parameter), size in zip(kinds.items(), space.nvec.tolist(), strict=True):
        is_category = isinstance(parameter, Categorical) and size <= _LONGEST_CATEGORY
        make = optuna.distributions
        found[column] = make.CategoricalDistribution(range(size)) if is_category else make.IntDistribution(0, size - 1)
    return found


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """No log lines, and no warnings that a sampler is experimental."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(level)
