"""How good a run is after each evaluation, from its improvements only.

The improvements of R runs come as three columns of the same length I: ``run`` (0 to R - 1), ``evaluation`` (charged
calls, 1-based) and ``value`` at that evaluation, which holds until the run's next row. Rows of a run are in ascending
order of evaluation, runs in any order but each in one piece in ascending order of ``run``.
"""

from __future__ import annotations

__all__ = [
    "area_under_log_regret",
    "ecdf",
    "evaluation_grid",
    "time_to_target",
    "values_at",
]

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.statistics.regrets import CEILING
from archgym_simulators import InputError

Columns = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def evaluation_grid(budget: int, points: int = 40) -> NDArray[np.int64]:
    """At most ``points`` distinct numbers of evaluations from 1 to the budget, evenly spaced in their logarithm.

    >>> evaluation_grid(100, 4).tolist()
    [1, 5, 22, 100]
    """
    return np.unique(np.rint(np.geomspace(1.0, max(1, budget), points)).astype(np.int64))


def values_at(
    run: ArrayLike, evaluation: ArrayLike, value: ArrayLike, *, grid: ArrayLike, runs: int
) -> NDArray[np.float64]:
    """The value of each run after each number of evaluations: (R, G), NaN before its first row.

    >>> values_at([0, 0], [2, 5], [0.5, 0.7], grid=[1, 2, 4, 5, 9], runs=1).tolist()
    [[nan, 0.5, 0.5, 0.7, 0.7]]
    """
    run_, evaluation_, value_ = _columns(run, evaluation, value, runs)
    asked = np.asarray(grid, dtype=np.int64)
    if not len(run_):
        return np.full((runs, len(asked)), np.nan)
    stride = int(max(evaluation_.max(), asked.max(initial=0))) + 1
    latest = np.searchsorted(run_ * stride + evaluation_, np.arange(runs)[:, None] * stride + asked, side="right") - 1
    has_one = (latest >= 0) & (run_[latest] == np.arange(runs)[:, None])
    return np.where(has_one, value_[latest], np.nan)


def time_to_target(
    run: ArrayLike, evaluation: ArrayLike, value: ArrayLike, *, targets: ArrayLike, runs: int
) -> NDArray[np.float64]:
    """Evaluations until the value of each run is at least each target: (R, K), infinite where it never is.

    >>> time_to_target([0, 0], [2, 5], [0.5, 0.7], targets=[0.1, 0.6, 0.8], runs=1).tolist()
    [[2.0, 5.0, inf]]
    """
    run_, evaluation_, value_ = _columns(run, evaluation, value, runs)
    goals = np.asarray(targets, dtype=np.float64)
    times = np.full((runs, len(goals)), np.inf)
    for k, goal in enumerate(goals.tolist()):
        reached = value_ >= goal
        np.minimum.at(times[:, k], run_[reached], evaluation_[reached])
    return times


def ecdf(times: ArrayLike, grid: ArrayLike) -> NDArray[np.float64]:
    """Share of all (run, target) pairs that are reached after each number of evaluations: times of any shape to (G,).

    Hansen, Auger, Brockhoff and Tusar, "Anytime performance assessment in blackbox optimization benchmarking", IEEE
    TEVC 2022: the empirical distribution of runtimes, infinite ones included.

    >>> ecdf([[2.0, 5.0], [3.0, float("inf")]], [1, 3, 9]).tolist()
    [0.0, 0.5, 0.75]
    """
    ordered = np.sort(np.asarray(times, dtype=np.float64).ravel())
    if not len(ordered):
        raise InputError("a distribution of no times has no shares")
    return np.asarray(np.searchsorted(ordered, np.asarray(grid, dtype=np.float64), side="right") / len(ordered))


def area_under_log_regret(
    run: ArrayLike,
    evaluation: ArrayLike,
    regrets: ArrayLike,
    *,
    budget: int,
    runs: int,
    floor: float = 1e-3,
    ceiling: float = CEILING,
) -> NDArray[np.float64]:
    """Mean over evaluations 1 to the budget of log10(regret): (R,), lower is better.

    One number for a whole curve: how good early and how good late. Regrets are clipped to [floor, ceiling]: below the
    floor nobody cares, and a run without a feasible design so far has the ceiling's.

    >>> area_under_log_regret([0, 0], [1, 6], [1.0, 0.1], budget=10, runs=1).tolist()
    [-0.5]
    """
    run_, evaluation_, value = _columns(run, evaluation, regrets, runs)
    if not 0.0 < floor < ceiling:
        raise InputError(f"the floor must lie above 0 and below the ceiling, not at {floor!r} with {ceiling!r}")
    inside = evaluation_ <= budget
    run_, evaluation_ = run_[inside], evaluation_[inside]
    logs = np.log10(np.clip(value[inside], floor, ceiling))
    is_last = np.ones(len(run_), dtype=bool)
    is_last[:-1] = run_[1:] != run_[:-1]
    until = np.where(is_last, budget + 1, np.roll(evaluation_, -1))
    known = np.bincount(run_, weights=until - evaluation_, minlength=runs)
    total = np.bincount(run_, weights=logs * (until - evaluation_), minlength=runs)
    return np.asarray((total + (budget - known) * np.log10(ceiling)) / budget)


def _columns(run: ArrayLike, evaluation: ArrayLike, value: ArrayLike, runs: int) -> Columns:
    run_, evaluation_ = np.asarray(run, dtype=np.int64), np.asarray(evaluation, dtype=np.int64)
    value_ = np.asarray(value, dtype=np.float64)
    if not run_.shape == evaluation_.shape == value_.shape or run_.ndim != 1:
        raise InputError(
            f"run, evaluation and value must be columns of one length, not {run_.shape}, {evaluation_.shape} and "
            f"{value_.shape}"
        )
    if len(run_) and (run_.min() < 0 or run_.max() >= runs):
        raise InputError(f"runs are numbered 0 to {runs - 1}, found {int(run_.min())} to {int(run_.max())}")
    step = np.diff(run_)
    if (step < 0).any() or ((step == 0) & (np.diff(evaluation_) <= 0)).any():
        raise InputError("improvements must be in ascending order of run, and of evaluation within a run")
    return run_, evaluation_, value_
