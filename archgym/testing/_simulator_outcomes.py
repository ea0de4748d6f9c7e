"""Checks of what a simulator returns: its form, and that the same design gives the same bits."""

from __future__ import annotations

__all__ = [
    "check_batches",
    "check_every_workload",
    "check_folding",
    "check_outcome",
    "check_purity",
    "check_threads",
]

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from archgym.objectives import parse_objective
from archgym.scoring import Scorer
from archgym.testing._simulator_subject import Subject, widened
from archgym_simulators import FAILED, INVALID, OK, Evaluation, Simulator
from archgym_simulators.space import Rows

_ONE_BY_ONE = 16
_THREADS = 4
_PER_WORKLOAD = 64
_COLUMNS = ("values", "status", "violation", "reason_code", "reason_detail", "cost", "diagnostics")
_TYPES = ("float64", "int8", "float64", "int16", "float64", "float64", "float64")


def check_outcome(subject: Subject) -> None:
    """Shapes, types, NaN, violations, reasons and costs of a batch and of no rows."""
    for rows in (subject.canonical, subject.canonical[:1], subject.canonical[:0]):
        outcome = subject.simulator.evaluate(rows)
        subject.require(isinstance(outcome, Evaluation), f"evaluate must return an Evaluation, not {type(outcome)}")
        _check_form(subject, outcome, len(rows))
        _check_numbers(subject, outcome)
        _check_reasons(subject, outcome)
    whole = subject.simulator.evaluate(subject.canonical)
    usable = whole.status[0] == OK or (subject.flaky and whole.status[0] == FAILED) or not (whole.status == OK).any()
    subject.require(usable, f"the baseline must be valid, as others are: {whole.reason(0)}")


def _check_form(subject: Subject, outcome: Evaluation, n: int) -> None:
    simulator = subject.simulator
    details = max((len(reason.details) for reason in simulator.all_reasons), default=0)
    shapes: tuple[tuple[int, ...], ...] = (
        *((n, len(simulator.metrics)), (n,), (n,), (n,)),
        *((n, outcome.reason_detail.shape[-1]), (n,), (n, len(simulator.diagnostic_names))),
    )
    for name, kind, shape in zip(_COLUMNS, _TYPES, shapes, strict=True):
        array = getattr(outcome, name)
        subject.require(array.shape == shape, f"{name} of {n} rows must have the shape {shape}, not {array.shape}")
        subject.require(array.dtype == kind, f"{name} must be {kind}, not {array.dtype}")
        subject.require(not array.flags.writeable, f"{name} must be read-only")
    width = outcome.reason_detail.shape[1]
    subject.require(width <= details, f"reason_detail has {width} columns, the reasons have at most {details} details")


def _check_numbers(subject: Subject, outcome: Evaluation) -> None:
    require, ok = subject.require, outcome.status == OK
    known = np.isin(outcome.status, (OK, INVALID, FAILED))
    require(known.all(), f"status must be ok, invalid or failed (0, 1, 2), not {outcome.status[~known][:1]}")
    require(subject.flaky or (outcome.status != FAILED).all(), "a row failed; pass flaky=True where that may happen")
    require(np.isnan(outcome.values[~ok]).all(), "metrics of designs that are not ok must be NaN")
    for m, metric in enumerate(subject.simulator.metrics):
        column = outcome.values[ok, m]
        require(np.isfinite(column).all(), f"{metric.name} of designs that are ok must be finite")
        low = metric.scale == "linear" or (column >= 0.0).all()
        require(low, f"{metric.name} has the scale 'log' and must not be negative; declare scale='linear'")
    graded = np.isfinite(outcome.violation).all() and (outcome.violation >= 0.0).all()
    require(graded, "violation must be finite and at least 0")
    require((outcome.violation[ok] == 0.0).all(), "violation of designs that are ok must be 0")
    require(np.isfinite(outcome.cost).all() and (outcome.cost >= 0.0).all(), "cost must be finite and at least 0")


def _check_reasons(subject: Subject, outcome: Evaluation) -> None:
    codes, require = outcome.reason_code, subject.require
    require((codes[outcome.status == OK] == -1).all(), "reason_code of designs that are ok must be -1")
    coded = (codes >= 0) & (codes < len(subject.simulator.all_reasons))
    require(coded[outcome.status == INVALID].all(), "reason_code of invalid designs must be an index of the reasons")
    for row in np.flatnonzero(codes >= 0).tolist():
        sentence = outcome.reason(row)
        wanted = len(subject.simulator.all_reasons[codes[row]].details)
        given = np.isfinite(outcome.reason_detail[row, :wanted]).sum()
        require(given == wanted, f"row {row} has {given} of the {wanted} detail numbers of its reason")
        require(sentence and "\n" not in sentence, f"the reason of row {row} must be one sentence, not {sentence!r}")


def check_every_workload(subject: Subject) -> None:
    """On every built-in workload the metrics are the same, the baseline is valid and the default objective works."""
    names = list(subject.simulator.workload_names()) if subject.build is not None else []
    _check_baseline(subject, subject.simulator)
    for name in names:
        if subject.build is not None:
            _check_baseline(subject, subject.build(name))


def _check_baseline(subject: Subject, bound: Simulator) -> None:
    where, row, space = f"workload {bound.workload.name!r}", bound.baseline.row, bound.space
    mine, others = ([(m.name, m.direction, m.scale) for m in one.metrics] for one in (bound, subject.simulator))
    subject.require(mine == others, f"{where} has other metrics than {subject.simulator.workload.name!r}")
    inside = len(row) == space.width and space.contains([row]).all()
    subject.require(inside, f"the baseline {row} of {where} is no row of the design space")
    outcome = bound.evaluate(space.canonical(space.as_rows([row])))
    if outcome.status[0] == OK:
        default = bound.default_objective or bound.metrics[0].name
        Scorer(bound.metrics, [parse_objective(default, bound.metrics, bound.objectives)], (), outcome.values[0])
    elif outcome.status[0] == INVALID and space == subject.simulator.space:
        others_valid = (bound.evaluate(subject.canonical).status == OK).any()
        subject.require(not others_valid, f"the baseline of {where} must be valid: {outcome.reason(0)}")


def check_purity(subject: Subject) -> None:
    """Evaluating changes neither its input nor an earlier outcome; again, and built again, it gives the same bits."""
    rows = subject.canonical
    kept = rows.copy()
    first = subject.simulator.evaluate(rows)
    subject.require(np.array_equal(rows, kept), "evaluate must not change its rows")
    before = {name: getattr(first, name).copy() for name in _COLUMNS}
    subject.simulator.evaluate(rows[::-1].copy())
    for name, values in before.items():
        unchanged = np.array_equal(values, getattr(first, name), equal_nan=values.dtype.kind == "f")
        subject.require(unchanged, f"evaluating again must not change {name} of an earlier outcome")
    subject.same(first, subject.simulator.evaluate(kept), "the same rows must give the same bits twice")
    if subject.build is not None:
        again = subject.build(subject.simulator.workload.name).evaluate(kept)
        subject.same(first, again, "a simulator built again must give the same bits")


def check_batches(subject: Subject) -> None:
    """The same bits for any batch size, order and split."""
    rows, simulator = subject.canonical, subject.simulator
    whole = simulator.evaluate(rows)
    few = rows[:_ONE_BY_ONE]
    single = _joined([simulator.evaluate(few[i : i + 1]) for i in range(len(few))])
    subject.same(_taken(whole, slice(0, len(few))), single, "one row at a time must give the bits of a batch")
    edges = [0, *np.cumsum([3, 5, 17, 33]).tolist(), len(rows)]
    parts = _joined([simulator.evaluate(rows[a:b]) for a, b in pairwise(edges) if a < b])
    subject.same(_taken(whole, slice(0, len(parts))), parts, "smaller batches must give the bits of a large one")
    backwards = simulator.evaluate(rows[::-1].copy())
    subject.same(_taken(whole, slice(None, None, -1)), backwards, "another order must give the same bits")


def check_threads(subject: Subject) -> None:
    """The same bits from several threads at once, and from an enumeration."""
    rows, simulator = subject.canonical, subject.simulator
    whole = simulator.evaluate(rows)
    with ThreadPoolExecutor(_THREADS) as pool:
        outcomes = list(pool.map(simulator.evaluate, [rows.copy() for _ in range(2 * _THREADS)]))
    for outcome in outcomes:
        subject.same(whole, outcome, "several threads at once must give the bits of one")
    everything = simulator.evaluate_all(rows, threads=_THREADS)
    subject.same(whole, everything, "evaluate_all must give the bits of evaluate")


def check_folding(subject: Subject) -> None:
    """Designs with one canonical form are equal, on every built-in workload."""
    space = subject.simulator.space
    if not space.inert:
        return
    rows = _folding_rows(subject)
    names = list(subject.simulator.workload_names()) if subject.build is not None else []
    for simulator in [subject.simulator, *(subject.build(name) for name in names if subject.build is not None)]:
        if simulator.space == space:
            subject.same(
                simulator.evaluate(rows),
                simulator.evaluate(space.canonical(rows)),
                f"folded designs must be equal on workload {simulator.workload.name!r}",
            )


def _folding_rows(subject: Subject) -> Rows:
    rows: Rows = subject.rows[(subject.simulator.space.canonical(subject.rows) != subject.rows).any(axis=1)]
    return rows[:_PER_WORKLOAD]


def _taken(outcome: Evaluation, which: slice) -> Evaluation:
    return Evaluation(**{name: getattr(outcome, name)[which] for name in _COLUMNS}, reasons=outcome.reasons)


def _joined(parts: list[Evaluation]) -> Evaluation:
    widest = max(part.reason_detail.shape[1] for part in parts)
    columns = {name: [getattr(part, name) for part in parts] for name in _COLUMNS}
    columns["reason_detail"] = [widened(detail, widest) for detail in columns["reason_detail"]]
    return Evaluation(**{name: np.concatenate(c) for name, c in columns.items()}, reasons=parts[0].reasons)
