"""Yosys, as a program or as the Python package pyosys, run in a private folder with a time limit.

YoWASP's Yosys is not used: its ABC does not report delays.
"""

from __future__ import annotations

__all__ = ["Yosys", "find_yosys"]

import importlib.util
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from archgym_simulators.errors import MissingExtra, SimulationFailed
from archgym_simulators.external.process import Finished, minimal_environment, private_folder, run_program
from archgym_simulators.external.programs import program_path

_OUTPUT_BYTES = 1 << 20
_VERSION_LIMIT_S = 60.0
_PYOSYS = """\
import sys
from pyosys import libyosys
libyosys.log_error_stderr = True
libyosys.run_pass("script script.ys", libyosys.Design())
"""
_VERSION = re.compile(r"Yosys (\d+\.\S+)")


@dataclass(frozen=True)
class Yosys:
    """A Yosys that can be run.

    Attributes:
        command: what runs ``script.ys`` of the working folder.
        version: as it says itself.
    """

    command: tuple[str, ...]
    version: str

    def run(
        self, script: str, files: Mapping[str, str], wanted: Sequence[str], *, time_limit_s: float
    ) -> dict[str, str]:
        """Run a script on files, and give back the texts of files that it wrote.

        Args:
            script: Yosys commands, one a line.
            files: texts by name, put beside the script.
            wanted: names of files that the script writes.
            time_limit_s: wall-clock seconds, after which it is killed with its children.

        Raises:
            SimulationFailed: an error of Yosys, no result in time, or a file that was not written.
        """
        with private_folder() as folder:
            for name, text in {**files, "script.ys": script}.items():
                (folder / name).write_text(text)
            finished = _run(self.command, folder, time_limit_s)
            if finished.status is None:
                raise SimulationFailed(f"yosys: no result within {time_limit_s:g} s; killed")
            missing = [name for name in wanted if not (folder / name).is_file()]
            if finished.status != 0 or missing:
                raise SimulationFailed(f"yosys: {_complaint(finished)}")
            return {name: (folder / name).read_text() for name in wanted}


def find_yosys(program: str | None = None) -> Yosys:
    """The Yosys of that name or path; without one, the package pyosys, else ``yosys`` on PATH.

    Raises:
        InputError: the program that was named is not there.
        MissingExtra: none was named and none is there.
        SimulationFailed: it does not run.
    """
    if program is not None:
        return _started((program_path(program, "yosys"), "-Q", "-T", "-s", "script.ys"))
    if importlib.util.find_spec("pyosys") is not None:
        return _started((sys.executable, "-c", _PYOSYS))
    found = shutil.which("yosys")
    if found is not None:
        return _started((str(Path(found).absolute()), "-Q", "-T", "-s", "script.ys"))
    raise MissingExtra("yosys is not installed; run: pip install 'archgym[synthesis]', or install yosys on PATH")


@lru_cache(maxsize=8)
def _started(command: tuple[str, ...]) -> Yosys:
    with private_folder() as folder:
        (folder / "script.ys").write_text("write_json version.txt\n")
        finished = _run(command, folder, _VERSION_LIMIT_S)
        written = folder / "version.txt"
        text = written.read_text() if written.is_file() else ""
    match = _VERSION.search(text)
    if match is None:
        reason = "no answer" if finished.status is None else _complaint(finished)
        raise SimulationFailed(f"yosys: {command[0]} does not run: {reason}")
    return Yosys(command, match.group(1))


def _run(command: Sequence[str], folder: Path, time_limit_s: float) -> Finished:
    environment = minimal_environment(folder, {}, ("PYTHONPATH",))
    return run_program(
        command, folder=folder, environment=environment, time_limit_s=time_limit_s, output_limit_bytes=_OUTPUT_BYTES
    )


def _complaint(finished: Finished) -> str:
    """The line with the error, or else the last one."""
    lines = (finished.stdout + b"\n" + finished.stderr).decode(errors="replace").splitlines()
    said = [line.strip() for line in lines if line.strip()]
    errors = [line for line in said if "ERROR" in line]
    last = errors[-1:] or said[-1:] or [f"exit status {finished.status}"]
    return last[0][:300]
