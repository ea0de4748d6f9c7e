"""``archgym dataset``: every action, and every wrong input in one line with nothing half-written."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from archgym.datasets import Dataset
from archgym.datasets.export import write_dataset
from tests.archgym.datasets import made_data
from tests.archgym.datasets.made_data import made


@pytest.fixture
def collected(cli, tmp_path, bowl):
    out = tmp_path / "made"
    arguments = ["dataset", "collect", bowl, "--agents", "random_search,hill_climbing", "--budget", 30, "--seeds", 2]
    return arguments, out, cli(*arguments, "--out", out, "--license", "CC0-1.0")


def test_collect_makes_a_dataset_from_nothing_and_then_leaves_it(cli, collected):
    arguments, out, outcome = collected
    assert outcome.status == 0, outcome
    data = Dataset.load(out / "dataset")
    assert f"{len(data):,} rows of 4 runs" in outcome.flat
    assert {run.agent for run in data.runs} == {"random_search", "hill_climbing"}
    assert len({run.seed for run in data.runs}) == 4
    assert data.distinct
    assert len(Dataset.load(out, duplicates="keep")) == 120, "the study that it was made from stands beside it"
    card = json.loads((out / "dataset" / "croissant.json").read_text())
    assert card["license"] == "https://spdx.org/licenses/CC0-1.0.html"
    again = cli(*arguments, "--out", out)
    assert (again.status, "complete already; nothing was done" in again.flat) == (0, True)


def test_collect_goes_on_where_it_was_interrupted(cli, collected):
    arguments, out, _ = collected
    before = Dataset.load(out / "dataset")
    for name in ("dataset/README.md", "dataset/croissant.json", "dataset/data.parquet", "result.json"):
        (out / name).unlink()
    (out / "dataset").rmdir()
    assert cli(*arguments, "--out", out).status == 0
    made_data.assert_same(Dataset.load(out / "dataset"), before)


def test_collect_searches_every_workload(cli, tmp_path, bowl):
    how = ["--agents", "random_search", "--budget", 10, "--workload", "default", "--workload", "large"]
    assert cli("dataset", "collect", bowl, *how, "--out", tmp_path / "made").status == 0
    assert set(Dataset.load(tmp_path / "made" / "dataset").workload) == {"default", "large"}


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (
            ["collect", "dram-mixed-tim", "--agents", "random_search", "--out", "x"],
            ["'dram-mixed-tim'", "did you mean"],
        ),
        (["collect", "dram-mixed-time", "--agents", "randm_search", "--out", "x"], ["did you mean 'random_search'"]),
        (["collect", "dram-mixed-time", "--agents", ",", "--out", "x"], ["nothing to run"]),
        (["collect", "archgym/DRAM-v0", "--agents", "random_search", "--out", "x"], ["needs a budget"]),
        (["collect", "dram-mixed-time", "--agents", "random_search"], ["dataset collect needs --out"]),
        ([], ["dataset needs one of collect, info, merge, split, export"]),
        (["colect"], ["unknown action 'colect' of dataset", "did you mean 'collect'?"]),
        (["info"], ["dataset info needs PATH"]),
        (["info", "nowhere"], ["no file or directory 'nowhere'"]),
        (["info", "x", "--jsn"], ["unknown option '--jsn' for dataset info", "did you mean '--json'?"]),
        (["split", "x", "--by", "agents", "--out", "y"], ["--by must be one of rows, agent", "did you mean 'agent'?"]),
        (
            ["export", "x", "--format", "csv", "--out", "y"],
            ["--format must be one of parquet, minari, rlds, not 'csv'"],
        ),
    ],
)
def test_wrong_arguments_are_one_line_each(cli, tmp_path, monkeypatch, arguments, parts):
    monkeypatch.chdir(tmp_path)
    cli("dataset", *arguments).assert_is_one_line_error(*parts)
    assert list(tmp_path.iterdir()) == []


def test_every_action_explains_itself(cli):
    overview = cli("dataset", "--help").out
    for action in ("collect", "info", "merge", "split", "export"):
        assert f"\n  {action} " in overview
        outcome = cli("dataset", action, "--help")
        assert outcome.status == 0
        assert f"usage: archgym dataset {action}" in outcome.out
        assert "examples:" in outcome.out


def test_info_says_what_is_there(cli, tmp_path):
    data = made(200)
    write_dataset(data, tmp_path / "data")
    outcome = cli("dataset", "info", tmp_path / "data")
    kept = Dataset.load(tmp_path / "data")
    assert outcome.status == 0
    for part in (f"{len(kept):,} rows", "2 workloads", "my/Chip-v0", "ant", "bee", "banks", "energy_pj", "pJ"):
        assert part in outcome.flat
    found = json.loads(cli("dataset", "info", tmp_path / "data", "--json").out)
    assert found["rows"] == len(kept)
    assert found["units"] == {"time_ns": "ns", "energy_pj": "pJ"}
    assert found["parameters"]["policy"]["values"] == 3
    assert found["agents"] == dict(kept.summary().agents)


def test_info_notes_a_constant_metric_and_few_rows(cli, tmp_path):
    data = made(5)
    write_dataset(replace(data, values=np.where(np.isnan(data.values), np.nan, 7.0)), tmp_path / "data")
    outcome = cli("dataset", "info", tmp_path / "data")
    assert outcome.status == 0
    assert "time_ns is constant: nothing to learn" in outcome.flat
    assert "valid rows are few" in outcome.flat


def test_merge_keeps_each_design_once(cli, tmp_path):
    for seed in (0, 1):
        write_dataset(made(100, seed=seed), tmp_path / str(seed))
    assert cli("dataset", "merge", tmp_path / "0", tmp_path / "1", "--out", tmp_path / "all").status == 0
    made_data.assert_same(Dataset.load(tmp_path / "all"), Dataset.load([tmp_path / "0", tmp_path / "1"]))


def test_merge_of_mixed_units_and_versions_writes_nothing(cli, tmp_path):
    write_dataset(made(20), tmp_path / "one")
    write_dataset(made(20, metrics=("time_us", "energy_pj")), tmp_path / "two")
    outcome = cli("dataset", "merge", tmp_path / "one", tmp_path / "two", "--out", tmp_path / "all")
    outcome.assert_is_one_line_error("mixed units", "'time_ns'", "'time_us'")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def with_nan(table):
    return table.set_column(table.column_names.index("time_ns"), "time_ns", [[float("nan")] * len(table)])


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (with_nan, "time_ns is nan although the status is ok"),
        (lambda table: table.rename_columns({"banks": "bank"}), "no column 'banks'"),
        (lambda table: table.drop_columns(["energy_pj"]), "no column 'energy_pj'"),
    ],
)
def test_wrong_columns_are_one_line_and_nothing_is_written(cli, tmp_path, change, part):
    table = pq.read_table(write_dataset(made(20), tmp_path / "data") / "data.parquet")
    pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), tmp_path / "wrong.parquet")
    for what in (["merge"], ["split", "--by", "rows"], ["export"], ["export", "--format", "rlds"]):
        outcome = cli("dataset", *what, tmp_path / "wrong.parquet", "--out", tmp_path / "out")
        outcome.assert_is_one_line_error("wrong.parquet", part)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "wrong.parquet"]


@pytest.mark.parametrize("damage", ["truncated", "bit"])
def test_damaged_files_are_one_line_and_nothing_is_written(cli, tmp_path, damage):
    file = write_dataset(made(20), tmp_path / "data") / "data.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content[: -len(content) // 3] if damage == "truncated" else content)
    for what in (["merge", file], ["split", tmp_path / "data", "--by", "rows"], ["export", tmp_path / "data"]):
        cli("dataset", *what, "--out", tmp_path / "out").assert_is_one_line_error("data.parquet is damaged")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_split_writes_two_datasets_that_share_nothing(cli, tmp_path):
    write_dataset(made(300), tmp_path / "data")
    outcome = cli("dataset", "split", tmp_path / "data", "--by", "rows", "--fraction", "0.25", "--out", tmp_path / "p")
    train, test = (Dataset.load(tmp_path / "p" / name) for name in ("train", "test"))
    whole = Dataset.load(tmp_path / "data")
    assert f"{len(train):,} rows for training" in outcome.flat
    assert (len(train) + len(test), abs(len(test) / len(whole) - 0.25) < 0.01) == (len(whole), True)
    assert len(Dataset.load([tmp_path / "p" / "train", tmp_path / "p" / "test"])) == len(whole)


def test_split_by_group_and_region(cli, tmp_path):
    write_dataset(made(300), tmp_path / "data")
    split = ["dataset", "split", tmp_path / "data"]
    assert cli(*split, "--by", "agent", "--held-out", "bee", "--out", tmp_path / "agent").status == 0
    assert set(Dataset.load(tmp_path / "agent" / "train").agent) == {"ant"}
    region = ["--held-out", "banks=8", "--held-out", "policy=auto", "--held-out", "policy=2"]
    assert cli(*split, "--by", "region", *region, "--out", tmp_path / "region").status == 0
    held = Dataset.load(tmp_path / "region" / "test").readable()
    assert (set(held["banks"]), set(map(str, held["policy"]))) == ({8}, {"auto", "2"})
    for wrong, parts in (
        (["--by", "region", "--held-out", "banks"], ["PARAMETER=VALUE", "'banks'"]),
        (["--by", "region", "--held-out", "bank=8"], ["unknown parameter 'bank'", "did you mean 'banks'"]),
        (["--by", "agent", "--held-out", "be"], ["no rows of agent 'be'", "did you mean 'bee'"]),
        (["--by", "rows", "--held-out", "bee"], ["--held-out names groups"]),
        (["--by", "rows", "--fraction", "2"], ["--fraction must be a number between 0 and 1, not '2'"]),
        (["--by", "rows", "--fraction", "much"], ["--fraction must be a number between 0 and 1, not 'much'"]),
    ):
        cli(*split, *wrong, "--out", tmp_path / "wrong").assert_is_one_line_error(*parts)
    assert not list(tmp_path.glob("wrong*"))


def test_five_rows_are_too_few_for_a_small_part(cli, tmp_path):
    write_dataset(made(5), tmp_path / "data")
    split = ["dataset", "split", tmp_path / "data", "--by", "rows", "--fraction", "0.05", "--out", tmp_path / "parts"]
    cli(*split).assert_is_one_line_error("are too few for parts of 0.95, 0.05")
    assert not list(tmp_path.glob("parts*"))


def test_export_for_minari_and_as_steps(cli, tmp_path, bowl):
    run = made_data.search(tmp_path / "run", budget=20)
    rlds = cli("dataset", "export", run, "--format", "rlds", "--out", tmp_path / "rlds")
    assert (rlds.status, pq.read_metadata(tmp_path / "rlds" / "steps.parquet").num_rows) == (0, 21)
    write_dataset(Dataset.load(run), tmp_path / "thin")
    for kind in ("rlds", "minari"):
        lost = cli("dataset", "export", tmp_path / "thin", "--format", kind, "--out", tmp_path / "lost")
        lost.assert_is_one_line_error("lost rows" if kind == "rlds" else "")
    assert not list(tmp_path.glob("lost*"))
    pytest.importorskip("minari", reason="the extra 'data' is not installed")
    made = cli("dataset", "export", run, "--format", "minari", "--out", tmp_path / "minari")
    assert (made.status, "1 episodes, 20 steps" in made.flat) == (0, True)
    assert "minari.load_dataset('archgym/bowl/search-v0')" in made.out


def test_export_refuses_a_directory_that_is_there(cli, tmp_path):
    write_dataset(made(20), tmp_path / "data")
    again = cli("dataset", "export", tmp_path / "data", "--out", tmp_path / "data")
    again.assert_is_one_line_error("exists already; choose another --out")
