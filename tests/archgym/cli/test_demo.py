"""The demo, on a toy: what it leaves and what it says."""

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

import archgym.cli.demo as demo


@pytest.fixture
def small(monkeypatch, bowl):
    """The demo on a toy that takes no time."""
    monkeypatch.setattr(demo, "ENV_ID", bowl)
    monkeypatch.setattr(demo, "WORKLOAD", "default")
    monkeypatch.setattr(demo, "OBJECTIVE", "time")


@pytest.fixture
def run_demo(cli, small, tmp_path):
    """Run it in a directory of its own."""
    return lambda *arguments: cli("demo", "--out", tmp_path / "demo", *arguments)


def test_it_leaves_three_runs_and_a_picture(run_demo, tmp_path):
    outcome = run_demo("--budget", 50)
    assert (outcome.status, outcome.err) == (0, "")
    found = sorted(path.name for path in (tmp_path / "demo").iterdir())
    assert found == sorted([*demo.AGENTS, *demo.PICTURES])
    seeds = set()
    for agent in demo.AGENTS:
        table = pq.read_table(tmp_path / "demo" / agent / "evaluations.parquet")
        assert len(table) == 50
        seeds |= set(table.column("seed").to_pylist())
    assert seeds == {1}


def test_it_says_the_best_design_beside_the_baseline(run_demo, tmp_path):
    out = run_demo("--budget", 50).out
    results = [json.loads((tmp_path / "demo" / agent / "result.json").read_text()) for agent in demo.AGENTS]
    best = max(results, key=lambda result: result["best"]["reward"])
    lines = [line.split() for line in out.splitlines()]
    for name, value in best["best"]["design"].items():
        assert [name, str(best["baseline"]["design"][name]), str(value)] in [line[:3] for line in lines]
    for metric in best["baseline"]["metrics"]:
        assert metric in [line[0] for line in lines if line]
    assert "% less than the baseline's" in " ".join(out.split())
    for command in ("archgym describe", "archgym verify", "archgym search"):
        assert f"\n  {command}" in out


def test_again_it_is_complete_already_and_draws_the_same(run_demo, tmp_path):
    first = run_demo("--budget", 20)
    before = {name: (tmp_path / "demo" / name).read_bytes() for name in demo.PICTURES}
    again = run_demo("--budget", 20)
    assert again.status == 0
    assert "is complete already; nothing was simulated" in again.flat
    assert again.out.split("\n\n")[1:] == first.out.split("\n\n")[1:]
    assert {name: (tmp_path / "demo" / name).read_bytes() for name in demo.PICTURES} == before


def test_an_interrupted_demo_goes_on(run_demo, tmp_path):
    run_demo("--budget", 20)
    table = tmp_path / "demo" / demo.AGENTS[1] / "evaluations.parquet"
    whole = pd.read_parquet(table)
    for name in ("result.json", "evaluations.parquet"):
        (tmp_path / "demo" / demo.AGENTS[1] / name).unlink()
    assert run_demo("--budget", 20).status == 0
    pd.testing.assert_frame_equal(pd.read_parquet(table), whole, check_exact=True)


def test_another_budget_in_the_same_place_is_refused(run_demo):
    run_demo("--budget", 5)
    run_demo("--budget", 6).assert_is_one_line_error("budget.limit is 5 there and 6 here", "--out")


def test_nothing_valid_is_said(run_demo, toy, monkeypatch):
    monkeypatch.setattr(demo, "ENV_ID", toy("AlwaysInvalid"))
    outcome = run_demo("--budget", 5)
    assert outcome.status == 0
    assert "No valid design was found" in outcome.out


@pytest.mark.parametrize("arguments", [["--budget", "0"], ["--seed", "x"], ["--workload", "nope"], ["--budgt", "3"]])
def test_wrong_input_is_one_line_and_leaves_nothing(run_demo, tmp_path, arguments):
    run_demo(*arguments).assert_is_one_line_error(arguments[1] if arguments[0] != "--budgt" else "--budget")
    assert not (tmp_path / "demo").exists()
