"""One cell of a study: the run that a search would make, and what the study keeps of it."""

from __future__ import annotations

__all__ = ["CellRunner", "Finished", "failed_record"]

import errno
import json
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from archgym.problem import Problem, ScoredEvaluation
from archgym.results import evaluation_table
from archgym.run_directory import JournalRecorder, RunManifest
from archgym.run_plan import RunPlan, run_agent
from archgym.session import Session
from archgym.studies.plan import Cell, StudyPlan
from archgym.studies.records import PROBLEM, RunRecord
from archgym.studies.tally import Tally, TallyingRecorder
from archgym_simulators import InputError

_PROBLEMS_KEPT = 4
_ENDS_THE_STUDY = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


@dataclass(frozen=True, slots=True)
class Finished:
    """A cell that has been run, as it travels from a worker to the study.

    Attributes:
        cell: which.
        state: complete or failed.
        evaluations: designs simulated.
        record: a `RunRecord` as bytes.
    """

    cell: Cell
    state: str
    evaluations: int
    record: bytes


class CellRunner:
    """Runs cells of one study, keeping the problems bound last.

    Args:
        plan: of the study.
        open_runs: where runs under way keep their journals. A journal that is there already is replayed.
    """

    def __init__(self, plan: StudyPlan, open_runs: Path) -> None:
        self._plan = plan
        self.open_runs = open_runs
        self._problems: dict[int, Problem] = {}
        self._last: tuple[int, int, RunPlan] | None = None

    def run(self, cell: Cell) -> Finished:
        """Run a cell; whatever goes wrong in the run itself is recorded, not raised.

        Raises:
            OSError: the disk is full.
            InputError: this installation is not the one that the study was planned with, or a journal cannot be made.
        """
        problem = self._problem(cell.problem)
        record = self._resumed(cell, problem) or self._attempt(cell, problem)
        return Finished(cell, record.run["state"], record.run["evaluations"], record.to_bytes())

    def _resumed(self, cell: Cell, problem: Problem) -> RunRecord | None:
        """The run, continued from its journal; None where there is none, or it leads nowhere and is gone now."""
        journal = self.journal_of(cell)
        if not journal.exists():
            return None
        try:
            record = self._attempt(cell, problem)
            if record.run["state"] == "complete":
                return record
        except InputError:  # another process still holds it, or it does not fit; it would only have saved simulations
            pass
        journal.unlink(missing_ok=True)
        return None

    def journal_of(self, cell: Cell) -> Path:
        """Where a run keeps its journal until the study has recorded it."""
        return self.open_runs / f"{cell.run_id}.journal"

    def _attempt(self, cell: Cell, problem: Problem) -> RunRecord:
        started = time.perf_counter()
        journal = JournalRecorder(_OpenRun(self.journal_of(cell), self._plan.manifest_of(cell)), problem)
        run = _Run(cell, problem)
        try:
            run.search(self._run_plan(cell), journal)
        except (Exception, SystemExit) as error:
            if isinstance(error, OSError) and error.errno in _ENDS_THE_STUDY:
                raise
            run.error = "".join(traceback.format_exception(error))
        finally:
            journal.close()
        return run.record(self._plan, time.perf_counter() - started)

    def _run_plan(self, cell: Cell) -> RunPlan:
        if self._last is None or self._last[:2] != (cell.problem, cell.setting):
            self._last = (cell.problem, cell.setting, self._plan.run_plan(cell))
        return self._last[2].with_seed(cell.seed)

    def _problem(self, place: int) -> Problem:
        problem = self._problems.pop(place, None)
        if problem is None:
            task = self._plan.definition.tasks[place]
            problem = task.spec.bind()
            _check_installation(task.label, self._plan.templates[place].identity, problem)
        self._problems[place] = problem
        if len(self._problems) > _PROBLEMS_KEPT:
            del self._problems[next(iter(self._problems))]
        return problem


@dataclass(frozen=True)
class _OpenRun:
    """The journal of a run under way; its header says which, so it needs no directory of its own."""

    journal: Path
    manifest: RunManifest

    def claim(self) -> None:
        """The study's parent process has claimed the directory."""


class _TimedSession(Session):
    """A session that knows how much of the time was its own; the rest is the agent's."""

    seconds = 0.0

    def evaluate(self, rows: ArrayLike, workload: str | None = None) -> ScoredEvaluation:
        started = time.perf_counter()
        try:
            return super().evaluate(rows, workload)
        finally:
            self.seconds += time.perf_counter() - started


class _Run:
    """One attempt at a cell, as far as it came."""

    def __init__(self, cell: Cell, problem: Problem) -> None:
        self.error = ""
        self._cell = cell
        self._problem = problem
        self._session: _TimedSession | None = None
        self._tally = Tally()
        self._stream = b""

    def search(self, plan: RunPlan, journal: JournalRecorder) -> None:
        recorder = TallyingRecorder(journal, self._tally, lambda workload: session.problem(workload))
        session = _TimedSession(plan.spec, budget=plan.limits, recorder=recorder, problem=self._problem)
        self._session = session
        try:
            run_agent(session, plan.create_agent(session))
            journal.finish()
        finally:
            if plan.record == "all":
                table = evaluation_table(journal.records(), session, agent=plan.agent, seed=plan.seed)
                self._stream = _as_stream(table)

    def record(self, plan: StudyPlan, wall_seconds: float) -> RunRecord:
        cell, session = self._cell, self._session
        run = run_identity(plan, cell)
        if session is None:
            return failed_record(plan, cell, self.error)
        task = plan.tasks[cell.problem]
        found, improvements = self._tally.columns(self._problem, task["value_metric"], task["reference_point"])
        run |= found
        run |= {
            "state": "failed" if self.error else "complete",
            "stop_reason": "error" if self.error else session.stop_reason,
            "proposals": session.proposals,
            "error": self.error,
            "wall_seconds": wall_seconds,
            "agent_seconds": wall_seconds - session.seconds,
        }
        return RunRecord(run, improvements, self._stream)


def run_identity(plan: StudyPlan, cell: Cell) -> dict[str, Any]:
    """The columns of a run that say what it is."""
    definition, task = plan.definition, plan.tasks[cell.problem]
    setting, limits = definition.settings[cell.setting], definition.tasks[cell.problem].limits
    proposals = limits.max_proposals or limits.proposals(0)
    return {
        "run_id": cell.run_id,
        "task": task["task"],
        "env_id": task["env_id"],
        "workload": task["workload"],
        "objective": json.dumps(task["objectives"]),
        "constraints": json.dumps(task["constraints"]),
        "agent": setting.agent,
        "settings": json.dumps(dict(setting.values), sort_keys=True),
        "setting_id": setting.digest,
        "is_default": setting.is_default,
        "seed": cell.seed,
        "budget": limits.limit,
        "max_proposals": int(proposals),
        PROBLEM: cell.problem,
    }


def failed_record(plan: StudyPlan, cell: Cell, error: str) -> RunRecord:
    """The record of a run of which nothing is known but why it failed."""
    nothing = float("nan")
    run = run_identity(plan, cell) | {
        "state": "failed",
        "stop_reason": "error",
        **dict.fromkeys(("evaluations", "proposals", "invalid", "failed"), 0),
        "feasible": False,
        **dict.fromkeys(("best_reward", "best_value", "hypervolume"), nothing),
        "error": error,
        **dict.fromkeys(("wall_seconds", "agent_seconds"), 0.0),
    }
    columns = ("evaluation", "proposal", "cost", "reward", "feasible", "value", "design", "rewards")
    return RunRecord(run, {name: [] for name in columns})


def _check_installation(label: str, identity: Mapping[str, Any], problem: Problem) -> None:
    simulator = problem.simulator
    now = {
        "simulator_version": simulator.version,
        "space": simulator.space.digest,
        "workload_digest": simulator.workload.digest,
    }
    for name, value in now.items():
        if identity[name] != value:
            raise InputError(
                f"{label}: {name} is {identity[name]!r} where the study was planned and {value!r} where it runs; "
                "install the same version everywhere"
            )


def _as_stream(table: Any) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())
