"""Problems: what a specification says, and that evaluating is pure."""

import json

import numpy as np
import pytest

import archgym
from archgym.problem import Problem, ProblemSpec, ScoredEvaluation
from archgym.testing import toys
from archgym_simulators import Evaluation, InputError, SimulationFailed


def test_a_specification_fills_in_defaults_and_is_json(bowl):
    spec = ProblemSpec.create(bowl, constraints=" time_ns<=500 ,energy_pj<=90,", options={"scale": 2.0})
    assert spec.workload == "default"
    assert json.loads(json.dumps(spec.to_json()))["options"] == {"scale": 2.0}
    assert spec.digest == ProblemSpec.create(bowl, constraints=list(spec.constraints), options={"scale": 2.0}).digest
    assert spec.digest != ProblemSpec.create(bowl, constraints=list(spec.constraints)).digest
    problem = spec.bind()
    assert [str(bound) for bound in problem.constraints] == ["time_ns<=500", "energy_pj<=90"]
    assert [objective.name for objective in problem.objectives] == ["time"]


def test_evaluating_is_pure_and_rewards_are_relative_to_the_baseline(bowl):
    problem = ProblemSpec.create(bowl).bind()
    baseline = np.array([problem.simulator.baseline.row])
    rows = problem.space.canonical(problem.space.sample(100, np.random.default_rng(0)))
    first, again = problem.evaluate(rows), ProblemSpec.create(bowl).bind().evaluate(rows)
    assert np.array_equal(first.rewards, again.rewards)
    assert problem.baseline_design == problem.space.decode_row(baseline[0])
    if problem.evaluate(baseline).status[0] == 0:
        assert problem.evaluate(baseline).reward[0] == 0.0


def test_without_a_valid_baseline_the_reference_is_1(toy):
    assert (ProblemSpec.create(toy("AlwaysInvalid")).bind().baseline_values == 1.0).all()


def test_a_baseline_that_fails_is_tried_again_and_at_last_an_error(toy):
    for seed in range(20):
        found = ProblemSpec.create(toy("Flaky"), options={"seed": seed}).bind().baseline_values
        steady = ProblemSpec.create(toy("Bowl")).bind().baseline_values
        assert np.array_equal(found, steady)

    class Dead(toys.Bowl):
        def simulate(self, rows):
            n = len(rows)
            failed, code = np.ones(n, dtype=bool), np.zeros(n, dtype=int)
            return Evaluation.of(np.ones((n, 4)), reasons=self.reasons, reason_code=code, failed=failed)

    with pytest.raises(SimulationFailed, match=r"the baseline of Dead \(default\) failed 10 times"):
        Problem(Dead(), [], [])


def test_heads_and_concatenations_are_read_only_and_in_order(bowl):
    problem = ProblemSpec.create(bowl, objective=["time", "energy_pj"]).bind()
    rows = problem.space.canonical(problem.space.sample(30, np.random.default_rng(0)))
    whole = problem.evaluate(rows)
    parts = [problem.evaluate(rows[:10]), problem.evaluate(rows[10:])]
    order = np.random.default_rng(1).permutation(30)
    joined = ScoredEvaluation.concatenate(parts, order)
    for name in ("values", "status", "rewards", "feasible", "violation", "reason_code", "cost", "diagnostics"):
        nan = getattr(whole, name).dtype.kind == "f"
        assert np.array_equal(getattr(joined, name), getattr(whole, name)[order], equal_nan=nan), name
        assert np.array_equal(getattr(whole.head(7), name), getattr(whole, name)[:7], equal_nan=nan), name
        for evaluation in (whole, joined, whole.head(7)):
            assert not getattr(evaluation, name).flags.writeable, name
    assert [joined.reason(i) for i in range(30)] == [whole.reason(i) for i in order.tolist()]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scael": 1.0}, r"unknown option 'scael' for .*; did you mean 'scale'\?; allowed: scale"),
        ({"workload": "large"}, "unknown option 'workload'"),
        ({"self": 1}, "unknown option 'self'"),
        ({"scale": "2"}, "option 'scale' must be of type float, not '2'"),
        ({"scale": True}, "option 'scale' must be of type float, not True"),
        ({"scale": None}, "option 'scale' must be of type float, not None"),
        ({"scale": float("nan")}, "option 'scale' must be a JSON value"),
        ({"scale": np.float32(2)}, "option 'scale' must be a JSON value"),
        ({"scale": {1, 2}}, "option 'scale' must be a JSON value"),
        ({"scale": np.zeros((3, 3))}, "option 'scale' must be a JSON value"),
    ],
)
def test_wrong_options_are_one_line_before_anything_is_built(bowl, options, message):
    with pytest.raises(InputError, match=message) as caught:
        ProblemSpec.create(bowl, options=options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"objective": 3}, "objective must be text or a list of texts, not 3"),
        ({"objective": ["time", 3]}, "objective must be text"),
        ({"objective": {"time": 1}}, "objective must be text"),
        ({"objective": b"time"}, "objective must be text"),
        ({"constraints": 900}, "constraints must be text"),
        ({"constraints": [("time_ns", 5)]}, "constraints must be text"),
        ({"objective": "energy"}, "degenerate alone"),
        ({"objective": "energy_pj"}, "degenerate alone"),
    ],
)
def test_wrong_arguments_are_one_line(bowl, arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        ProblemSpec.create(bowl, **arguments)
    assert "\n" not in str(caught.value)


def test_whole_numbers_are_taken_where_a_fraction_may_stand(bowl):
    assert ProblemSpec.create(bowl, options={"scale": 2}).bind().baseline_values[0] > 0


@pytest.mark.parametrize("workload", ["", " ", 5, ["default"]])
def test_a_workload_that_is_no_text_is_refused(bowl, workload):
    with pytest.raises(InputError, match="workload must be a name, spec or path such as 'default', not "):
        archgym.make_session(bowl, workload=workload)
    with pytest.raises(InputError, match="workload must be a name, spec or path such as 'default', not "):
        archgym.make_session(bowl).evaluate([[0] * 6], workload=workload)
