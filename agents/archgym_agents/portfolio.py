"""Portfolio: several agents under one budget, of which those that improve on the best so far get more turns.

Algorithm: agents take turns of ``turn`` designs. Whose turn it is, a bandit says by the area-under-the-curve credit of
OpenTuner (Ansel et al., PACT 2014; Fialho et al. 2010): of an agent's n turns among the last ``window``, those in which
the best design was improved on count, the later the more (the i-th as 2 i / (n (n + 1))), plus what is owed to agents
that have had few turns. All propose to the one session, which charges each new design once, whoever asks for it first.
What one finds the others overhear: no own searcher proposes it again, and `genetic_algorithm`, `hill_climbing` and
`bayesian` go on from it.

Does well: where nobody knows which agent suits; it is seldom far from the best of its agents.
Does badly: short budgets: in 100 calls the bandit has a dozen turns to learn from. Agents with a loop of their own
(`ppo`, `dqn`) cannot take part.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, sqrt
from typing import Self

import numpy as np

from archgym.agent import AskTell, Settings, refuse_several_objectives, setting
from archgym.problem import ScoredEvaluation
from archgym.registry import agent_class
from archgym_agents._batches import BatchSearch, Outcomes
from archgym_simulators import DesignSpace, InputError
from archgym_simulators.space import Rows

_SEPARATOR = "+"


@dataclass(frozen=True)
class PortfolioConfig(Settings):
    """Settings of the portfolio."""

    agents: str = setting(
        "bayesian+hill_climbing+genetic_algorithm",
        "ask/tell agents that take turns, joined by '+', with their default settings",
        values=(
            "bayesian+hill_climbing+genetic_algorithm",
            "hill_climbing+genetic_algorithm",
            "tabu_search+simulated_annealing+genetic_algorithm+hill_climbing",
        ),
    )
    turn: int = setting(8, "designs a turn", values=(4, 8, 16), low=1)
    window: int = setting(24, "latest turns that credit is given for", values=(12, 24, 48), low=2)
    exploration: float = setting(
        0.1, "factor of what is owed to agents of few turns", values=(0.05, 0.1, 0.3), low=0.0, high=10.0
    )

    @property
    def names(self) -> list[str]:
        """The agents, in order."""
        return self.agents.split(_SEPARATOR)


class Portfolio(AskTell):
    """Agents that take turns, and a bandit that says whose it is."""

    Config = PortfolioConfig

    def __init__(self, agents: list[AskTell], config: PortfolioConfig, width: int) -> None:
        self._agents = agents
        self._config = config
        self._width = width
        self._active = list(range(len(agents)))
        self._turns: list[tuple[int, bool]] = []  # whose each was, and whether it improved on the best
        self._whose: int | None = None
        self._left = 0  # designs of the turn that are still to be asked for
        self._improved = False
        self._best = (False, -inf)

    @classmethod
    def create(
        cls,
        space: DesignSpace,
        config: PortfolioConfig,
        rng: np.random.Generator,
        *,
        budget: int,
        n_objectives: int = 1,
    ) -> Self:
        """Build the agents, each with a generator of its own.

        Raises:
            InputError: several objectives, an agent that is unknown, named twice, or has a loop of its own.
            MissingExtra: what one of them needs is not installed.
        """
        refuse_several_objectives("portfolio", n_objectives)
        built = [_ask_tell(name) for name in _distinct(config.names)]
        agents = [
            one.create(space, one.Config(), own, budget=budget)
            for one, own in zip(built, rng.spawn(len(built)), strict=True)
        ]
        return cls(agents, config, space.width)

    def ask(self, n: int) -> Rows:
        while self._active:
            if self._whose is None:
                self._whose, self._left, self._improved = self._next(), self._config.turn, False
            rows = self._agents[self._whose].ask(min(n, self._left))
            if len(rows):
                self._left -= len(rows)
                return rows
            self._active.remove(self._whose)
            self._end_turn()
        return np.zeros((0, self._width), np.int64)

    def tell(self, rows: Rows, evaluation: ScoredEvaluation) -> None:
        assert self._whose is not None
        self._agents[self._whose].tell(rows, evaluation)
        outcomes = Outcomes.of(rows, evaluation)
        for place in self._active:
            other = self._agents[place]
            if place != self._whose and isinstance(other, BatchSearch):
                other.overhear(outcomes)
        order = outcomes.best_first()
        if len(order) and outcomes.rank(int(order[0])) > self._best:
            self._best, self._improved = outcomes.rank(int(order[0])), True
        if not self._left:
            self._end_turn()

    def _end_turn(self) -> None:
        assert self._whose is not None
        self._turns = [*self._turns, (self._whose, self._improved)][-self._config.window :]
        self._whose = None

    def _next(self) -> int:
        """The agent of the highest credit; those without a turn among the latest first, in order."""
        return max(self._active, key=self._credit)

    def _credit(self, agent: int) -> float:
        own = [improved for whose, improved in self._turns if whose == agent]
        if not own:
            return inf
        area = sum(i for i, improved in enumerate(own, start=1) if improved) * 2.0 / (len(own) * (len(own) + 1))
        return area + self._config.exploration * sqrt(2.0 * log(len(self._turns)) / len(own))


def _distinct(names: list[str]) -> list[str]:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"a portfolio has each agent once, not {twice[0]!r} {len(twice)} times")
    return names


def _ask_tell(name: str) -> type[AskTell]:
    found = agent_class(name)
    if issubclass(found, AskTell) and found.run is AskTell.run and found is not Portfolio:
        return found
    raise InputError(f"a portfolio is made of ask/tell agents such as hill_climbing; {name!r} has a loop of its own")
