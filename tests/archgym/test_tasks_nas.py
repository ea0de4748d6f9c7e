"""The tasks on measured cells, on a made-up table: they join the suite when the real one is whole."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from archgym.core_1.nas import TASKS
from archgym.run_plan import limits_of
from archgym.session import Session, SessionOver
from archgym.tasks import tasks
from archgym_simulators.nas.digits_table import EPOCHS, FUNCTIONS, IMAGES, read_table, write_table

ALL = pytest.mark.parametrize("one", TASKS, ids=[one.name for one in TASKS])


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng = np.random.default_rng(0)

    def right(rows, seeds):
        share = rng.uniform(0.3, 0.9, size=(rows, 1, 1)) * np.linspace(0.5, 1.0, EPOCHS)
        return np.rint((share + rng.uniform(0.0, 0.05, size=(rows, seeds, EPOCHS))) * IMAGES)

    every, best = right(FUNCTIONS, 3), right(FUNCTIONS, 10)
    columns = {"every_group": np.arange(FUNCTIONS), "every_right": every, "every_right_test": every[:, :, -1]}
    columns |= {"best_group": np.arange(FUNCTIONS), "best_right": best, "best_right_test": best[:, :, -1]}
    columns |= {"train_s": np.full(FUNCTIONS, 0.2), "evaluate_s": np.full(FUNCTIONS, 0.03)}
    columns |= {"scores": rng.normal(size=(FUNCTIONS, 6))}
    path = tmp_path_factory.mktemp("nas") / "table.npz"
    write_table(path, columns, {"every_seeds": [0, 1, 2], "best_seeds": list(range(100, 110))})
    return str(path)


def on(one, table):
    return replace(one, options={**one.options, "table": table})


def test_they_are_in_the_suite_when_and_only_when_the_table_is_whole_and_judged():
    whole = read_table().missing == 0 and len(read_table().best.groups) > 0
    listed = [name for name in tasks() if name.startswith("nas-")]
    assert whole or not listed, "a task that cannot be bound must not be listed"


def test_there_are_tasks_for_tuning_and_for_judging_and_one_by_the_clock_for_each():
    assert len({one.name for one in TASKS}) == len(TASKS) <= 8
    assert {one.role for one in TASKS} == {"dev", "test"}
    assert {one.role for one in TASKS if one.budget_unit == "cost"} == {"dev", "test"}
    assert {one.judge_workload for one in TASKS} == {"judge"}
    searched = {role: {one.workload for one in TASKS if one.role == role} for role in ("dev", "test")}
    assert not searched["dev"] & searched["test"]


@ALL
def test_a_task_is_a_problem_whose_bounds_part_the_cells(one, table):
    for judge in (False, True):
        problem = on(one, table).spec(judge=judge).bind()
        assert len(problem.objectives) == len(one.objectives)
        assert problem.simulator.workload.name == (one.judge_workload if judge else one.workload)
        rows = np.concatenate(list(problem.space.chunks(canonical=True)))
        scored = problem.evaluate(problem.space.at_full_fidelity(rows))
        share = scored.feasible.sum() / (scored.status == 0).sum()
        assert 0.1 < share < 0.9 if one.constraints else share == 1.0
        if one.reference_point:
            assert (scored.rewards[scored.feasible] > one.reference_point).all(axis=1).any()


@ALL
def test_a_search_of_a_task_spends_its_budget(one, table):
    limits = limits_of(one, None)
    assert (limits.limit, limits.unit) == (one.budget, one.budget_unit)
    session = Session(on(one, table).spec(), budget=limits)
    rng = np.random.default_rng(0)
    with suppress(SessionOver):
        while session.stop_reason is None:
            session.evaluate(session.space.sample(8, rng))
    assert session.stop_reason == "budget"
    if one.budget_unit == "cost":
        assert one.budget - 5.0 < session.spent <= one.budget
        assert session.calls > one.budget / (20 * 0.2 + 0.03), "fewer epochs buy more cells"
    else:
        assert session.calls == one.budget
