"""The simulated scheduler obeys what can be reckoned by hand, and its committed table is its own."""

import csv

import pytest

from experiments.scaling import scheduler
from experiments.scaling.page import PAGE, filled
from experiments.scaling.scheduler import TABLE, of_runs, simulate


def test_one_worker_alone_waits_for_the_parent_and_the_messages():
    found = simulate(1, 1.0, service=0.5, latency=0.25, waiting=0, tasks_each=2000)
    assert found.busy == pytest.approx(1.0 / 2.0, rel=0.05)
    assert found.rate == pytest.approx(1.0 / 2.0, rel=0.05)


def test_a_waiting_cell_hides_the_parent():
    assert simulate(1, 1.0, service=0.3, latency=0.2, tasks_each=2000).busy == pytest.approx(1.0, rel=0.05)


def test_few_workers_are_busy_and_too_many_share_what_the_parent_serves():
    few = simulate(10, 1.0, service=0.001)
    assert few.busy > 0.98
    many = simulate(1000, 0.1, service=0.001)
    assert many.rate == pytest.approx(1000, rel=0.05)
    assert many.parent > 0.95
    assert many.busy == pytest.approx(1000 * 0.1 / 1000, rel=0.05)


def test_the_same_seed_gives_the_same_outcome_and_another_does_not():
    def of(seed):
        return simulate(5, 1.0, service=0.001, seed=seed)

    assert of(0) == of(0) != of(1)


def test_the_committed_table_is_what_the_program_writes():
    with TABLE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(scheduler.RUN_S) * len(scheduler.WORKERS)
    for row in rows[:: len(scheduler.WORKERS) - 2]:
        found, shared = of_runs(int(row["workers"]), float(row["run_s"]))
        assert (row["busy"], row["runs_per_s"]) == (f"{found.busy:.4g}", f"{found.rate * shared:.4g}")


def test_short_runs_share_tasks():
    assert [of_runs(1, run)[1] for run in (0.001, 0.1, 1.0, 100.0)] == [64, 10, 1, 1]


def test_the_page_has_the_committed_numbers():
    text = PAGE.read_text(encoding="utf-8")
    assert filled(text) == text
    assert "us a simulation" in text
    assert "3,000 workers" in text
