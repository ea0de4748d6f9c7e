"""``archgym proxy``: every action, and every wrong input in one line with nothing half-written."""

import csv
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import archgym
from archgym.datasets import Dataset
from archgym.datasets.export import write_dataset
from archgym.proxies import load_proxy
from tests.archgym.datasets.made_data import made

QUICK = ["--setting", "trees=20"]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A dataset of made-up designs on one workload."""
    folder = tmp_path_factory.mktemp("proxies")
    write_dataset(replace(made(600, workloads=("a",)), distinct=False), folder / "data")
    return folder


@pytest.fixture
def fitted(cli, places, tmp_path):
    outcome = cli("proxy", "fit", places / "data", "--out", tmp_path / "proxy", *QUICK)
    assert outcome.status == 0, outcome
    return places / "data", tmp_path / "proxy", outcome


def test_fit_says_how_good_it_is_and_how_to_search_on_it(fitted):
    _, folder, outcome = fitted
    for part in ("Proxy (lightgbm) of my/Chip-v0", "time_ns", "of 90%", f"simulator=proxy:{folder}", "order 0."):
        assert part in outcome.flat


def test_info_repeats_it(cli, fitted):
    _, folder, outcome = fitted
    assert cli("proxy", "info", folder).out.strip() in outcome.out
    found = json.loads(cli("proxy", "info", folder, "--json").out)
    assert found["units"] == {"time_ns": "ns", "energy_pj": "pJ"}
    assert found["training"]["regressor"] == "lightgbm"
    assert set(found["scores"]) == {"time_ns", "energy_pj"}


def test_score_compares_with_simulations(cli, fitted):
    data, folder, _ = fitted
    found = json.loads(cli("proxy", "score", folder, data, "--json", "--coverage", 0.8).out)
    assert found["time_ns"]["spearman"] > 0.9
    assert found["time_ns"]["promised_coverage"] == 0.8
    assert "rank corr." in cli("proxy", "score", folder, data).out


def test_evaluate_predicts_a_file(cli, fitted, tmp_path):
    _, folder, _ = fitted
    designs = tmp_path / "designs.csv"
    designs.write_text("note,banks,policy,order,tile,cache\nmine,4,auto,K>C>X,3x4,0.5\n")
    assert cli("proxy", "evaluate", folder, "--designs", designs, "--out", tmp_path / "out.csv").status == 0
    with (tmp_path / "out.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["note"] == "mine"
    assert float(row["time_ns_low"]) <= float(row["time_ns"]) <= float(row["time_ns_high"])
    assert row["outside_training"] in ("True", "False")


def test_constraints_that_a_proxy_cannot_know_are_checked_by_its_simulator(cli, bowl, tmp_path):
    """Trained on valid designs alone, it has no idea of what is refused; standing in for the simulator it has."""
    archgym.search(bowl, "random_search", budget=300, seed=1, out=tmp_path / "run")
    write_dataset(Dataset.load(tmp_path / "run").valid(), tmp_path / "valid")
    folder = tmp_path / "of-bowl"
    assert cli("proxy", "fit", tmp_path / "valid", "--out", folder, *QUICK).status == 0
    designs, out = tmp_path / "designs.csv", tmp_path / "out.csv"
    designs.write_text("memory,size_kib,banks,order,tile\ncache,1,8,C>K>X,2x6x2\ncache,4,3,C>K>X,2x6x2\n")
    outcome = cli("proxy", "evaluate", folder, "--designs", designs, "--out", out)
    assert f"archgym evaluate {bowl} --option simulator=proxy:{folder}" in outcome.out
    assert pd.read_csv(out)["thought_valid"].tolist() == [True, True]
    cli("evaluate", bowl, "--designs", designs, "--out", out, "--option", f"simulator=proxy:{folder}")
    assert pd.read_csv(out, keep_default_na=False)["reason"].tolist() == ["8 banks do not fit 1 KiB", ""]
    proxy = load_proxy(folder)
    assert proxy.lacks_constraints
    whole = replace(proxy.schema, space_digest=proxy.schema.space.digest)
    assert not replace(proxy, schema=whole).lacks_constraints


def test_search_reports_the_gap(cli, bowl, tmp_path):
    made = ["dataset", "collect", bowl, "--agents", "random_search", "--budget", 300, "--out", tmp_path / "made"]
    assert cli(*made).status == 0
    folder = tmp_path / "proxy"
    assert cli("proxy", "fit", tmp_path / "made" / "dataset", "--out", folder, *QUICK).status == 0
    command = ["proxy", "search", bowl, "--proxy", folder, "--budget", 100, "--verify", 5]
    outcome = cli(*command)
    assert outcome.status == 0, outcome
    for part in ("100 predictions, 5 simulations", "optimism gap", "Best by the simulator"):
        assert part in outcome.flat
    found = json.loads(cli(*command, "--json").out)
    assert found["optimism_gap"] == pytest.approx(found["promised"] - found["found"])
    searched = ["search", bowl, "--agent", "random_search", "--budget", 20, "--seed", 1, "--out", tmp_path / "run"]
    assert cli(*searched, "--option", f"simulator=proxy:{folder}").status == 0


# ---- wrong input -----------------------------------------------------------------------------------------------------


def rewritten(folder, change):
    """The dataset with its table changed, and without the card that would notice."""
    write_dataset(made(600, workloads=("a",)), folder)
    (folder / "croissant.json").unlink()
    file = folder / "data.parquet"
    table = pq.read_table(file)
    pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), file)
    return folder


def with_nan(table):
    return table.set_column(table.column_names.index("time_ns"), "time_ns", [[float("nan")] * len(table)])


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (with_nan, "time_ns is nan although the status is ok"),
        (lambda table: table.rename_columns({"banks": "bank"}), "no column 'banks'"),
        (lambda table: table.drop_columns(["energy_pj"]), "no column 'energy_pj'"),
        (lambda table: table.rename_columns({"time_ns": "time_us"}), "mixed units"),
    ],
    ids=["nan", "renamed", "missing", "units"],
)
def test_damaged_data_is_one_line_and_writes_nothing(cli, tmp_path, change, part):
    folder = rewritten(tmp_path / "data", change)
    cli("proxy", "fit", folder, "--out", tmp_path / "proxy", *QUICK).assert_is_one_line_error(part)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (made(5, workloads=("a",)), "valid rows are too few: a proxy needs at least 50"),
        (
            (lambda data: replace(data, values=np.where(np.isnan(data.values), np.nan, 3.0)))(made(300)),
            "metric 'time_ns' is constant, 3.0 in all",
        ),
    ],
    ids=["five rows", "constant"],
)
def test_data_that_nothing_can_be_learned_from_is_one_line(cli, tmp_path, data, part):
    write_dataset(data, tmp_path / "data")
    cli("proxy", "fit", tmp_path / "data", "--out", tmp_path / "proxy", *QUICK).assert_is_one_line_error(part)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_mixed_units_and_versions_are_one_line(cli, places, fitted, tmp_path):
    _, folder, _ = fitted
    write_dataset(made(200, metrics=("time_us", "energy_pj"), workloads=("a",)), tmp_path / "units")
    fit = ["proxy", "fit", places / "data", tmp_path / "units", "--out", tmp_path / "mixed"]
    cli(*fit).assert_is_one_line_error("mixed units", "'time_ns'", "'time_us'")
    cli("proxy", "score", folder, tmp_path / "units").assert_is_one_line_error("mixed units")
    other = made(200, workloads=("a",))
    write_dataset(replace(other, schema=replace(other.schema, simulator_version="8")), tmp_path / "version")
    cli("proxy", "score", folder, tmp_path / "version").assert_is_one_line_error("simulator version", "'7'", "'8'")
    assert not (tmp_path / "mixed").exists()


def test_a_corrupted_proxy_is_one_line(cli, fitted, tmp_path):
    data, folder, _ = fitted
    file = folder / "model-00.txt"
    file.write_bytes(file.read_bytes()[:-7])
    cli("proxy", "score", folder, data).assert_is_one_line_error("model-00.txt has been changed or cut")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["proxy needs one of fit, info, score, evaluate, search"]),
        (["fitt"], ["unknown action 'fitt' of proxy", "did you mean 'fit'?"]),
        (["fit"], ["proxy fit needs"]),
        (["fit", "nowhere", "--out", "x"], ["no file or directory 'nowhere'"]),
        (["info", "nowhere"], ["nowhere does not exist", "archgym proxy fit"]),
        (["score", "nowhere", "data", "--coverage", "2"], ["--coverage must be a number between 0 and 1, not '2'"]),
        (["fit", "x", "--out", "y", "--tune-seconds", "soon"], ["--tune-seconds must be a whole number"]),
        (["search", "archgym/DRAM-v0", "--budget", "5"], ["proxy search needs --proxy"]),
        (["search", "archgym/DRAM-v0", "--budget", "5", "--proxy", "nowhere"], ["nowhere does not exist"]),
    ],
)
def test_wrong_arguments_are_one_line_each(cli, tmp_path, monkeypatch, arguments, parts):
    monkeypatch.chdir(tmp_path)
    cli("proxy", *arguments).assert_is_one_line_error(*parts)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_regressor_or_metric_is_one_line(cli, places, tmp_path):
    fit = ["proxy", "fit", places / "data", "--out", tmp_path / "proxy"]
    cli(*fit, "--regressor", "lightgmb").assert_is_one_line_error("did you mean 'lightgbm'")
    cli(*fit, "--metrics", "time_n").assert_is_one_line_error("did you mean 'time_ns'")
    cli(*fit, "--setting", "leafs=7").assert_is_one_line_error("unknown setting 'leafs' of lightgbm")
    assert list(tmp_path.iterdir()) == []


def test_every_action_explains_itself(cli):
    overview = cli("proxy", "--help").out
    for action in ("fit", "info", "score", "evaluate", "search"):
        assert f"\n  {action} " in overview
        outcome = cli("proxy", action, "--help")
        assert outcome.status == 0
        assert f"usage: archgym proxy {action}" in outcome.out
        assert "examples:" in outcome.out
