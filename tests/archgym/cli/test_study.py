"""``archgym study``: what it says, and what it refuses."""

import os
import pty
import resource
import subprocess
import sys

import pandas as pd
import pytest

from archgym.studies.results import load_study
from tests.archgym.recording import ROOT
from tests.archgym.studies.small_studies import BOWL, assert_same_study, fragile, toml


@pytest.fixture
def file(tmp_path):
    return toml(tmp_path)


def test_a_study_says_what_came_of_it(cli, file, tmp_path):
    outcome = cli("study", file, "--out", tmp_path / "out")
    assert (outcome.status, outcome.err) == (0, "")
    assert "12 runs, 192 simulations, 0 failed." in outcome.flat
    assert f"archgym verify {tmp_path / 'out'}" in outcome.out
    median = load_study(tmp_path / "out").runs.query("workload == 'large'")["best_reward"].median()
    assert f"{median:.3f}" in outcome.out
    again = cli("study", file, "--out", tmp_path / "out")
    assert again.status == 0
    assert "is complete already; nothing was done" in again.flat


def test_problems_that_differ_in_their_bounds_alone_have_lines_of_their_own(cli, tmp_path):
    bounds = ([], ["time_ns<=1000000"])
    tasks = [{"env": BOWL, "objective": "time", "constraints": one, "budget": 12} for one in bounds]
    outcome = cli("study", toml(tmp_path, tasks=tasks, seeds=1), "--out", tmp_path / "out")
    assert outcome.flat.count("default, time ") == 2
    assert outcome.flat.count("default, time time_ns<=") == 1


def test_failures_are_counted_and_the_first_is_shown(cli, tmp_path):
    agents = [{"name": fragile(tmp_path), "settings": {"mode": "crash"}}]
    outcome = cli("study", toml(tmp_path, agents=agents), "--out", tmp_path / "out")
    assert outcome.status == 0
    assert "6 failed" in outcome.flat
    assert "ZeroDivisionError: the agent's own mistake" in outcome.flat


def test_workers_give_the_same_tables(process, file, tmp_path):
    assert process("study", file, "--out", tmp_path / "one").status == 0
    two = process("study", file, "--out", tmp_path / "two", "--workers", 2)
    assert (two.status, two.err) == (0, "")
    assert_same_study(tmp_path / "one", tmp_path / "two")


def test_a_dry_run_lists_and_leaves_nothing(cli, file, tmp_path):
    outcome = cli("study", file, "--out", tmp_path / "out", "--dry-run")
    assert outcome.status == 0
    assert "12 runs, up to 192 simulations." in outcome.flat
    assert "Nothing was run." in outcome.flat
    assert not (tmp_path / "out").exists()
    cli("study", file, "--out", tmp_path / "out")
    assert "12 of them are recorded already" in cli("study", file, "--out", tmp_path / "out", "--dry-run").flat


@pytest.mark.parametrize(
    ("changes", "arguments", "parts"),
    [
        ({"agents": ["genetic_algoritm"]}, [], ["unknown agent", "did you mean 'genetic_algorithm'?"]),
        ({"tasks": ["dram-mixed-tim"]}, [], ["study.toml: unknown task", "did you mean 'dram-mixed-time'?"]),
        ({"sed": 3}, [], ["unknown key 'sed' in study", "did you mean 'seeds'?"]),
        ({"seeds": 0}, [], ["nothing to run: seeds is 0"]),
        ({}, ["--workers", "0"], ["--workers must be a whole number of at least 1"]),
        ({}, ["--ray", "127.0.0.1:1"], ["Ray"]),
        ({}, ["--wrokers", "2"], ["unknown option '--wrokers'", "did you mean '--workers'?"]),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(cli, tmp_path, changes, arguments, parts):
    outcome = cli("study", toml(tmp_path, **changes), "--out", tmp_path / "out", *arguments)
    outcome.assert_is_one_line_error(*parts)
    assert not (tmp_path / "out").exists()


def test_the_directory_of_another_study_is_refused_and_left_alone(cli, file, tmp_path):
    cli("study", file, "--out", tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    for dry in ([], ["--dry-run"]):
        outcome = cli("study", toml(tmp_path, "other.toml", seeds=2), "--out", tmp_path / "out", *dry)
        outcome.assert_is_one_line_error("is of another study: seeds is 3 there and 2 here", "--extend")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("limit", [600, 4_000, 20_000])
def test_a_full_disk_ends_the_study_and_loses_nothing(process, tmp_path, limit, workers):
    file = toml(tmp_path, tasks=[{"env": BOWL, "budget": 120}], record="all")
    out = tmp_path / "out"

    def small_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    outcome = process("study", file, "--out", out, "--workers", workers, preexec_fn=small_disk)
    outcome.assert_is_one_line_error("cannot write", str(out))
    kept = len(load_study(out).runs) if (out / "manifest.json").is_file() else 0
    assert (kept > 0) == (limit == 20_000)
    assert process("study", file, "--out", out).status == 0
    assert process("study", file, "--out", tmp_path / "whole").status == 0
    assert_same_study(tmp_path / "whole", out)


def test_progress_has_an_estimate_on_a_terminal_and_a_pipe_is_silent(tmp_path):
    file = toml(tmp_path, seeds=40)
    command = [sys.executable, "-m", "archgym", "study", str(file), "--out"]
    terminal, theirs = pty.openpty()
    done = subprocess.Popen(
        [*command, str(tmp_path / "a")], stderr=theirs, stdout=subprocess.DEVNULL, cwd=ROOT, env=os.environ
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(terminal, 4096):
            shown += piece
    except OSError:  # the other end is closed
        pass
    os.close(terminal)
    assert done.wait(timeout=60) == 0
    assert b" of 160 runs, " in shown
    assert b" left" in shown
    silent = subprocess.run([*command, str(tmp_path / "b")], capture_output=True, cwd=ROOT, check=True)
    assert silent.stderr == b""


def test_verify_knows_a_study(cli, file, tmp_path):
    cli("study", file, "--out", tmp_path / "out")
    outcome = cli("verify", tmp_path / "out", "--rerun", "--sample", 3)
    assert outcome.status == 0
    assert "The study reproduces." in outcome.flat
    assert "3 of 12 runs made again" in outcome.flat
    runs = pd.read_parquet(tmp_path / "out" / "runs.parquet")
    runs["best_reward"] += 1.0
    runs.to_parquet(tmp_path / "out" / "runs.parquet")
    refused = cli("verify", tmp_path / "out")
    assert refused.status == 1
    assert "does not reproduce" in refused.flat
