"""The Python face of the command line: sessions, searches and evaluations by name."""

from __future__ import annotations

__all__ = ["SearchResult", "evaluate", "make_session", "search"]

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archgym.agent import Agent, AgentFailed
from archgym.parquet_part import ParquetPart
from archgym.results import evaluation_tables, result_of
from archgym.run_directory import EVALUATIONS, RESULT, JournalRecorder, RunDirectory, write_whole
from archgym.run_plan import RunPlan, limits_of, run_agent
from archgym.session import Session
from archgym.tasks import problem_of
from archgym_simulators import Design, InputError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


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
    limits = limits_of(task, budget, budget_unit, max_proposals)
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
        agent: a name of ``archgym list agents``, ``path/agent.py``, or ``exec:PROGRAM``.
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
        AgentFailed: an external agent gave no proper answer; with ``out``, what was evaluated is kept there.
    """
    options = {**(simulator_options or {}), **options}
    given = {"workload": workload, "objective": objective, "constraints": constraints}
    spec, task = problem_of(env_id, options=options, **given)  # type: ignore[arg-type]
    limits = limits_of(task, budget, budget_unit, max_proposals)
    plan = RunPlan.create(spec, task, limits, agent=agent, settings=agent_options, seed=seed, record=record)
    if out is not None:
        return _search_recorded(plan, out, fsync=fsync, progress=progress)
    session = Session(spec, budget=limits, progress=progress)
    wall_s = run_agent(session, plan.create_agent(session))
    return _as_result(result_of(session, wall_s=wall_s), None)


def _search_recorded(
    plan: RunPlan, out: Path | str, *, fsync: bool, progress: Callable[[Session], None] | None
) -> SearchResult:
    problem = plan.spec.bind()
    directory = RunDirectory(out, plan.manifest(problem))
    if directory.is_complete:
        return _as_result(directory.result(), directory.path, was_complete=True)
    # Made before the directory, so that an agent that refuses the problem leaves nothing behind.
    agent = plan.create_agent(Session(plan.spec, budget=plan.limits, problem=problem))
    directory.start()
    recorder = JournalRecorder(directory, problem, fsync=fsync)
    try:
        session = Session(plan.spec, budget=plan.limits, recorder=recorder, progress=progress, problem=problem)
        wall_s, failure = _run_to_its_end(session, agent, recorder)
        summary = result_of(session, wall_s=wall_s) | ({} if failure is None else {"error": str(failure)})
        tables = evaluation_tables(recorder.records(), session, agent=plan.agent, seed=plan.seed, record=plan.record)
        _write_files(directory.path, tables, summary)
    finally:
        recorder.close()
    if failure is not None:
        raise AgentFailed(f"{failure}; the {session.calls:,} simulations until then are kept in {directory.path}")
    return _as_result(summary, directory.path)


def _run_to_its_end(session: Session, agent: Agent, recorder: JournalRecorder) -> tuple[float, AgentFailed | None]:
    """The seconds that the search took, and what of the agent's failed, where something did.

    Raises:
        AgentFailed: it failed before the end of what is on record, so there is nothing to add to it.
        InputError: it finished there.
    """
    started = time.perf_counter()
    failure = None
    try:
        run_agent(session, agent)
    except AgentFailed as error:
        failure = error
        session.stop("error")
    wall_s = time.perf_counter() - started
    try:
        recorder.finish()
    except InputError as error:
        raise failure or error from None
    return wall_s, failure


def _write_files(folder: Path, tables: Iterable[pa.Table], summary: Mapping[str, Any]) -> None:
    part = ParquetPart(folder / EVALUATIONS)
    try:
        for table in tables:
            part.add(table)
        part.close()
    except BaseException:
        part.abandon()
        raise
    part.put_in_place()
    # Last, because its presence says that the run is complete.
    write_whole(folder / RESULT, json.dumps(summary, indent=1))


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
