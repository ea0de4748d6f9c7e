"""What a run leaves for readers: a table of its evaluations, and its result."""

from __future__ import annotations

__all__ = ["evaluation_table", "evaluation_tables", "result_of"]

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.journal import JournalRecord
from archgym.session import Session
from archgym_simulators import STATUS_NAMES, Evaluation
from archgym_simulators.space import Rows

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 1 << 14
Columns = dict[str, np.ndarray[Any, Any]]


def evaluation_table(
    records: Iterable[JournalRecord], session: Session, *, agent: str, seed: int, record: str = "all"
) -> pa.Table:
    """All of `evaluation_tables` as one."""
    import pyarrow as pa

    return pa.concat_tables(evaluation_tables(records, session, agent=agent, seed=seed, record=record))


def evaluation_tables(
    records: Iterable[JournalRecord], session: Session, *, agent: str, seed: int, record: str = "all"
) -> Iterator[pa.Table]:
    """One row a simulated design, in order: design, metrics, reward and provenance; at least one table, all alike.

    A table holds about 16,384 rows, so that a long run needs no more memory than a short one.

    Args:
        records: a run's journal.
        session: the session that made it; gives the problems that rewards are recomputed with.
        agent: agent name, stored in every row.
        seed: run seed, stored in every row.
        record: ``"all"``, or ``"improvements"`` for only the rows that became the best so far.
    """
    import pyarrow as pa

    step, best = 0, (False, -np.inf)
    for block in _blocks(records, session):
        n = len(block.rows)
        columns = _columns_of(block, session)
        columns["step"] = np.arange(step, step + n, dtype=np.int64)
        columns["proposal"] = block.proposals
        columns["wall_s"] = block.wall_s
        columns["agent"] = np.full(n, agent, dtype=object)
        columns["seed"] = np.full(n, seed, dtype=np.int64)
        columns["simulator_version"] = np.full(n, session.problem().simulator.version, dtype=object)
        step += n
        keep = np.ones(n, dtype=bool)
        if record == "improvements":
            keep, best = _improvements(columns, best)
        yield pa.table({name: _arrow(column[keep]) for name, column in columns.items()})


@dataclass(frozen=True)
class _Block:
    """Consecutive records, one entry a design."""

    rows: Rows  # (N, D)
    numbers: NDArray[np.float64]  # (N, M + 2 + K)
    codes: NDArray[np.int16]  # (N, 2)
    workloads: NDArray[Any]  # (N,)
    proposals: NDArray[np.int64]  # (N,)
    wall_s: NDArray[np.float64]  # (N,)

    @classmethod
    def of(cls, records: Sequence[JournalRecord]) -> _Block:
        counts = [len(record.rows) for record in records]
        return cls(
            np.concatenate([record.rows for record in records]),
            np.concatenate([record.numbers for record in records]),
            np.concatenate([record.codes for record in records]),
            np.repeat(np.array([record.workload for record in records], dtype=object), counts),
            np.concatenate([record.proposal + record.positions.astype(np.int64) for record in records]),
            np.repeat([record.wall_s for record in records], counts),
        )

    def evaluation(self, session: Session, which: NDArray[np.bool_] | slice = slice(None)) -> Evaluation:
        """What the simulator had returned, without diagnostics."""
        simulator = session.problem().simulator
        numbers, codes, m = self.numbers[which], self.codes[which], len(simulator.metrics)
        return Evaluation(
            values=numbers[:, :m],
            status=codes[:, 0].astype(np.int8),
            violation=numbers[:, m],
            reason_code=codes[:, 1],
            reason_detail=numbers[:, m + 2 :],
            cost=numbers[:, m + 1],
            reasons=simulator.all_reasons,
            diagnostics=np.zeros((len(numbers), 0)),
        )


def _blocks(records: Iterable[JournalRecord], session: Session) -> Iterator[_Block]:
    """Records by some 16,384 designs; one empty block where there are none."""
    gathered: list[JournalRecord] = []
    waiting, none_yet = 0, True
    for record in records:
        gathered.append(record)
        waiting += len(record.rows)
        if waiting >= _ROWS_AT_ONCE:
            yield _Block.of(gathered)
            gathered, waiting, none_yet = [], 0, False
    if gathered or none_yet:
        yield _Block.of([_no_record(session), *gathered])


def _columns_of(block: _Block, session: Session) -> Columns:
    simulator, space, n = session.problem().simulator, session.space, len(block.rows)
    evaluation = block.evaluation(session)
    rewards, reward, feasible = _scores(block, session)
    columns: Columns = dict(space.decode(block.rows))
    columns |= {metric.name: evaluation.values[:, m] for m, metric in enumerate(simulator.metrics)}
    if rewards.shape[1] > 1:
        columns |= {f"reward_{k}": rewards[:, k] for k in range(rewards.shape[1])}
    return columns | {
        "reward": reward,
        "feasible": feasible,
        "status": np.array(STATUS_NAMES, dtype=object)[evaluation.status],
        "reason": np.array([evaluation.reason(i) for i in range(n)], dtype=object),
        "violation": evaluation.violation,
        "design_key": np.array(_key_texts(space.keys(block.rows)), dtype=object),
        "cost": evaluation.cost,
        "workload": block.workloads,
    }


def _scores(block: _Block, session: Session) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Rewards (N, K), reward (N,) and feasibility (N,), each design by the problem of its workload."""
    n = len(block.rows)
    rewards, reward = np.empty((n, len(session.problem().objectives))), np.empty(n)
    feasible = np.empty(n, dtype=bool)
    for workload in dict.fromkeys(block.workloads.tolist()):
        mine = block.workloads == workload
        scored = session.problem(workload).score(block.evaluation(session, mine))
        rewards[mine], reward[mine], feasible[mine] = scored.rewards, scored.reward, scored.feasible
    return rewards, reward, feasible


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
        diagnostics=np.zeros((0, len(simulator.diagnostic_names))),
    )


def _improvements(columns: Columns, best: tuple[bool, float]) -> tuple[NDArray[np.bool_], tuple[bool, float]]:
    keep = np.zeros(len(columns["step"]), dtype=bool)
    for i, rank in enumerate(zip(columns["feasible"].tolist(), columns["reward"].tolist(), strict=True)):
        if rank > best:
            best, keep[i] = rank, True
    return keep, best


def _arrow(column: np.ndarray[Any, Any]) -> pa.Array:
    import pyarrow as pa

    if column.dtype != object:
        return pa.array(column)
    # Also a parameter with values such as "auto", 1, 2: a column of a file has one type.
    return pa.array([str(value) for value in column], type=pa.string())


def result_of(session: Session, *, wall_s: float) -> dict[str, Any]:
    """The JSON-able result of a finished session.

    ``best`` is the best feasible design, null where there is none; then ``nearest`` is the design that broke the rules
    least, which is no result but says what to try next. Where the space has a fidelity, ``best_at_full_fidelity`` is
    what the best design is worth there: it may have been seen at a lower one only. The run is not charged for it.
    """
    problem = session.problem()
    metrics = [metric.name for metric in problem.simulator.metrics]
    found = _found(session, metrics)
    feasible = found is not None and found["feasible"]
    return {
        "stop_reason": session.stop_reason,
        "calls": session.calls,
        "proposals": session.proposals,
        "cost": session.spent,
        "best": found if feasible else None,
        "nearest": None if feasible else found,
        **(_at_full_fidelity(session) if feasible and problem.space.fidelity_columns.any() else {}),
        "baseline": {
            "name": problem.simulator.baseline.name,
            "design": problem.baseline_design,
            "metrics": dict(zip(metrics, problem.baseline_values.tolist(), strict=True)),
        },
        "wall_s": wall_s,
    }


def _at_full_fidelity(session: Session) -> dict[str, Any]:
    best = session.best
    if best is None:
        return {}
    problem = session.problem(best.workload)
    row = problem.space.at_full_fidelity(np.array([best.row], dtype=np.int64))
    scored = problem.evaluate(problem.space.canonical(row))
    metrics = zip(problem.metric_names, scored.values[0].tolist(), strict=True)
    return {
        "best_at_full_fidelity": {
            "design": problem.space.decode_row(row[0]),
            "metrics": {name: value for name, value in metrics if np.isfinite(value)},
            "reward": float(scored.reward[0]),
            "feasible": bool(scored.feasible[0]),
        }
    }


def _found(session: Session, metrics: list[str]) -> dict[str, Any] | None:
    best = session.best
    if best is None:
        return None
    return {
        "design": session.best_design(),
        "metrics": {name: v for name, v in zip(metrics, best.values, strict=True) if np.isfinite(v)},
        "reward": best.reward,
        "feasible": best.feasible,
        "workload": best.workload,
        "step": best.step,
        "proposal": best.proposal,
    }
