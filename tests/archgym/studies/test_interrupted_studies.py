"""Studies that are killed, whose workers die, or whose runs fail: nothing lost, nothing counted twice."""

import errno
import signal
import subprocess
import sys
import time

import pytest

from archgym.registry import simulator_class
from archgym.studies.engine import run_study
from archgym.studies.results import load_study
from archgym.studies.store import OPEN_RUNS, recorded_runs
from archgym.studies.study_file import parse_study
from tests.archgym.recording import ROOT
from tests.archgym.studies.small_studies import BOWL, assert_same_study, content, fragile, tables, toml


@pytest.fixture
def study(tmp_path):
    return parse_study(content(tmp_path))


def run_in_another_process(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    path = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    return subprocess.Popen([sys.executable, "-W", "error", "-c", path + code, *map(str, arguments)])


COUNTED = """
import os, signal
from archgym.studies.engine import run_study
from archgym.studies.study_file import read_study
calls, last = 0, int(sys.argv[3])
def counted(function):
    def call(*arguments, **options):
        global calls
        calls += 1
        if calls == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call
for name in ("pwrite", "replace", "unlink", "mkdir"):
    setattr(os, name, counted(getattr(os, name)))
run_study(sys.argv[1], sys.argv[2])
open(sys.argv[2] + ".calls", "w").write(str(calls))
"""


def test_a_study_killed_again_and_again_gives_the_same_table(tmp_path):
    file, out = toml(tmp_path), tmp_path / "killed"
    run_study(file, tmp_path / "whole")
    kills = 0
    while run_in_another_process(COUNTED, file, out, 2**kills).wait(timeout=60) == -signal.SIGKILL:
        kills += 1
    assert kills >= 5
    assert_same_study(tmp_path / "whole", out)
    assert len(list(recorded_runs(out))) == 12


@pytest.mark.parametrize("from_the_end", [0, 1, 2, 4])
def test_a_study_killed_while_it_ends_gives_the_same_table(tmp_path, from_the_end):
    file = toml(tmp_path)
    assert run_in_another_process(COUNTED, file, tmp_path / "whole", -1).wait(timeout=60) == 0
    calls = int((tmp_path / "whole.calls").read_text())
    killed = run_in_another_process(COUNTED, file, tmp_path / "killed", calls - from_the_end)
    assert killed.wait(timeout=60) == -signal.SIGKILL
    assert not run_study(file, tmp_path / "killed").was_complete
    assert_same_study(tmp_path / "whole", tmp_path / "killed")


def test_a_run_under_way_is_replayed_and_not_simulated_again(tmp_path, monkeypatch):
    agents = [{"name": fragile(tmp_path), "settings": {"mode": "die-once", "marker": str(tmp_path / "died")}}]
    file, simulated = toml(tmp_path, agents=agents), []
    code = "from archgym.studies.engine import run_study\nrun_study(*sys.argv[1:])"
    assert run_in_another_process(code, file, tmp_path / "out").wait(timeout=60) == -signal.SIGKILL
    assert len(list((tmp_path / "out" / OPEN_RUNS).iterdir())) == 1
    bowl = simulator_class(BOWL)
    evaluate = bowl.evaluate
    monkeypatch.setattr(bowl, "evaluate", lambda self, rows: simulated.append(len(rows)) or evaluate(self, rows))
    run_study(file, tmp_path / "out")
    resumed = sum(simulated)
    simulated.clear()
    run_study(file, tmp_path / "again")
    assert sum(simulated) - resumed == 8  # two batches of four
    assert_same_study(tmp_path / "out", tmp_path / "again")


def test_an_open_journal_that_does_not_fit_is_no_obstacle(study, tmp_path):
    run_study(study, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run_study(study, tmp_path / "out", progress=_interrupt_after(3))
    pending = tables(tmp_path / "whole")[0]["run_id"][3]
    (tmp_path / "out" / OPEN_RUNS / f"{pending}.journal").write_bytes(b"nonsense")
    run_study(study, tmp_path / "out")
    assert_same_study(tmp_path / "whole", tmp_path / "out")


def test_a_study_that_cannot_make_journals_ends_and_records_no_failure(study, tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("archgym.studies.runner.JournalRecorder.__init__", refuse)
        with pytest.raises(OSError, match="No space left"):
            run_study(study, tmp_path / "out")
    assert load_study(tmp_path / "out").runs.empty
    assert run_study(study, tmp_path / "out").failed == 0


def _interrupt_after(runs):
    def progress(state):
        if state.done == runs:
            raise KeyboardInterrupt

    return progress


def test_a_killed_worker_is_replaced_and_its_run_made_again(tmp_path):
    marker = tmp_path / "died"
    settings = {"mode": "die-once", "marker": str(marker)}
    agents = [{"name": fragile(tmp_path), "grid": {"batch": [3, 4]}, "settings": settings}]
    study = parse_study(content(tmp_path, agents=agents))
    run_study(study, tmp_path / "pool", workers=2)
    assert marker.exists()
    run_study(study, tmp_path / "serial")  # now nothing dies
    assert tables(tmp_path / "pool")[0]["state"].eq("complete").all()
    assert_same_study(tmp_path / "serial", tmp_path / "pool")


def test_a_run_of_which_every_worker_dies_is_recorded_as_failed(tmp_path):
    agents = [fragile(tmp_path), {"name": fragile(tmp_path), "settings": {"mode": "die"}}]
    summary = run_study(parse_study(content(tmp_path, agents=agents, seeds=1)), tmp_path / "out", workers=2)
    assert (summary.runs, summary.failed) == (4, 2)
    runs = tables(tmp_path / "out")[0].set_index("state")
    assert runs.loc["failed", "error"].str.contains("3 worker processes died").all()
    assert runs.loc["complete", "evaluations"].tolist() == [20, 12]


@pytest.mark.parametrize(
    ("mode", "error"), [("crash", "ZeroDivisionError: the agent's own mistake"), ("exit", "SystemExit: 3")]
)
def test_a_failing_run_is_recorded_and_the_study_goes_on(tmp_path, mode, error):
    agents = [{"name": fragile(tmp_path), "settings": {"mode": mode}}, fragile(tmp_path)]
    study = parse_study(content(tmp_path, agents=agents))
    assert run_study(study, tmp_path / "out").failed == 6
    runs, improvements = tables(tmp_path / "out")
    failed = runs[runs["state"] == "failed"]
    assert failed["error"].str.contains("Traceback").all()
    assert failed["error"].str.strip().str.endswith(error).all()
    assert failed["stop_reason"].eq("error").all()
    assert failed["evaluations"].eq(8).all()  # two batches of four
    assert set(improvements["run_id"]) == set(runs["run_id"])
    assert runs[runs["state"] == "complete"]["error"].eq("").all()
    assert run_study(study, tmp_path / "out").was_complete


def test_failed_runs_are_made_again_where_that_is_asked_for(tmp_path):
    marker = tmp_path / "mended"
    file = tmp_path / "fragile.py"
    fragile(tmp_path)
    file.write_text(
        file.read_text().replace('mode == "crash"', f'mode == "crash" and not os.path.exists({str(marker)!r})')
    )
    agents = [{"name": str(file), "settings": {"mode": "crash"}}]
    study = parse_study(content(tmp_path, agents=agents))
    assert run_study(study, tmp_path / "out").failed == 6
    marker.touch()
    assert run_study(study, tmp_path / "out", retry_failed=True).failed == 0
    assert tables(tmp_path / "out")[0]["state"].eq("complete").all()
    assert run_study(study, tmp_path / "out", retry_failed=True).was_complete


def test_workers_end_with_the_study_that_started_them(tmp_path):
    file = toml(tmp_path, tasks=[{"env": BOWL, "budget": 20_000}], seeds=50)
    code = (
        "from archgym.studies.engine import run_study\nif __name__ == '__main__': run_study(*sys.argv[1:3], workers=2)"
    )
    parent = run_in_another_process(code, file, tmp_path / "killed")
    _wait_until(lambda: len(list((tmp_path / "killed" / OPEN_RUNS).glob("*"))) == 2)
    workers = [int(pid) for pid in _children(parent.pid)]
    assert len(workers) >= 2
    parent.kill()
    parent.wait()
    _wait_until(lambda: not any(_is_alive(pid) for pid in workers))


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return file.read().split()


def _is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
