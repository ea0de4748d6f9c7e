"""Does a recorded run reproduce? Simulate its designs again, compare its files, run its seed again."""

from __future__ import annotations

__all__ = ["Check", "verify"]

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archgym.journal import JournalRecord
from archgym.problem import Problem
from archgym.recorded_run import RecordedRun
from archgym.verification_files import Check, compare_files
from archgym_simulators import FAILED, STATUS_NAMES, InputError
from archgym_simulators.space import Rows

TOLERANCE = 1e-12
"""Relative difference of floats allowed between machines; on the machine that recorded them no bit differs."""

_ROWS_PER_CALL = 4096


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
    rows = np.concatenate([record.rows for record in records])
    recorded = np.concatenate([np.hstack([record.numbers, record.codes]) for record in records])
    workloads = np.concatenate([np.full(len(record.rows), record.workload, dtype=object) for record in records])
    failed = np.concatenate([record.codes[:, 0] == FAILED for record in records])
    steps = _chosen(np.flatnonzero(~failed), sample)
    exact = done = 0
    for workload in dict.fromkeys(workloads[steps].tolist()):
        mine = steps[workloads[steps] == workload]
        problem = run.spec.bind(workload)
        for part in np.split(mine, range(_ROWS_PER_CALL, len(mine), _ROWS_PER_CALL)):
            old, new = recorded[part], _simulate(problem, rows[part])
            wrong = np.flatnonzero(~_close(old, new))
            if len(wrong):
                return Check("designs", False, _difference(run, int(part[wrong[0]]), old[wrong[0]], new[wrong[0]]))
            exact, done = exact + int(_same_bits(old, new).sum()), done + len(part)
            if progress is not None:
                progress(done, len(steps))
    return Check("designs", True, _agreement(done, len(rows), exact, int(failed.sum())))


def _chosen(steps: NDArray[np.intp], sample: int | None) -> NDArray[np.intp]:
    if sample is None or sample >= len(steps):
        return steps
    return np.sort(np.random.default_rng(0).choice(steps, sample, replace=False))


def _agreement(done: int, total: int, exact: int, failed: int) -> str:
    how = "equal bit for bit" if exact == done else f"{exact:,} equal bit for bit, the others to {TOLERANCE:g}"
    rest = f"; {failed:,} had failed and say nothing" if failed else ""
    return f"{done:,} of {total:,} simulated again: {how}{rest}"


def _simulate(problem: Problem, rows: Rows) -> NDArray[np.float64]:
    """Metrics, violation, cost, reason details, status, reason: (N, M + 4 + K), as journals hold them."""
    found, simulator = problem.simulator.evaluate(rows), problem.simulator
    details = max((len(reason.details) for reason in simulator.all_reasons), default=0)
    numbers = np.zeros((len(rows), len(simulator.metrics) + 4 + details))
    m = len(simulator.metrics)
    numbers[:, :m] = found.values
    numbers[:, m], numbers[:, m + 1] = found.violation, found.cost
    numbers[:, m + 2 : m + 2 + found.reason_detail.shape[1]] = found.reason_detail
    numbers[:, -2], numbers[:, -1] = found.status, found.reason_code
    return numbers


def _same_bits(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(((a == b) | (np.isnan(a) & np.isnan(b))).all(axis=1))


def _close(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
    near = np.abs(a - b) <= TOLERANCE * np.maximum(np.abs(a), np.abs(b))
    return np.asarray((near | (a == b) | (np.isnan(a) & np.isnan(b))).all(axis=1))


def _difference(run: RecordedRun, step: int, old: NDArray[np.float64], new: NDArray[np.float64]) -> str:
    if old[-2] != new[-2]:
        return f"step {step}: {STATUS_NAMES[int(old[-2])]} in the record and {STATUS_NAMES[int(new[-2])]} now"
    metrics = list(run.manifest.about.get("metrics", []))
    details = [f"reason detail {k + 1}" for k in range(len(old) - len(metrics) - 4)]
    names = [*metrics, "violation", "cost", *details, "status", "reason"]
    column = int(np.flatnonzero(~_close(old[:, None], new[:, None]))[0])
    return f"step {step}: {names[column]} is {float(old[column])!r} in the record and {float(new[column])!r} now"


def _compare_trajectory(run: RecordedRun, problem: Problem, records: Sequence[JournalRecord]) -> Check:
    """Run the agent again from its seed, elsewhere, and compare journals record by record."""
    with tempfile.TemporaryDirectory() as place:
        again, _ = _search_again(run, Path(place) / "again").records(problem)
    step = 0
    for old, new in zip(records, again, strict=False):
        if not _same_record(old, new):
            return Check("trajectory", False, f"the agent's run from the seed differs from step {step} on")
        step += len(old.rows)
    if len(records) > len(again) or (run.result is not None and len(records) != len(again)):
        return Check("trajectory", False, f"{len(records):,} calls recorded, {len(again):,} when run again")
    return Check("trajectory", True, f"the agent, run again from its seed, made the same {step:,} simulations in order")


def _search_again(run: RecordedRun, out: Path) -> RecordedRun:
    from archgym.api import search

    spec, agent, budget = run.spec, run.identity["agent"], run.identity["budget"]
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


def _same_record(old: JournalRecord, new: JournalRecord) -> bool:
    return (
        (old.proposal, old.workload) == (new.proposal, new.workload)
        and np.array_equal(old.positions, new.positions)
        and np.array_equal(old.rows, new.rows)
        and np.array_equal(old.codes, new.codes)
        and bool(_close(old.numbers, new.numbers).all())
    )
