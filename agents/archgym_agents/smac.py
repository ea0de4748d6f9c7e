"""SMAC: a random forest over mixed parameters, and expected improvement by local search, with the library ``smac``.

Algorithm: SMAC3's facade for hyperparameter optimisation (Lindauer et al., JMLR 2022): a Sobol design at first, then a
random forest on log-scaled costs and log expected improvement, maximised by local search from the best designs and
among 10,000 random ones; every fifth design is drawn at random. Ordinals, integers and columns of orders and
factorisations are integers of it, categoricals are categories. It has no constraints: an infeasible design is told as
worse than every feasible one, by what it misses.

Does well: mixed and categorical parameters, a hundred to some hundred calls.
Does badly: it takes 0.1 to 0.3 seconds a call of its own; bounds that most designs break.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import numpy as np

from archgym.agent import Settings, refuse_several_objectives, setting
from archgym_agents._batches import Outcomes
from archgym_agents._search import Search
from archgym_simulators import Categorical, DesignSpace
from archgym_simulators.errors import import_extra
from archgym_simulators.space import Rows

REQUIRES = "bo"
_KNOWN_IN_A_ROW = 20  # suggestions of known designs, until a random design is tried
_ENDLESS = 1_000_000
_LONGEST_CATEGORY = 4096


@dataclass(frozen=True)
class SmacConfig(Settings):
    """Settings of SMAC."""

    startup: int = setting(10, "designs of the Sobol sequence at first", values=(5, 10, 20, 50), low=1)
    trees: int = setting(10, "trees of the forest", values=(10, 30, 100), low=1)
    random: float = setting(
        0.2, "probability that a design is drawn at random", values=(0.0, 0.1, 0.2), low=0.0, high=0.9
    )
    challengers: int = setting(
        10_000, "random designs that are scored with the forest each time", values=(1000, 10_000), low=10
    )


class Smac(Search):
    """SMAC3 that is asked and told."""

    REQUIRES = REQUIRES
    SLOW = True
    Config = SmacConfig
    _config: SmacConfig

    def __init__(self, space: DesignSpace, config: SmacConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._smac = import_extra("smac", REQUIRES)
        self._history = import_module("smac.runhistory")
        self._known: dict[Any, float] = {}  # cost by key
        self._highest = 0.0  # cost of a feasible design
        self._trial: Any = None
        self._exhausted = import_module("smac.main.exceptions").ConfigurationSpaceExhaustedException
        self._columns = [f"c{column}" for column in range(space.width)]
        with _quiet(), tempfile.TemporaryDirectory() as place:  # it writes a description of itself
            self._facade = self._made(int(rng.integers(2**31)), Path(place))

    @classmethod
    def create(
        cls, space: DesignSpace, config: SmacConfig, rng: np.random.Generator, *, budget: int, n_objectives: int = 1
    ) -> Self:
        """Build the agent; the budget does not change what it proposes."""
        refuse_several_objectives("smac", n_objectives)
        return cls(space, config, rng)

    def plan(self) -> Rows:
        with _quiet():
            for _ in range(_KNOWN_IN_A_ROW):
                self._trial = self._suggestion()
                if self._trial is None:
                    break
                row = self._space.canonical(self._row_of(self._trial))
                fresh = self._untried.take(row)
                if len(fresh):
                    return fresh
                self._tell(self._known.get(self._space.keys(row)[0]))
        self._trial = None
        return self._untried.draw(1, self._rng)

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        cost = None
        if not outcomes.failed[0]:
            cost = self._known[self._space.keys(outcomes.rows)[0]] = self._cost(outcomes)
        if self._trial is not None:
            with _quiet():
                self._tell(cost)

    def _cost(self, outcomes: Outcomes) -> float:
        cost = -float(outcomes.reward[0])
        if outcomes.feasible[0]:
            self._highest = max(self._highest, cost)
            return cost
        missed = float(outcomes.missed[0])
        return self._highest + 1.0 + missed / (1.0 + missed)

    def _suggestion(self) -> Any:
        """The next trial; None where SMAC finds no new one, and from then on."""
        try:
            return self._facade.ask()
        except (StopIteration, self._exhausted):
            return None

    def _tell(self, cost: float | None) -> None:
        """The outcome of the last suggestion; a failed one counts as worse than all."""
        value = self._history.TrialValue(cost=self._highest + 2.0 if cost is None else cost)
        self._facade.tell(self._trial, value, save=False)

    def _row_of(self, trial: Any) -> Rows:
        return np.array([[int(trial.config[name]) for name in self._columns]], dtype=np.int64)

    def _made(self, seed: int, place: Path) -> Any:
        facade, config = self._smac.HyperparameterOptimizationFacade, self._config
        scenario = self._smac.Scenario(
            _configuration_space(self._space, self._columns, seed),
            output_directory=place,
            deterministic=True,
            n_trials=_ENDLESS,
            seed=seed,
        )
        maximizer = facade.get_acquisition_maximizer(scenario, challengers=config.challengers)
        _order_starts(maximizer._local_search)
        return facade(
            scenario,
            target_function=_never,
            model=facade.get_model(scenario, n_trees=config.trees),
            acquisition_maximizer=maximizer,
            initial_design=facade.get_initial_design(scenario, n_configs=config.startup, max_ratio=1.0),
            random_design=facade.get_random_design(scenario, probability=config.random),
            logging_level=False,
            overwrite=True,
        )


def _order_starts(local_search: Any) -> None:
    """Take starts of the local search in the order of their values: SMAC's, from a set, differs by process."""
    starts = local_search._get_initial_points

    def ordered(*arguments: Any, **named: Any) -> list[Any]:
        return sorted(starts(*arguments, **named), key=lambda one: tuple(one.get_array()))

    local_search._get_initial_points = ordered


def _never(config: Any, seed: int = 0) -> float:
    """SMAC wants a function to optimise, also where it is asked and told."""
    raise RuntimeError("SMAC is asked and told here; it must not evaluate by itself")


def _configuration_space(space: DesignSpace, columns: list[str], seed: int) -> Any:
    """One hyperparameter an index column."""
    library = import_extra("ConfigSpace", REQUIRES)
    kinds = [parameter for parameter in space.parameters for _ in parameter.columns]
    found = library.ConfigurationSpace(seed=seed)
    for name, parameter, size in zip(columns, kinds, space.nvec.tolist(), strict=True):
        if size == 1:
            found.add(library.Constant(name, 0))
        elif isinstance(parameter, Categorical) and size <= _LONGEST_CATEGORY:
            found.add(library.Categorical(name, list(range(size))))
        else:
            found.add(library.Integer(name, (0, size - 1)))
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """No log lines, and no warnings about what the library does inside."""
    root = logging.getLogger("smac")
    level = root.level
    root.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(level)
