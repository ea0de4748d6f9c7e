"""Recorded searches that are killed, cut short, locked out or out of disk end as if they had not been."""

import json
import os
import shutil
import signal

import numpy as np
import pytest

from archgym.journal import Journal
from archgym_simulators import Simulator
from tests.archgym import recording

KILLED = """
import os, signal
from tests.archgym import recording
from pathlib import Path

folder, fatal, share = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
write, writes = os.pwrite, 0

def pwrite(file, data, offset):
    global writes
    writes += 1
    if writes == fatal:
        write(file, data[: round(share * len(data))], offset)
        os.kill(os.getpid(), signal.SIGKILL)
    return write(file, data, offset)

os.pwrite = pwrite
recording.search(folder, "run", budget=200)
"""


def test_killed_at_20_random_points_and_restarted_it_ends_as_if_it_had_not_been(tmp_path):
    recording.search(tmp_path, "whole", budget=200)
    rng = np.random.default_rng(0)
    killed = 0
    for _ in range(20):
        share = rng.choice([0.0, 1.0, rng.random()])
        done = recording.run(KILLED, tmp_path, rng.integers(1, 5), share)
        killed += done.returncode == -signal.SIGKILL
        if done.returncode == 0:
            break
        assert not (tmp_path / "run/result.json").exists(), done.stderr
    assert killed == 20
    resumed = recording.search(tmp_path, "run", budget=200)
    assert not resumed.was_complete
    assert recording.outcome(tmp_path / "run") == recording.outcome(tmp_path / "whole")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_with_a_torn_journal_it_ends_as_if_it_had_been_whole(tmp_path, share):
    recording.search(tmp_path, "whole")
    _, result = expected = recording.outcome(tmp_path / "whole")
    assert result["stop_reason"] == "budget"
    shutil.copytree(tmp_path / "whole", tmp_path / "torn")
    (tmp_path / "torn/result.json").unlink()
    journal = tmp_path / "torn/journal.bin"
    os.truncate(journal, round(share * journal.stat().st_size))
    recording.search(tmp_path, "torn")
    assert recording.outcome(tmp_path / "torn") == expected
    assert (tmp_path / "torn/journal.bin").stat().st_size == (tmp_path / "whole/journal.bin").stat().st_size


def test_with_a_flipped_bit_it_ends_as_if_it_had_been_whole(tmp_path):
    recording.search(tmp_path, "whole")
    expected = recording.outcome(tmp_path / "whole")
    whole = (tmp_path / "whole/journal.bin").read_bytes()
    rng = np.random.default_rng(0)
    for position in rng.integers(400, len(whole), 10).tolist():
        shutil.copytree(tmp_path / "whole", tmp_path / "bad", dirs_exist_ok=True)
        (tmp_path / "bad/result.json").unlink()
        damaged = bytearray(whole)
        damaged[position] ^= 1 << int(rng.integers(8))
        (tmp_path / "bad/journal.bin").write_bytes(damaged)
        recording.search(tmp_path, "bad")
        assert recording.outcome(tmp_path / "bad") == expected


def test_a_second_process_is_locked_out_of_a_running_search(tmp_path):
    said = []

    def second(session):
        if session.calls > 20 and not said:
            code = "from tests.archgym.recording import *\nsearch(Path(sys.argv[1]), 'run')"
            said.append(recording.run(code, tmp_path))

    recording.search(tmp_path, "run", progress=second)
    line = said[0].stderr.splitlines()[-1]
    assert said[0].returncode == 1
    assert "another process is writing this run; wait for it, or choose another --out" in line
    recording.search(tmp_path, "alone")
    assert recording.outcome(tmp_path / "run") == recording.outcome(tmp_path / "alone")


FULL = """
import resource
from tests.archgym import recording
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
recording.search(Path(sys.argv[1]), "full")
"""


def test_a_search_on_a_full_disk_says_so_and_goes_on_when_there_is_room(tmp_path):
    recording.search(tmp_path, "whole")
    whole = (tmp_path / "whole/journal.bin").stat().st_size
    for size in (2000, 5000, whole - 5, whole + 5):
        done = recording.run(FULL, tmp_path, size)
        line = done.stderr.splitlines()[-1]
        assert done.returncode == 1
        assert line.startswith("OSError: [Errno 27] cannot write"), line
        assert str(tmp_path / "full") in line
        assert not (tmp_path / "full/result.json").exists()
        assert not list((tmp_path / "full").glob("*.part"))
    recording.search(tmp_path, "full")
    assert recording.outcome(tmp_path / "full") == recording.outcome(tmp_path / "whole")


@pytest.mark.parametrize("interrupt", [False, True])
def test_an_exception_in_the_agent_leaves_a_directory_that_resumes(tmp_path, interrupt):
    options = {"crash_at": 6, "interrupt": interrupt}
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt if interrupt else ZeroDivisionError):
            recording.search(tmp_path, "run", agent_options=options)
        assert json.loads((tmp_path / "run/manifest.json").read_text())
        assert not (tmp_path / "run/result.json").exists()
    # The same run, had its agent not failed: the record of the failed one is the beginning of it.
    manifest = (tmp_path / "run/manifest.json").read_text()
    assert '"crash_at": 6' in manifest
    journal = (tmp_path / "run/journal.bin").read_bytes()
    with pytest.raises(KeyboardInterrupt if interrupt else ZeroDivisionError):
        recording.search(tmp_path, "run", agent_options=options)
    assert (tmp_path / "run/journal.bin").read_bytes() == journal, "a replay writes nothing"


def test_an_agent_that_swallows_errors_cannot_make_a_broken_run_look_complete(tmp_path, monkeypatch):
    text = recording.AGENT + (
        "    def run(self, session):\n"
        "        while session.stop_reason is None:\n"
        "            try:\n                super().run(session)\n"
        "            except Exception:\n                pass\n"
    )
    recording.agent_file(tmp_path).write_text(text)
    append, calls = Journal.append, []

    def full(self, *arguments):
        calls.append(1)
        if len(calls) == 7:
            raise OSError(28, "No space left on device")
        append(self, *arguments)

    monkeypatch.setattr(Journal, "append", full)
    with pytest.raises(OSError, match="No space left"):
        recording.search(tmp_path, "run")
    monkeypatch.setattr(Journal, "append", append)
    assert not (tmp_path / "run/result.json").exists()
    recording.search(tmp_path, "run")
    recording.search(tmp_path, "whole")
    assert recording.outcome(tmp_path / "run") == recording.outcome(tmp_path / "whole")


def test_an_interrupt_between_batches_resumes_to_the_same_result(tmp_path):
    def interrupt(session):
        if session.calls > 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recording.search(tmp_path, "run", progress=interrupt)
    recording.search(tmp_path, "run")
    recording.search(tmp_path, "whole")
    assert recording.outcome(tmp_path / "run") == recording.outcome(tmp_path / "whole")


def test_a_replay_simulates_nothing(tmp_path, monkeypatch):
    recording.search(tmp_path, "run")
    expected = recording.outcome(tmp_path / "run")
    (tmp_path / "run/result.json").unlink()
    (tmp_path / "run/evaluations.parquet").unlink()
    evaluate, seen = Simulator.evaluate, []
    monkeypatch.setattr(Simulator, "evaluate", lambda self, rows: seen.append(len(rows)) or evaluate(self, rows))
    recording.search(tmp_path, "run")
    assert sum(seen) == 1, "only the baseline, which is not on record"
    assert recording.outcome(tmp_path / "run") == expected


def test_a_cost_budget_resumes_to_the_same_result(tmp_path):
    for out in ("whole", "run"):
        if out == "run":
            shutil.copytree(tmp_path / "whole", tmp_path / "run")
            (tmp_path / "run/result.json").unlink()
            os.truncate(tmp_path / "run/journal.bin", (tmp_path / "run/journal.bin").stat().st_size // 2)
        recording.search(tmp_path, out, budget=40.5, budget_unit="cost")
    table, result = recording.outcome(tmp_path / "run")
    assert result["cost"] == result["calls"] == len(table["step"]) == 40
    assert (table, result) == recording.outcome(tmp_path / "whole")
