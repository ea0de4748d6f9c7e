"""The only door to an evaluation: cache, budget, best so far, journal."""

from __future__ import annotations

__all__ = ["Budget", "Incumbent", "Session", "SessionOver"]

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.bindings import Bindings
from archgym.budget import Budget, SessionOver
from archgym.problem import Problem, ProblemSpec, ScoredEvaluation, checked_workload
from archgym.store import DesignStore
from archgym_simulators import FAILED, Design, DesignSpace, Evaluation
from archgym_simulators.space import Rows

if TYPE_CHECKING:
    from archgym.envs.design_env import DesignEnv
    from archgym.envs.design_vector_env import DesignVectorEnv

_UNRECORDED_CACHE_ROWS = 1 << 20
_UNRECORDED_STORES = 1 << 12
_ALWAYS_COUNTED = 1 << 16


@dataclass(frozen=True, slots=True)
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

    problem: Problem
    store: DesignStore
    canonical: Rows  # (N, D)
    keys: Sequence[Any]
    slots: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    fresh: dict[Any, int] = field(default_factory=dict)
    stop: str | None = None


class Session:
    """Problems of one specification, one per workload, behind one cache, budget and journal.

    Rows are folded to their canonical form; each new one is simulated once, recorded and charged; repeats are free but
    counted as proposals. Rewards and metrics come back for the rows as given. Where a simulator resumes (training that
    goes on where it stopped), a design asked again at a higher fidelity is charged the difference (`archgym.resuming`).

    A session with a budget or a recorder belongs to the process that made it, and none can be copied: a copy would
    spend the budget twice. It serves one thread at a time.

    Attributes:
        spec: what is being solved.
        space: the design space, the same for every workload of the session.
        proposals: rows asked for so far.
        calls: new canonical designs simulated so far, valid or not. Baselines are not charged.
        spent: their summed cost.
        best: the incumbent, None before the first evaluation.
        stop_reason: None while running; then budget, max_proposals, agent or exhausted, or error where the simulator or
            the recorder raised in the middle of a recorded call.
        error: what was raised then; an agent that swallows it cannot make the run look complete.
    """

    def __init__(
        self,
        spec: ProblemSpec,
        *,
        budget: Budget | None = None,
        recorder: Recorder | None = None,
        progress: Callable[[Session], None] | None = None,
        problem: Problem | None = None,
    ) -> None:
        """Open a session.

        Args:
            spec: what is being solved.
            budget: what may be spent; no limit by default.
            recorder: where evaluations are written before anyone hears of them.
            progress: called with the session after every batch.
            problem: the spec's problem where it is bound already; binding may load a trace or run a tool.
        """
        self.spec = spec
        self.budget = budget or Budget()
        self.proposals = 0
        self.calls = 0
        self.spent = 0.0
        self.best: Incumbent | None = None
        self.stop_reason: str | None = None
        self.error: BaseException | None = None
        self.progress = progress
        self._recorder = recorder
        self._bindings = Bindings(spec, problem)
        self.space: DesignSpace = self.problem().space
        self._rows_per_record = self.problem().simulator.rows_per_record
        self._stores: dict[str, DesignStore] = {}
        self._is_bounded = self.budget.limit is not None or recorder is not None
        self._forgotten = 0  # calls whose designs an unbounded session no longer remembers
        self._pid = os.getpid()
        self._one_thread = Lock()
        self._best_rank = (False, -np.inf)
        self._designs = self.space.canonical_size if self.space.size <= _ALWAYS_COUNTED else None

    # ---- what agents call ----------------------------------------------------------------------------------------

    def evaluate(self, rows: ArrayLike, workload: str | None = None) -> ScoredEvaluation:
        """Evaluate index rows (N, D) for a workload (the specification's by default).

        A batch that crosses a limit is evaluated and recorded up to it; then this, and every later call, raises. One
        that just reaches it is answered, and the later calls raise.

        Raises:
            SessionOver: budget or proposals are used up, or every design is known.
            InputError: a row outside the space, or an unknown workload.
            RuntimeError: another thread is in here, or another process owns the session.
        """
        if self.stop_reason is not None:
            raise SessionOver(self.stop_reason)
        if self._is_bounded and os.getpid() != self._pid:
            raise RuntimeError("a session with a budget or a record belongs to the process that made it; make one each")
        if not self._one_thread.acquire(blocking=False):
            raise RuntimeError("a session serves one thread at a time, and not its own progress callback; make another")
        try:
            scored = self._evaluate(rows, self.problem(workload))
        finally:
            self._one_thread.release()
        if self.progress is not None:
            self.progress(self)
        if scored is None:
            raise SessionOver(str(self.stop_reason))
        return scored

    def stop(self, reason: str = "agent") -> None:
        """End the session; an agent that is finished does this."""
        self.stop_reason = self.stop_reason or reason

    @property
    def remaining(self) -> int:
        """Rows that can still be asked for before a limit in calls or proposals, at least 0."""
        if self.stop_reason is not None:
            return 0
        left = min(self.budget.calls - self.calls, self.budget.proposals(self.calls) - self.proposals)
        return int(min(max(left, 0), 2**31))

    def problem(self, workload: str | None = None) -> Problem:
        """The problem of a workload, bound on first use.

        Raises:
            InputError: an unknown workload, or one with another design space than the session's.
        """
        return self._bindings.problem(checked_workload(workload, self.spec.workload))

    def bottlenecks(self, scored: Evaluation, workload: str | None = None) -> Mapping[str, NDArray[Any]]:
        """What holds each evaluated design back, in words, each (N,), as in an environment's ``info["bottleneck"]``.

        Empty in families that do not say; of designs that are not ok, the words mean nothing.
        """
        return self.problem(workload).simulator.bottlenecks(scored)

    def best_design(self) -> Design | None:
        """The incumbent in readable values."""
        return None if self.best is None else self.space.decode_row(self.best.row)

    def env(self, **options: Any) -> DesignEnv:
        """A Gymnasium environment over this session."""
        from archgym.envs.design_env import DesignEnv

        return DesignEnv(session=self, **options)

    def vector_env(self, num_envs: int, **options: Any) -> DesignVectorEnv:
        """A Gymnasium vector environment over this session: charged, cached and recorded by it."""
        from archgym.envs.design_vector_env import DesignVectorEnv

        return DesignVectorEnv(session=self, num_envs=num_envs, **options)

    # ---- one call ------------------------------------------------------------------------------------------------

    def _evaluate(self, rows: ArrayLike, problem: Problem) -> ScoredEvaluation | None:
        """One call; None where it crossed a limit, which is then the stop reason."""
        canonical = self.space.canonical(self.space.as_rows(rows))
        call = _Call(problem, self._store(problem), canonical, self.space.keys(canonical))
        if self._is_exhausted(call.store):
            self.stop_reason = "exhausted"
            return None
        self._plan(call)
        try:
            scored = self._evaluate_new(call)
        except BaseException as error:
            if self._recorder is not None:  # half a call is on record; only a replay can go on from there
                self.error = error
                self.stop("error")
            raise
        self.proposals += len(call.slots)
        self.stop_reason = call.stop or self._limit_reached()
        if call.stop is not None:
            return None
        return scored if scored is not None else call.store.gather(call.slots)

    def _plan(self, call: _Call) -> None:
        """Give every row up to the first limit a slot; note which are new."""
        slot_of, next_slot, fresh = call.store.slot_of, call.store.count, call.fresh
        room = self.budget.calls - self.calls
        allowed = self.budget.proposals(self.calls) - self.proposals
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

    def _evaluate_new(self, call: _Call) -> ScoredEvaluation | None:
        """Simulate, or replay, the new rows; returns the result where it covers the whole call as it stands."""
        positions, keys = call.positions, list(call.fresh)
        whole = len(positions) == len(call.keys)
        rows = call.canonical if whole else call.canonical[positions]
        chunk = self._rows_per_record if self._recorder or self.budget.unit == "cost" else len(positions)
        scored, done = None, 0
        while done < len(positions):
            part = slice(done, min(done + chunk, len(positions)))
            offered, scored = self._next_part(call, positions[part], rows[part])
            done, start = done + len(scored), done
            self._commit(call, scored, keys[start:done], positions[start:done], rows[start:done])
            if len(scored) < offered:
                del call.slots[positions[done] :]
                call.stop = "budget"
                break
        return scored if whole and scored is not None and len(scored) == len(positions) else None

    def _next_part(self, call: _Call, positions: list[int], rows: Rows) -> tuple[int, ScoredEvaluation]:
        """Evaluations of the first of ``rows``: how many there are, and those that are paid for and on record.

        A record holds what was charged.
        """
        problem, ledger, recorder = call.problem, call.store.ledger, self._recorder
        name = problem.simulator.workload.name
        recorded = recorder.replay(self.proposals, name, positions, rows) if recorder is not None else None
        if recorded is not None:
            return len(recorded), self._within_cost(problem.score(recorded))
        outcome = problem.evaluate(rows)
        if ledger is not None:
            outcome = replace(outcome, cost=outcome.cost - ledger.discounts(rows, outcome.status))
        scored = self._within_cost(outcome)
        if recorder is not None and len(scored):
            recorder.write(self.proposals, name, positions[: len(scored)], rows[: len(scored)], scored)
        return len(outcome), scored

    def _within_cost(self, scored: ScoredEvaluation) -> ScoredEvaluation:
        """The evaluations that the remaining cost budget pays for; simulators are pure, so the rest never happened."""
        if self.budget.unit == "calls":
            return scored
        running = np.cumsum(np.concatenate(([self.spent], scored.cost)))[1:]
        paid = int(np.searchsorted(running, self.budget.cost, side="right"))
        return scored if paid == len(scored) else scored.head(paid)

    def _commit(self, call: _Call, scored: ScoredEvaluation, keys: list[Any], positions: list[int], rows: Rows) -> None:
        if not keys:
            return
        call.store.append(keys, scored)
        if call.store.ledger is not None:
            call.store.ledger.note(rows, scored.status)
        self._note_best(call.problem, scored, positions, rows)
        self.calls += len(keys)
        for cost in scored.cost.tolist():  # one by one, so that the sum does not depend on the batches
            self.spent += cost

    def _note_best(self, problem: Problem, scored: ScoredEvaluation, positions: list[int], rows: Rows) -> None:
        reward, i = scored.reward, 0
        if np.count_nonzero(scored.status == FAILED):  # unknown, so never the best, not even among invalid ones
            reward = np.where(scored.status == FAILED, -np.inf, reward)
        if len(rows) > 1:
            feasible = np.count_nonzero(scored.feasible)
            mixed = 0 < feasible < len(rows)
            i = int((np.where(scored.feasible, reward, -np.inf) if mixed else reward).argmax())
        rank = (bool(scored.feasible[i]), float(reward[i]))
        if rank > self._best_rank:
            self._best_rank = rank
            self.best = Incumbent(
                row=tuple(rows[i].tolist()),
                workload=problem.simulator.workload.name,
                reward=rank[1],
                feasible=rank[0],
                values=tuple(scored.values[i].tolist()),
                step=self.calls + i,
                proposal=self.proposals + positions[i],
            )

    # ---- limits --------------------------------------------------------------------------------------------------

    def _limit_reached(self) -> str | None:
        if self.calls >= self.budget.calls or self.spent >= self.budget.cost:
            return "budget"
        return "max_proposals" if self.proposals >= self.budget.proposals(self.calls) else None

    def _is_exhausted(self, store: DesignStore) -> bool:
        if self.budget.limit is None or len(self._stores) > 1:
            return False
        if self._designs is None and self.calls > _ALWAYS_COUNTED:
            self._designs = self.space.canonical_size
        return store.resolved() == self._designs

    def _store(self, problem: Problem) -> DesignStore:
        name = problem.simulator.workload.name
        many = self.calls - self._forgotten > _UNRECORDED_CACHE_ROWS or len(self._stores) > _UNRECORDED_STORES
        if many and not self._is_bounded:
            self._stores.clear()
            self._forgotten = self.calls
        if name not in self._stores:
            self._stores[name] = DesignStore(problem)
        return self._stores[name]

    def __copy__(self) -> NoReturn:
        raise TypeError("a session cannot be copied: it is the one door to its budget and journal; make a new one")

    def __deepcopy__(self, memo: object) -> NoReturn:
        self.__copy__()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a session cannot be pickled: it belongs to one process; make one per process")
