"""Cells on this machine: one after the other, or in worker processes, any of which may die."""

from __future__ import annotations

__all__ = ["run_in_pool", "run_serially"]

import multiprocessing
import os
import signal
import threading
import traceback
from collections import Counter, deque
from collections.abc import Generator, Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path

from archgym.studies.plan import Cell, StudyPlan
from archgym.studies.runner import CellRunner, Finished, failed_record
from archgym_simulators import ArchgymError

MOST_ATTEMPTS = 3
"""Workers that may die of a cell before it counts as failed; a worker may also be killed for other reasons."""


def run_serially(plan: StudyPlan, open_runs: Path, cells: Iterator[Cell]) -> Generator[Finished, None, None]:
    """Run cells in this process."""
    runner = CellRunner(plan, open_runs)
    for cell in cells:
        yield runner.run(cell)


def run_in_pool(
    plan: StudyPlan, open_runs: Path, cells: Iterator[Cell], workers: int
) -> Generator[Finished, None, None]:
    """Run cells in worker processes, in whatever order they end.

    A worker that dies (killed, out of memory, a crash of compiled code) is replaced, and its cell run again. Workers
    end with the process that started them.
    """
    again: deque[Cell] = deque()
    deaths: Counter[str] = Counter()
    team = [_Worker(plan, open_runs) for _ in range(workers)]
    try:
        for worker in team:
            worker.give(_next(again, cells))
        while busy := {worker.connection: worker for worker in team if worker.cell is not None}:
            for connection in wait(list(busy)):
                worker = busy[connection]  # type: ignore[index]
                finished, cell = worker.take(), worker.cell
                if finished is None and cell is not None:
                    team[team.index(worker)] = worker = worker.replaced()
                    deaths[cell.run_id] += 1
                    if deaths[cell.run_id] < MOST_ATTEMPTS:
                        again.append(cell)
                    else:
                        finished = lost(plan, cell, f"{MOST_ATTEMPTS} worker processes died of this run")
                if finished is not None:
                    yield finished
                worker.give(_next(again, cells))
    finally:
        for worker in team:
            worker.end()


def lost(plan: StudyPlan, cell: Cell, error: str) -> Finished:
    """A cell that no worker could finish."""
    return Finished(cell, "failed", 0, failed_record(plan, cell, error).to_bytes())


def portable(error: Exception) -> Exception:
    """An error as it can be sent to another process."""
    if isinstance(error, ArchgymError | OSError):
        return error
    return RuntimeError("".join(traceback.format_exception(error)))


def _next(again: deque[Cell], cells: Iterator[Cell]) -> Cell | None:
    return again.popleft() if again else next(cells, None)


class _Worker:
    """A process that runs one cell at a time."""

    def __init__(self, plan: StudyPlan, open_runs: Path) -> None:
        # Not forked: locks of threads (Numba's, an agent's) would be copied in whatever state they are.
        context = multiprocessing.get_context("spawn")
        self._given = (plan, open_runs)
        self.connection, theirs = context.Pipe()
        self.cell: Cell | None = None
        self._process = context.Process(target=_serve, args=(theirs, plan, open_runs), daemon=True)
        self._process.start()
        theirs.close()

    def give(self, cell: Cell | None) -> None:
        """Let it run a cell, or be idle."""
        self.cell = cell
        if cell is not None:
            try:
                self.connection.send(cell)
            except OSError:  # it has died; `take` will find out
                return

    def take(self) -> Finished | None:
        """What it has finished; None where it has died."""
        try:
            answer = self.connection.recv()
        except (EOFError, OSError):
            return None
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Finished)
        return answer

    def replaced(self) -> _Worker:
        """A new one in the place of one that has died."""
        self.end()
        return _Worker(*self._given)

    def end(self) -> None:
        self.connection.close()
        self._process.terminate()
        self._process.join()
        self._process.close()


def _serve(connection: Connection, plan: StudyPlan, open_runs: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the study decides what it means
    threading.Thread(target=_end_with_parent, daemon=True).start()
    runner = CellRunner(plan, open_runs)
    while True:
        try:
            cell = connection.recv()
        except EOFError:
            return
        answer: Finished | Exception
        try:
            answer = runner.run(cell)
        except Exception as error:
            answer = portable(error)
        connection.send(answer)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
