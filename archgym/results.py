"""What a run leaves for readers: a table of its evaluations, and its result."""

from __future__ import annotations

__all__ = ["evaluation_table", "result_of"]

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.journal import JournalRecord
from archgym.problem import Problem
from archgym.session import Session
from archgym_simulators import STATUS_NAMES

if TYPE_CHECKING:
    import pyarrow as pa


def evaluation_table(
    records: Iterable[JournalRecord], session: Session, *, agent: str, seed: int, record: str = "all"
) -> pa.Table:
    """One row a simulated design, in order: design, metrics, reward and provenance.

    Args:
        records: a run's journal.
        session: the session that made it; gives the problems that rewards are recomputed with.
        agent: agent name, stored in every row.
        seed: run seed, stored in every row.
        record: ``"all"``, or ``"improvements"`` for only the rows that became the best so far.
    """
    import pyarrow as pa

    tables, step = [], 0
    for one in records:
        tables.append(_columns_of(one, session.problem(one.workload), step))
        step += len(one.rows)
    empty = _columns_of(_no_record(session), session.problem(), 0)
    columns = {name: np.concatenate([t[name] for t in [empty, *tables]]) for name in empty}
    n = len(columns["step"])
    simulator = session.problem().simulator
    columns["agent"] = np.full(n, agent, dtype=object)
    columns["seed"] = np.full(n, seed, dtype=np.int64)
    columns["simulator_version"] = np.full(n, simulator.version, dtype=object)
    table = pa.table({name: pa.array(column) for name, column in columns.items()})
    return table.filter(pa.array(_improvements(columns))) if record == "improvements" else table


def _columns_of(record: JournalRecord, problem: Problem, step: int) -> dict[str, np.ndarray[Any, Any]]:
    simulator, space = problem.simulator, problem.space
    evaluation = record.evaluation(len(simulator.metrics), simulator.all_reasons)
    scored = problem.score(evaluation)
    n = len(record.rows)
    columns: dict[str, np.ndarray[Any, Any]] = dict(space.decode(record.rows))
    columns |= {metric.name: evaluation.values[:, m] for m, metric in enumerate(simulator.metrics)}
    if scored.rewards.shape[1] > 1:
        columns |= {f"reward_{k}": scored.rewards[:, k] for k in range(scored.rewards.shape[1])}
    names = np.array(STATUS_NAMES, dtype=object)
    columns |= {
        "reward": scored.reward,
        "feasible": scored.feasible,
        "status": names[evaluation.status],
        "reason": np.array([evaluation.reason(i) for i in range(n)], dtype=object),
        "violation": evaluation.violation,
        "design_key": np.array(_key_texts(space.keys(record.rows)), dtype=object),
        "cost": evaluation.cost,
        "workload": np.full(n, record.workload, dtype=object),
        "step": np.arange(step, step + n, dtype=np.int64),
        "proposal": record.proposal + record.positions.astype(np.int64),
        "wall_s": np.full(n, record.wall_s),
    }
    return columns


def _key_texts(keys: list[int] | list[bytes]) -> list[str]:
    return [key.hex() if isinstance(key, bytes) else f"{key:x}" for key in keys]


def _no_record(session: Session) -> JournalRecord:
    simulator = session.problem().simulator
    details = max((len(reason.details) for reason in simulator.all_reasons), default=0)
    return JournalRecord(
        proposal=0,
        workload=simulator.workload.name,
        wall_s=0.0,
        positions=np.zeros(0, np.uint32),
        rows=np.zeros((0, session.space.width), np.int64),
        numbers=np.zeros((0, len(simulator.metrics) + 2 + details)),
        codes=np.zeros((0, 2), np.int16),
    )


def _improvements(columns: dict[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    best, keep = (False, -np.inf), np.zeros(len(columns["step"]), dtype=bool)
    for i, rank in enumerate(zip(columns["feasible"].tolist(), columns["reward"].tolist(), strict=True)):
        if rank > best:
            best, keep[i] = rank, True
    return keep


def result_of(session: Session, *, wall_s: float) -> dict[str, Any]:
    """The JSON-able result of a finished session."""
    problem = session.problem()
    metrics = [metric.name for metric in problem.simulator.metrics]
    best = session.best
    return {
        "stop_reason": session.stop_reason,
        "calls": session.calls,
        "proposals": session.proposals,
        "cost": session.spent,
        "best": None
        if best is None
        else {
            "design": session.best_design(),
            "metrics": {name: v for name, v in zip(metrics, best.values, strict=True) if np.isfinite(v)},
            "reward": best.reward,
            "feasible": best.feasible,
            "workload": best.workload,
            "step": best.step,
            "proposal": best.proposal,
        },
        "baseline": {
            "name": problem.simulator.baseline.name,
            "design": problem.baseline_design,
            "metrics": dict(zip(metrics, problem.baseline_values.tolist(), strict=True)),
        },
        "wall_s": wall_s,
    }
