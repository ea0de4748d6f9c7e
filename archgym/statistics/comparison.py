"""Is one agent better than another, or luckier? Scores are higher for better; negate regrets."""

from __future__ import annotations

__all__ = [
    "RankStability",
    "holm",
    "improvement_interval",
    "permutation_p_value",
    "probability_of_improvement",
    "rank_stability",
]

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.statistics.aggregate import iqm
from archgym.statistics.bootstrap import RESAMPLES, Statistic, checked_scores, resampled_statistic
from archgym_simulators import InputError

PERMUTATIONS = 10_000


def probability_of_improvement(x: ArrayLike, y: ArrayLike) -> float:
    """Probability that a run of X scores above a run of Y on a task drawn at random; ties count half.

    Args:
        x: (R, T).
        y: (S, T), the same tasks.

    >>> probability_of_improvement([[1.0], [2.0]], [[1.0], [0.0]])
    0.875
    """
    return float(_wins(*_same_tasks(x, y)).mean())


def improvement_interval(
    x: ArrayLike, y: ArrayLike, rng: np.random.Generator, *, confidence: float = 0.95, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Percentile interval of `probability_of_improvement`, runs of both drawn again within each task."""
    mine, theirs = _same_tasks(x, y)
    wins = _wins(mine, theirs)
    drawn = np.zeros(resamples)
    for task in wins:
        # A resample is how often each run is drawn; the wins of a pair of runs never change.
        of_x = _counts(len(mine), rng, resamples)
        of_y = _counts(len(theirs), rng, resamples)
        drawn += ((of_x @ task) * of_y).sum(axis=1)
    drawn /= wins.size
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(drawn, [tail, 1.0 - tail]).tolist()
    return low, high


def permutation_p_value(
    x: ArrayLike, y: ArrayLike, rng: np.random.Generator, *, permutations: int = PERMUTATIONS
) -> float:
    """Two-sided p-value of "a run of X is as likely above as below a run of Y": labels are dealt anew in each task.

    Valid without any assumption on distributions; the smallest value is 1 / (permutations + 1).
    """
    mine, theirs = _same_tasks(x, y)
    pooled = np.concatenate([mine, theirs])
    wins = _wins(pooled, pooled)
    observed = abs(float(_wins(mine, theirs).mean()) - 0.5)
    drawn = np.zeros(permutations)
    for task in wins:
        order = rng.permuted(np.tile(np.arange(len(pooled)), (permutations, 1)), axis=1)
        is_x = (order < len(mine)).astype(np.float64)
        drawn += ((is_x @ task) * (1.0 - is_x)).sum(axis=1)
    distance = np.abs(drawn / (len(mine) * len(theirs) * len(wins)) - 0.5)
    # The sums of equal terms in another order differ in the last bits.
    return float((1 + (distance >= observed - 1e-12).sum()) / (1 + permutations))


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """P-values (M,) of M comparisons, adjusted so that a false alarm among all is as rare as for one.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 1979.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    raw = np.asarray(p_values, dtype=np.float64)
    if raw.ndim != 1 or not ((raw >= 0.0) & (raw <= 1.0)).all():
        raise InputError("p-values must be one row of numbers from 0 to 1")
    order = np.argsort(raw, kind="stable")
    stepped = np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1))
    adjusted = np.empty(len(raw))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


@dataclass(frozen=True)
class RankStability:
    """How firm a ranking of A agents is against other seeds.

    Attributes:
        ranks: (A,) of the study itself, 1 is best, ties share the mean.
        place_shares: (A, A) share of resamples in which agent a is at place k; ties share their places evenly.
        agreement: mean Kendall correlation (tau-b) of a resampled ranking with the study's: 1 always the same order,
            0 any order.
    """

    ranks: NDArray[np.float64]  # (A,)
    place_shares: NDArray[np.float64]  # (A, A)
    agreement: float


def rank_stability(
    scores: ArrayLike, rng: np.random.Generator, *, statistic: Statistic = iqm, resamples: int = RESAMPLES
) -> RankStability:
    """Rank A agents by a statistic of their scores (A, R, T), and again with runs drawn anew."""
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 3 or not array.size:
        raise InputError(f"scores must have the shape (agents, runs, tasks), not {array.shape}")
    observed = np.array([float(np.asarray(statistic(one[None]))[0]) for one in array])
    drawn = np.stack([resampled_statistic(one, statistic, rng, resamples=resamples) for one in array], axis=1)
    above, equal = _places(drawn)
    places = np.arange(len(array))
    is_at = (places >= above[..., None]) & (places < (above + equal)[..., None])
    first, ties = _places(observed[None])
    return RankStability(
        ranks=first[0] + (ties[0] + 1) / 2.0,
        place_shares=(is_at / equal[..., None]).mean(axis=0),
        agreement=_mean_tau(observed, drawn),
    )


def _places(statistics: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many agents are above each, and how many equal it, itself included: (B, A) to twice (B, A)."""
    other, self_ = statistics[:, None, :], statistics[:, :, None]
    return (other > self_).sum(axis=2), (other == self_).sum(axis=2)


def _mean_tau(observed: NDArray[np.float64], drawn: NDArray[np.float64]) -> float:
    upper = np.triu_indices(len(observed), 1)
    if not len(upper[0]):
        return 1.0
    mine = np.sign(_differences(observed[None]))[:, *upper]
    theirs = np.sign(_differences(drawn))[:, *upper]
    scale = np.sqrt(np.abs(mine).sum(axis=1) * np.abs(theirs).sum(axis=1))
    agree = (mine * theirs).sum(axis=1)
    return float(np.where(scale > 0.0, agree / np.maximum(scale, 1.0), 0.0).mean())


def _differences(statistics: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of all pairs, (B, A) to (B, A, A); equal infinities differ by 0."""
    left, right = statistics[:, :, None], statistics[:, None, :]
    return np.asarray(np.greater(left, right).astype(np.float64) - np.less(left, right))


def _wins(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """1, 1/2 or 0 for each pair of runs: (T, R, S)."""
    left, right = x.T[:, :, None], y.T[:, None, :]
    return np.asarray((left > right) + 0.5 * (left == right), dtype=np.float64)


def _counts(runs: int, rng: np.random.Generator, resamples: int) -> NDArray[np.float64]:
    return rng.multinomial(runs, np.full(runs, 1.0 / runs), size=resamples).astype(np.float64)


def _same_tasks(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mine, theirs = checked_scores(x), checked_scores(y)
    if mine.shape[1] != theirs.shape[1]:
        raise InputError(f"both must be run on the same tasks, found {mine.shape[1]} and {theirs.shape[1]}")
    return mine, theirs
