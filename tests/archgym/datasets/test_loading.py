"""Runs, studies and exported datasets as one dataset."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import archgym
from archgym.datasets import Dataset
from archgym.datasets.export import write_dataset
from archgym.recorded_run import RecordedRun
from archgym.studies.results import load_study
from archgym.testing import toys
from archgym_simulators import INVALID, OK, DesignSpace, InputError, Ordinal
from tests.archgym.datasets import made_data
from tests.archgym.datasets.made_data import BOWL, assert_same, made


def test_a_run_gives_what_its_journal_holds(tmp_path):
    run = RecordedRun.open(made_data.search(tmp_path / "run"))
    records, _ = run.records(run.problem())
    data = Dataset.load(run.path, duplicates="keep")
    simulator = run.problem().simulator
    m = len(simulator.metrics)
    assert data.space.parameters == simulator.space.parameters
    assert data.space.inert == simulator.space.inert
    assert data.schema.space_digest == simulator.space.digest
    assert data.metrics == simulator.metrics
    assert data.schema.feature_names == simulator.workload.feature_names
    assert data.designs.dtype == np.int64
    np.testing.assert_array_equal(data.designs, np.concatenate([record.rows for record in records]))
    np.testing.assert_array_equal(data.values, np.concatenate([record.numbers[:, :m] for record in records]))
    np.testing.assert_array_equal(data.status, np.concatenate([record.codes[:, 0] for record in records]))
    np.testing.assert_array_equal(data.features, np.tile(simulator.workload.features, (len(data), 1)))
    assert (data.status == INVALID).any(), "the toy has invalid designs, which are data"
    assert np.isnan(data.values[data.status == INVALID]).all()
    assert np.isfinite(data.valid().values).all()
    assert (data.distinct, data.whole_runs) == (False, True)


def test_rows_know_where_they_come_from(tmp_path):
    a = made_data.search(tmp_path / "a", seed=3)
    b = made_data.search(tmp_path / "b", "hill_climbing", seed=4, workload="large")
    data = archgym.load_dataset([a, b], duplicates="keep")
    assert [(run.agent, run.seed) for run in data.runs] == [("random_search", 3), ("hill_climbing", 4)]
    assert data.runs[0].run_id == RecordedRun.open(a).manifest.digest[:16]
    assert data.runs[0].archgym == archgym.__version__
    assert list(data.agent[[0, -1]]) == ["random_search", "hill_climbing"]
    assert list(data.workload[[0, -1]]) == ["default", "large"]
    assert data.workload_features.shape == (2, len(data.schema.feature_names))
    frame = pq.read_table(b / "evaluations.parquet").to_pandas()
    mine = data.run_index == 1
    np.testing.assert_array_equal(data.reward[mine], frame["reward"])
    np.testing.assert_array_equal(data.feasible[mine], frame["feasible"])
    np.testing.assert_array_equal(data.step[mine], frame["step"])
    assert [str(v) for v in data.readable()["tile"][mine]] == [str(v) for v in frame["tile"]]


def test_a_study_gives_every_run_its_rows(tmp_path):
    folder = made_data.study(tmp_path / "study")
    data = Dataset.load(folder, duplicates="keep")
    found = load_study(folder)
    assert [run.run_id for run in data.runs] == list(found.runs["run_id"])
    for place, run_id in enumerate(found.runs["run_id"]):
        frame = found.evaluations(run_id)
        mine = data.run_index == place
        np.testing.assert_array_equal(data.column("time_ns")[mine], frame["time_ns"])
        assert set(frame["agent"]) == {data.runs[place].agent}


def test_tasks_of_one_simulator_are_one_dataset_and_a_file_is_one_task(tmp_path):
    tasks = [{"env": BOWL, "budget": 20, "workload": name} for name in ("default", "large")]
    folder = made_data.study(tmp_path / "study", tasks=tasks)
    both, one = Dataset.load(folder), Dataset.load(folder / "evaluations-001.parquet")
    assert [workload.name for workload in both.workloads] == ["default", "large"]
    assert set(one.workload) == {"large"}
    assert len(one) == (both.workload == "large").sum()


def test_each_design_is_there_once_a_workload(tmp_path):
    paths = [made_data.search(tmp_path / str(seed), seed=seed, budget=150) for seed in (1, 2)]
    kept, data = Dataset.load(paths, duplicates="keep"), Dataset.load(paths)
    keys = kept.space.keys(kept.designs)
    assert len(set(keys)) < len(keys), "two searches of a small space meet"
    assert data.distinct
    assert data.space.keys(data.designs) == list(dict.fromkeys(keys)), "the first of each, in order"
    first = [keys.index(key) for key in dict.fromkeys(keys)]
    np.testing.assert_array_equal(data.values, kept.values[first])
    np.testing.assert_array_equal(data.run_index, kept.run_index[first])
    assert len(Dataset.load([*paths, paths[0]])) == len(data)


def test_designs_that_mean_the_same_are_one_design(tmp_path):
    data = made(30)
    rows = data.rows.copy()
    auto = np.flatnonzero(rows[:, 1] == 0)
    rows[auto, -1] = 1  # inert there
    write_dataset(replace(data, rows=rows), tmp_path / "data")
    assert_same(Dataset.load(tmp_path / "data", duplicates="keep"), data)


def test_spaces_beyond_integer_keys_are_told_apart_exactly(tmp_path):
    space = toys.HugeSpace().space
    assert not space.has_integer_keys
    archgym.search(f"{toys.__file__}:HugeSpace", "random_search", budget=30, seed=0, out=tmp_path / "run")
    data = Dataset.load(tmp_path / "run")
    assert len(data) == 30
    write_dataset(data, tmp_path / "data")
    assert len(Dataset.load([tmp_path / "run", tmp_path / "data"])) == 30


def test_failed_evaluations_never_enter(tmp_path):
    archgym.search(f"{toys.__file__}:Flaky", "random_search", budget=60, seed=0, out=tmp_path / "run")
    status = pq.read_table(tmp_path / "run" / "evaluations.parquet").column("status").to_pylist()
    assert "failed" in status
    data = Dataset.load(tmp_path / "run", duplicates="keep")
    assert len(data) == sum(one != "failed" for one in status)
    assert set(data.status) <= {OK, INVALID}
    assert data.step[-1] > len(data) - 1, "steps keep their numbers"


def test_only_the_metrics_that_are_asked_for(tmp_path):
    data = Dataset.load(made_data.search(tmp_path / "run"), metrics=["energy_pj"])
    assert data.schema.metric_names == ("energy_pj",)
    assert data.values.shape == (len(data), 1)
    with pytest.raises(InputError, match="unknown metric 'energy_nj'; did you mean 'energy_pj'"):
        Dataset.load(tmp_path / "run", metrics=["energy_nj"])
    with pytest.raises(InputError, match="different names"):
        Dataset.load(tmp_path / "run", metrics=["energy_pj", "energy_pj"])
    with pytest.raises(InputError, match=r"unknown metric 'time'.*'time_ns'"):
        data = Dataset.load(tmp_path / "run").column("time")


def test_a_dataset_is_read_only(tmp_path):
    data = made()
    for name in made_data.COLUMNS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(data, name)[0] = 0


def test_batches_and_row_groups_do_not_matter(tmp_path, monkeypatch):
    folder = made_data.study(tmp_path / "study")
    whole = Dataset.load(folder)
    monkeypatch.setattr("archgym.datasets.loading._ROWS_AT_ONCE", 7)
    monkeypatch.setattr("archgym.datasets.identity._ROWS_AT_ONCE", 5)
    monkeypatch.setattr("archgym.datasets.export._ROWS_AT_ONCE", 11)
    assert_same(Dataset.load(folder), whole)
    write_dataset(whole, tmp_path / "data")
    assert pq.ParquetFile(tmp_path / "data" / "data.parquet").metadata.num_row_groups > 5
    assert_same(Dataset.load(tmp_path / "data"), whole)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from Linux's /proc")
def test_many_rows_are_not_held_twice(tmp_path):
    """What twice the rows add to the peak: themselves, and the keys that repeats are found with."""
    code = (
        "import sys\nfrom archgym.datasets import load_dataset\nload_dataset(sys.argv[1])\n"
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    )
    peaks, held, space = [], [], DesignSpace([Ordinal(name, range(64)) for name in "abcdef"])
    for n in (100_000, 300_000):
        data = made(n, space=space, metrics=[f"m{k}_ns" for k in range(24)])
        folder = write_dataset(data, tmp_path / str(n))
        done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout) * 1024)
        held.append(sum(getattr(data, name).nbytes for name in made_data.COLUMNS))
    slope = (peaks[1] - peaks[0]) / (held[1] - held[0])
    assert slope < 1.4, (peaks, held)
