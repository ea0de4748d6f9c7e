"""The journal: whatever happens to process, file or disk, a run resumes to the same result or says why not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from archgym.journal import Journal, JournalLayout, row_type
from archgym_simulators import Evaluation, InputError
from tests.archgym import recording

LAYOUT = JournalLayout("identity", "|u1", 3, 2, 1, 1)


def evaluation(n, seed=0):
    rng = np.random.default_rng(seed)
    return Evaluation.of(
        rng.normal(size=(n, 2)),
        reason_code=rng.integers(-1, 2, n),
        violation=rng.random(n),
        reason_detail=rng.random((n, 1)),
        failed=rng.random(n) < 0.2,
        cost=rng.random(n),
        diagnostics=rng.random((n, 1)),
    )


def fill(path, sizes=(1, 3, 2)):
    """Write a journal of records of these sizes, and give their bytes' ends."""
    ends = []
    with Journal(path, LAYOUT) as journal:
        list(journal.records())
        proposal = 0
        for number, n in enumerate(sizes):
            rows = np.random.default_rng(number).integers(0, 200, (n, 3))
            journal.append(proposal, f"w{number % 2}", 0.5 * number, list(range(n)), rows, evaluation(n, number))
            proposal += n
            ends.append(path.stat().st_size)
    return ends


def read(path):
    with Journal(path, LAYOUT) as journal:
        return list(journal.records()), journal.cut_bytes


def same(one, other):
    columns = ("positions", "rows", "numbers", "codes", "diagnostics")
    return (one.proposal, one.workload, one.wall_s) == (other.proposal, other.workload, other.wall_s) and all(
        np.array_equal(getattr(one, c), getattr(other, c), equal_nan=getattr(one, c).dtype.kind == "f") for c in columns
    )


def test_what_is_written_is_read_to_the_bit(tmp_path):
    fill(tmp_path / "j")
    records, cut = read(tmp_path / "j")
    assert [len(record.rows) for record in records] == [1, 3, 2]
    assert [record.workload for record in records] == ["w0", "w1", "w0"]
    assert cut == 0
    for number, record in enumerate(records):
        n = len(record.rows)
        written, found = evaluation(n, number), record.evaluation(2, ())
        assert np.array_equal(record.rows, np.random.default_rng(number).integers(0, 200, (n, 3)))
        for name in ("values", "status", "violation", "reason_code", "reason_detail", "cost", "diagnostics"):
            a, b = getattr(written, name), getattr(found, name)
            assert a.tobytes() == b.tobytes(), name
            assert a.dtype == b.dtype


def test_reading_and_writing_take_turns(tmp_path):
    fill(tmp_path / "j")
    with Journal(tmp_path / "j", LAYOUT) as journal:
        before = list(journal.records())
        journal.append(9, "w1", 1.0, [0], np.ones((1, 3), dtype=np.int64), evaluation(1))
        journal.append(10, "w2", 1.0, [0], np.ones((1, 3), dtype=np.int64), evaluation(1))
        after = list(journal.records())
    assert [record.workload for record in after[-2:]] == ["w1", "w2"]
    assert all(same(a, b) for a, b in zip(before, after, strict=False))
    assert len(read(tmp_path / "j")[0]) == len(before) + 2


def test_a_record_larger_than_the_read_buffer_is_read(tmp_path, monkeypatch):
    fill(tmp_path / "j", (1, 40, 2, 7))
    expected = read(tmp_path / "j")[0]
    for size in (8, 9, 50, 64, 1000):
        monkeypatch.setattr("archgym.frames._READ_BYTES", size)
        assert all(same(a, b) for a, b in zip(read(tmp_path / "j")[0], expected, strict=True))


def test_cut_at_every_byte_it_opens_and_holds_every_whole_record(tmp_path):
    ends = fill(tmp_path / "whole")
    whole, records = (tmp_path / "whole").read_bytes(), read(tmp_path / "whole")[0]
    for length in range(len(whole) + 1):
        path = tmp_path / "cut"
        path.write_bytes(whole[:length])
        found, _ = read(path)
        assert len(found) == sum(end <= length for end in ends), length
        assert all(same(a, b) for a, b in zip(found, records, strict=False))
        with Journal(path, LAYOUT) as journal:  # what is appended after the cut is there next time
            list(journal.records())
            journal.append(7, "w1", 1.0, [0], np.ones((1, 3), dtype=np.int64), evaluation(1))
        assert len(read(path)[0]) == len(found) + 1
        path.unlink()


def test_one_flipped_bit_anywhere_is_noticed(tmp_path):
    ends = fill(tmp_path / "whole")
    whole, records = (tmp_path / "whole").read_bytes(), read(tmp_path / "whole")[0]
    header = len(whole) - (ends[-1] - _header_end(tmp_path))
    rng = np.random.default_rng(0)
    for position in rng.choice(8 * len(whole), 600, replace=False).tolist():
        damaged = bytearray(whole)
        damaged[position // 8] ^= 1 << (position % 8)
        path = tmp_path / "damaged"
        path.write_bytes(damaged)
        if position // 8 < header:
            with pytest.raises(InputError, match="damaged or not the journal of this run"):
                read(path)
            continue
        found, cut = read(path)
        before = sum(end <= position // 8 for end in ends)
        assert len(found) == before
        assert cut > 0
        assert all(same(a, b) for a, b in zip(found, records, strict=False))


def _header_end(folder):
    with Journal(folder / "empty", LAYOUT):
        pass
    return (folder / "empty").stat().st_size


def test_zeros_after_the_end_are_no_records(tmp_path):
    fill(tmp_path / "j")
    with (tmp_path / "j").open("ab") as file:
        file.write(bytes(5000))  # what a power cut may leave of a grown file
    records, cut = read(tmp_path / "j")
    assert len(records) == 3
    assert cut == 5000


@pytest.mark.parametrize("content", [b"not a journal", bytes(100), b"archgym journal 2\n"])
def test_another_file_is_refused_and_left_alone(tmp_path, content):
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(InputError, match="damaged or not the journal of this run"):
        Journal(tmp_path / "j", LAYOUT)
    assert (tmp_path / "j").read_bytes() == content


def test_another_runs_journal_is_refused_and_left_alone(tmp_path):
    fill(tmp_path / "j")
    before = (tmp_path / "j").read_bytes()
    with pytest.raises(InputError, match="not the journal of this run"):
        Journal(tmp_path / "j", JournalLayout("another", "|u1", 3, 2, 1, 1))
    assert (tmp_path / "j").read_bytes() == before


@pytest.mark.parametrize(("largest", "kind"), [(1, "|u1"), (256, "|u1"), (257, "<u2"), (65537, "<u4"), (2**40, "<u8")])
def test_rows_are_stored_in_the_smallest_type(largest, kind):
    assert row_type(np.array([2, largest])) == kind


def test_an_evaluation_of_another_shape_or_type_is_a_programming_error(tmp_path):
    with Journal(tmp_path / "j", LAYOUT) as journal:
        wrong = evaluation(2)
        object.__setattr__(wrong, "values", wrong.values.astype(np.float32))
        with pytest.raises(TypeError, match="other shapes or types"):
            journal.append(0, "w", 0.0, [0, 1], np.ones((2, 3), dtype=np.int64), wrong)
    assert read(tmp_path / "j")[0] == []


def test_a_second_opener_is_locked_out_with_one_line(tmp_path):
    with Journal(tmp_path / "j", LAYOUT):
        code = "from tests.archgym.test_journal import *\nJournal(Path(sys.argv[1]), LAYOUT)"
        done = recording.run(code, tmp_path / "j")
        assert "InputError" in done.stderr.splitlines()[-1]
        assert "another process is writing this run" in done.stderr
    assert recording.run(code, tmp_path / "j").returncode == 0


def test_a_forked_worker_does_not_keep_the_lock_of_a_killed_search(tmp_path):
    code = (
        "from tests.archgym.test_journal import *\n"
        "journal = Journal(Path(sys.argv[1]), LAYOUT)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    time.sleep(60)\n"
        "print(child, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = f"import sys; sys.path.insert(0, {str(recording.ROOT)!r})\n"
    process = subprocess.Popen([sys.executable, "-c", path + code, tmp_path / "j"], stdout=subprocess.PIPE, text=True)
    worker = int(process.stdout.readline())
    try:
        process.wait(30)
        assert Path(f"/proc/{worker}").exists() or not Path("/proc").exists()
        deadline = time.monotonic() + 10
        while True:
            try:
                Journal(tmp_path / "j", LAYOUT).close()
                break
            except InputError:
                assert time.monotonic() < deadline, "the worker still holds the lock"
                time.sleep(0.05)  # it lets go when it first runs
    finally:
        os.kill(worker, signal.SIGKILL)
        process.stdout.close()


def test_a_full_disk_is_one_clear_line_and_what_stood_stands(tmp_path):
    ends = fill(tmp_path / "j")
    code = (
        "from tests.archgym.test_journal import *\n"
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))\n"
        "journal = Journal(Path(sys.argv[1]), LAYOUT)\n"
        "list(journal.records())\n"
        "rows = np.ones((3, 3), dtype=np.int64)\n"
        "for _ in range(2):\n"
        "    try:\n"
        "        journal.append(6, 'w0', 1.0, [0, 1, 2], rows, evaluation(3))\n"
        "    except OSError as error:\n"
        "        print(error)\n"
    )
    for room in (0, 1, 7, 8, 9, 60):
        done = recording.run(code, tmp_path / "j", ends[-1] + room)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count(f"cannot write {tmp_path / 'j'}: File too large") == 2
        assert (tmp_path / "j").stat().st_size == ends[-1]
    assert len(read(tmp_path / "j")[0]) == 3


def test_a_disk_too_full_for_the_header_is_one_clear_line(tmp_path):
    code = (
        "from tests.archgym.test_journal import *\n"
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))\n"
        "Journal(Path(sys.argv[1]), LAYOUT)\n"
    )
    done = recording.run(code, tmp_path / "j")
    assert "OSError: [Errno 27] cannot write" in done.stderr.splitlines()[-1]
    fill(tmp_path / "j")
