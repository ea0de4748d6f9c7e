"""External programs as agents: what they may do wrong, and that nothing of them remains."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import archgym
from archgym.agent import AgentFailed
from archgym.verification import verify
from archgym_simulators import InputError
from tests.agents.made_programs import HONEST, SEARCHES, search

FATAL = {
    "crash": ("sys.exit('no luck')", "ended with status 1: 'no luck'"),
    "traceback": ("raise ZeroDivisionError('by me')", "ended with status 1: 'ZeroDivisionError: by me'"),
    "signal": ("import os; os.kill(os.getpid(), 9)", "was ended by SIGKILL"),
    "quiet end": ("sys.exit()", "ended with status 0"),
    "closed output": ("import os, time; os.close(1); time.sleep(60)", "closed its output"),
    "closed input": (
        "import os, time; os.close(0); print(json.dumps({'designs': [design()]})); time.sleep(60)",
        "closed its input",
    ),
    "silence": ("import time; time.sleep(60)", "gave no answer within 1 s"),
    "deaf": ("import os\nwhile True: os.write(2, b'x' * 65536)", "gave no answer within 1 s"),
    "garbage": ("print('hello world')", "answered 'hello world', which is no JSON"),
    "bytes": ("sys.stdout.buffer.write(bytes(range(128, 256)) + b'\\n'); sys.stdout.flush()", "which is no JSON"),
    "not an object": ("print('[1, 2]')", "answered '[1, 2]', which is no JSON object"),
    "not a number": ("print('{\"designs\": [NaN]}')", "which is no JSON"),
    "nesting": ("print('[' * 100000)", "which is no JSON"),
    "flood": ("import os\nwhile True: os.write(1, b'x' * 65536)", "wrote more than 4 MiB"),
    "blank flood": ("import os\nwhile True: os.write(1, b'\\n' * 65536)", "gave no answer within 1 s"),
    "wrong for ever": ("while True: ask([{}])", "gave 4 wrong answers in a row, the last: design 1: missing parameter"),
    "no designs": ("while True: print('{}'); sys.stdin.readline()", 'an answer must have "designs"'),
}


@pytest.mark.parametrize(("fault", "message"), FATAL.values(), ids=FATAL)
def test_a_fault_ends_the_run_in_one_line_and_keeps_what_was_evaluated(program, tmp_path, fault, message) -> None:
    agent = program(HONEST + "for _ in range(2):\n    ask([design() for _ in range(3)])\n" + fault)
    out = tmp_path / "run"
    with pytest.raises(AgentFailed, match="are kept in") as failure:
        search(agent, out=out, options={"timeout_s": 20.0 if "1 s" not in message else 1.0})
    text = str(failure.value)
    assert message in text
    assert "\n" not in text
    result = json.loads((out / "result.json").read_text())
    assert (result["stop_reason"], result["calls"]) == ("error", 7 if "closed its input" in text else 6)
    assert message in result["error"]
    kept = archgym.load_dataset(str(out))
    assert len(kept) == result["calls"]


def test_a_run_that_failed_is_verified_as_far_as_it_came(program, tmp_path) -> None:
    search(program(HONEST + SEARCHES, name="whole.py"), out=tmp_path / "whole")
    with pytest.raises(AgentFailed):
        search(program(HONEST + "ask([design()])\nsys.exit(1)"), out=tmp_path / "failed")
    for run in ("whole", "failed"):
        checks = verify(tmp_path / run, rerun=True)
        assert [check.name for check in checks][-1] == "trajectory"
        assert all(check.ok for check in checks), checks


def test_on_the_command_line_a_fault_is_one_line_and_status_2(program, tmp_path) -> None:
    command = ["search", "archgym/DRAM-v0", "--agent", program(HONEST + "ask([design()])\nsys.exit(3)")]
    command += ["--budget", "5", "--seed", "1", "--out", str(tmp_path / "run")]
    done = subprocess.run([sys.executable, "-m", "archgym", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "ended with status 3" in done.stderr
    assert "the 1 simulations until then are kept in" in done.stderr


def test_secrets_of_the_environment_are_not_inherited(program, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MODEL_API_KEY", "sesame")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sesame")
    dump = f"import os\nopen({str(tmp_path / 'seen')!r}, 'w').write(json.dumps(dict(os.environ)))\n"
    agent = program(HONEST + dump + SEARCHES)
    search(agent, out=tmp_path / "blind")
    seen = json.loads((tmp_path / "seen").read_text())
    allowed = {"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "LC_CTYPE"}
    assert set(seen) <= allowed | {"PYTHONUNBUFFERED", "PYTHONHASHSEED"}
    assert seen["HOME"] != os.environ.get("HOME")
    search(agent, options={"pass_env": "MODEL_API_KEY"}, out=tmp_path / "told")
    seen = json.loads((tmp_path / "seen").read_text())
    assert seen["MODEL_API_KEY"] == "sesame"
    assert "AWS_SECRET_ACCESS_KEY" not in seen
    assert b"sesame" not in b"".join(path.read_bytes() for path in (tmp_path / "told").iterdir())
    with pytest.raises(InputError, match="pass_env names 'NO_SUCH_KEY', which is not set"):
        search(agent, options={"pass_env": "NO_SUCH_KEY"})


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] != "Z"
    except FileNotFoundError:
        return False


SPAWNS = """
import os, subprocess
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
"""
ENDINGS = {
    "end": "while ask([design()])['type'] != 'end': pass\nimport time; time.sleep(600)",
    "done": "print('{\"designs\": []}')",
    "crash": "sys.exit(1)",
    "silence": "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)",
}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_program_and_children_are_gone_at_the_end(program, tmp_path, ending) -> None:
    keep = f"open({str(tmp_path / 'pids')!r}, 'w').write(json.dumps([os.getpid(), child.pid]))\n"
    agent = program(HONEST + SPAWNS + keep + ending)
    with suppress(AgentFailed):
        search(agent, options={"timeout_s": 2.0}, budget=3)
    assert not any(map(_is_alive, json.loads((tmp_path / "pids").read_text())))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_they_are_gone_when_the_user_interrupts(program, tmp_path) -> None:
    keep = f"open({str(tmp_path / 'pids')!r}, 'w').write(json.dumps([os.getpid(), child.pid]))\n"
    agent = program(HONEST + SPAWNS + keep + "ask([design()])\nimport time; time.sleep(600)")
    command = ["search", "archgym/DRAM-v0", "--agent", agent, "--budget", "9", "--seed", "1"]
    searching = subprocess.Popen([sys.executable, "-m", "archgym", *command, "--out", str(tmp_path / "run")])
    give_up = time.monotonic() + 60
    while not (tmp_path / "pids").exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    time.sleep(0.2)
    searching.send_signal(signal.SIGINT)
    assert searching.wait(timeout=60) == 130
    assert not any(map(_is_alive, json.loads((tmp_path / "pids").read_text())))
