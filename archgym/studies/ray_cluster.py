"""Cells on a Ray cluster, whose nodes may come and go."""

from __future__ import annotations

__all__ = ["RayCluster"]

import os
import socket
import tempfile
import time
from collections import Counter, deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from archgym.run_directory import MANIFEST, read_json
from archgym.studies.plan import Cell, StudyPlan
from archgym.studies.pool import lost, portable
from archgym.studies.runner import CellRunner, Finished
from archgym_simulators import InputError
from archgym_simulators.errors import import_extra
from archgym_simulators.nearest import did_you_mean

LOCAL = "local"
_CONNECT_SECONDS = 5.0
_MOST_LOSSES = 5  # of one run, until it counts as failed: not every one need be its own fault, nodes come and go
_TASKS_A_CPU = 2  # one runs, one waits beside it
_TASK_SECONDS, _MOST_CELLS = 1.0, 64  # short runs share a task: sending one costs as much as several of them
_WAIT_SECONDS = 10.0  # until the number of processors is looked up again


class RayCluster:
    """A connection to a cluster.

    Args:
        address: ``"local"`` for one on this machine that ends with the study; ``"auto"`` or ``"HOST:PORT"`` for one
            that is there.

    Raises:
        MissingExtra: ray is not installed.
        InputError: nothing answers at the address.
    """

    def __init__(self, address: str) -> None:
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # Ray warns of a change otherwise
        self._ray: Any = import_extra("ray", "cluster")
        self._address = address
        self._is_ours = not self._ray.is_initialized()
        if not self._is_ours:
            return
        if address not in (LOCAL, "auto"):
            _check_reachable(address)
        options: dict[str, Any] = {"include_dashboard": False} if address == LOCAL else {}
        refusals = (self._ray.exceptions.RayError, ConnectionError, RuntimeError, ValueError, TimeoutError, OSError)
        try:
            self._ray.init(address=address, log_to_driver=False, logging_level="ERROR", **options)
        except refusals as error:
            raise InputError(f"cannot reach Ray at {address!r}: {_first_line(error)}") from error

    def run(
        self, plan: StudyPlan, folder: Path, open_runs: Path, cells: Iterator[Cell]
    ) -> Generator[Finished, None, None]:
        """Run cells on the cluster, in whatever order they end.

        A cell whose node or process has gone is run again, elsewhere; each comes back once. Runs under way keep their
        journals in the study's directory where a node sees it, else in a temporary one.

        Args:
            plan: of the study.
            folder: the study's directory.
            open_runs: where in it runs under way keep their journals.
            cells: the runs to make.
        """
        remote = self._ray.remote(num_cpus=1, max_retries=0)(_run_on_node)
        digest = str(read_json(folder / MANIFEST)["digest"])
        boxed = [self._ray.put(plan)]  # in a list, so that it is fetched once a process and not once a task
        supply = _Supply(cells)
        waiting: dict[Any, list[Cell]] = {}
        while True:
            for batch in supply.batches(self._room(len(waiting))):
                waiting[remote.remote(boxed, digest, str(folder.resolve()), str(open_runs.resolve()), batch)] = batch
            if not waiting:
                return
            for task in self._done(list(waiting)):
                batch, answer = waiting.pop(task), self._fetch(task)
                if answer is None:
                    yield from (
                        lost(plan, cell, f"{_MOST_LOSSES} Ray workers or nodes died of this run")
                        for cell in supply.take_back(batch)
                    )
                    continue
                supply.note(len(answer.finished), answer.seconds)
                yield from answer.finished
                if answer.error is not None:
                    raise answer.error

    def close(self) -> None:
        """Disconnect; a cluster that was started here ends."""
        if self._is_ours:
            self._ray.shutdown()

    def _room(self, waiting: int) -> int:
        cpus = int(self._ray.cluster_resources().get("CPU", 1))
        return max(_TASKS_A_CPU * cpus, 1) - waiting

    def _done(self, tasks: list[Any]) -> list[Any]:
        done, rest = self._ray.wait(tasks, num_returns=1, timeout=_WAIT_SECONDS)
        if done and rest:
            more, _ = self._ray.wait(rest, num_returns=len(rest), timeout=0)
            done = done + more
        return list(done)

    def _fetch(self, task: Any) -> _Answer | None:
        """What a task has finished; None where its process or node has gone."""
        try:
            answer = self._ray.get(task)
        except self._ray.exceptions.RayTaskError:
            raise
        except self._ray.exceptions.RayError:
            return None
        assert isinstance(answer, _Answer)
        return answer


@dataclass(frozen=True)
class _Answer:
    """What a task has come to: the cells that it finished, in how many seconds, and why it went no further."""

    finished: list[Finished]
    seconds: float
    error: Exception | None


class _Supply:
    """Cells by batches that take about a second, and those that come back because their task was lost."""

    def __init__(self, cells: Iterator[Cell]) -> None:
        self._cells = cells
        self._again: deque[Cell] = deque()
        self._losses: Counter[str] = Counter()
        self._size = 1

    def batches(self, count: int) -> Iterator[list[Cell]]:
        """At most so many; cells that came back go alone, because one of them may kill its worker again."""
        for _ in range(count):
            batch = [self._again.popleft()] if self._again else list(islice(self._cells, self._size))
            if not batch:
                return
            yield batch

    def note(self, cells: int, seconds: float) -> None:
        """Learn how long cells take."""
        if cells:
            self._size = int(min(max(_TASK_SECONDS * cells / max(seconds, 1e-6), 1), _MOST_CELLS))

    def take_back(self, batch: list[Cell]) -> list[Cell]:
        """Cells of a lost task, to be handed out again; returns those that were lost too often."""
        given_up: list[Cell] = []
        for cell in batch:
            self._losses[cell.run_id] += 1
            (self._again if self._losses[cell.run_id] < _MOST_LOSSES else given_up).append(cell)
        return given_up


_runners: dict[str, CellRunner] = {}


def _run_on_node(boxed: list[Any], digest: str, folder: str, open_runs: str, batch: list[Cell]) -> _Answer:
    """Run cells in a worker of the cluster, which keeps what it needs for the next ones."""
    started, finished, problem = time.perf_counter(), list[Finished](), None
    try:
        if digest not in _runners:
            _runners.clear()
            _runners[digest] = _runner(boxed, digest, Path(folder), Path(open_runs))
            started = time.perf_counter()
        runner = _runners[digest]
        for cell in batch:
            finished.append(runner.run(cell))
            if runner.open_runs != Path(open_runs):
                runner.journal_of(cell).unlink(missing_ok=True)
    except Exception as error:
        problem = portable(error)
    return _Answer(finished, time.perf_counter() - started, problem)


def _runner(boxed: list[Any], digest: str, folder: Path, open_runs: Path) -> CellRunner:
    import ray

    plan: StudyPlan = ray.get(boxed[0])
    if os.path.isdir(plan.place):
        os.chdir(plan.place)  # where paths to agents and simulators start
    is_shared = (folder / MANIFEST).is_file() and read_json(folder / MANIFEST).get("digest") == digest
    return CellRunner(plan, open_runs if is_shared else Path(tempfile.mkdtemp(prefix="archgym-study-")))


def _check_reachable(address: str) -> None:
    """Ray itself waits for half a minute, and says it in many lines."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        hint = did_you_mean(address, (LOCAL, "auto"))
        raise InputError(f"a Ray address reads {LOCAL}, auto or HOST:PORT, not {address!r}{hint}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot reach Ray at {address!r}: {error}") from error


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
