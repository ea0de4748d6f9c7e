"""An external program as an agent, by its name ``exec:PROGRAM``: JSON lines out, JSON lines in.

The protocol is described in ``docs/external-agents.md``, its messages are made in `archgym.external_agent_protocol`.
"""

from __future__ import annotations

__all__ = ["PREFIX", "ExternalAgent", "ExternalConfig", "external_agent", "program_digest"]

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from archgym.agent import Agent, AgentFailed, Settings, setting
from archgym.external_agent_program import Program, ProgramFailed
from archgym.external_agent_protocol import (
    Refused,
    end_message,
    evaluations_message,
    proposed_rows,
    start_message,
)
from archgym.session import Session, SessionOver
from archgym_simulators import DesignSpace, InputError
from archgym_simulators.external.process import minimal_environment, private_folder
from archgym_simulators.external.programs import content_digest, program_path
from archgym_simulators.space import Rows

PREFIX = "exec:"
# A Python program then needs no flush, and repeats itself where it iterates over a set.
_PYTHON = {"PYTHONUNBUFFERED": "1", "PYTHONHASHSEED": "0"}


@dataclass(frozen=True)
class ExternalConfig(Settings):
    """Settings of an external program."""

    timeout_s: float = setting(60.0, "wall-clock seconds that an answer may take", low=0.01, high=86_400.0)
    refusals: int = setting(3, "answers in a row that may be wrong before the run ends", low=0)
    pass_env: str = setting("", "names of environment variables that it sees besides PATH and the like, by commas")


class ExternalAgent(Agent):
    """Lets a program propose designs; subclasses are made by `external_agent`."""

    COMMAND: ClassVar[tuple[str, ...]] = ()
    NAME: ClassVar[str] = PREFIX
    Config = ExternalConfig

    def __init__(self, config: ExternalConfig, seed: int) -> None:
        self._config = config
        self._seed = seed
        self._passed = _passed_variables(config.pass_env)

    @classmethod
    def create(
        cls,
        space: DesignSpace,
        config: Any,
        rng: np.random.Generator,
        *,
        budget: int,
        n_objectives: int = 1,
    ) -> Self:
        """Draw the program's seed; it is started when the search is.

        Raises:
            InputError: a variable of ``pass_env`` is not set.
        """
        return cls(config, int(rng.integers(2**31)))

    def run(self, session: Session) -> None:
        """Start the program and answer it until the session is over or it is finished; then end it.

        Raises:
            AgentFailed: it gave no proper answer.
        """
        try:
            with self._started() as program:
                self._converse(session, program)
                program.close(end_message(session))
        except ProgramFailed as failure:
            raise AgentFailed(f"agent {self.NAME!r} {failure}") from None

    def _converse(self, session: Session, program: Program) -> None:
        message = start_message(session, self._seed)
        try:
            while session.stop_reason is None:
                rows = self._answer(program, message, session.space)
                if not len(rows):
                    session.stop("agent")
                    return
                scored = session.evaluate(rows)
                message = evaluations_message(session.problem(), scored, session.remaining)
        except SessionOver:
            return

    def _answer(self, program: Program, message: dict[str, Any], space: DesignSpace) -> Rows:
        """Rows (N, D) of the program's next answer; a wrong one is sent back, but not for ever."""
        for refused in range(self._config.refusals + 1):
            try:
                return proposed_rows(program.ask(message), space)
            except Refused as error:
                reason = str(error)
                message = {"type": "refused", "message": reason, "tries_left": self._config.refusals - refused}
        raise ProgramFailed(f"gave {self._config.refusals + 1} wrong answers in a row, the last: {reason}")

    @contextmanager
    def _started(self) -> Iterator[Program]:
        with private_folder() as folder:
            environment = minimal_environment(folder, {**_PYTHON, **self._passed})
            try:
                program = Program(self.COMMAND, environment, self._config.timeout_s)
            except OSError as error:
                raise ProgramFailed(f"cannot be started: {error.strerror}") from None
            try:
                yield program
            finally:
                program.close()


@cache
def external_agent(name: str) -> type[ExternalAgent]:
    """The agent behind ``exec:PROGRAM``, where PROGRAM is a command line as a shell splits it.

    Raises:
        InputError: nothing after the colon, no such program, or one that is not executable.
    """
    words = _words(name)
    command = (program_path(words[0], f"agent {name!r}"), *words[1:])
    return type("Program", (ExternalAgent,), {"COMMAND": command, "NAME": name, "__doc__": ExternalAgent.__doc__})


def program_digest(name: str) -> str:
    """Content hash of the program, where it is given by path, and of its first argument that names a file: a script."""
    program, *arguments = (Path(word).expanduser() for word in _words(name))
    scripts = [file for file in arguments if os.path.isfile(file)]
    return content_digest([file for file in (program, *scripts[:1]) if os.path.isfile(file)])


def _words(name: str) -> list[str]:
    try:
        words = shlex.split(name.removeprefix(PREFIX))
    except ValueError as error:
        raise InputError(f"agent {name!r} is no command line: {error}") from None
    if not words:
        raise InputError(f"agent {name!r} names no program; write {PREFIX}./program, or '{PREFIX}python program.py'")
    return words


def _passed_variables(names: str) -> dict[str, str]:
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    missing = [name for name in wanted if name not in os.environ]
    if missing:
        raise InputError(f"pass_env names {missing[0]!r}, which is not set in the environment")
    return {name: os.environ[name] for name in wanted}
