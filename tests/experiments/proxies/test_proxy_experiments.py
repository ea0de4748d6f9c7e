"""The proxy experiments measure what they say: splits do not leak, sizes hold, tables say what the files have."""

import csv
from pathlib import Path

import numpy as np
import pytest

from experiments.dataset_diversity.__main__ import AGENTS, taken, test_sets
from experiments.proxy_accuracy import curves, slow_tools, workloads
from experiments.proxy_accuracy.answers import TARGET, crossing, curves_of, printed
from experiments.proxy_accuracy.coverage import coverage_table
from experiments.proxy_accuracy.curves import Cell, cells, parts
from experiments.proxy_accuracy.pools import uniform_designs
from experiments.proxy_accuracy.slow_tools import synthesis_lines
from experiments.proxy_accuracy.workloads import workload_table
from tests.archgym.datasets.made_data import SPACE, made

ACCURACY = Path(curves.__file__).parent / "accuracy.csv"
test_sets.__test__ = False  # the experiment's name for its sets


def test_pools_are_distinct_canonical_designs():
    rows = uniform_designs(SPACE, 200)
    assert len(np.unique(rows, axis=0)) == 200
    assert np.array_equal(SPACE.canonical(rows), rows)
    assert np.array_equal(uniform_designs(SPACE, 200), rows)


@pytest.mark.parametrize("split", ["rows", "region"])
def test_training_and_test_rows_are_apart_and_nested_in_size(monkeypatch, split):
    monkeypatch.setattr(curves, "TESTED", 30)
    pool = made(300)
    both = [parts(Cell("t", "lightgbm", split, size, 4), pool) for size in (50, 100)]
    for (train, test), size in zip(both, (50, 100), strict=True):
        assert len(train) == size
        assert 0 < len(test) <= 30
        assert not set(train.tolist()) & set(test.tolist())
    if split == "rows":
        assert set(both[0][0].tolist()) < set(both[1][0].tolist())


def test_cells_are_different():
    keys = [cell.key for cell in cells()]
    assert len(set(keys)) == len(keys)


def test_a_target_is_reached_where_the_curve_stays_below_it():
    assert crossing({100: 5.0, 300: 0.5, 1000: 0.1}) == 300
    assert crossing({100: 0.5, 300: 0.7, 1000: 0.1}) == 1000
    assert crossing({100: 0.5, 300: 0.7}) is None
    assert crossing({100: TARGET}) == 100


def test_medians_leave_out_sizes_without_all_seeds(tmp_path):
    lines = ["trace,regressor,split,size,seed,metric,rmse_percent,spearman,train_seconds"]
    lines += [f"t,r,rows,100,{seed},m,{seed}.0,1,0" for seed in range(5)] + ["t,r,rows,300,0,m,9,1,0"]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    assert curves_of(tmp_path / "t.csv") == {("r", "rows", "m", "t"): {100: 2.0}}
    assert curves_of(tmp_path / "t.csv", max) == {("r", "rows", "m", "t"): {100: 4.0}}


def test_the_readme_has_the_tables_of_the_results():
    readme = (ACCURACY.parent / "README.md").read_text()
    tables = [*printed(ACCURACY), *coverage_table(ACCURACY.parent / "coverage.csv")]
    tables += workload_table(ACCURACY.parent / "workloads.csv")
    assert [line for line in tables if line.startswith("|") and line not in readme] == []


def test_intervals_hold_what_they_promise_on_rows_like_those_of_training():
    """Measured: with hundreds of calibration designs the share is within a few percent, and never far below."""
    with (ACCURACY.parent / "coverage.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "rows" and row["designs"] == "10000"]
    for promised in ("0.8", "0.9", "0.95"):
        held = [float(row["held"]) for row in rows if row["promised"] == promised]
        assert len(held) == 60
        assert abs(np.mean(held) - float(promised)) < 0.01


def test_sources_give_as_many_designs_as_asked_and_mixtures_share_them():
    runs = {agent: made(60, seed=place, workloads=("a",)).valid() for place, agent in enumerate(AGENTS)}
    rows, values = taken("mixture", 40, 0, runs)
    assert rows.shape == (40, SPACE.width)
    assert len(np.unique(rows, axis=0)) == 40
    assert np.isfinite(values).all()
    for agent, run in runs.items():
        mine = {row.tobytes() for row in run.designs}
        assert sum(row.tobytes() in mine for row in rows) >= 7, agent
    assert taken("random_search", 1000, 0, runs) is None


def test_near_optimal_designs_are_the_best_and_were_not_trained_on():
    pool = made(400, metrics=("total_time_ns",), workloads=("a",))
    trained = pool.designs[:100]
    found = test_sets(pool, trained, 0)
    known = {row.tobytes() for row in trained}
    for which in found.values():
        assert not any(pool.designs[place].tobytes() in known for place in which)
    times = pool.column("total_time_ns")
    assert times[found["near-optimal"]].max() <= np.nanquantile(times[found["uniform"]], 0.05)


def test_workloads_that_are_judged_were_not_trained_on(monkeypatch, tmp_path):
    monkeypatch.setattr(workloads, "SEEDS", 1)
    monkeypatch.setattr(workloads, "COUNTS", (2,))
    monkeypatch.setattr(workloads, "UNSEEN", 2)
    trained, judged = [], []
    monkeypatch.setattr(workloads, "fit", lambda data, **_: trained.append(set(data.workload)))
    monkeypatch.setattr(workloads, "score", lambda _, data: judged.append(set(data.workload)) or {})
    monkeypatch.setattr(workloads, "DESIGNS", 4)
    assert list(workloads.workload_lines(tmp_path)) == []
    assert len(trained[0]) == 2
    assert len(judged) == 2
    assert not trained[0] & set.union(*judged)


def test_synthesis_is_learned_from_the_committed_units(monkeypatch):
    monkeypatch.setattr(slow_tools, "REGRESSORS", ("ridge",))
    rows = list(csv.DictReader(["simulator,regressor,size,seed,metric,rmse_percent,spearman", *synthesis_lines()]))
    best = {}
    for row in rows:
        if row["metric"] == "area_um2" and row["size"] == "120":
            best.setdefault(row["simulator"], []).append(float(row["rmse_percent"]))
    assert np.median(best["Yosys with the model's estimate"]) < np.median(best["Yosys"])
