"""Pause and resume: the same design at a higher fidelity pays the difference, and replays pay the same."""

import numpy as np
import pytest

import archgym
from archgym.api import search
from archgym.budget import Budget
from archgym.problem import ProblemSpec
from archgym.results import result_of
from archgym.run_directory import JournalRecorder, RunDirectory, RunManifest
from archgym.session import Session, SessionOver
from archgym.store import DesignStore
from archgym.testing import check_simulator
from archgym.verification import verify
from archgym_simulators import Baseline, Categorical, DesignSpace, Evaluation, Integer, Metric, Simulator, Workload
from archgym_simulators.mean import MeanOverWorkloads

EPOCH_S, EVALUATION_S = 0.3, 0.07


class Trained(Simulator):
    """A toy whose designs are trained for 1 to 5 epochs; width multiplies the seconds."""

    metrics = (Metric("loss", "smaller is better"),)
    version = "1"
    cost_unit = "s"
    resumes = True
    rows_per_record = 3

    def __init__(self, workload: str = "default") -> None:
        if workload not in ("default", "slow"):
            raise archgym.InputError(f"unknown workload {workload!r}; did you mean 'default'?")
        self.space = DesignSpace(
            [
                Integer("width", 1, 8, description="Of the network."),
                Integer("epochs", 1, 5, description="Trained.", role="fidelity"),
                Categorical("shape", ["a", "b"], description="Of the network."),
            ]
        )
        self.workload = Workload(workload)
        self.baseline = Baseline("narrow", (0, 0, 0))
        self._scale = 2.0 if workload == "slow" else 1.0

    def reusable_cost(self, rows):
        return self._scale * EPOCH_S * (rows[:, 0] + 1) * (rows[:, 1] + 1)

    def simulate(self, rows):
        loss = 1.0 + rows[:, 0] + 1.0 / (1.0 + rows[:, 1]) + rows[:, 2]
        return Evaluation.of(loss[:, None], cost=self.reusable_cost(rows) + EVALUATION_S)


ENV = f"{__file__}:Trained"
SPEC = ProblemSpec.create(ENV)


def charged(rows, **options):
    session = Session(SPEC, **options)
    return session.evaluate(np.array(rows)).cost, session


def test_the_toy_keeps_the_contract():
    check_simulator(Trained, n=32)


def test_more_epochs_pay_the_difference_and_fewer_only_the_evaluation():
    _, session = charged([[1, 1, 0]])
    assert session.spent == pytest.approx(2 * 2 * EPOCH_S + EVALUATION_S)
    more = session.evaluate(np.array([[1, 4, 0]])).cost
    assert more == pytest.approx([2 * 3 * EPOCH_S + EVALUATION_S])
    fewer = session.evaluate(np.array([[1, 2, 0]])).cost
    assert fewer == pytest.approx([EVALUATION_S])
    other = session.evaluate(np.array([[1, 2, 1]])).cost
    assert other == pytest.approx([2 * 3 * EPOCH_S + EVALUATION_S]), "another shape is another design"
    assert session.evaluate(np.array([[1, 4, 0]])).cost == more, "a repeat says what it cost, and is free"
    assert session.spent == pytest.approx((2 * 5 + 2 * 3) * EPOCH_S + 4 * EVALUATION_S)


def test_a_batch_is_charged_as_its_rows_one_by_one():
    rows = np.random.default_rng(0).permutation(np.concatenate(list(Trained().space.chunks())))
    together, session = charged(rows)
    apart = Session(SPEC)
    single = np.concatenate([apart.evaluate(row[None]).cost for row in rows])
    np.testing.assert_array_equal(together, single)
    assert session.spent == apart.spent
    once = sum(EPOCH_S * 5 * width for width in range(1, 9)) * 2 + len(rows) * EVALUATION_S
    assert session.spent == pytest.approx(once)


def test_workloads_are_trained_apart():
    session = Session(SPEC)
    session.evaluate(np.array([[1, 1, 0]]))
    slow = session.evaluate(np.array([[1, 2, 0]]), "slow").cost
    assert slow == pytest.approx([2 * 2 * 3 * EPOCH_S + EVALUATION_S])
    mean = MeanOverWorkloads([Trained("default"), Trained("slow")])
    assert mean.resumes
    np.testing.assert_allclose(mean.reusable_cost(np.array([[1, 1, 0]])), 3 * 4 * EPOCH_S)


def test_a_budget_in_cost_counts_what_is_charged():
    limit = 2 * 5 * EPOCH_S + 5 * EVALUATION_S + 1e-9
    _, session = charged([[1, e, 0] for e in range(5)], budget=Budget(limit, "cost"))
    assert session.calls == 5
    with pytest.raises(SessionOver):
        session.evaluate(np.array([[1, 0, 1]]))


def test_what_a_budget_cuts_off_leaves_no_training_behind():
    first = 2 * 2 * EPOCH_S + EVALUATION_S
    session = Session(SPEC, budget=Budget(first + EVALUATION_S, "cost"))
    with pytest.raises(SessionOver):
        session.evaluate(np.array([[1, 1, 0], [1, 4, 0]]))
    assert session.calls == 1
    (ledger,) = (store.ledger for store in session._stores.values())
    discount = ledger.discounts(np.array([[1, 4, 0]]), np.zeros(1, np.int8))
    assert discount == pytest.approx([2 * 2 * EPOCH_S]), "the second row never happened"


def test_what_failed_leaves_nothing_to_go_on_from():
    ledger = DesignStore(SPEC.bind()).ledger
    row = np.array([[1, 4, 0]])
    ledger.note(row, np.array([2], np.int8))
    assert ledger.discounts(row, np.zeros(1, np.int8)) == [0.0]
    ledger.note(row, np.zeros(1, np.int8))
    assert ledger.discounts(row, np.zeros(1, np.int8)) == pytest.approx([2 * 5 * EPOCH_S])


def test_families_that_do_not_resume_have_no_ledger():
    assert DesignStore(ProblemSpec.create("archgym/DRAM-v0").bind()).ledger is None


def record(path, rows, upto):
    problem = SPEC.bind()
    directory = RunDirectory(path, RunManifest.create(problem, spec=SPEC.to_json(), agent={}, seed=0, budget={}))
    directory.start()
    recorder = JournalRecorder(directory, problem)
    session = Session(SPEC, budget=Budget(100.0, "cost"), recorder=recorder)
    costs = []
    try:
        for batch in rows[:upto]:
            costs.append(session.evaluate(batch).cost)
    except SessionOver:
        pass
    finally:
        recorder.close()
    return costs, session.spent, session.calls, recorder.replayed


def test_an_interrupted_run_goes_on_with_the_same_charges(tmp_path):
    rng = np.random.default_rng(1)
    rows = [Trained().space.sample(7, rng) for _ in range(12)]
    whole = record(tmp_path / "whole", rows, None)
    record(tmp_path / "cut", rows, 5)
    again = record(tmp_path / "cut", rows, None)
    assert again[3] > 0
    assert again[1:3] == whole[1:3], "to the bit"
    for one, other in zip(whole[0], again[0], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_recorded_search_verifies_and_its_costs_add_up(tmp_path):
    result = search(ENV, "genetic_algorithm", budget=40.0, budget_unit="cost", seed=3, out=tmp_path / "run")
    checks = {check.name: check for check in verify(tmp_path / "run", rerun=True)}
    assert all(check.ok for check in checks.values()), checks
    import pandas as pd

    frame = pd.read_parquet(tmp_path / "run" / "evaluations.parquet")
    assert frame.cost.sum() == pytest.approx(result.summary["cost"])
    pure = Trained().evaluate(Trained().space.encode(frame[["width", "epochs", "shape"]])).cost
    assert (frame.cost <= pure).all()
    assert (frame.cost < pure).any(), "some training went on"


def test_the_result_says_what_the_best_design_is_worth_at_full_fidelity():
    session = Session(SPEC)
    session.evaluate(np.array([[3, 4, 0], [0, 1, 0]]))
    result = result_of(session, wall_s=0.0)
    assert result["best"]["design"] == {"width": 1, "epochs": 2, "shape": "a"}
    assert result["best"]["metrics"] == {"loss": 1.5}
    full = result["best_at_full_fidelity"]
    assert full["design"] == {"width": 1, "epochs": 5, "shape": "a"}
    assert full["metrics"] == {"loss": 1.2}
    assert full["reward"] > result["best"]["reward"]
    assert (session.calls, session.proposals) == (2, 2), "not charged"


def test_results_of_spaces_without_a_fidelity_are_as_before():
    session = Session(ProblemSpec.create("archgym/DRAM-v0"))
    session.evaluate(np.array([session.problem().simulator.baseline.row]))
    assert "best_at_full_fidelity" not in result_of(session, wall_s=0.0)
