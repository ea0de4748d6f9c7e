"""Does a recorded run reproduce? Simulate its designs again, compare its files, run its seed again."""

from __future__ import annotations

__all__ = ["Check", "verify"]

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archgym.agent import AgentFailed
from archgym.journal import JournalRecord
from archgym.problem import Problem
from archgym.recorded_run import RecordedRun
from archgym.resuming import ResumeLedger
from archgym.verification_files import Check, compare_files
from archgym_simulators import FAILED, STATUS_NAMES, Evaluation, InputError

TOLERANCE = 1e-12
"""Relative difference of floats allowed between machines; on the machine that recorded them no bit differs."""

_ROWS_PER_CALL = 4096
_COST = 3  # column of `_outcomes`


def verify(
    path: Path, *, sample: int | None = None, rerun: bool = False, progress: Callable[[int, int], None] | None = None
) -> list[Check]:
    """Check a run directory against this installation.

    Args:
        path: the run directory, complete or interrupted.
        sample: simulate only so many of its designs, drawn at random (the same ones every time); None for all.
        rerun: also run the agent again from its seed, and compare every proposal.
        progress: called with designs done and in all.

    Raises:
        InputError: no run directory, or one of another version.
    """
    run = RecordedRun.open(path)
    problem = run.problem()
    records, cut_bytes = run.records(problem)
    if not records:
        raise InputError(f"{path} records no evaluations")
    checks = [_compare_designs(run, records, sample, progress)]
    result = run.result
    if result is not None:
        if cut_bytes:
            checks.append(Check("journal", False, f"damaged: its last {cut_bytes:,} bytes are unreadable"))
        checks += compare_files(run, result, records)
    if rerun:
        checks.append(_compare_trajectory(run, problem, records))
    return checks


def _compare_designs(
    run: RecordedRun, records: Sequence[JournalRecord], sample: int | None, progress: Callable[[int, int], None] | None
) -> Check:
    """Simulate recorded designs again; failed ones say nothing about their design and are left out."""
    problems = {record.workload: run.spec.bind(record.workload) for record in records}
    rows = np.concatenate([record.rows for record in records])
    recorded = np.concatenate([_recorded(problems[record.workload], record) for record in records])
    discounts = _discounts(problems, records)
    workloads = np.concatenate([np.full(len(record.rows), record.workload, dtype=object) for record in records])
    failed = recorded[:, 0] == FAILED
    steps = _chosen(np.flatnonzero(~failed), sample)
    exact = done = 0
    for workload, problem in problems.items():
        mine = steps[workloads[steps] == workload]
        for part in np.split(mine, range(_ROWS_PER_CALL, len(mine), _ROWS_PER_CALL)):
            old, new = recorded[part], _outcomes(problem, problem.simulator.evaluate(rows[part]))
            new[:, _COST] -= discounts[part]
            wrong = np.flatnonzero(~_close(old, new))
            if len(wrong):
                return Check("designs", False, _difference(problem, int(part[wrong[0]]), old[wrong[0]], new[wrong[0]]))
            exact, done = exact + int(_same_bits(old, new).sum()), done + len(part)
            if progress is not None:
                progress(done, len(steps))
    return Check("designs", True, _agreement(done, len(rows), exact, int(failed.sum())))


def _discounts(problems: Mapping[str, Problem], records: Sequence[JournalRecord]) -> NDArray[np.float64]:
    """What each recorded design (N,) was not charged because training went on from an earlier fidelity."""
    ledgers = {name: ResumeLedger(one.simulator) for name, one in problems.items() if one.simulator.resumes}
    found = [np.zeros(0)]
    for record in records:
        ledger, status = ledgers.get(record.workload), record.codes[:, 0].astype(np.int8)
        found.append(np.zeros(len(status)) if ledger is None else ledger.discounts(record.rows, status))
        if ledger is not None:
            ledger.note(record.rows, status)
    return np.concatenate(found)


def _recorded(problem: Problem, record: JournalRecord) -> NDArray[np.float64]:
    simulator = problem.simulator
    return _outcomes(problem, record.evaluation(len(simulator.metrics), simulator.all_reasons))


def _chosen(steps: NDArray[np.intp], sample: int | None) -> NDArray[np.intp]:
    if sample is None or sample >= len(steps):
        return steps
    return np.sort(np.random.default_rng(0).choice(steps, sample, replace=False))


def _agreement(done: int, total: int, exact: int, failed: int) -> str:
    how = "equal bit for bit" if exact == done else f"{exact:,} equal bit for bit, the others to {TOLERANCE:g}"
    rest = f"; {failed:,} had failed and say nothing" if failed else ""
    return f"{done:,} of {total:,} simulated again: {how}{rest}"


def _outcomes(problem: Problem, evaluation: Evaluation) -> NDArray[np.float64]:
    """Status, reason, metrics, violation, cost, reason details, diagnostics: (N, 4 + M + K + G)."""
    simulator, n = problem.simulator, len(evaluation)
    details = max((len(reason.details) for reason in simulator.all_reasons), default=0)
    padded = np.zeros((n, details))
    padded[:, : evaluation.reason_detail.shape[1]] = evaluation.reason_detail
    single = (evaluation.status, evaluation.reason_code, evaluation.violation, evaluation.cost)
    return np.hstack([*(column[:, None] for column in single), evaluation.values, padded, evaluation.diagnostics])


def _same_bits(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(((a == b) | (np.isnan(a) & np.isnan(b))).all(axis=1))


def _close(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
    near = np.abs(a - b) <= TOLERANCE * np.maximum(np.abs(a), np.abs(b))
    return np.asarray((near | (a == b) | (np.isnan(a) & np.isnan(b))).all(axis=1))


def _difference(problem: Problem, step: int, old: NDArray[np.float64], new: NDArray[np.float64]) -> str:
    if old[0] != new[0]:
        return f"step {step}: {STATUS_NAMES[int(old[0])]} in the record and {STATUS_NAMES[int(new[0])]} now"
    simulator = problem.simulator
    details = len(old) - 4 - len(simulator.metrics) - len(simulator.diagnostic_names)
    about = [f"reason detail {k + 1}" for k in range(details)]
    names = ["status", "reason", "violation", "cost", *simulator.metric_names(), *about, *simulator.diagnostic_names]
    column = int(np.flatnonzero(~_close(old[:, None], new[:, None]))[0])
    return f"step {step}: {names[column]} is {float(old[column])!r} in the record and {float(new[column])!r} now"


def _compare_trajectory(run: RecordedRun, problem: Problem, records: Sequence[JournalRecord]) -> Check:
    """Run the agent again from its seed, elsewhere, and compare journals record by record."""
    with tempfile.TemporaryDirectory() as place:
        again, _ = _search_again(run, Path(place) / "again").records(problem)
    step = 0
    for old, new in zip(records, again, strict=False):
        if not _same_record(problem, old, new):
            return Check("trajectory", False, f"the agent's run from the seed differs from step {step} on")
        step += len(old.rows)
    if len(records) > len(again) or (run.result is not None and len(records) != len(again)):
        return Check("trajectory", False, f"{len(records):,} calls recorded, {len(again):,} when run again")
    return Check("trajectory", True, f"the agent, run again from its seed, made the same {step:,} simulations in order")


def _search_again(run: RecordedRun, out: Path) -> RecordedRun:
    from archgym.api import search

    spec, agent, budget = run.spec, run.identity["agent"], run.identity["budget"]
    # One that failed, and fails again, has as much to compare as it recorded.
    with suppress(AgentFailed):
        search(
            spec.env_id,
            agent["name"],
            budget=budget["limit"],
            seed=run.identity["seed"],
            out=out,
            workload=spec.workload,
            objective=list(spec.objectives) or None,
            constraints=spec.constraints,
            agent_options=agent["config"],
            simulator_options=spec.options,
            max_proposals=budget["max_proposals"],
            budget_unit=budget["unit"],
            record=budget["record"],
        )
    return RecordedRun.open(out)


def _same_record(problem: Problem, old: JournalRecord, new: JournalRecord) -> bool:
    return (
        (old.proposal, old.workload) == (new.proposal, new.workload)
        and np.array_equal(old.positions, new.positions)
        and np.array_equal(old.rows, new.rows)
        and bool(_close(_recorded(problem, old), _recorded(problem, new)).all())
    )
