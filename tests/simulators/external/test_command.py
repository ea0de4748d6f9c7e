import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym.objectives import parse_objective
from archgym.problem import Problem, ProblemSpec
from archgym_simulators import FAILED, INVALID, OK, DesignSpace, InputError, Metric, Ordinal, Reason
from archgym_simulators.external.command import CommandSimulator

STRICT = (sys.executable, "-I", "-S", "-c")
PREAMBLE = """
import json, os, signal, sys, time
question = json.load(open(sys.argv[1]))
size = question["design"]["size_kib"]
def reply(answer):
    with open(sys.argv[2], "w") as file:
        json.dump(answer, file)
def good():
    reply({"metrics": {"time_ns": 100.0 / size, "slack_ns": -size, "extra": "ignored"}})
"""


def chip(body, **attributes):
    """A chip whose program is a few lines of Python."""
    space = DesignSpace([Ordinal("size_kib", [1, 2, 4, 8], "KiB", description="size")])
    metrics = (Metric("time_ns", "time"), Metric("slack_ns", "slack", "max", "linear", 1.0))
    fields = {
        "version": "1",
        "metrics": metrics,
        "space": space,
        "command": (
            *STRICT,
            (PREAMBLE + textwrap.dedent(body)).replace("{", "{{").replace("}", "}}"),
            "{input}",
            "{output}",
        ),
        "refusals": (Reason("too-big", "needs {need:.0f} KiB of {have:.0f}", ("need", "have")),),
        "default_time_limit_s": 20.0,
    }
    return type("Chip", (CommandSimulator,), {**fields, **attributes, "__module__": __name__})


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """Every test leaves the temporary folder as empty as it was."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def rows(*indices):
    return np.array(indices, dtype=np.int64)[:, None]


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def assert_ends(pids):
    deadline = time.monotonic() + 5.0
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not [pid for pid in pids if is_alive(pid)]


def outcome(body, **attributes):
    evaluation = chip(body, **attributes)().evaluate(rows(1))
    assert np.isnan(evaluation.values).all() == (evaluation.status[0] != OK)
    return evaluation.status[0], evaluation.reason_name(0), evaluation.reason(0)


def test_a_program_that_behaves_gives_metrics_in_the_order_of_the_designs():
    simulator = chip("good()")(workers=3)
    evaluation = simulator.evaluate(rows(3, 0, 2, 1, 0))
    assert evaluation.values.tolist() == [[12.5, -8.0], [100.0, -1.0], [25.0, -4.0], [50.0, -2.0], [100.0, -1.0]]
    assert evaluation.status.tolist() == [OK] * 5
    assert simulator.evaluate(rows(3)[:0]).values.shape == (0, 2)
    assert simulator.rows_per_record == 3
    assert chip("good()")().rows_per_record == 1


def test_standard_input_and_output_serve_where_the_template_names_no_file():
    body = """
    import json, sys
    print("progress: 100 %")
    print(json.dumps({"metrics": {"time_ns": json.load(sys.stdin)["design"]["size_kib"], "slack_ns": 0}}))
    """
    command = (*STRICT, textwrap.dedent(body).replace("{", "{{").replace("}", "}}"))
    assert chip("", command=command)().evaluate(rows(2)).values.tolist() == [[4.0, 0.0]]


def test_parameters_and_workload_can_stand_on_the_command_line(tmp_path):
    body = (
        "import sys, json; print(json.dumps(dict(metrics=dict(time_ns=float(sys.argv[1]), slack_ns=len(sys.argv[2])))))"
    )
    command = (*STRICT, body, "{size_kib}", "{workload}")
    made = chip("", command=command, workloads={"default": "a", "sort": "b"})
    assert made("sort").evaluate(rows(3)).values.tolist() == [[8.0, 4.0]]
    file = tmp_path / "trace.bin"
    file.write_text("data")
    assert made(str(file)).evaluate(rows(3)).values.tolist() == [[8.0, float(len(str(file.resolve())))]]


@pytest.mark.parametrize(
    ("body", "name", "words"),
    [
        ("raise SystemExit(3)", "crashed", "exit status 3"),
        ("good(); raise SystemExit(1)", "crashed", "exit status 1"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "killed", "signal 11"),
        ("pass", "nonsense", "could not be read"),
        ("open(sys.argv[2], 'w').write('Segmentation fault')", "nonsense", "could not be read"),
        ("open(sys.argv[2], 'wb').write(b'\\xff\\xfe\\x00')", "nonsense", "could not be read"),
        ("open(sys.argv[2], 'w').write('[' * 100000)", "nonsense", "could not be read"),
        ("open(sys.argv[2], 'w').write(' ' * (1 << 21))", "nonsense", "could not be read"),
        ("reply([1, 2])", "nonsense", "could not be read"),
        ("reply({'metrics': 7})", "nonsense", "could not be read"),
        ("reply({'time_ns': 7})", "nonsense", "could not be read"),
        ("reply({'metrics': {'time_ns': '7', 'slack_ns': 1}})", "nonsense", "could not be read"),
        ("reply({'metrics': {'time_ns': True, 'slack_ns': 1}})", "nonsense", "could not be read"),
        ("reply({'metrics': {'time_ns': 7}})", "no-slack_ns", "no slack_ns"),
        ("reply({'metrics': {'time_us': 7, 'slack_ns': 1}})", "unit-of-time_ns", "time_ns in another unit"),
        ("reply({'metrics': {'time_ns': float('nan'), 'slack_ns': 1}})", "bad-time_ns", "time_ns = nan"),
        ("reply({'metrics': {'time_ns': 7, 'slack_ns': float('-inf')}})", "bad-slack_ns", "slack_ns = -inf"),
        ("reply({'metrics': {'time_ns': 10**400, 'slack_ns': 1}})", "bad-time_ns", "time_ns = inf"),
        ("reply({'metrics': {'time_ns': 0, 'slack_ns': 1}})", "bad-time_ns", "not a positive number"),
        ("reply({'invalid': 'too-bog'})", "nonsense", "could not be read"),
        ("reply({'invalid': 'too-big', 'violation': -1})", "nonsense", "could not be read"),
        ("os.chdir('/'); open(os.path.join(sys.argv[1] + '.wrong'), 'w').write('{}')", "nonsense", "could not be read"),
    ],
)
def test_whatever_goes_wrong_is_a_failed_row_with_its_reason(body, name, words):
    status, found, sentence = outcome(body)
    assert (status, found) == (FAILED, name)
    assert words in sentence


def test_a_refused_design_is_invalid_with_its_reason():
    reply = "reply({'invalid': 'too-big', 'violation': 0.5, 'details': {'need': 9, 'have': size}})"
    evaluation = chip(reply)().evaluate(rows(1))
    assert evaluation.status.tolist() == [INVALID]
    assert evaluation.reason(0) == "needs 9 KiB of 2"
    assert evaluation.violation.tolist() == [0.5]
    assert outcome("reply({'invalid': 'rejected'})") == (INVALID, "rejected", "the program refuses the design")


class _Bound(ProblemSpec):
    """A specification whose simulator is there already."""

    def bind(self, workload=None):
        simulator = self.options["simulator"]
        return Problem(simulator, [parse_objective("time_ns", simulator.metrics)], [])


def test_failures_are_asked_again_and_refusals_are_not(tmp_path):
    log = tmp_path / "log"
    body = f"""
    open({str(log)!r}, "a").write(str(size) + " ")
    if size == 2:
        sys.exit(1)
    reply({{"invalid": "rejected"}}) if size == 4 else good()
    """
    session = archgym.Session(_Bound("test/Chip-v0", "default", options={"simulator": chip(body)()}))
    log.unlink()  # the baseline was run, too
    for _ in range(2):
        session.evaluate(rows(0, 1, 2))
    assert log.read_text().split() == ["1", "2", "4", "2"]


@pytest.mark.parametrize(
    "body",
    [
        "time.sleep(60)",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass",
        "os.close(1); os.close(2); time.sleep(60)",
        "while True: os.write(1, b'x' * 65536)",
    ],
)
def test_a_program_that_hangs_is_killed_at_its_time_limit(body, tmp_path):
    pid_file = tmp_path / "pid"
    start = time.monotonic()
    status, name, sentence = outcome(
        f"open({str(pid_file)!r}, 'w').write(str(os.getpid()))\n{body}", default_time_limit_s=0.4
    )
    assert (status, name) == (FAILED, "timed-out")
    assert "0.4 s" in sentence
    assert time.monotonic() - start < 10.0
    assert_ends([int(pid_file.read_text())])


def test_children_that_outlive_the_program_end_with_it(tmp_path):
    pid_file, noise = tmp_path / "pid", tmp_path / "noise"
    body = f"""
    child = os.fork()
    if child == 0:
        while True:
            open("scribble", "a").write("x")
            open({str(noise)!r}, "a").write("x")
            time.sleep(0.001)
    open({str(pid_file)!r}, "w").write(str(child))
    while not os.path.exists({str(noise)!r}):
        time.sleep(0.001)
    good()
    """
    assert outcome(body)[0] == OK
    assert_ends([int(pid_file.read_text())])


@pytest.mark.parametrize(("first", "status"), [("flood", OK), ("answer", FAILED)])
def test_of_a_flood_of_output_the_end_is_read(first, status):
    answer = "os.write(1, json.dumps({'metrics': {'time_ns': 1, 'slack_ns': 2}}).encode() + b'\\n')"
    flood = "for _ in range(64): os.write(1, b'y' * 65535 + b'\\n')"
    body = "import json, os\n" + "\n".join([flood, answer] if first == "flood" else [answer, flood])
    command = (*STRICT, body.replace("{", "{{").replace("}", "}}"))
    assert chip("", command=command, output_limit_bytes=4096)().evaluate(rows(0)).status.tolist() == [status]


def test_programs_see_no_secret_and_work_in_a_private_folder(monkeypatch, tmp_path, scratch):
    monkeypatch.setenv("API_TOKEN", "secret")
    monkeypatch.setenv("LICENCE", "server")
    seen = tmp_path / "seen"
    body = f"""
    state = dict(os.environ), os.getcwd(), os.stat(".").st_mode & 0o777
    json.dump(state, open({str(seen)!r}, "w"))
    os.makedirs("locked/inside"); os.chmod("locked", 0o500)
    good()
    """
    assert outcome(body, passed_environment=("LICENCE",), environment={"MODE": "fast"})[0] == OK
    variables, folder, mode = json.loads(seen.read_text())
    assert "API_TOKEN" not in variables
    assert (variables["LICENCE"], variables["MODE"]) == ("server", "fast")
    assert variables["HOME"] == variables["TMPDIR"] == folder
    assert Path(folder).parent == scratch
    assert mode == 0o700


def test_failed_runs_can_be_kept_for_a_closer_look(tmp_path):
    simulator = chip("print('half way'); sys.stderr.write('boom'); sys.exit(2)")(keep_failed=str(tmp_path / "kept"))
    simulator.evaluate(rows(1, 2))
    folders = sorted((tmp_path / "kept").iterdir())
    assert [folder.name for folder in folders] == ["0001-crashed", "0002-crashed"]
    assert (folders[0] / "stdout.txt").read_text() == "half way\n"
    assert (folders[0] / "stderr.txt").read_text() == "boom"
    assert '"size_kib": 2' in (folders[0] / "input.json").read_text()


@pytest.mark.parametrize(
    ("attributes", "options", "words"),
    [
        ({"command": ("no-such-program",)}, {}, ["no program 'no-such-program'", "PATH"]),
        ({"command": ("{here}/test_comand.py",)}, {}, ["no program", "did you mean 'test_command.py'"]),
        ({"command": ("/",)}, {}, ["is a directory"]),
        ({"command": ("{here}/test_command.py",)}, {}, ["not executable", "chmod +x"]),
        ({"command": ("{python}", "{size_kb}")}, {}, ["'size_kb'", "did you mean 'size_kib'"]),
        ({"command": ("{python}", "{")}, {}, ["placeholder"]),
        ({}, {"workload": "defalt"}, ["unknown workload 'defalt'", "did you mean 'default'"]),
        ({}, {"workers": 0}, ["workers", "0"]),
        ({}, {"workers": True}, ["workers"]),
        ({}, {"time_limit_s": -1}, ["time_limit_s"]),
    ],
)
def test_what_cannot_work_is_refused_when_the_simulator_is_made(attributes, options, words):
    with pytest.raises(InputError) as caught:
        chip("good()", **attributes)(**options)
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_changed_program_is_another_workload(tmp_path):
    script = tmp_path / "run.py"
    script.write_text("good()")
    make = lambda: chip("", command=(sys.executable, str(script)))()  # noqa: E731
    before = make().workload.digest
    assert make().workload.digest == before
    script.write_text("good() # better")
    assert make().workload.digest != before


CHIP_FILE = """
from archgym_simulators import DesignSpace, Integer, Metric
from archgym_simulators.external.command import CommandSimulator

class Chip(CommandSimulator):
    version = "1"
    metrics = (Metric("time_ns", "time"),)
    space = DesignSpace([Integer("size_kib", 1, 64)])
    command = ("{python}", "-I", "-S", "{here}/slow.py", "{input}", "{output}")
"""
SLOW = """
import json, os, sys, time
size = json.load(open(sys.argv[1]))["design"]["size_kib"]
child = os.fork()
if size > 1:
    open(f"PIDS/{os.getpid()}", "w").close()
    time.sleep(60)
if child == 0:
    os._exit(0)
json.dump({"metrics": {"time_ns": size}}, open(sys.argv[2], "w"))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_search_leaves_no_process_and_no_folder(number, tmp_path, scratch):
    pids = tmp_path / "pids"
    pids.mkdir()
    (tmp_path / "chip.py").write_text(CHIP_FILE)
    (tmp_path / "slow.py").write_text(SLOW.replace("PIDS", str(pids)))
    search = (
        "import sys, archgym, numpy as np\n"
        f"session = archgym.make_session({str(tmp_path / 'chip.py') + ':Chip'!r}, workers=2)\n"
        "session.evaluate(np.arange(1, 9)[:, None])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", search], env={**os.environ, "TMPDIR": str(scratch)}, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 30.0
    while len(list(pids.iterdir())) < 4 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    running = [int(file.name) for file in pids.iterdir()]
    assert len(running) == 4
    assert all(map(is_alive, running))
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == (-number if number == signal.SIGINT else 128 + number), errors.decode()
    assert_ends(running)
    assert len(list(pids.iterdir())) == 4
    assert list(scratch.iterdir()) == []
