"""Making a dataset from nothing: several agents search a problem, and what they simulate is kept."""

from __future__ import annotations

__all__ = ["DATASET", "Collected", "collect"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archgym.datasets.card import Publication
from archgym.datasets.dataset import Dataset
from archgym.datasets.export import write_dataset
from archgym.datasets.loading import load_dataset
from archgym.studies.engine import StudyProgress, run_study
from archgym.studies.study_file import parse_study
from archgym.tasks import is_task

DATASET = "dataset"
"""Where a collection has its dataset; beside it is the study that it was made from."""


@dataclass(frozen=True)
class Collected:
    """What a collection came to.

    Attributes:
        data: the dataset.
        out: its directory.
        failed: runs that ended in an error.
        was_complete: it was there already; nothing was done.
    """

    data: Dataset
    out: Path
    failed: int
    was_complete: bool


def collect(
    task: str,
    agents: Sequence[str],
    out: Path | str,
    *,
    budget: int | None = None,
    seeds: int = 1,
    workloads: Sequence[str] = (),
    objective: str | None = None,
    constraints: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    workers: int = 1,
    publication: Publication | None = None,
    progress: Callable[[StudyProgress], None] | None = None,
) -> Collected:
    """Search with each agent from several seeds, as a study, and keep every design once a workload.

    The same call goes on where it was interrupted. ``out`` is the study's directory; the dataset is ``out/dataset``.

    Args:
        task: a task, which fixes workload, objective, constraints and options; or an environment.
        agents: names of ``archgym list agents``, or paths.
        out: directory.
        budget: simulations a run; a task's own where None.
        seeds: runs of each agent.
        workloads: of an environment; each is searched.
        objective: what agents search for.
        constraints: bounds that they are to meet.
        options: of the simulator.
        workers: processes on this machine.
        publication: name, licence and creator for the card.
        progress: called after every run.

    Raises:
        InputError: anything unknown, or a directory of something else.
        MissingExtra: an agent's optional dependency is missing.
        OSError: the disk is full; runs that had ended are kept.
    """
    out = Path(out)
    entry = {"name" if is_task(task) else "env": task}
    given = {"objective": objective, "constraints": list(constraints), "options": dict(options or {}), "budget": budget}
    shared = {**entry, **{key: value for key, value in given.items() if value not in (None, [], {})}}
    content = {
        "tasks": [{**shared, "workload": workload} for workload in workloads] or [shared],
        "agents": list(agents),
        "seeds": seeds,
        "record": "all",
    }
    study = run_study(parse_study(content, name=out.name), out, workers=workers, progress=progress)
    was_complete = study.was_complete and (out / DATASET).is_dir()
    data = load_dataset(out / DATASET if was_complete else out)
    if not was_complete:
        write_dataset(data, out / DATASET, publication=publication)
    return Collected(data, out / DATASET, study.failed, was_complete)
