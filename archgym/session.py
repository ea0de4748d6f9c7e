"""The only door to an evaluation: cache, budget, best so far, journal."""

from __future__ import annotations

__all__ = ["Budget", "Incumbent", "Session", "SessionOver"]

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import numpy as np
from numpy.typing import ArrayLike

from archgym.problem import Problem, ProblemSpec, ScoredEvaluation
from archgym.store import DesignStore
from archgym_simulators import ArchgymError, Design, DesignSpace, Evaluation, InputError
from archgym_simulators.space import Rows

if TYPE_CHECKING:
    from archgym.envs.design_env import DesignEnv
    from archgym.envs.design_vector_env import DesignVectorEnv

PROPOSALS_PER_CALL = 20
_UNRECORDED_CACHE_ROWS = 1 << 20
_ALWAYS_COUNTED = 1 << 16


class SessionOver(ArchgymError):
    """The session's budget, proposals or designs are used up; ``stop_reason`` says which."""

    def __init__(self, stop_reason: str) -> None:
        super().__init__(f"the session is over: {stop_reason}")
        self.stop_reason = stop_reason


@dataclass(frozen=True)
class Budget:
    """What a session may spend.

    Attributes:
        limit: simulator calls (new canonical designs, valid or not), or cost units; None for no limit.
        unit: ``"calls"``, or ``"cost"`` for the simulator's deterministic cost.
        max_proposals: proposals including repeats; 20 x limit where not given, and none without a limit in calls.
    """

    limit: float | None = None
    unit: str = "calls"
    max_proposals: int | None = None

    def __post_init__(self) -> None:
        if self.unit not in ("calls", "cost"):
            raise InputError(f"budget unit must be calls or cost, not {self.unit!r}")
        if self.limit is not None and not self.limit > 0:
            raise InputError(f"budget must be at least 1, not {self.limit}")
        if self.max_proposals is not None and self.max_proposals < 1:
            raise InputError(f"max_proposals must be at least 1, not {self.max_proposals}")

    @property
    def calls(self) -> float:
        return self.limit if self.unit == "calls" and self.limit is not None else float("inf")

    @property
    def cost(self) -> float:
        return self.limit if self.unit == "cost" and self.limit is not None else float("inf")

    @property
    def proposals(self) -> float:
        if self.max_proposals is not None:
            return self.max_proposals
        return PROPOSALS_PER_CALL * self.calls


@dataclass(frozen=True)
class Incumbent:
    """The best design so far: feasible before infeasible, then by reward; the first of equals."""

    row: tuple[int, ...]
    workload: str
    reward: float
    feasible: bool
    values: tuple[float, ...]
    step: int
    proposal: int


class Recorder(Protocol):
    """Where a session's evaluations go, and on a restart come from."""

    def replay(self, proposal: int, workload: str, positions: Sequence[int], rows: Rows) -> Evaluation | None:
        """The recorded outcome of the first of ``rows``, or None where the record ends."""

    def write(
        self, proposal: int, workload: str, positions: Sequence[int], rows: Rows, evaluation: ScoredEvaluation
    ) -> None:
        """Make an evaluation durable before the agent hears of it."""


@dataclass(slots=True)
class _Call:
    """One call of `Session.evaluate` on its way: which row has which slot, which are new, and why it was cut."""

    canonical: Rows  # (N, D)
    keys: Sequence[Any]
    slots: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    fresh: dict[Any, int] = field(default_factory=dict)
    stop: str | None = None


class Session:
    """Problems of one specification, one per workload, behind one cache, budget and journal.

    Rows are folded to their canonical form; each new one is simulated once, recorded and charged; repeats are free but
    counted as proposals. Rewards and metrics come back for the rows as given.

    Attributes:
        spec: what is being solved.
        space: the design space, the same for every workload of the session.
        proposals: rows asked for so far.
        calls: new canonical designs simulated so far, valid or not.
        spent: their summed cost.
        best: the incumbent, None before the first evaluation.
        stop_reason: None while running; then budget, max_proposals, agent or exhausted.
    """

    def __init__(
        self,
        spec: ProblemSpec,
        *,
        budget: Budget | None = None,
        recorder: Recorder | None = None,
        progress: Callable[[Session], None] | None = None,
    ) -> None:
        self.spec = spec
        self.budget = budget or Budget()
        self.proposals = 0
        self.calls = 0
        self.spent = 0.0
        self.best: Incumbent | None = None
        self.stop_reason: str | None = None
        self.progress = progress
        self._recorder = recorder
        self._pid = os.getpid()
        self._stores: dict[str, DesignStore] = {}
        self.space: DesignSpace = self._store(spec.workload).problem.space
        self._rows_per_record = self.problem().simulator.rows_per_record
        self._best_rank = (False, -np.inf)
        self.spent_up = False  # the next new design would cost more than is left
        bounded = self.budget.limit is not None or recorder is not None
        self._cache_rows = None if bounded else _UNRECORDED_CACHE_ROWS
        small = self.space.size <= _ALWAYS_COUNTED
        self._designs = self.space.canonical_size if small else None

    # ---- what agents call ----------------------------------------------------------------------------------------

    def evaluate(self, rows: ArrayLike, workload: str | None = None) -> ScoredEvaluation:
        """Evaluate index rows (N, D) for a workload (the specification's by default).

        A batch that crosses a limit is evaluated and recorded up to it; then this, and every later call, raises.

        Raises:
            SessionOver: budget or proposals are used up, or every design is known.
            InputError: a row outside the space.
        """
        if self.stop_reason is not None:
            raise SessionOver(self.stop_reason)
        store = self._store(workload or self.spec.workload)
        self._check_exhausted(store)
        canonical = self.space.canonical(self.space.as_rows(rows))
        call = _Call(canonical, self.space.keys(canonical))
        self._plan(store, call)
        scored = self._evaluate_new(store, call)
        self.proposals += len(call.slots)
        if call.stop is not None:
            self._end(call.stop)
        if self.progress is not None:
            self.progress(self)
        return scored if scored is not None else store.gather(call.slots)

    def stop(self, reason: str = "agent") -> None:
        """End the session; an agent that is finished does this."""
        self.stop_reason = self.stop_reason or reason

    @property
    def remaining(self) -> int:
        """Rows that can still be asked for before a limit in calls or proposals, at least 0."""
        left = min(self.budget.calls - self.calls, self.budget.proposals - self.proposals)
        return int(min(max(left, 0), 2**31))

    def problem(self, workload: str | None = None) -> Problem:
        """The problem of a workload, bound on first use."""
        return self._store(workload or self.spec.workload).problem

    def env(self, **options: Any) -> DesignEnv:
        """A Gymnasium environment over this session."""
        from archgym.envs.design_env import DesignEnv

        return DesignEnv(session=self, **options)

    def vector_env(self, num_envs: int, **options: Any) -> DesignVectorEnv:
        """A Gymnasium vector environment over this session: charged, cached and recorded by it."""
        from archgym.envs.design_vector_env import DesignVectorEnv

        return DesignVectorEnv(session=self, num_envs=num_envs, **options)

    def best_design(self) -> Design | None:
        """The incumbent in readable values."""
        return None if self.best is None else self.space.decode_row(self.best.row)

    # ---- one call ------------------------------------------------------------------------------------------------

    def _plan(self, store: DesignStore, call: _Call) -> None:
        """Give every row up to the first limit a slot; note which are new."""
        slot_of, next_slot, fresh = store.slot_of, store.count, call.fresh
        room = self.budget.calls - self.calls
        allowed = self.budget.proposals - self.proposals
        for position, key in enumerate(call.keys):
            if position >= allowed:
                call.stop = "max_proposals"
                return
            slot = slot_of.get(key)
            if slot is None:
                slot = fresh.get(key)
            if slot is None:
                if len(fresh) >= room:
                    call.stop = "budget"
                    return
                slot = fresh[key] = next_slot + len(fresh)
                call.positions.append(position)
            call.slots.append(slot)

    def _evaluate_new(self, store: DesignStore, call: _Call) -> ScoredEvaluation | None:
        """Simulate, or replay, the new rows; returns the result where it covers the whole call as it stands."""
        positions, keys = call.positions, list(call.fresh)
        rows = call.canonical if len(positions) == len(call.keys) else call.canonical[positions]
        scored, done = None, 0
        while done < len(positions):
            scored = self._next_chunk(store.problem, positions, rows, done)
            stop = done + len(scored)
            self._commit(store, scored, positions[done:stop], keys[done:stop], rows[done:stop])
            done = stop
            if self.spent_up and done < len(positions):
                del call.slots[positions[done] :]
                call.stop = "budget"
                break
        return scored if scored is not None and len(scored) == len(call.keys) else None

    def _next_chunk(self, problem: Problem, positions: list[int], rows: Rows, done: int) -> ScoredEvaluation:
        if self._recorder is None and self.budget.unit == "calls":
            return problem.evaluate(rows)
        name, stop = problem.simulator.workload.name, min(done + self._rows_per_record, len(positions))
        recorder = self._recorder
        recorded = recorder.replay(self.proposals, name, positions[done:stop], rows[done:stop]) if recorder else None
        if recorded is not None:
            return self._within_cost(problem.score(recorded))
        scored = self._within_cost(problem.evaluate(rows[done:stop]))
        if recorder and len(scored):
            stop = done + len(scored)
            recorder.write(self.proposals, name, positions[done:stop], rows[done:stop], scored)
        return scored

    def _within_cost(self, scored: ScoredEvaluation) -> ScoredEvaluation:
        """The evaluations that the remaining cost budget pays for; simulators are pure, so the rest never happened."""
        if self.budget.unit == "calls":
            return scored
        paid = int(np.searchsorted(self.spent + np.cumsum(scored.cost), self.budget.cost, side="right"))
        self.spent_up = paid < len(scored)
        return scored.head(paid) if self.spent_up else scored

    def _commit(
        self, store: DesignStore, scored: ScoredEvaluation, positions: list[int], keys: list[Any], rows: Rows
    ) -> None:
        store.append(keys, scored)
        self._note_best(store, scored, positions, rows)
        self.calls += len(keys)
        self.spent += float(scored.cost.sum())

    def _note_best(self, store: DesignStore, scored: ScoredEvaluation, positions: list[int], rows: Rows) -> None:
        if not len(rows):
            return
        reward = scored.reward
        ranked = np.where(scored.feasible, reward, -np.inf) if scored.feasible.any() else reward
        i = int(ranked.argmax())
        rank = (bool(scored.feasible[i]), float(reward[i]))
        if rank > self._best_rank or self.best is None:
            self._best_rank = rank
            self.best = Incumbent(
                row=tuple(rows[i].tolist()),
                workload=store.problem.simulator.workload.name,
                reward=rank[1],
                feasible=rank[0],
                values=tuple(scored.values[i].tolist()),
                step=self.calls + i,
                proposal=self.proposals + positions[i],
            )

    def _check_exhausted(self, store: DesignStore) -> None:
        if self._cache_rows is not None and store.count > self._cache_rows:
            store.clear()
        if self._designs is None and self.calls > _ALWAYS_COUNTED and self.space.has_integer_keys:
            self._designs = self.space.canonical_size
        if self.budget.limit is not None and len(self._stores) == 1 and store.resolved() == self._designs:
            self._end("exhausted")

    def _end(self, reason: str) -> NoReturn:
        self.stop_reason = reason
        if self.progress is not None:
            self.progress(self)
        raise SessionOver(reason)

    def _store(self, workload: str) -> DesignStore:
        if os.getpid() != self._pid and self._recorder is not None:
            raise RuntimeError("a recorded session belongs to the process that made it; make one per process")
        if workload not in self._stores:
            problem = self.spec.bind(workload)
            first = next(iter(self._stores.values()), None)
            if first is not None and problem.space != first.problem.space:
                raise InputError(
                    f"workload {workload!r} has another design space than {self.spec.workload!r}; "
                    f"use gym.make({self.spec.env_id!r}, workload={workload!r}), or space='shared' where offered"
                )
            self._stores[workload] = DesignStore(problem)
        return self._stores[workload]

    def __copy__(self) -> NoReturn:
        raise TypeError("a session cannot be copied: it is the one door to its budget and journal; make a new one")

    def __deepcopy__(self, memo: object) -> NoReturn:
        self.__copy__()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a session cannot be pickled: it belongs to one process; make one per process")
