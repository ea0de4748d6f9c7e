"""FARSI's explorer: find what holds the design back, and change that.

Algorithm: the heuristic of FARSI (Boroujerdian et al., "FARSI: An Early-stage Design Space Exploration Framework to
Tame the Domain-specific System-on-Chip Complexity", ACM TECS 22(2), 2023), written from its description. From one
processor, one memory and one bus, each step takes a metric that misses its budget, the task that suffers most and the
block that is to blame (`archgym.Session.bottlenecks`; an environment has the same in ``info["bottleneck"]``), and
swaps, splits, migrates or split-swaps that block: by FARSI's precedence, tasks that compete for a block are parted
(parallelism), else the block is exchanged for a better one; data and what uses it are brought to the same bus
(locality). A design nearer to the budgets is kept, a worse one with a small probability that falls with its distance.
When all budgets are kept, the same moves go on for the reward.

Other than FARSI's: metrics are drawn in proportion to what they miss, not always the worst taken; a swap may skip as
many variants as there are factors of two missing; a change that made things worse rests for a while, the longer the
worse; when nothing is left to do about a task, it is the turn of the next of four; now and then a parameter moves at
random; and there is no development cost, of which the simulator knows nothing.

Does well: systems on chip under budgets; some tens of evaluations.
Does badly: everything else: in a space without tasks, memories and buses, or on a mean over several workloads (where
nothing says what holds a design back), this is a plain local search with a little annealing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from archgym.agent import Settings, refuse_several_objectives, setting
from archgym.problem import ScoredEvaluation
from archgym.session import Session
from archgym_agents._batches import BatchSearch, Outcomes
from archgym_agents._moves import Moves
from archgym_agents._soc_choices import Change, SocChoices
from archgym_agents._soc_moves import GOALS, Blame, blames, changes, preferred
from archgym_agents._untried import Untried
from archgym_simulators import OK, DesignSpace
from archgym_simulators.space import Rows

_PER_LOSS = 20.0  # times the tenure of a change that makes the distance one larger
_TRIES = 8  # random moves that lead to known designs, until a random design is drawn


@dataclass(frozen=True)
class FarsiExplorerConfig(Settings):
    """Settings of FARSI's explorer."""

    temperature: float = setting(
        0.03, "distance to the budgets that an accepted step may lose", values=(0.0, 0.01, 0.03, 0.1, 0.3), low=0.0
    )
    random_moves: float = setting(
        0.1, "probability of a random move instead of a reasoned one", values=(0.0, 0.05, 0.1, 0.2), low=0.0, high=1.0
    )
    other_goals: float = setting(
        0.15,
        "probability that a step serves another metric than the worst",
        values=(0.0, 0.15, 0.3),
        low=0.0,
        high=1.0,
    )
    tenure: int = setting(
        30, "steps during which a change that made a design worse is not tried", values=(10, 30), low=0
    )
    patience: int = setting(
        25, "steps without a better design after which the search returns to the best", values=(10, 25, 50), low=1
    )


@dataclass(frozen=True)
class _Stand:
    """A design, what it is worth, and what holds it back."""

    row: Rows  # (D,)
    worth: tuple[bool, float, float]
    blames: dict[str, list[Blame]]


class FarsiExplorer(BatchSearch):
    """Bottleneck-driven local search, one design at a time."""

    Config = FarsiExplorerConfig

    def __init__(self, space: DesignSpace, config: FarsiExplorerConfig, rng: np.random.Generator) -> None:
        super().__init__(space.width)
        self._space = space
        self._config = config
        self._rng = rng
        self._soc = SocChoices.of(space)
        self._moves = Moves(space)
        self._untried = Untried(space)
        self._session: Session | None = None
        self._words: dict[str, Any] = {}  # what holds the last design back
        self._is_valid = False
        self._here: _Stand | None = None
        self._best: _Stand | None = None
        self._steps = self._idle = 0
        self._change: frozenset[tuple[str, int]] = frozenset()
        self._vain: dict[frozenset[tuple[str, int]], float] = {}  # changes that made a design worse: when to try again

    @classmethod
    def create(
        cls,
        space: DesignSpace,
        config: FarsiExplorerConfig,
        rng: np.random.Generator,
        *,
        budget: int,
        n_objectives: int = 1,
    ) -> Self:
        """Build the agent; the budget does not change what it proposes."""
        refuse_several_objectives("farsi_explorer", n_objectives)
        return cls(space, config, rng)

    def run(self, session: Session) -> None:
        """Search; the session tells what holds designs back."""
        self._session = session
        super().run(session)

    def tell(self, rows: Rows, evaluation: ScoredEvaluation) -> None:
        self._is_valid = bool(evaluation.status[0] == OK)
        session = self._session
        self._words = dict(session.bottlenecks(evaluation)) if session is not None and self._is_valid else {}
        super().tell(rows, evaluation)

    def plan(self) -> Rows:
        self._change = frozenset()
        if self._here is None:
            return self._first()
        if self._here.blames and self._rng.random() >= self._config.random_moves:
            reasoned = self._reasoned(self._here)
            if len(reasoned):
                return reasoned
        for _ in range(_TRIES):
            fresh = self._untried.take(
                self._moves.mutate(self._here.row[None], self._moves.choose_one(1, self._rng), self._rng)
            )
            if len(fresh):
                return fresh
        return self._untried.draw(1, self._rng)

    def learn(self, outcomes: Outcomes) -> None:
        self._untried.forget_failed(outcomes.rows[outcomes.failed])
        if outcomes.failed[0]:
            return
        found = self._stand(outcomes)
        self._steps += 1
        self._idle += 1
        if self._here is not None and self._change and found.worth < self._here.worth:
            loss = self._here.worth[1] - found.worth[1] if self._is_valid else 1.0
            self._vain[self._change] = self._steps + self._config.tenure * (1.0 + _PER_LOSS * loss)
        if self._best is None or found.worth > self._best.worth:
            self._best, self._idle = found, 0
        if self._here is None or self._accepts(self._here, found):
            self._here = found
        if self._idle >= self._config.patience:
            self._here, self._idle = self._best, 0

    def _first(self) -> Rows:
        """One processor, one memory, one bus: the first value of everything; elsewhere, a random design."""
        if self._soc is None:
            return self._untried.draw(1, self._rng)
        start = [0] * self._space.width
        for name in ("bus0_width", "bus0_clock", "memory0_kind", "memory0_width", "memory0_clock"):
            start = self._soc.changed(start, self._soc.step(start, name, 1))
        fresh = self._untried.take(np.array([start], dtype=np.int64))
        return fresh if len(fresh) else self._untried.draw(1, self._rng)

    def _reasoned(self, here: _Stand) -> Rows:
        """A design that does something about what holds this one back; none where all of that was tried."""
        assert self._soc is not None
        row = here.row.tolist()
        for blame in (blame for goal in self._goals(here.blames) for blame in here.blames[goal]):
            options = changes(self._soc, row, blame, self._rng)
            wanted = [move for move in preferred(blame) if options[move]]
            others = [move for move in options if options[move] and move not in wanted]
            for moves in (wanted, others):
                fresh = self._first_new(row, self._in_random_order([options[move] for move in moves]))
                if len(fresh):
                    return fresh
        return np.zeros((0, self._space.width), np.int64)

    def _in_random_order(self, options: list[list[Change]]) -> list[Change]:
        """All changes, those of one move after those of another."""
        order = self._rng.permutation(len(options))
        return [options[m][c] for m in order for c in self._rng.permutation(len(options[m]))]

    def _first_new(self, row: list[int], candidates: list[Change]) -> Rows:
        assert self._soc is not None
        for change in candidates:
            if self._vain.get(frozenset(change.items()), 0.0) > self._steps:
                continue
            fresh = self._untried.take(np.array([self._soc.changed(row, change)], dtype=np.int64))
            if len(fresh):
                self._change = frozenset(change.items())
                return fresh
        return np.zeros((0, self._space.width), np.int64)

    def _goals(self, found: dict[str, list[Blame]]) -> list[str]:
        """Metrics in the order of a draw in proportion to what they miss; power, which is energy, where none does."""
        excess = np.array([max(found[goal][0].excess, 0.0) for goal in GOALS])
        if not excess.any():
            order = ["power", *self._rng.permutation(["latency", "area"]).tolist()]
        else:
            # Sorted keys are a draw without replacement by weight (Efraimidis & Spirakis 2006).
            keys = self._rng.random(len(GOALS)) ** (1.0 / np.maximum(excess, 1e-6))
            order = [GOALS[g] for g in np.argsort(-keys)]
        if self._rng.random() < self._config.other_goals:
            order = self._rng.permutation(order).tolist()
        return order

    def _stand(self, outcomes: Outcomes) -> _Stand:
        feasible, reward = bool(outcomes.feasible[0]), float(outcomes.reward[0])
        found = blames(self._words, 0) if self._words and self._soc is not None else {}
        distance = sum(float(np.log1p(max(every[0].excess, 0.0))) for every in found.values())
        # On the way to the budgets, nearer is better whatever the reward; there, the reward counts.
        nearness = 0.0 if feasible else -distance if self._is_valid else -np.inf
        return _Stand(outcomes.rows[0], (feasible, nearness, reward), found)

    def _accepts(self, here: _Stand, found: _Stand) -> bool:
        luck = float(self._rng.random())
        if found.worth >= here.worth:
            return True
        if found.worth[0] != here.worth[0] or not self._config.temperature:
            return False
        near, far = here.worth[1], found.worth[1]
        loss = near - far if near != far else here.worth[2] - found.worth[2]
        return luck < float(np.exp(-loss / self._config.temperature))
