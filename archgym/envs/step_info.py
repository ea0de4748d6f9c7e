"""What a step tells beside the observation: for one environment as plain values, for many as columns."""

from __future__ import annotations

__all__ = ["columnar_info", "evaluated_columns", "step_info"]

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.problem import Problem, ScoredEvaluation
from archgym_simulators import OK, STATUS_NAMES
from archgym_simulators.space import Rows

Mask = NDArray[np.bool_]
_STATUS = np.array(STATUS_NAMES, dtype=object)


def step_info(problem: Problem, row: Sequence[int], scored: ScoredEvaluation) -> dict[str, Any]:
    """``design``, ``metrics``, ``status``, ``reason`` and ``violations`` of a single evaluated design.

    And ``bottleneck`` in families that name one; empty, as are the metrics, for a design that is not ok.
    """
    info: dict[str, Any] = {"design": problem.space.decode_row(row)}
    blame = problem.simulator.bottlenecks(scored)
    if blame:
        info["bottleneck"] = (
            {name: words.tolist()[0] for name, words in blame.items()} if scored.status[0] == OK else {}
        )
    if scored.status[0] == OK:
        metrics = dict(zip(problem.metric_names, scored.values[0].tolist(), strict=True))
        return info | {"metrics": metrics, "status": "ok", "reason": "", "violations": _violations(problem, scored)}
    violations = {scored.reason_name(0): float(scored.violation[0])}
    return info | {
        "metrics": {},
        "status": scored.status_name(0),
        "reason": scored.reason(0),
        "violations": violations,
    }


def columnar_info(
    problem: Problem, rows: Rows, scored: ScoredEvaluation, mask: Mask, bottlenecks: Mapping[str, NDArray[Any]]
) -> dict[str, Any]:
    """As `step_info` for N designs: arrays (N,) with a boolean mask under ``_name``, as Gymnasium's vector info.

    ``bottlenecks`` (N,) each come from `Session.bottlenecks`: every workload has words of its own.
    """
    valid = scored.status == OK
    ok, others = mask & valid, mask & ~valid
    reasons = np.full(len(rows), "", dtype=object)
    for i in np.flatnonzero(others).tolist():
        reasons[i] = scored.reason(i)
    design, texts = problem.space.decode(rows), {"status": _STATUS[scored.status], "reason": reasons}
    if not mask.all():
        _hide(design, ~mask)
        _hide(texts, ~mask)
    info: dict[str, Any] = {
        "design": _masked(design, mask),
        "metrics": _masked(_metrics(problem, scored, ok), ok),
        **texts,
        "violations": _violation_columns(problem, scored, ok, others),
    }
    if bottlenecks:
        blame = dict(bottlenecks)
        _hide(blame, ~ok)
        info["bottleneck"] = _masked(blame, ok)
    return _masked(info, mask)


def evaluated_columns(problem: Problem, rows: Rows, scored: ScoredEvaluation) -> dict[str, Any]:
    """Every step's metrics, design rows, status and feasibility, which autoreset does not move.

    Invalid designs have 0 with a False mask ``_metric``, never NaN.
    """
    ok = scored.status == OK
    columns = _masked(_metrics(problem, scored, ok), ok)
    return {**columns, "row": rows.copy(), "status": _STATUS[scored.status], "feasible": scored.feasible.copy()}


def _metrics(problem: Problem, scored: ScoredEvaluation, ok: Mask) -> dict[str, Any]:
    values = np.where(ok, scored.values.T, 0.0)  # (M, N), so that columns do not share rows
    return dict(zip(problem.metric_names, values, strict=True))


def _violations(problem: Problem, scored: ScoredEvaluation) -> dict[str, float]:
    if scored.feasible[0]:
        return dict.fromkeys(problem.bound_names, 0.0)
    amounts = problem.constraint_violations(scored.values)[0].tolist()
    return dict(zip(problem.bound_names, amounts, strict=True))


def _violation_columns(problem: Problem, scored: ScoredEvaluation, ok: Mask, others: Mask) -> dict[str, Any]:
    """By bound for designs that are ok, by reason for the others."""
    columns: dict[str, Any] = {}
    if problem.constraints:
        amounts = problem.constraint_violations(scored.values)
        bounds = {bound: np.where(ok, amounts[:, c], 0.0) for c, bound in enumerate(problem.bound_names)}
        columns |= _masked(bounds, ok)
    for code in sorted(set(scored.reason_code[others].tolist())):
        of_reason = others & (scored.reason_code == code)
        name = scored.reasons[code].name if code >= 0 else ""
        columns |= {name: np.where(of_reason, scored.violation, 0.0), f"_{name}": of_reason}
    return columns


def _masked(columns: dict[str, Any], mask: Mask) -> dict[str, Any]:
    return {**columns, **{f"_{name}": mask for name in columns}}


def _hide(columns: dict[str, Any], hidden: Mask) -> None:
    for name, column in columns.items():
        columns[name] = shown = column.copy()
        shown[hidden] = None if column.dtype == object else 0
