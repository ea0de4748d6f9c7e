"""Sessions: what is best, what is remembered, who may use them, what is told and recorded."""

import copy
import os
import pickle
import threading

import numpy as np
import pytest

from archgym.bindings import Bindings
from archgym.budget import Budget, SessionOver
from archgym.problem import Problem, ProblemSpec
from archgym.session import Session
from archgym.testing import toys
from archgym_simulators import DesignSpace, Evaluation, InputError, Integer, Reason
from tests.archgym.sessions import Counting, distinct


@pytest.fixture
def spec(bowl):
    return ProblemSpec.create(bowl)


def test_the_best_is_feasible_before_infeasible_then_by_reward_and_the_first_of_equals(bowl):
    session = Session(ProblemSpec.create(bowl, constraints="energy_pj<=70"), budget=Budget(5000))
    rows = distinct(session, 3000)
    seen = []
    for start in range(0, 3000, 7):
        batch = rows[start : start + 7]
        found = session.evaluate(batch)
        seen += list(zip(found.feasible.tolist(), found.reward.tolist(), map(tuple, batch.tolist()), strict=True))
        ranks = [(feasible, reward) for feasible, reward, _ in seen]
        winner = ranks.index(max(ranks))
        best = session.best
        assert (best.feasible, best.reward, best.row) == (*ranks[winner], seen[winner][2])
        assert best.step == best.proposal == winner
    assert best.feasible
    assert any(reward > best.reward for feasible, reward, _ in seen if not feasible), "the test would see a wrong order"
    assert session.best_design() == session.space.decode_row(best.row)


def test_a_nan_metric_never_makes_a_design_the_best(spec, monkeypatch):
    session = Session(spec, budget=Budget(100))
    inner = session.problem().simulator.simulate

    def broken(rows):
        outcome = inner(rows)
        values = outcome.values.copy()
        values[0] = np.nan
        object.__setattr__(outcome, "values", values)
        return outcome

    session.problem().simulator.simulate = broken
    found = session.evaluate(distinct(session, 20))
    assert np.isfinite(found.rewards).all()
    assert np.isfinite(session.best.values).all()


def test_several_workloads_have_several_memories_and_one_budget(spec):
    session = Session(spec, budget=Budget(100))
    rows = distinct(session, 10)
    small = session.evaluate(rows)
    large = session.evaluate(rows, "large")
    assert session.calls == 20
    ok = small.status == 0
    assert (large.values[ok, 0] == 4 * small.values[ok, 0]).all()
    session.evaluate(rows, "large")
    session.evaluate(rows, "default")
    assert session.calls == 20


def test_one_workload_by_two_names_is_one_memory(spec, monkeypatch):
    monkeypatch.setitem(spec.bind().simulator.__init__.__globals__["_WORKLOADS"], " large", 4.0)
    session = Session(spec, budget=Budget(100))
    bind = Bindings._bind

    def renamed(self, workload):
        problem = bind(self, workload)
        if workload == " large":
            problem.simulator.workload = bind(self, "large").simulator.workload
        return problem

    monkeypatch.setattr(Bindings, "_bind", renamed)
    rows = distinct(session, 10)
    session.evaluate(rows, "large")
    session.evaluate(rows, " large")
    assert session.calls == 10


def test_another_design_space_is_refused_with_the_line_to_write(spec, monkeypatch):
    session = Session(spec)
    monkeypatch.setattr(type(session.problem().simulator), "make_space", lambda self: DesignSpace([Integer("x", 0, 9)]))
    with pytest.raises(InputError, match=r"another design space than 'default'; use gym\.make\(.*workload='large'\)"):
        session.evaluate(distinct(session, 1), "large")
    assert session.calls == session.proposals == 0
    assert len(session.evaluate(distinct(session, 1))) == 1


def test_wrong_input_changes_nothing(spec):
    session = Session(spec, budget=Budget(3))
    for rows, workload in (([[99] * session.space.width], None), ([[0]], None), (distinct(session, 1), "lorge")):
        with pytest.raises(InputError):
            session.evaluate(rows, workload)
    assert (session.calls, session.proposals, session.stop_reason, session.best) == (0, 0, None, None)
    assert len(session.evaluate(np.zeros((0, session.space.width), dtype=int))) == 0
    assert (session.calls, session.proposals, session.stop_reason) == (0, 0, None)


def test_an_unbounded_session_forgets_and_a_bounded_one_does_not(toy, monkeypatch):
    monkeypatch.setattr("archgym.session._UNRECORDED_CACHE_ROWS", 100)
    for budget, remembered in ((None, False), (Budget(10**6), True)):
        session = Session(ProblemSpec.create(toy("HugeSpace")), budget=budget)
        rows = distinct(session, 500)
        for start in range(0, 500, 10):
            session.evaluate(rows[start : start + 10])
        session.evaluate(rows[:10])
        assert session.calls == (500 if remembered else 510)
        kept = sum(store.count for store in session._stores.values())
        assert (kept <= 120) != remembered


def test_an_unbounded_session_keeps_few_of_many_workloads(toy, monkeypatch):
    monkeypatch.setattr("archgym.session._UNRECORDED_STORES", 10)
    spec = ProblemSpec.create(toy("HugeSpace"))
    workloads = spec.bind().simulator.__init__.__globals__["_WORKLOADS"]
    for i in range(100):
        monkeypatch.setitem(workloads, f"w{i}", float(i + 1))
    session = Session(spec)
    rows = distinct(session, 2)
    expected = [session.evaluate(rows, f"w{i}").values for i in range(100)]
    assert len(session._stores) <= 12
    assert len(session._bindings._recent) <= 64
    for i in (0, 99):
        assert np.array_equal(session.evaluate(rows, f"w{i}").values, expected[i])


def test_sessions_are_neither_copied_nor_pickled(spec):
    session = Session(spec)
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match=r"a session cannot be (copied|pickled)"):
            attempt(session)


@pytest.mark.parametrize(("budget", "recorder"), [(Budget(5), None), (None, Counting())])
def test_a_session_with_a_budget_or_a_record_belongs_to_one_process(spec, budget, recorder, monkeypatch):
    session = Session(spec, budget=budget, recorder=recorder)
    rows = distinct(session, 1)
    mine = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: mine + 1)
    with pytest.raises(RuntimeError, match="belongs to the process that made it"):
        session.evaluate(rows)
    assert len(Session(spec).evaluate(rows)) == 1
    assert session.calls == 0


def test_a_second_thread_is_refused_and_the_first_goes_on(spec):
    session = Session(spec, budget=Budget(100))
    inner, entered, leave = session.problem().simulator.simulate, threading.Event(), threading.Event()

    def slow(rows):
        entered.set()
        assert leave.wait(10)
        return inner(rows)

    session.problem().simulator.simulate = slow
    found = []
    rows = distinct(session, 2)
    rows = rows[(session.space.violations(rows) == 0).all(axis=1)]
    thread = threading.Thread(target=lambda: found.append(session.evaluate(rows)))
    thread.start()
    assert entered.wait(10)
    with pytest.raises(RuntimeError, match="one thread at a time"):
        session.evaluate(rows)
    leave.set()
    thread.join()
    assert len(found[0]) == len(rows) == session.calls


def test_an_error_in_the_middle_ends_a_recorded_session_and_spares_an_unrecorded_one(spec):
    for recorder, reason in ((None, None), (Counting(), "error")):
        session = Session(spec, recorder=recorder)
        rows = distinct(session, 5)
        inner = session.problem().simulator.simulate
        session.problem().simulator.simulate = lambda rows: 1 / 0
        with pytest.raises(ZeroDivisionError):
            session.evaluate(rows)
        session.problem().simulator.simulate = inner
        assert session.stop_reason == reason
        assert (session.calls, session.proposals) == (0, 0)
        if recorder is None:
            assert len(session.evaluate(rows)) == 5


def test_progress_is_told_after_every_batch_also_the_last(spec):
    told = []
    session = Session(spec, budget=Budget(5), progress=lambda s: told.append((s.calls, s.stop_reason)))
    rows = distinct(session, 9)
    session.evaluate(rows[:3])
    with pytest.raises(SessionOver):
        session.evaluate(rows[3:])
    assert told == [(3, None), (5, "budget")]


def test_chunks_of_a_slow_simulator_are_recorded_one_by_one(spec):
    recorder = Counting()
    session = Session(spec, recorder=recorder)
    session._rows_per_record = 2
    rows = distinct(session, 5)
    session.evaluate(rows[:1])
    found = session.evaluate(rows[[0, 1, 2, 1, 3, 4]])
    assert [(w[0], w[2]) for w in recorder.written] == [(0, [0]), (1, [1, 2]), (1, [4, 5])]
    fresh = Session(spec).evaluate(rows[[0, 1, 2, 1, 3, 4]])
    assert np.array_equal(found.values, fresh.values, equal_nan=True)
    assert np.array_equal(found.rewards, fresh.rewards)


def test_the_agent_hears_nothing_that_is_not_on_record(spec):
    class Refusing(Counting):
        def write(self, *_):
            raise OSError("full")

    session = Session(spec, recorder=Refusing())
    with pytest.raises(OSError, match="full"):
        session.evaluate(distinct(session, 3))
    assert session.best is None
    with pytest.raises(SessionOver, match="error"):
        session.evaluate(distinct(session, 3))


def test_results_do_not_depend_on_how_a_search_is_cut_into_batches(spec):
    sizes = {1: None, 13: None, 400: None}
    for size in sizes:
        session = Session(spec, budget=Budget(1000))
        rows = session.space.sample(400, np.random.default_rng(1))
        parts = [session.evaluate(rows[i : i + size]) for i in range(0, 400, size)]
        columns = [np.concatenate([getattr(p, f) for p in parts]) for f in ("values", "rewards", "reason_detail")]
        sizes[size] = (columns, session.best, session.calls, session.spent)
    (first, *state), *others = sizes.values()
    for columns, *other in others:
        assert other == state
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(columns, first, strict=True))


def test_evaluations_hold_the_full_width_of_details_and_diagnostics(spec):
    session = Session(spec)
    inner = session.problem().simulator.simulate
    session.problem().simulator.simulate = lambda rows: Evaluation.of(inner(rows).values)
    found = session.evaluate(distinct(session, 20))
    assert found.reason_detail.shape == (20, 2)
    assert found.diagnostics.shape == (20, 1)


class HalfFails(toys.AlwaysInvalid):
    """Designs with x0 = 2 crash the tool; the others are invalid."""

    reasons = (*toys.AlwaysInvalid.reasons, Reason("crashed", "the toy tool crashed"))

    def simulate(self, rows):
        outcome = super().simulate(rows)
        failed = rows[:, 0] == 2
        return Evaluation.of(
            outcome.values,
            reasons=self.reasons,
            reason_code=np.where(failed, len(self.reasons) - 1, outcome.reason_code),
            violation=outcome.violation,
            reason_detail=outcome.reason_detail,
            failed=failed,
            diagnostics=outcome.diagnostics,
        )


def test_a_failed_design_is_never_the_best_not_even_among_invalid_ones(spec):
    objectives, constraints = spec.parse()
    session = Session(spec, budget=Budget(10), problem=Problem(HalfFails(), objectives, constraints))
    session.evaluate([[2, 2, 2, 2]])
    assert session.best is None
    session.evaluate([[2, 2, 2, 1], [1, 1, 1, 1]])
    assert session.best is not None
    assert session.best.row == (1, 1, 1, 1)
