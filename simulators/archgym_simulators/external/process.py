"""Run a program so that nothing of it remains: no process, no file, no more output than asked for."""

from __future__ import annotations

__all__ = [
    "Cancelled",
    "Finished",
    "has_ended",
    "kill_group",
    "minimal_environment",
    "private_folder",
    "run_program",
]

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import IO

_TICK_S = 0.05
_POLL_S = 0.001
_DYING_S = 0.25
_PASSED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL")


class Cancelled(Exception):
    """The caller gave up; the program has been killed."""


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Attributes:
        status: its exit status, negative for the signal that ended it; None where it was killed at the time limit.
        stdout: the last bytes of its standard output, up to the limit.
        stderr: likewise.
    """

    status: int | None
    stdout: bytes
    stderr: bytes


def run_program(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    time_limit_s: float,
    output_limit_bytes: int,
    stdin: Path | None = None,
    cancelled: Event | None = None,
) -> Finished:
    """Run a program to its end, its time limit or a cancellation, whichever comes first.

    The program leads a session of its own. When it ends, for whatever reason, everything in its process group is
    killed, so children that it left behind end with it. (A child that starts a session of its own escapes.)

    Args:
        command: program and arguments.
        folder: working directory.
        environment: all of its environment.
        time_limit_s: wall-clock seconds.
        output_limit_bytes: of standard output and of standard error; of more, the last bytes are kept.
        stdin: file to read from; nothing where None.
        cancelled: when set, the program is killed.

    Raises:
        Cancelled: ``cancelled`` was set.
        OSError: the program cannot be started.
    """
    deadline = time.monotonic() + time_limit_s
    with open(stdin or os.devnull, "rb") as source:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env=dict(environment),
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    with process:
        tails = (_Tail(process.stdout, output_limit_bytes), _Tail(process.stderr, output_limit_bytes))
        try:
            in_time = _wait(process, tails, deadline, cancelled or Event())
        finally:
            kill_group(process)
        _drain(tails)
    return Finished(process.returncode if in_time else None, tails[0].text(), tails[1].text())


def minimal_environment(folder: Path, extra: Mapping[str, str], passed: Sequence[str] = ()) -> dict[str, str]:
    """What a program may see of our environment: where programs and libraries are, the language, and what is named.

    Args:
        folder: becomes HOME and TMPDIR, so that what a program leaves there goes with the folder.
        extra: further variables.
        passed: names of further variables to pass on where they are set.
    """
    known = {name: os.environ[name] for name in (*_PASSED, *passed) if name in os.environ}
    return {"PATH": os.defpath, **known, "HOME": str(folder), "TMPDIR": str(folder), **extra}


@contextmanager
def private_folder() -> Iterator[Path]:
    """A new folder that nobody else can read, removed at the end with all that is in it."""
    with tempfile.TemporaryDirectory(prefix="archgym-", ignore_cleanup_errors=True) as name:
        # Resolved, since programs compare paths and the temporary directory may be a link.
        yield Path(name).resolve()


class _Tail:
    """The last bytes of a pipe."""

    def __init__(self, pipe: IO[bytes] | None, limit: int) -> None:
        assert pipe is not None  # Popen was asked for pipes
        self.pipe = pipe
        self._limit = limit
        self._chunks: list[bytes] = []
        self._size = 0
        self.ended = False
        os.set_blocking(pipe.fileno(), False)

    def read(self) -> bool:
        """Take what there is; whether there was anything."""
        try:
            chunk = os.read(self.pipe.fileno(), 1 << 16)
        except BlockingIOError:
            return False
        self.ended = not chunk
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._size > 2 * self._limit:
            self._chunks = [self.text()]
            self._size = len(self._chunks[0])
        return bool(chunk)

    def text(self) -> bytes:
        return b"".join(self._chunks)[-self._limit :]


def _wait(process: subprocess.Popen[bytes], tails: Sequence[_Tail], deadline: float, cancelled: Event) -> bool:
    """Read until the program has ended (True) or the time is up (False)."""
    with selectors.DefaultSelector() as selector:
        for tail in tails:
            selector.register(tail.pipe, selectors.EVENT_READ, tail)
        # Output may stay open in children that outlive the program, or be closed by a program that goes on: so its end
        # is asked for, not inferred.
        while not has_ended(process):
            left = deadline - time.monotonic()
            if cancelled.is_set():
                raise Cancelled
            if left <= 0.0:
                return False
            if not selector.get_map():
                time.sleep(min(_POLL_S, left))
                continue
            for key, _ in selector.select(min(_TICK_S, left)):
                key.data.read()
                if key.data.ended:
                    selector.unregister(key.fileobj)
    return True


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether a program has ended; it is not reaped, so that its process group keeps its number."""
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        return process.poll() is not None
    # Not reaped: while the process is a zombie, its group's number cannot be given to somebody else.
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the program and its children, and wait until they are gone, so that none writes to a removed folder."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    give_up = time.monotonic() + _DYING_S
    with suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < give_up:
            os.killpg(process.pid, 0)
            time.sleep(0.001)


def _drain(tails: Sequence[_Tail]) -> None:
    for tail in tails:
        while not tail.ended and tail.read():
            pass
