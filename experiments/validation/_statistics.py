"""How far our numbers are from a tool's: errors, share of exact rows, rank correlation."""

from __future__ import annotations

__all__ = ["Statistics", "equal_rows", "relative_errors", "spearman", "summarise"]

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EXACT_RELATIVE = 1e-9


@dataclass(frozen=True)
class Statistics:
    """Agreement over ``rows`` compared rows; None where undefined.

    Attributes:
        rows: rows compared.
        exact: share of rows that are equal, see `equal_rows`.
        mean_rel_err: mean of `relative_errors`.
        p95_rel_err: the smallest of the errors that at least 95 % of the rows do not exceed, rounded up to a row.
        max_rel_err: the largest.
        spearman: rank correlation, see `spearman`.
    """

    rows: int
    exact: float | None
    mean_rel_err: float | None
    p95_rel_err: float | None
    max_rel_err: float | None
    spearman: float | None


def summarise(
    reference: Floats, ours: Floats, *, is_integer: bool = False, printed_decimals: int | None = None
) -> Statistics:
    """Summarise R rows.

    Args:
        reference: (R,) finite.
        ours: (R,); a number that is not finite is infinitely wrong, and makes the mean undefined.
        is_integer: see `equal_rows`.
        printed_decimals: see `equal_rows`.
    """
    if reference.size == 0:
        return Statistics(0, None, None, None, None, None)
    errors = relative_errors(reference, ours)
    equal = equal_rows(reference, ours, is_integer=is_integer, printed_decimals=printed_decimals)
    # A row that equals what the tool printed must not lose its ties to rounding.
    ranked = np.where(equal, reference, ours)
    return Statistics(
        rows=int(reference.size),
        exact=float(np.count_nonzero(equal)) / reference.size,
        mean_rel_err=_finite(float(np.mean(errors))),
        p95_rel_err=_finite(float(np.percentile(errors, 95, method="higher"))),
        max_rel_err=_finite(float(np.max(errors))),
        spearman=spearman(reference, ranked),
    )


def relative_errors(reference: Floats, ours: Floats) -> Floats:
    """Return |ours - reference| / |reference|, (R,); the absolute error where the reference is zero."""
    scale = np.where(reference == 0, 1.0, np.abs(reference))
    with np.errstate(over="ignore"):
        errors = np.abs(ours - reference) / scale
    return np.where(np.isfinite(errors), errors, np.inf)


def equal_rows(
    reference: Floats, ours: Floats, *, is_integer: bool = False, printed_decimals: int | None = None
) -> NDArray[np.bool_]:
    """Return (R,) whether a row is exact.

    Integers must be equal. Other numbers must be equal to 1e-9 relative; where the tool rounds to
    ``printed_decimals``, ours may also lie anywhere in the interval that rounds to what it printed.
    """
    if is_integer:
        return np.asarray(ours == reference)
    half_unit = 0.0 if printed_decimals is None else 0.5 * 10.0**-printed_decimals
    slack = half_unit + EXACT_RELATIVE * np.abs(reference)
    return np.asarray(np.abs(ours - reference) <= slack)


def spearman(first: Floats, second: Floats) -> float | None:
    """Return the rank correlation of two (R,) arrays, tied values sharing their mean rank.

    None where it is undefined: fewer than two rows, a NaN, or one side constant.

    >>> spearman(np.array([1.0, 2.0, 2.0, 5.0]), np.array([10.0, 30.0, 30.0, 70.0]))
    1.0
    """
    if first.size < 2 or np.isnan(first).any() or np.isnan(second).any():
        return None
    ranks = [_mean_ranks(values) for values in (first, second)]
    centred = [values - np.mean(values) for values in ranks]
    spread = float(np.sum(centred[0] ** 2)) * float(np.sum(centred[1] ** 2))
    if spread == 0:
        return None
    return float(np.clip(float(np.sum(centred[0] * centred[1])) / spread**0.5, -1.0, 1.0))


def _mean_ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean_rank: Floats = last - (counts - 1) / 2
    return mean_rank[inverse]


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
