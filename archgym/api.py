"""The Python face of the command line: sessions, searches and evaluations by name."""

from __future__ import annotations

__all__ = ["SearchResult", "evaluate", "make_session", "search"]

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.registry import agent_class, source_digest
from archgym.run_directory import EVALUATIONS, PART, RESULT, JournalRecorder, RunDirectory, RunManifest, write_whole
from archgym.session import Budget, Session, SessionOver
from archgym.tasks import Task, problem_of
from archgym_simulators import Design, InputError

if TYPE_CHECKING:
    import pandas as pd

    from archgym.agent import Agent


@dataclass(frozen=True)
class SearchResult:
    """The outcome of a search.

    Attributes:
        design: the best feasible design in readable values, None where there is none; ``summary["nearest"]`` is then
            the design that broke the rules least.
        metrics: its metrics.
        reward: its reward.
        feasible: whether a design was found that is valid and meets every constraint.
        calls: designs simulated.
        proposals: designs proposed, repeats included.
        stop_reason: budget, max_proposals, agent or exhausted.
        summary: everything, as in ``result.json``.
        out: the run directory, None for an unrecorded search.
        was_complete: the run directory was complete already; nothing was done.
    """

    design: Design | None
    metrics: Mapping[str, float]
    reward: float
    feasible: bool
    calls: int
    proposals: int
    stop_reason: str
    summary: Mapping[str, Any]
    out: Path | None = None
    was_complete: bool = False


def make_session(
    env_id: str,
    *,
    workload: str | None = None,
    objective: str | list[str] | None = None,
    constraints: str | list[str] | tuple[str, ...] = (),
    budget: float | None = None,
    budget_unit: str = "calls",
    max_proposals: int | None = None,
    progress: Callable[[Session], None] | None = None,
    **options: Any,
) -> Session:
    """An unrecorded session for an environment or a task.

    >>> session = make_session("archgym/DRAM-v0", workload="stream", budget=100)  # doctest: +SKIP
    >>> evaluation = session.evaluate(session.space.sample(10, np.random.default_rng(0)))  # doctest: +SKIP

    Args:
        env_id: an id of ``archgym list``, ``path/chip.py:Chip``, or a task, which fixes workload, objective,
            constraints, options and, where none is given, the budget.
        workload: a spec of ``archgym list workloads``; the family's default where None.
        objective: in the language of `archgym.objectives`; a list gives one reward each.
        constraints: bounds such as ``"power_mw<=900"``.
        budget: new designs that may be simulated (or cost units); None for no limit.
        budget_unit: ``"calls"`` or ``"cost"``.
        max_proposals: proposals including repeats; 20 x budget where None.
        progress: called after every batch.
        **options: of the simulator, such as ``rules`` or ``device``.

    Raises:
        InputError: for anything unknown.
    """
    given = {"workload": workload, "objective": objective, "constraints": constraints}
    spec, task = problem_of(env_id, options=options, **given)  # type: ignore[arg-type]
    limits = Budget(_budget_of(task, budget, budget_unit), budget_unit, max_proposals)
    return Session(spec, budget=limits, progress=progress)


def evaluate(
    env_id: str,
    designs: pd.DataFrame | Sequence[Mapping[str, Any]] | Mapping[str, Any],
    *,
    workload: str | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Evaluate readable designs: the columns as given, then metrics, ``status`` and ``reason``.

    Args:
        env_id: an id of ``archgym list``, or ``path/chip.py:Chip``.
        designs: one row (or mapping) a design, columns by parameter name; a single mapping is one design.
        workload: a spec of ``archgym list workloads``.
        **options: of the simulator.

    Raises:
        InputError: unknown environment, workload or option; a missing column; a wrong value, with its row.
    """
    import pandas as pd

    if isinstance(designs, Mapping):
        designs = [designs]
    frame = designs if isinstance(designs, pd.DataFrame) else pd.DataFrame(list(designs))
    session = make_session(env_id, workload=workload, **options)
    rows = session.space.encode({name: frame[name].tolist() for name in frame.columns})
    result = session.evaluate(rows)
    simulator = session.problem().simulator
    columns: dict[str, Any] = {metric.name: result.values[:, m] for m, metric in enumerate(simulator.metrics)}
    columns["status"] = [result.status_name(i) for i in range(len(rows))]
    columns["reason"] = [result.reason(i) for i in range(len(rows))]
    given = frame.drop(columns=[name for name in columns if name in frame.columns])
    return pd.concat([given, pd.DataFrame(columns, index=frame.index)], axis=1)


def search(
    env_id: str,
    agent: str = "random_search",
    *,
    budget: float | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    workload: str | None = None,
    objective: str | list[str] | None = None,
    constraints: str | list[str] | tuple[str, ...] = (),
    agent_options: Mapping[str, Any] | None = None,
    simulator_options: Mapping[str, Any] | None = None,
    max_proposals: int | None = None,
    budget_unit: str = "calls",
    record: str = "all",
    fsync: bool = False,
    progress: Callable[[Session], None] | None = None,
    **options: Any,
) -> SearchResult:
    """Search an environment or a task with an agent, by name.

    With ``out``, every evaluation is journalled there before the agent hears of it. The same call again resumes an
    interrupted run, to the same result as an uninterrupted one, and leaves a complete run as it is.

    Args:
        env_id: an id of ``archgym list``, ``path/chip.py:Chip``, or a task, which fixes workload, objective,
            constraints and options.
        agent: a name of ``archgym list agents``, or ``path/agent.py``.
        budget: new designs that may be simulated, valid or not (or cost units); a task's own where None.
        seed: of the agent's random draws.
        out: run directory; None records nothing.
        workload: a spec of ``archgym list workloads``.
        objective: in the language of `archgym.objectives`.
        constraints: bounds such as ``"power_mw<=900"``.
        agent_options: settings of the agent.
        simulator_options: of the simulator; needed where one has the name of an argument here, such as ``seed``.
        max_proposals: proposals including repeats; 20 x budget where None.
        budget_unit: ``"calls"`` or ``"cost"``.
        record: ``"all"`` evaluations in the Parquet file, or only ``"improvements"``.
        fsync: survive power loss, not only a killed process; slower.
        progress: called after every batch.
        **options: of the simulator.

    Raises:
        InputError: for anything unknown, or a directory of another run.
        MissingExtra: the agent's optional dependency is missing.
    """
    if record not in ("all", "improvements"):
        raise InputError(f"record must be all or improvements, not {record!r}")
    seed = _whole_seed(seed)
    options = {**(simulator_options or {}), **options}
    given = {"workload": workload, "objective": objective, "constraints": constraints}
    spec, task = problem_of(env_id, options=options, **given)  # type: ignore[arg-type]
    limits = Budget(_budget_of(task, budget, budget_unit), budget_unit, max_proposals)
    if limits.limit is None:
        raise InputError(f"a search of {env_id} needs a budget: new designs that may be simulated")
    chosen = agent_class(agent)
    config = chosen.Config.from_options(agent_options or {})
    problem = spec.bind()
    if out is None:
        session = Session(spec, budget=limits, progress=progress, problem=problem)
        return _run(session, _searcher(chosen, config, seed, session), None)
    manifest = RunManifest.create(
        problem,
        spec=spec.to_json(),
        agent={"name": agent, "config": config.to_json(), "source": source_digest(agent)},
        seed=seed,
        budget={
            "limit": limits.limit,
            "unit": limits.unit,
            "max_proposals": limits.max_proposals,
            "record": record,
        },
        task=None if task is None else {"name": task.name, "suite": task.suite},
    )
    directory = RunDirectory(out, manifest)
    if directory.is_complete:
        return _as_result(directory.result(), directory.path, was_complete=True)
    # Made before the directory, so that an agent that refuses the problem leaves nothing behind.
    searcher = _searcher(chosen, config, seed, Session(spec, budget=limits, problem=problem))
    directory.start()
    recorder = JournalRecorder(directory, problem, fsync=fsync)
    try:
        session = Session(spec, budget=limits, recorder=recorder, progress=progress, problem=problem)
        result = _run(session, searcher, directory.path)
        recorder.finish()
        _finish(directory, recorder, session, agent, seed, record, result.summary)
    finally:
        recorder.close()
    return result


def _budget_of(task: Task | None, given: float | None, unit: str) -> float | None:
    return task.budget if task is not None and given is None and unit == "calls" else given


def _whole_seed(seed: object) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed must be a whole number of at least 0, not {seed!r}")
    return int(seed)


def _searcher(chosen: type[Agent], config: Any, seed: int, session: Session) -> Agent:
    return chosen.create(
        session.space,
        config,
        np.random.default_rng(seed),
        budget=session.remaining,
        n_objectives=len(session.problem().objectives),
    )


def _run(session: Session, agent: Agent, out: Path | None) -> SearchResult:
    from archgym.results import result_of

    started = time.perf_counter()
    with suppress(SessionOver):
        agent.run(session)
    if session.error is not None:
        raise session.error
    session.stop("agent")
    return _as_result(result_of(session, wall_s=time.perf_counter() - started), out)


def _finish(
    directory: RunDirectory,
    recorder: JournalRecorder,
    session: Session,
    agent: str,
    seed: int,
    record: str,
    summary: Mapping[str, Any],
) -> None:
    import json

    import pyarrow.parquet as pq

    from archgym.results import evaluation_tables

    tables = evaluation_tables(recorder.records(), session, agent=agent, seed=seed, record=record)
    first = next(tables)
    part = directory.path / (EVALUATIONS + PART)
    try:
        with pq.ParquetWriter(part, first.schema, compression="zstd") as writer:
            for table in chain([first], tables):
                writer.write_table(table)
        part.replace(directory.path / EVALUATIONS)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OSError(error.errno, f"cannot write {directory.path / EVALUATIONS}: {error.strerror or error}") from error
    # Last, because its presence says that the run is complete.
    write_whole(directory.path / RESULT, json.dumps(summary, indent=1))


def _as_result(summary: Mapping[str, Any], out: Path | None, *, was_complete: bool = False) -> SearchResult:
    best = summary["best"] or {"design": None, "metrics": {}, "reward": float("-inf"), "feasible": False}
    return SearchResult(
        design=best["design"],
        metrics=best["metrics"],
        reward=best["reward"],
        feasible=best["feasible"],
        calls=summary["calls"],
        proposals=summary["proposals"],
        stop_reason=summary["stop_reason"],
        summary=summary,
        out=out,
        was_complete=was_complete,
    )
