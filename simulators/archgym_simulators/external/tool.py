"""What every external program has in common: a private folder a call, limits, failures that are rows, workers."""

from __future__ import annotations

__all__ = ["Call", "ExternalTool"]

import math
import shutil
import signal
import threading
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np

from archgym_simulators.constraints import Reason
from archgym_simulators.errors import InputError, SimulationFailed
from archgym_simulators.evaluation import FAILED, INVALID, OK, Evaluation
from archgym_simulators.external.answers import FAILURES, REJECTED, Refusal, ToolFailure, metric_failures, metric_value
from archgym_simulators.external.process import Finished, minimal_environment, private_folder, run_program
from archgym_simulators.simulator import Simulator
from archgym_simulators.space import Design, Rows

_ANSWER_ERRORS = (SimulationFailed, ValueError, LookupError, TypeError, ArithmeticError, OSError, RecursionError)


@dataclass(frozen=True)
class Call:
    """One run of a program.

    Attributes:
        command: program and arguments.
        stdin: file for its standard input; none where None.
    """

    command: tuple[str, ...]
    stdin: Path | None = None


@dataclass(frozen=True)
class _Outcome:
    status: int
    values: tuple[float, ...] = ()
    reason: str = ""
    numbers: tuple[float, ...] = ()
    violation: float = 0.0


class ExternalTool(Simulator):
    """A program that is started once a design.

    A call gets a private temporary folder, which is removed afterwards, a minimal environment, and a time limit. A
    crash, a time-out, or an answer that lacks a metric, has it in another unit, not finite, or not positive where the
    metric is compared by ratio, makes the design ``failed``: charged, never cached, and asked again next time. When
    the search is interrupted (Ctrl-C, SIGTERM) all running programs are killed and their folders removed.

    Subclasses declare ``metrics``, ``version`` and ``refusals``, and implement `call` and `answer`.

    Args:
        workers: programs that run at the same time.
        time_limit_s: wall-clock seconds of one run; the class's own where 0.
        keep_failed: folder that receives the files and the output of each failed run, for a closer look; none where "".
    """

    refusals: ClassVar[tuple[Reason, ...]] = ()
    """Reasons for which the program may call a design invalid."""
    default_time_limit_s: ClassVar[float] = 3600.0
    output_limit_bytes: ClassVar[int] = 1 << 20
    """Of standard output, standard error and an answer file each; of longer output the end is kept."""
    environment: ClassVar[Mapping[str, str]] = {}
    """Variables that the program needs besides PATH, library paths and language."""
    passed_environment: ClassVar[tuple[str, ...]] = ()
    """Names of variables to pass on from our own environment."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if hasattr(cls, "metrics"):
            cls.reasons = (*FAILURES, *metric_failures(cls.metrics), REJECTED, *cls.refusals)

    def __init__(self, *, workers: int = 1, time_limit_s: float = 0.0, keep_failed: str = "") -> None:
        if type(workers) is not int or workers < 1:
            raise InputError(f"option workers must be a whole number of at least 1, not {workers!r}")
        if not time_limit_s >= 0.0:
            raise InputError(
                f"option time_limit_s must be a number of seconds, or 0 for the default, not {time_limit_s}"
            )
        self.workers = workers
        self.time_limit_s = float(time_limit_s) or self.default_time_limit_s
        self.rows_per_record = workers
        self._keep_failed = _made_folder(keep_failed) if keep_failed else None
        self._lock = threading.Lock()

    @abstractmethod
    def call(self, design: Design, folder: Path) -> Call:
        """Write the program's files into its private folder and say how to start it there."""

    @abstractmethod
    def answer(self, finished: Finished, folder: Path) -> Mapping[str, float] | Refusal:
        """Metrics by name from a run that ended with exit status 0; more names than the metrics do no harm.

        Raises:
            SimulationFailed: the answer cannot be read; other errors of parsing count as that, too.
        """

    def simulate(self, rows: Rows) -> Evaluation:
        outcomes = self._run_all([self.space.decode_row(row) for row in rows])
        names = [reason.name for reason in self.reasons]
        width = max(len(reason.details) for reason in self.reasons)
        values = np.full((len(rows), len(self.metrics)), np.nan)
        numbers = np.zeros((len(rows), width))
        for n, outcome in enumerate(outcomes):
            values[n] = outcome.values or np.nan
            numbers[n, : len(outcome.numbers)] = outcome.numbers
        status = np.array([outcome.status for outcome in outcomes], dtype=np.int8)
        return Evaluation.of(
            values,
            reasons=self.reasons,
            reason_code=np.array([names.index(o.reason) if o.status != OK else -1 for o in outcomes], dtype=np.int16),
            violation=np.array([outcome.violation for outcome in outcomes], dtype=np.float64),
            reason_detail=numbers,
            failed=status == FAILED,
        )

    def _run_all(self, designs: Sequence[Design]) -> list[_Outcome]:
        """Outcomes in the order of the designs, whatever the number of workers.

        Runs happen in threads, also a single one, since an interrupt reaches the main thread only: there it can never
        hit the moment between a program's start and its registration.
        """
        if not designs:
            return []
        cancelled = threading.Event()
        with _terminated_as_exit(), ThreadPoolExecutor(min(self.workers, len(designs)), "archgym-tool") as pool:
            futures = [pool.submit(self._outcome, design, cancelled) for design in designs]
            try:
                return [future.result() for future in futures]
            except BaseException:
                cancelled.set()
                for future in futures:
                    future.cancel()
                raise

    def _outcome(self, design: Design, cancelled: threading.Event) -> _Outcome:
        with private_folder() as folder:
            finished = None
            try:
                call = self.call(design, folder)
                finished = self._run(call, folder, cancelled)
                answer = self._answer(finished, folder)
                if isinstance(answer, Refusal):
                    return self._refused(answer)
                return _Outcome(OK, tuple(metric_value(metric, answer) for metric in self.metrics))
            except ToolFailure as failure:
                self._keep(folder, finished, failure)
                return _Outcome(FAILED, reason=failure.reason, numbers=failure.numbers)

    def _run(self, call: Call, folder: Path, cancelled: threading.Event) -> Finished:
        try:
            finished = run_program(
                call.command,
                folder=folder,
                environment=minimal_environment(folder, self.environment, self.passed_environment),
                time_limit_s=self.time_limit_s,
                output_limit_bytes=self.output_limit_bytes,
                stdin=call.stdin,
                cancelled=cancelled,
            )
        except OSError as error:
            raise ToolFailure("not-started", error.errno or 0, note=str(error)) from error
        return finished

    def _answer(self, finished: Finished, folder: Path) -> Mapping[str, float] | Refusal:
        if finished.status is None:
            raise ToolFailure("timed-out", self.time_limit_s)
        if finished.status < 0:
            raise ToolFailure("killed", -finished.status)
        if finished.status > 0:
            raise ToolFailure("crashed", finished.status)
        try:
            return self.answer(finished, folder)
        except ToolFailure:
            raise
        except _ANSWER_ERRORS as error:
            raise ToolFailure("nonsense", note=str(error)) from error

    def _refused(self, refusal: Refusal) -> _Outcome:
        known = {reason.name: reason for reason in (REJECTED, *self.refusals)}
        if refusal.reason not in known or not (math.isfinite(refusal.violation) and refusal.violation >= 0.0):
            raise ToolFailure("nonsense", note=f"unknown refusal {refusal}")
        numbers = tuple(float(refusal.details.get(name, math.nan)) for name in known[refusal.reason].details)
        return _Outcome(INVALID, (), refusal.reason, numbers, refusal.violation)

    def _keep(self, folder: Path, finished: Finished | None, failure: ToolFailure) -> None:
        if self._keep_failed is None:
            return
        with self._lock:
            names = (self._keep_failed / f"{number:04d}-{failure.reason}" for number in count(1))
            target = next(name for name in names if not name.exists())
            target.mkdir(parents=True)
        with suppress(OSError, shutil.Error):  # a program may leave what cannot be read
            shutil.copytree(folder, target, dirs_exist_ok=True, symlinks=True, ignore_dangling_symlinks=True)
        (target / "failure.txt").write_text(f"{failure}\n")
        if finished is not None:
            (target / "stdout.txt").write_bytes(finished.stdout)
            (target / "stderr.txt").write_bytes(finished.stderr)


def _made_folder(path: str) -> Path:
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"option keep_failed: cannot make {path!r}: {error.strerror}") from error
    return Path(path).resolve()


@contextmanager
def _terminated_as_exit() -> Iterator[None]:
    """Turn SIGTERM into SystemExit meanwhile, so that programs are killed and folders removed on the way out.

    Only where nobody else has claimed the signal, and only in the main thread: others cannot receive it.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _exit(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)
