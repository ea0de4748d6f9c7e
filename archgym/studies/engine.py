"""Running a study: plan it, skip what is recorded, run the rest anywhere, write the tables."""

from __future__ import annotations

__all__ = ["StudyProgress", "StudySummary", "run_study"]

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import filterfalse
from pathlib import Path

from archgym.studies.definition import StudyDefinition
from archgym.studies.plan import Cell, StudyPlan
from archgym.studies.pool import run_in_pool, run_serially
from archgym.studies.ray_cluster import RayCluster
from archgym.studies.runner import Finished
from archgym.studies.store import StudyStore
from archgym.studies.study_file import read_study
from archgym_simulators import InputError


@dataclass
class StudyProgress:
    """How far a study has come.

    Attributes:
        total: runs of the study.
        before: runs that had ended when it was started this time.
        done: runs that have ended, those included.
        failed: of those that ended this time.
        evaluations: of those that ended this time.
    """

    total: int
    before: int
    done: int
    failed: int = 0
    evaluations: int = 0


@dataclass(frozen=True)
class StudySummary:
    """What a study came to.

    Attributes:
        out: its directory; `archgym.studies.results.load_study` reads it.
        runs: in all.
        failed: runs that ended in an error.
        evaluations: designs simulated.
        was_complete: the directory was complete already; nothing was done.
    """

    out: Path
    runs: int
    failed: int
    evaluations: int
    was_complete: bool = False


def run_study(
    study: StudyDefinition | Path | str,
    out: Path | str,
    *,
    workers: int = 1,
    ray: str | None = None,
    extend: bool = False,
    retry_failed: bool = False,
    progress: Callable[[StudyProgress], None] | None = None,
) -> StudySummary:
    """Run every cell of a study that has not been run yet, and write its tables.

    The tables do not depend on where or in what order the runs were made, but for their times. A script that asks for
    several workers needs the usual ``if __name__ == "__main__":``.

    Args:
        study: a definition, or its TOML file.
        out: the study's directory. The same study again goes on where it was interrupted.
        workers: processes on this machine; 1 runs in this process.
        ray: address of a Ray cluster, or ``"local"``, instead.
        extend: add runs to a directory whose study has some of the runs of this one.
        retry_failed: run failed runs again.
        progress: called after every run.

    Raises:
        InputError: for anything wrong in the definition, or a directory of another study.
        MissingExtra: an optional dependency is missing.
        OSError: the disk is full; what had ended is kept.
    """
    if workers < 1:
        raise InputError(f"workers must be at least 1, not {workers!r}")
    if ray is not None and workers > 1:
        raise InputError("a study runs in workers or on Ray, not both")
    plan = StudyPlan.create(study if isinstance(study, StudyDefinition) else read_study(study))
    store = StudyStore(out, plan, extend=extend)
    if store.is_complete and not (retry_failed and store.result()["failed"]):
        return StudySummary(store.path, **store.result(), was_complete=True)
    with ExitStack() as stack:
        # Before the directory is made, so that a cluster that does not answer leaves nothing behind.
        cluster = stack.enter_context(closing(RayCluster(ray))) if ray is not None else None
        stack.enter_context(closing(store)).start()
        if retry_failed:
            store.forget_failed()
        pending = filterfalse(lambda cell: store.was_recorded(cell.run_id), plan.cells())
        finished = _executed(plan, store, pending, workers, cluster)
        _record_all(stack.enter_context(closing(finished)), store, progress)
        return StudySummary(store.path, **store.finish())


def _executed(
    plan: StudyPlan, store: StudyStore, pending: Iterator[Cell], workers: int, cluster: RayCluster | None
) -> Generator[Finished, None, None]:
    if cluster is not None:
        return cluster.run(plan, store.path, store.open_runs, pending)
    if workers > 1:
        return run_in_pool(plan, store.open_runs, pending, workers)
    return run_serially(plan, store.open_runs, pending)


def _record_all(
    finished: Iterator[Finished], store: StudyStore, progress: Callable[[StudyProgress], None] | None
) -> None:
    state = StudyProgress(store.plan.definition.size, len(store), len(store))
    for one in finished:
        store.add(one)
        state.done += 1
        state.failed += one.state == "failed"
        state.evaluations += one.evaluations
        if progress is not None:
            progress(state)
