"""The comparator of searches on NAS-Bench-201: rows that it runs, rows that it skips, tables that it refuses."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from experiments.validation import nas
from experiments.validation.__main__ import main

REFS = Path(__file__).resolve().parents[3] / "shared" / "refs" / "nas"
MEASURED = ["dataset,algo,budget_s,runs,evals,test_mean,test_std"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    if not REFS.is_dir():
        pytest.skip(f"no reference tables at {REFS}")
    (tmp_path / "nas").mkdir()
    shutil.copy(REFS / "nb201_accuracy.parquet", tmp_path / "nas")
    monkeypatch.setattr(nas, "RUNS", 8)
    return tmp_path / "nas"


def report(folder):
    assert main(["--refs", str(folder.parent), "--json", str(folder.parent / "out.json")]) == 0
    entries = json.loads((folder.parent / "out.json").read_text())
    return {(entry["group"], entry["metric"]): entry for entry in entries}


def test_published_rows_are_run_and_the_fixed_ones_are_exact(folder, capsys):
    frame = pd.read_csv(REFS / "nb201_published_results.csv")
    kept = frame[frame["method"].isin(["ResNet (manual)", "Optimal", "RS (w/o sharing)", "GDAS", "BOHB"])]
    kept.to_csv(folder / "nb201_published_results.csv", index=False)
    found = report(folder)
    for images in ("cifar10", "cifar100", "imagenet16-120"):
        metric = f"{images}_test_accuracy"
        assert found["Optimal", metric]["exact"] == found["ResNet (manual)", metric]["exact"] == 1.0
        assert found["RS (w/o sharing)", metric]["max_rel_err"] < 0.03
        assert found["GDAS", metric]["skipped"] == 1
        assert (found["all", metric]["rows"], found["all", metric]["skipped"]) == (3, 2)
    assert "skipped 2: not a search that queries the table alone" in capsys.readouterr().out


def test_measured_rows_are_run_with_their_data_set_and_budget(folder, capsys):
    rows = ["cifar100,RS,40000,500,182.5,71.65,0.97", "cifar10,REA,6000,1,50,93,0.1", "cifar10,ants,1,1,1,1,1"]
    (folder / "nb201_baselines_measured.csv").write_text("\n".join([*MEASURED, *rows]))
    found = report(folder)
    assert found["RS cifar100", "test_accuracy"]["max_rel_err"] < 0.02
    assert found["RS cifar100", "evaluations"]["max_rel_err"] < 0.1
    assert found["REA cifar10", "evaluations"]["max_rel_err"] < 0.2
    assert "skipped 1: no search named ants" in capsys.readouterr().out


def test_a_table_without_the_benchmark_beside_it_is_one_line(folder, capsys):
    (folder / "nb201_accuracy.parquet").unlink()
    (folder / "nb201_baselines_measured.csv").write_text("\n".join([*MEASURED, "cifar10,RS,1,1,1,1,1"]))
    assert main(["--refs", str(folder.parent)]) == 2
    complaint = capsys.readouterr().err
    assert "needs nb201_accuracy.parquet in the same folder" in complaint
    assert complaint.count("\n") == 1
