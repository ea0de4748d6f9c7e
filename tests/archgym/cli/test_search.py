"""Searching: what is recorded, what is resumed, what is refused."""

import json
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import archgym
from archgym.cli.outcome import headline
from archgym.cli.search import Progress
from archgym.problem import ProblemSpec

KILLS = 20


@pytest.fixture
def search(cli, bowl, agent, tmp_path):
    """Search the bowl with the random agent."""

    def run(*arguments, env_id=bowl, name=agent, budget=60, seed=1, out=None):
        where = tmp_path / "run" if out is None else out
        return cli(*["search", env_id, "--agent", name, "--budget", budget, "--seed", seed, "--out", where], *arguments)

    return run


def evaluations(directory):
    return pd.read_parquet(directory / "evaluations.parquet").drop(columns="wall_s")


def assert_same_evaluations(first, second):
    pd.testing.assert_frame_equal(evaluations(first), evaluations(second), check_exact=True)


def test_a_search_leaves_a_run_directory_and_says_what_it_found(search, bowl, tmp_path):
    outcome = search()
    assert (outcome.status, outcome.err) == (0, "")
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["calls"] == 60
    assert len(evaluations(tmp_path / "run")) == 60
    for name, value in result["best"]["design"].items():
        assert any(line.split()[0] == name and str(value) in line for line in outcome.out.splitlines() if line.split())
    assert "60 simulations" in outcome.flat
    assert "the budget is used up" in outcome.flat
    assert f"archgym verify {tmp_path / 'run'}" in outcome.out


@pytest.mark.parametrize(("reward", "words"), [(0.405, "1.499 times better"), (-0.405, "1.499 times worse")])
def test_a_product_is_said_to_be_better_or_worse(bowl, reward, words):
    best = {"step": 4, "reward": reward, "feasible": True, "metrics": {}}
    summary = {"best": best, "nearest": None, "baseline": {"metrics": {}}}
    assert f"{words} than the baseline" in headline(summary, ProblemSpec.create(bowl, objective="edp"))


def test_it_is_the_search_of_the_python_face(search, bowl, agent, tmp_path):
    search("--objective", "edp", "--constraint", "time_ns<=150,energy_pj<=99", "--agent-option", "batch=3")
    archgym.search(
        bowl,
        str(agent),
        budget=60,
        seed=1,
        out=tmp_path / "python",
        objective="edp",
        constraints=["time_ns<=150", "energy_pj<=99"],
        agent_options={"batch": 3},
    )
    assert_same_evaluations(tmp_path / "run", tmp_path / "python")


def test_a_complete_run_is_left_alone(search, tmp_path):
    search()
    before = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "run").iterdir()}
    outcome = search()
    assert outcome.status == 0
    assert "is complete already; nothing was done" in outcome.flat
    assert {file.name: file.stat().st_mtime_ns for file in (tmp_path / "run").iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"budget": 61}, "budget.limit is 60 there and 61 here"),
        ({"seed": 2}, "seed is 1 there and 2 here"),
    ],
)
def test_another_run_is_refused(search, arguments, part):
    search()
    search(**arguments).assert_is_one_line_error(part, "choose another --out")


def test_a_directory_of_something_else_is_refused(search, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    search(out=tmp_path / "mine").assert_is_one_line_error("thesis.tex", "choose another --out")
    search(out=tmp_path / "mine" / "thesis.tex").assert_is_one_line_error("is not a directory")
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "x"


def test_a_run_of_another_format_is_refused(search, tmp_path):
    search()
    manifest = tmp_path / "run" / "manifest.json"
    found = json.loads(manifest.read_text())
    found["identity"]["format"], found["digest"] = 99, "0" * 32
    manifest.write_text(json.dumps(found))
    search().assert_is_one_line_error("manifest.json", "format is 99 there")


@pytest.mark.parametrize("budget", ["0", "-5", "1.5", "abc", "", "1e3"])
def test_a_budget_is_a_whole_number(search, tmp_path, budget):
    search(budget=budget).assert_is_one_line_error("--budget must be a whole number of at least 1", budget)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "named", "parts"),
    [
        ([], {"seed": "-1"}, ["--seed", "-1"]),
        ([], {"seed": str(2**63)}, ["--seed must be at most"]),
        ([], {"env_id": "archgym/Nope-v0"}, ["unknown environment 'archgym/Nope-v0'"]),
        ([], {"env_id": "no/such.py:Chip"}, ["no file 'no/such.py'"]),
        ([], {"name": "randm_search"}, ["unknown agent 'randm_search'", "did you mean 'random_search'?"]),
        ([], {"name": "no/such.py"}, ["no file 'no/such.py'"]),
        ([], {"env_id": "random_search"}, ["is an agent, not an environment"]),
        ([], {"name": "ga"}, ["unknown agent 'ga'", "did you mean 'genetic_algorithm'?"]),
        ([], {"env_id": "archgym/DRAM-MO-v0"}, ["'archgym/DRAM-v0'", "repeating --objective"]),
        (["--workload", "train"], {}, ["--workload 'train' is a split", "archgym list workloads"]),
        (["--workload", "larg"], {}, ["'larg'", "did you mean 'large'?"]),
        (["--objective", "enrgy"], {}, ["'enrgy'", "did you mean"]),
        (["--objective", "energy"], {}, ["degenerate", "time_ns"]),
        (["--constraint", "time<=5"], {}, ["'time'"]),
        (["--constraint", "time_ns=5"], {}, ["METRIC<=NUMBER"]),
        (["--agent-option", "bach=2"], {}, ["unknown setting 'bach'", "did you mean 'batch'?"]),
        (["--agent-option", "batch=two"], {}, ["batch must be", "'two'"]),
        (["--agent-option", "batch=0"], {}, ["batch must be at least 1"]),
        (["--max-proposals", "0"], {}, ["--max-proposals must be a whole number of at least 1"]),
        (["--record", "some"], {}, ["--record must be one of all, improvements", "'some'"]),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(search, tmp_path, arguments, named, parts):
    search(*arguments, **named).assert_is_one_line_error(*parts)
    assert not (tmp_path / "run").exists()


def test_an_option_may_have_the_name_of_an_argument(search, toy, tmp_path):
    search("--option", "seed=3", env_id=toy("Flaky"))
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["identity"]["problem"]["options"] == {"seed": 3}
    assert manifest["identity"]["seed"] == 1


def test_improvements_only(search, tmp_path):
    search("--record", "improvements")
    rewards = evaluations(tmp_path / "run")["reward"].to_numpy()
    assert len(rewards) < 60
    assert (np.diff(rewards) > 0).all()


def test_max_proposals_stop_a_search(search, toy):
    outcome = search("--max-proposals", 30, env_id=toy("HugeSpace"))
    assert "30 simulations for 30 proposals; the limit on proposals is reached" in outcome.flat


def test_a_space_with_one_design_is_exhausted(search, toy):
    assert "every design is known" in search(env_id=toy("OneDesign")).flat


def test_nothing_valid_is_said(search, toy):
    outcome = search(env_id=toy("AlwaysInvalid"))
    assert outcome.status == 0
    assert "No valid design was found." in outcome.out


def test_no_design_that_meets_the_constraint_is_said(search):
    assert "No design met every constraint" in search("--constraint", "time_ns<=0.001").flat


def test_progress_is_silent_in_a_pipe(process, bowl, agent, tmp_path):
    command = ["search", bowl, "--agent", agent, "--budget", 9, "--seed", 1, "--out", tmp_path / "run"]
    assert process(*command).err == ""


def test_progress_says_how_far_and_how_good(monkeypatch, capsys, bowl):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with Progress() as progress:
        session = archgym.make_session(bowl, budget=100, progress=progress)
        session.evaluate(session.space.canonical(np.array([[1, 2, 3, 0, 0, 3]])))
    shown = capsys.readouterr().err
    assert "1 of 100 simulations" in shown
    assert "best time" in shown
    assert "\n" not in shown
    assert shown.endswith("\r")


def test_an_interrupt_says_how_to_go_on(search, monkeypatch):
    def interrupt(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr("archgym.api.search", interrupt)
    outcome = search()
    assert outcome.status == 130
    assert "the same command goes on" in outcome.err


def test_an_agent_in_a_file_with_a_slip_is_one_line(search, tmp_path):
    slip = tmp_path / "slip.py"
    slip.write_text("import nothing_like_this\n")
    search(name=slip).assert_is_one_line_error("cannot import", "nothing_like_this")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_killed_at_random_points_and_restarted_it_ends_the_same(agent, tmp_path):
    chip = tmp_path / "chip.py"
    chip.write_text(
        "import time\nfrom archgym.testing.toys import Bowl\nclass Chip(Bowl):\n    rows_per_record = 4\n"
        "    def simulate(self, rows):\n        time.sleep(0.002)\n        return super().simulate(rows)\n"
    )

    def start(out):
        command = [sys.executable, "-m", "archgym", "search", "chip.py:Chip", "--agent", agent.name, "--budget", "400"]
        command += ["--seed", "7", "--out", out]
        return subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)

    assert start("whole").wait(timeout=120) == 0
    journal, length = tmp_path / "killed" / "journal.bin", (tmp_path / "whole" / "journal.bin").stat().st_size
    killed = 0
    for size in sorted(np.random.default_rng(5).integers(0, int(0.95 * length), KILLS).tolist()):
        running = start("killed")
        while running.poll() is None and not (journal.exists() and journal.stat().st_size >= size):
            time.sleep(0.001)
        os.kill(running.pid, signal.SIGKILL)
        killed += running.wait() == -signal.SIGKILL
    assert killed == KILLS
    assert start("killed").wait(timeout=120) == 0
    assert_same_evaluations(tmp_path / "killed", tmp_path / "whole")
    results = [json.loads((tmp_path / name / "result.json").read_text()) for name in ("killed", "whole")]
    for result in results:
        del result["wall_s"]
    assert results[0] == results[1]


def test_a_disk_that_fills_up_is_named_with_the_file_and_the_run_goes_on_later(process, bowl, tmp_path):
    def small_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))

    run = tmp_path / "run"
    command = ["search", bowl, "--agent", "random_search", "--budget", 200, "--seed", 1, "--out", run]
    process(*command, preexec_fn=small_disk).assert_is_one_line_error(f"cannot write {run / 'journal.bin'}: ")
    assert process(*command).status == 0
