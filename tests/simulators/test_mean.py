"""One design on several workloads: means, statuses, reasons, and the same bits for any batch."""

import numpy as np
import pytest

from archgym.problem import ProblemSpec, mean_over
from archgym.testing import check_simulator, toys
from archgym.testing.toys import AlwaysInvalid, Bowl
from archgym_simulators import FAILED, INVALID, OK, InputError, Metric, Reason
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.mean import MeanOverWorkloads
from archgym_simulators.simulator import Workload

REASONS = (Reason("first", "says {one}", ("one",)), Reason("second", "says {one}, {two}", ("one", "two")))
BOWL = f"{toys.__file__}:Bowl"


class Scripted(Bowl):
    """A bowl whose first rows have the outcome that it is given."""

    def __init__(self, outcome, workload="default"):
        super().__init__(workload)
        self._outcome_of = outcome

    def simulate(self, rows):
        return self._outcome_of(len(rows))


def rows_of(simulator, n=200, seed=0):
    space = simulator.space
    return space.canonical(space.sample(n, np.random.default_rng(seed)))


def test_log_metrics_have_geometric_means_so_rewards_are_means_of_rewards():
    parts, mean = [Bowl("default"), Bowl("large")], MeanOverWorkloads([Bowl("default"), Bowl("large")])
    rows = rows_of(mean)
    valid = mean.evaluate(rows).status == OK
    assert 0 < valid.sum() < len(rows)
    values = [part.evaluate(rows).values[valid] for part in parts]
    for column, metric in enumerate(mean.metrics):
        one, other = values[0][:, column], values[1][:, column]
        expected = np.sqrt(one * other) if metric.scale == "log" else (one + other) / 2
        np.testing.assert_allclose(mean.evaluate(rows).values[valid, column], expected, rtol=1e-12)
    both = ProblemSpec.create(BOWL, workload="default + large").bind().evaluate(rows).reward[valid]
    alone = [
        ProblemSpec.create(BOWL, workload=name).bind().evaluate(rows).reward[valid] for name in ("default", "large")
    ]
    np.testing.assert_allclose(both, (alone[0] + alone[1]) / 2, rtol=0, atol=1e-12)


def test_linear_metrics_have_arithmetic_means_and_a_log_metric_of_zero_stays_zero():
    metrics = (Metric("time_ns", "t"), Metric("energy_pj", "e", scale="linear"), *Bowl.metrics[2:])
    numbers = np.ones((2, 1, len(metrics)))
    numbers[0, 0, :2], numbers[1, 0, :2] = (0.0, 2.0), (8.0, 4.0)
    parts = [Scripted(lambda n, i=i: Evaluation.of(numbers[i].repeat(n, axis=0))) for i in range(2)]
    for part in parts:
        part.metrics = metrics
    values = MeanOverWorkloads(parts).simulate(np.zeros((3, 1), dtype=np.int64)).values
    assert values[:, :2].tolist() == [[0.0, 3.0]] * 3


@pytest.mark.parametrize(
    ("first", "second", "expected", "reason"),
    [
        (OK, OK, OK, ""),
        (OK, INVALID, INVALID, "second"),
        (INVALID, INVALID, INVALID, "first"),
        (FAILED, OK, FAILED, "first"),
        (FAILED, INVALID, INVALID, "second"),
    ],
)
def test_the_worst_status_wins_with_its_reason_and_the_largest_violation(first, second, expected, reason):
    def outcome(status, which):
        def of(n):
            code = np.full(n, -1 if status == OK else which)
            failed = np.full(n, status == FAILED)
            details = {} if status == OK else {"reason_detail": np.full((n, 1 + which), 5.0)}
            violation = np.full(n, 1.0 + which)
            values = np.ones((n, len(Bowl.metrics)))
            return Evaluation.of(
                values,
                reasons=REASONS,
                reason_code=code,
                failed=failed,
                violation=violation,
                cost=np.full(n, 2.0),
                **details,
            )

        return of

    mean = MeanOverWorkloads([Scripted(outcome(first, 0)), Scripted(outcome(second, 1))])
    mean.reasons = REASONS
    result = mean.simulate(np.zeros((2, 1), dtype=np.int64))
    assert result.status.tolist() == [expected] * 2
    assert result.reason_name(0) == reason
    assert result.cost.tolist() == [4.0, 4.0]
    violations = [1.0 + i for i, status in enumerate((first, second)) if status == INVALID]
    assert result.violation[0] == (max(violations) if expected == INVALID else 0.0)


def test_three_workloads_pass_the_conformance_suite():
    check_simulator(MeanOverWorkloads([Bowl("default"), Bowl("large"), Bowl("default", scale=3.0)]))


def test_batches_and_threads_change_no_bit():
    mean = MeanOverWorkloads([Bowl("default"), Bowl("large"), Bowl("large", scale=3.0)])
    rows = rows_of(mean)
    whole = mean.evaluate(rows)
    single = np.concatenate([mean.evaluate(row[None]).values for row in rows])
    np.testing.assert_array_equal(whole.values, single)
    np.testing.assert_array_equal(whole.values, mean.evaluate_all(rows, threads=2).values)


def test_the_workload_is_named_described_and_digested_as_a_whole():
    spec = ProblemSpec.create(BOWL, workload="default + large")
    workload = spec.bind().simulator.workload
    assert workload.name == "default + large"
    assert spec.bind(workload.name).simulator.workload == workload
    parts = [ProblemSpec.create(BOWL, workload=name).bind().simulator.workload for name in ("default", "large")]
    np.testing.assert_allclose(workload.features, np.mean([part.features for part in parts], axis=0))


def test_simulators_with_different_spaces_are_refused():
    with pytest.raises(InputError, match="differ in design space"):
        MeanOverWorkloads([Bowl(), AlwaysInvalid()])


def test_a_workload_that_is_unknown_is_named():
    with pytest.raises(InputError, match="unknown workload 'larg'; did you mean 'large'"):
        ProblemSpec.create(BOWL, workload="default + larg").bind()


def test_names_and_files_with_a_plus_win_over_the_mean(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a + b.csv").write_text("x\n1\n")
    assert mean_over("a + b.csv") == ["a + b.csv"]
    assert mean_over("a + b.csv + c") == ["a + b.csv", "c"]
    assert mean_over("c + a + b.csv") == ["c", "a + b.csv"]
    assert mean_over("x + y", {"x + y": ""}) == ["x + y"]
    assert mean_over("x + y") == ["x", "y"]


def test_a_table_in_a_file_with_a_plus_is_a_workload(tmp_path):
    file = tmp_path / "runs 1 + 2.csv"
    file.write_text("size,ways,time_ns\n1,1,5\n2,1,4\n1,2,3\n2,2,2\n")
    spec = ProblemSpec.create("archgym/Table-v0", workload=str(file), options={"design": ["size", "ways"]})
    assert not isinstance(spec.bind().simulator, MeanOverWorkloads)


def test_features_of_workloads_without_any_stay_empty():
    parts = [Bowl(), Bowl()]
    for part in parts:
        part.workload = Workload("plain")
    assert MeanOverWorkloads(parts).workload.features == ()
