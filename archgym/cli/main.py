"""Entry point: finds the command, imports its module only, and turns every error into one line."""

from __future__ import annotations

__all__ = ["COMMANDS", "main"]

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from archgym_simulators import ArchgymError, InputError
from archgym_simulators.nearest import did_you_mean

COMMANDS = {
    "demo": "three agents search the DRAM controller: start here",
    "list": "environments, agents, tasks; an environment's workloads or objectives",
    "describe": "an environment's parameters, metrics, objectives, options, baseline",
    "evaluate": "simulate the designs of a CSV or Parquet file",
    "search": "search an environment with an agent, recorded and resumable",
    "study": "tasks, agents, settings and seeds, crossed; in workers or on a cluster",
    "report": "what a study or a search found: a page, pictures or tables",
    "optimum": "the certified best design of a problem, stored or found by enumeration",
    "audit": "what a task is worth: what random search reaches, what matters, what ties",
    "data": "published benchmarks that you have: import them, list them",
    "dataset": "searches as a dataset: collect, info, merge, split, export",
    "proxy": "cost models learned from datasets: fit, score, evaluate, search and verify",
    "verify": "simulate a run directory's designs again and compare",
    "doctor": "what is installed, what is missing, what works",
}

INPUT_ERROR, CRASH, INTERRUPTED, PIPE_CLOSED = 2, 1, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Every error is one line on stderr, never a traceback (``ARCHGYM_TRACEBACK=1`` shows it).

    Args:
        argv: the arguments; those of the process where None.

    Returns:
        Exit status: 0; 1 where a check found something wrong or a plug-in crashed; 2 for wrong input or an unusable
        file; 130 interrupted; 141 where the reader of the output has gone.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    _tolerate_any_encoding()
    try:
        status = _dispatch(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except SystemExit as end:  # argparse, after --help
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt as stop:
        return _complain(str(stop) or "interrupted", INTERRUPTED)
    except BrokenPipeError:
        _forget_output()
        return PIPE_CLOSED
    except Exception as error:
        if os.environ.get("ARCHGYM_TRACEBACK"):
            raise
        _forget_output()
        return _complain(*_explain(error))
    return status


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())
        return 0
    if arguments[0] == "--version":
        import archgym

        print(f"archgym {archgym.__version__}")
        return 0
    name = arguments[0]
    if name not in COMMANDS:
        what, allowed = ("option", ["--help", "--version"]) if name.startswith("-") else ("command", list(COMMANDS))
        raise InputError(f"unknown {what} {name!r}{did_you_mean(name, allowed)}; allowed: {', '.join(allowed)}")
    command = importlib.import_module(f"archgym.cli.{name}")
    return int(command.run(command.parser().parse(arguments[1:])))


def _help() -> str:
    lines = [f"  {name:<10}{text}" for name, text in COMMANDS.items()]
    head = "usage: archgym COMMAND ...\n\nDesign-space exploration of computer architectures.\n"
    return "\n".join([head, *lines, "", "archgym COMMAND --help explains a command; archgym --version."])


def _explain(error: Exception) -> tuple[str, int]:
    if isinstance(error, ArchgymError):
        return str(error), INPUT_ERROR
    if isinstance(error, OSError):
        return _explain_file_error(error), INPUT_ERROR
    if isinstance(error, MemoryError):
        return "not enough memory", INPUT_ERROR
    place, trace = "", error.__traceback__
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} in {place}: {error}; ARCHGYM_TRACEBACK=1 shows where from", CRASH


def _explain_file_error(error: OSError) -> str:
    if error.errno is None:
        return str(error)
    where = f"{os.fspath(error.filename)!r}: " if isinstance(error.filename, str | os.PathLike) else ""
    hint = "; free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
    return f"{where}{error.strerror or os.strerror(error.errno)}{hint}"


def _complain(message: str, status: int) -> int:
    if sys.stderr is not None:
        print(f"archgym: {' '.join(message.split())}", file=sys.stderr)
    return status


def _tolerate_any_encoding() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _forget_output() -> None:
    # What is still buffered can no longer be written; without this the interpreter tries, and complains, at exit.
    try:
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
