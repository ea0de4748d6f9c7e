"""Sessions: what is charged, what is free, when it is over."""

import pickle

import numpy as np
import pytest

from archgym.budget import Budget, SessionOver
from archgym.problem import ProblemSpec
from archgym.session import Session
from archgym.testing import toys
from archgym_simulators import FAILED, INVALID, InputError
from tests.archgym.sessions import Counting, distinct, in_batches, until_over


@pytest.fixture
def spec(bowl):
    return ProblemSpec.create(bowl)


def test_each_new_canonical_design_is_charged_once_and_repeats_are_free_but_counted(spec):
    session = Session(spec, budget=Budget(100))
    rows = distinct(session, 10)
    first = session.evaluate(rows)
    assert (session.calls, session.proposals, session.spent) == (10, 10, 10.0)
    again = session.evaluate(rows[::-1])
    assert (session.calls, session.proposals) == (10, 20)
    for name in ("values", "rewards", "status", "reason_code", "violation", "reason_detail", "diagnostics", "feasible"):
        assert np.array_equal(
            getattr(again, name)[::-1], getattr(first, name), equal_nan=getattr(first, name).dtype.kind == "f"
        ), name
        assert getattr(again, name).dtype == getattr(first, name).dtype
        with pytest.raises(ValueError, match="read-only"):
            getattr(again, name)[:] = 0
    assert [again.reason(i) for i in range(10)] == [first.reason(9 - i) for i in range(10)]


def test_invalid_designs_are_charged_too(toy):
    session = Session(ProblemSpec.create(toy("AlwaysInvalid")), budget=Budget(7))
    assert (session.evaluate(distinct(session, 5)).status == INVALID).all()
    assert session.calls == 5


def test_duplicates_within_a_batch_are_charged_once_and_answered_each(spec):
    session = Session(spec, budget=Budget(100))
    rows = distinct(session, 3)
    found = session.evaluate(rows[[0, 1, 0, 2, 1, 0]])
    assert (session.calls, session.proposals) == (3, 6)
    assert np.array_equal(found.values[[0, 1, 3]][[0, 1, 0, 2, 1, 0]], found.values, equal_nan=True)


def test_designs_with_one_canonical_form_are_one(spec):
    session = Session(spec, budget=Budget(100))
    design = {"memory": "none", "banks": 4, "order": "K>C>X", "tile": "2x3x4"}
    rows = [session.space.encode_row({**design, "size_kib": size}) for size in (1, 4, 16)]
    found = session.evaluate(rows)
    assert session.calls == 1
    assert (found.values == found.values[0]).all() or np.isnan(found.values).all()


def test_the_baseline_is_not_charged(spec):
    session = Session(spec, budget=Budget(5))
    assert np.isfinite(session.problem().baseline_values).all()
    assert (session.calls, session.spent, session.proposals) == (0, 0.0, 0)
    session.evaluate([session.problem().simulator.baseline.row])
    assert session.calls == 1, "asking for it is a call like any other"


@pytest.mark.parametrize("batch", [1, 3, 7, 50])
def test_a_batch_that_crosses_the_budget_is_evaluated_and_recorded_up_to_it(spec, batch):
    recorder = Counting()
    session = Session(spec, budget=Budget(10), recorder=recorder)
    rows = distinct(session, 50)
    assert until_over(session, in_batches(rows, batch)) == "budget"
    assert (session.calls, session.proposals) == (10, 10)
    assert np.array_equal(np.concatenate([written[3] for written in recorder.written]), rows[:10])
    for _ in range(3):
        with pytest.raises(SessionOver):
            session.evaluate(rows[:1])
    assert (session.calls, session.proposals, session.remaining) == (10, 10, 0)


def test_repeats_before_the_crossing_design_count(spec):
    session = Session(spec, budget=Budget(2))
    rows = distinct(session, 3)
    with pytest.raises(SessionOver):
        session.evaluate(rows[[0, 0, 1, 0, 1, 2, 0]])
    assert (session.calls, session.proposals) == (2, 5)


def test_a_batch_that_just_reaches_the_budget_is_answered(spec):
    session = Session(spec, budget=Budget(4))
    assert len(session.evaluate(distinct(session, 4))) == 4
    assert session.stop_reason == "budget"
    with pytest.raises(SessionOver, match="the session is over: budget"):
        session.evaluate(distinct(session, 1))


@pytest.mark.parametrize(("given", "expected"), [(None, 60), (7, 7)])
def test_proposals_end_at_20_times_the_budget_or_as_given(spec, given, expected):
    session = Session(spec, budget=Budget(3, max_proposals=given))
    row = distinct(session, 1)
    assert until_over(session, [np.repeat(row, 4, axis=0)] * 100) == "max_proposals"
    assert (session.calls, session.proposals) == (1, expected)


def test_a_batch_that_crosses_max_proposals_is_recorded_up_to_it(spec):
    recorder = Counting()
    session = Session(spec, budget=Budget(100, max_proposals=5), recorder=recorder)
    rows = distinct(session, 9)
    with pytest.raises(SessionOver, match="max_proposals"):
        session.evaluate(rows)
    assert (session.calls, session.proposals) == (5, 5)
    assert np.array_equal(recorder.written[0][3], rows[:5])


def test_a_session_is_exhausted_when_every_canonical_design_is_known(spec):
    session = Session(spec, budget=Budget(10**6))
    assert until_over(session, session.space.chunks(4096)) == "exhausted"
    assert session.calls == session.space.canonical_size < session.space.size


def test_a_session_without_limits_is_never_over(toy):
    session = Session(ProblemSpec.create(toy("OneDesign")))
    for _ in range(5):
        session.evaluate([[0], [0]])
    assert (session.calls, session.proposals, session.stop_reason) == (1, 10, None)
    limited = Session(ProblemSpec.create(toy("OneDesign")), budget=Budget(5))
    assert until_over(limited, [[[0]], [[0]]]) == "exhausted"


def test_a_failed_design_is_charged_every_time_and_never_remembered(toy):
    session = Session(ProblemSpec.create(toy("Flaky"), options={"seed": 3}), budget=Budget(10**4))
    rows = distinct(session, 60)
    first = session.evaluate(rows)
    failed = first.status == FAILED
    assert 0 < failed.sum() < 60
    session.evaluate(rows)
    assert session.calls == 60 + failed.sum()
    for _ in range(30):
        last = session.evaluate(rows)
    assert (last.status != FAILED).all(), "a tool that crashes at random succeeds in the end"
    assert not session.best.feasible or session.best.reward > -30


class Costly(toys.Bowl):
    """Each evaluation costs a tenth, so that sums do not come out even."""

    def simulate(self, rows):
        outcome = super().simulate(rows)
        object.__setattr__(outcome, "cost", np.full(len(rows), 0.1))
        return outcome


def costly(spec, limit, **more):
    session = Session(spec, budget=Budget(limit, "cost"), **more)
    session.problem().simulator.__class__ = Costly
    return session


@pytest.mark.parametrize("batch", [1, 4, 64])
def test_a_budget_in_cost_units_is_never_overspent_and_does_not_depend_on_batches(bowl, batch):
    recorder = Counting()
    session = costly(ProblemSpec.create(bowl, constraints="time_ns>=1"), 1.05, recorder=recorder)
    rows = distinct(session, 64)
    rows = rows[(session.space.violations(rows) == 0).all(axis=1)]
    assert until_over(session, in_batches(rows, batch)) == "budget"
    expected = 0.0
    for _ in range(10):
        expected += 0.1
    assert session.calls == 10
    assert session.spent == expected <= 1.05
    assert sum(len(written[3]) for written in recorder.written) == 10


def test_repeats_in_a_budget_of_cost_end_too(bowl):
    session = costly(ProblemSpec.create(bowl), 5)
    row = distinct(session, 1)
    assert until_over(session, [np.repeat(row, 100, axis=0)] * 1000) == "max_proposals"
    assert session.proposals == 20_000


@pytest.mark.parametrize("limit", [0, -1, 1.5, float("nan"), float("inf"), "10", True, None.__class__])
def test_a_budget_that_makes_no_sense_is_refused(limit):
    with pytest.raises(InputError, match="budget must be a whole number of at least 1"):
        Budget(limit)
    with pytest.raises(InputError, match="max_proposals must be a whole number"):
        Budget(5, max_proposals=limit)


def test_budgets_take_numpy_numbers_and_say_what_units_there_are():
    assert Budget(np.int64(5), max_proposals=np.int64(7)) == Budget(5, max_proposals=7)
    assert type(Budget(np.int64(5)).limit) is int
    assert Budget(0.5, "cost").cost == 0.5
    with pytest.raises(InputError, match="calls or cost, not 'seconds'"):
        Budget(5, "seconds")
    over = pickle.loads(pickle.dumps(SessionOver("budget")))
    assert over.stop_reason == "budget"
