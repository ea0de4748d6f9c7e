"""Dispatch, exit statuses, and errors of one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import archgym
import archgym.cli.list
from archgym.cli.main import COMMANDS, main


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_every_command(cli, arguments):
    outcome = cli(*arguments)
    assert outcome.status == 0
    for command in COMMANDS:
        assert f"\n  {command} " in outcome.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(cli, command):
    outcome = cli(command, "--help")
    assert outcome.status == 0
    assert f"usage: archgym {command}" in outcome.out
    assert "examples:" in outcome.out


def test_version(cli):
    assert cli("--version").out == f"archgym {archgym.__version__}\n"


def test_unknown_command_names_the_nearest_and_all(cli):
    outcome = cli("serch")
    outcome.assert_is_one_line_error("'serch'", "did you mean 'search'?", *COMMANDS)


def test_unknown_option_before_the_command(cli):
    cli("--json", "list").assert_is_one_line_error("unknown option '--json'")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["search", "x", "--budgt", "3"], ["'--budgt'", "did you mean '--budget'?"]),
        (["search", "x", "--bud", "3"], ["unknown option '--bud'"]),
        (["describe", "--jsn=1", "x"], ["'--jsn'", "did you mean '--json'?"]),
        (["describe", "x", "y"], ["unexpected argument 'y'"]),
        (["describe"], ["describe needs ENV_ID"]),
        (["search", "x"], ["--agent", "--seed", "--out"]),
        (["list", "agent"], ["'agent'", "did you mean 'agents'?", "workloads"]),
        (["describe", "x", "--workload"], ["--workload expected one argument"]),
    ],
)
def test_wrong_arguments_are_one_line_each(cli, arguments, parts):
    cli(*arguments).assert_is_one_line_error(*parts)


def test_python_m_archgym_and_its_errors(process):
    assert process("--version").out == f"archgym {archgym.__version__}\n"
    process("lst").assert_is_one_line_error("did you mean 'list'?")


def test_only_the_chosen_command_is_imported(tmp_path):
    code = (
        "import sys; from archgym.cli.main import main; assert main(['list', '--json']) == 0; "
        "heavy = {'pandas', 'pyarrow', 'matplotlib', 'torch', 'numba', 'archgym.cli.search', 'archgym.api'}; "
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stderr == "[]\n"


def test_a_reader_that_goes_away_is_silent():
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "archgym", "list"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_behind_stdout_is_one_line():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "archgym", "list"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == f"archgym: {os.strerror(28)}; free some space\n"


def test_a_crash_of_foreign_code_is_one_line_with_its_place(process, tmp_path):
    (tmp_path / "chip.py").write_text(
        "from archgym.testing.toys import Bowl\nclass Chip(Bowl):\n    def simulate(self, rows):\n        1 / 0\n"
    )
    outcome = process("describe", "chip.py:Chip", cwd=tmp_path)
    assert outcome.status == 1
    assert outcome.err.startswith("archgym: ZeroDivisionError in chip.py:4: ")
    assert outcome.err.count("\n") == 1


def test_a_traceback_on_request(process, tmp_path):
    (tmp_path / "chip.py").write_text("from archgym.testing.toys import Bowl\nclass Chip(Bowl):\n    simulate = None\n")
    environment = {**os.environ, "ARCHGYM_TRACEBACK": "1"}
    assert "Traceback" in process("describe", "chip.py:Chip", cwd=tmp_path, env=environment).err


def test_an_interrupt_is_status_130(monkeypatch, capsys):
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(archgym.cli.list, "run", interrupt)
    assert main(["list"]) == 130
    assert capsys.readouterr().err == "archgym: interrupted\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (PermissionError(13, "", "/locked/x"), "archgym: '/locked/x': Permission denied"),
        (OSError("wrote 3 of 9 bytes"), "archgym: wrote 3 of 9 bytes"),
        (MemoryError(), "archgym: not enough memory"),
    ],
)
def test_errors_of_the_machine_are_one_line(monkeypatch, capsys, error, line):
    def fail(arguments):
        raise error

    monkeypatch.setattr(archgym.cli.list, "run", fail)
    assert main(["list"]) == 2
    assert capsys.readouterr().err == f"{line}\n"


def test_output_that_the_terminal_cannot_spell_is_escaped(process, tmp_path):
    (tmp_path / "chip.py").write_text(
        "from archgym.testing.toys import OneDesign\nfrom archgym_simulators import Categorical, DesignSpace\n"
        "class Chip(OneDesign):\n    def make_space(self):\n"
        "        return DesignSpace([Categorical('only', ['caf\\u00e9'])])\n"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    outcome = process("describe", "chip.py:Chip", cwd=tmp_path, env=environment)
    assert (outcome.status, outcome.err) == (0, "")
    assert "caf\\xe9" in outcome.out
