"""A program that is spoken to line by line, and of which nothing is trusted: not its time, its output or its end."""

from __future__ import annotations

__all__ = ["Program", "ProgramFailed"]

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, NoReturn

from archgym_simulators.external.process import has_ended, kill_group

LONGEST_ANSWER_BYTES = 1 << 22
_CHUNK = 1 << 16
_LAST_WORDS_BYTES = 1 << 12
_SHOWN = 120
_TICK_S = 0.05
_GRACE_S = 1.0


class ProgramFailed(Exception):
    """What the program did wrong, as the end of a sentence that begins with its name."""


class Program:
    """A running program with three pipes. It leads a process group, which is killed with it.

    Args:
        command: program and arguments.
        environment: all of its environment.
        timeout_s: wall-clock seconds for one answer.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._heard = bytearray()
        self._last_words = b""
        self._is_over = False
        self._process = subprocess.Popen(
            list(command),
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._selector = selectors.DefaultSelector()
        self._stdin, self._stdout, self._stderr = map(
            _pipe, (self._process.stdin, self._process.stdout, self._process.stderr)
        )
        self._selector.register(self._stdout, selectors.EVENT_READ)
        self._selector.register(self._stderr, selectors.EVENT_READ)

    def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Send a message and wait for the answer, a JSON object on a line of its own.

        Raises:
            ProgramFailed: no answer in time, something else than an answer, too much of it, or the program's end.
        """
        line = self._exchange(_encoded(message), time.monotonic() + self._timeout_s)
        try:
            answer = json.loads(line.decode(), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise ProgramFailed(f"answered {_shown(line)}, which is no JSON") from None
        if not isinstance(answer, dict):
            raise ProgramFailed(f"answered {_shown(line)}, which is no JSON object")
        return answer

    def close(self, farewell: Mapping[str, Any] | None = None) -> None:
        """Say the last word, let the program end by itself for a second, and kill it with all its children."""
        try:
            if farewell is not None and not self._is_over:
                self._say_goodbye(_encoded(farewell))
        finally:
            self._kill()
            self._selector.close()
            with suppress(OSError):
                self._process.__exit__(None, None, None)

    # ---- pipes ---------------------------------------------------------------------------------------------------

    def _exchange(self, outgoing: bytes, deadline: float) -> bytes:
        """Write everything and read one line, both at once, since a program may do either first."""
        unsent = memoryview(outgoing)
        self._selector.register(self._stdin, selectors.EVENT_WRITE)
        try:
            while unsent or (line := self._next_line()) is None:
                left = deadline - time.monotonic()
                if left <= 0.0:
                    raise ProgramFailed(f"gave no answer within {self._timeout_s:g} s")
                for key, _ in self._selector.select(left):
                    if key.fileobj is self._stdin:
                        unsent = unsent[self._send(unsent) :]
                    else:
                        self._read(key.fileobj)
                if not unsent and self._is_watched(self._stdin):
                    self._selector.unregister(self._stdin)
            return line
        finally:
            if self._is_watched(self._stdin):
                self._selector.unregister(self._stdin)

    def _next_line(self) -> bytes | None:
        """The next line that is not blank, out of what was heard."""
        while (end := self._heard.find(b"\n")) >= 0:
            line = bytes(self._heard[:end]).strip()
            del self._heard[: end + 1]
            if line:
                return line
        return None

    def _send(self, unsent: memoryview) -> int:
        try:
            return os.write(self._stdin.fileno(), unsent[:_CHUNK])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            self._end("closed its input")

    def _read(self, pipe: Any) -> None:
        chunk = _read_some(pipe)
        if chunk is None:
            return
        if pipe is self._stderr:
            self._last_words = (self._last_words + chunk)[-_LAST_WORDS_BYTES:]
            if not chunk:
                self._selector.unregister(pipe)
            return
        if not chunk:
            self._end("closed its output")
        self._heard += chunk
        if len(self._heard) > LONGEST_ANSWER_BYTES:
            raise ProgramFailed(f"wrote more than {LONGEST_ANSWER_BYTES >> 20} MiB where one answer was wanted")

    def _is_watched(self, pipe: IO[bytes]) -> bool:
        return pipe in self._selector.get_map()

    # ---- ends ----------------------------------------------------------------------------------------------------

    def _end(self, what: str) -> NoReturn:
        """Say how the program ended, or that it did not."""
        give_up = time.monotonic() + _GRACE_S
        while not has_ended(self._process) and time.monotonic() < give_up:
            time.sleep(0.001)
        while chunk := _read_some(self._stderr):
            self._last_words = (self._last_words + chunk)[-_LAST_WORDS_BYTES:]
        if has_ended(self._process):
            self._kill()
            what = _exit(self._process.returncode)
        lines = self._last_words.strip().splitlines()
        raise ProgramFailed(what + (f": {_shown(lines[-1])}" if lines else ""))

    def _kill(self) -> None:
        """Once only: afterwards the program is reaped, and its group's number may be somebody else's."""
        if not self._is_over:
            self._is_over = True
            kill_group(self._process)

    def _say_goodbye(self, farewell: bytes) -> None:
        """Send what the pipe takes, close it, and wait, reading on, so that a full pipe keeps nobody from ending."""
        with suppress(OSError):
            os.write(self._stdin.fileno(), farewell)
        with suppress(OSError):
            self._stdin.close()
        give_up = time.monotonic() + _GRACE_S
        while not has_ended(self._process) and time.monotonic() < give_up:
            for key, _ in self._selector.select(_TICK_S) if self._selector.get_map() else ():
                if _read_some(key.fileobj) == b"":
                    self._selector.unregister(key.fileobj)
            time.sleep(0.0005)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # Popen was asked for pipes
    os.set_blocking(pipe.fileno(), False)
    return pipe


def _read_some(pipe: Any) -> bytes | None:
    """What there is; b"" at the end, None where there is nothing yet."""
    try:
        return os.read(pipe.fileno(), _CHUNK)
    except BlockingIOError:
        return None


def _encoded(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, allow_nan=False).encode() + b"\n"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _exit(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def _shown(line: bytes) -> str:
    text = line[:_SHOWN].decode(errors="replace")
    return repr(text) + ("..." if len(line) > _SHOWN else "")
