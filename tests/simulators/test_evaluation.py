"""Evaluations and simulators: what is invalid is data, and constraints come before simulation."""

import numpy as np
import pytest

from archgym.testing.toys import Bowl
from archgym_simulators import FAILED, INVALID, OK, Evaluation, InputError, Metric, Reason
from archgym_simulators.family import load_simulator_class
from archgym_simulators.nearest import allowed_values, did_you_mean

REASONS = (Reason("hot", "draws {power:.1f} W", ("power",)), Reason("crash", "crashed"))


def test_rows_that_are_not_ok_have_nan_metrics_and_a_sentence():
    found = Evaluation.of(
        np.ones((3, 2), dtype=np.float32),
        reasons=REASONS,
        reason_code=np.array([-1, 0, 1]),
        violation=np.array([5.0, 2.0, 7.0]),
        reason_detail=np.array([[0.0], [12.34], [0.0]]),
        failed=np.array([False, False, True]),
    )
    assert found.status.tolist() == [OK, INVALID, FAILED]
    assert np.isnan(found.values).all(axis=1).tolist() == [False, True, True]
    assert found.violation.tolist() == [0.0, 2.0, 0.0]
    assert [found.reason(i) for i in range(3)] == ["", "draws 12.3 W", "crashed"]
    assert [found.status_name(i) for i in range(3)] == ["ok", "invalid", "failed"]
    assert found.values.dtype == np.float64
    assert len(found) == 3


def test_evaluations_are_read_only():
    found = Evaluation.of(np.ones((2, 1)))
    for name in ("values", "status", "violation", "reason_code", "reason_detail", "cost", "diagnostics"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(found, name)[:] = 0
    with pytest.raises(AttributeError):
        found.values = np.zeros((2, 1))


def test_designs_that_break_a_constraint_never_reach_the_model():
    bowl = Bowl()
    seen = []
    inner = bowl.simulate
    bowl.simulate = lambda rows: seen.append(rows.copy()) or inner(rows)
    rows = bowl.space.canonical(bowl.space.sample(500, np.random.default_rng(0)))
    broken = (bowl.space.violations(rows) > 0).any(axis=1)
    assert 0 < broken.sum() < len(rows)
    found = bowl.evaluate(rows)
    assert np.array_equal(np.concatenate(seen), rows[~broken])
    assert (found.status[broken] == INVALID).all()
    assert np.array_equal(found.violation[broken], bowl.space.violations(rows)[broken, 0])
    assert all("banks do not fit" in found.reason(i) for i in np.flatnonzero(broken))
    direct = inner(rows[~broken])
    assert np.array_equal(found.values[~broken], direct.values, equal_nan=True)
    assert [found.reason(i) for i in np.flatnonzero(~broken)] == [direct.reason(i) for i in range(len(direct))]


@pytest.mark.parametrize("count", [0, 3])
def test_batches_of_only_broken_designs_and_of_none_evaluate(count):
    bowl = Bowl()
    row = bowl.space.encode_row({"memory": "cache", "size_kib": 1, "banks": 8, "order": "K>C>X", "tile": "24x1x1"})
    found = bowl.evaluate(np.repeat(row[None], count, axis=0))
    assert found.values.shape == (count, 4)
    assert (found.status == INVALID).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Reason("r", "needs {what}"),
        lambda: Reason("r", "needs {0}", ("what",)),
        lambda: Reason("r", "needs {what:d}", ("what",)),
        lambda: Reason("r", "two\nlines"),
        lambda: Reason("r", ""),
        lambda: Metric("time ns", "t"),
        lambda: Metric("", "t"),
        lambda: Metric("time_ns", "t", direction="up"),
        lambda: Metric("time_ns", "t", scale="ln"),
        lambda: Metric("time_ns", "t", scale="linear", span=0.0),
        lambda: Metric("time_ns", "t", scale="linear", span=float("nan")),
        lambda: load_simulator_class("archgym.testing.toys:Bowll"),
        lambda: load_simulator_class("archgym.testing.toyz:Bowl"),
        lambda: load_simulator_class("archgym.testing.toys:InputError"),
    ],
)
def test_declarations_that_make_no_sense_are_refused_in_one_line(make):
    with pytest.raises(InputError) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_messages_stay_short():
    assert allowed_values(range(10**12)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ..., 999999999999"
    assert did_you_mean("x" * 10_000_000, ["xxx", "y"]) == ""
    assert did_you_mean("zzz", []) == ""
    assert did_you_mean(3, []) == ""
