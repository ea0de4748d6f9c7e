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
from archgym.statistics.bootstrap import RESAMPLES, Statistic, batches, checked_scores, resampled_statistic
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
    mine, theirs = _same_tasks(x, y)
    ones = np.ones((1, len(mine))), np.ones((1, len(theirs)))
    return float(np.mean([_wins(a, b, *ones)[0] for a, b in zip(mine.T, theirs.T, strict=True)]))


def improvement_interval(
    x: ArrayLike, y: ArrayLike, rng: np.random.Generator, *, confidence: float = 0.95, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Percentile interval of `probability_of_improvement`, runs of both drawn again within each task.

    Raises:
        InputError: other tasks, no runs, or a confidence that is no share.
    """
    if not 0.0 < confidence < 1.0:
        raise InputError(f"confidence must lie between 0 and 1, not {confidence!r}")
    mine, theirs = _same_tasks(x, y)
    drawn = [
        np.mean([_wins(a, b, *_counts(a, b, rng, n)) for a, b in zip(mine.T, theirs.T, strict=True)], axis=0)
        for n in batches(resamples, len(mine) + len(theirs))
    ]
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(np.concatenate(drawn), [tail, 1.0 - tail]).tolist()
    return low, high


def permutation_p_value(
    x: ArrayLike, y: ArrayLike, rng: np.random.Generator, *, permutations: int = PERMUTATIONS
) -> float:
    """Two-sided p-value of "a run of X is as likely above as below a run of Y": labels are dealt anew in each task.

    Valid without any assumption on distributions; the smallest value is 1 / (permutations + 1).
    """
    mine, theirs = _same_tasks(x, y)
    ranks = np.stack([_middle_ranks(task) for task in np.concatenate([mine, theirs]).T])
    middle = len(mine) * ranks.mean(axis=1).sum()
    observed = abs(ranks[:, : len(mine)].sum() - middle)
    as_far = 0
    for n in batches(permutations, ranks.size):
        # The first so many of a task dealt anew are X; their rank sum says how often they win.
        dealt = rng.permuted(np.broadcast_to(ranks, (n, *ranks.shape)), axis=2)[:, :, : len(mine)]
        # Equal sums, added up in another order, may differ in the last bits.
        as_far += int((np.abs(dealt.sum(axis=(1, 2)) - middle) >= observed - 1e-9).sum())
    return (1 + as_far) / (1 + permutations)


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


def _wins(
    x: NDArray[np.float64], y: NDArray[np.float64], of_x: NDArray[np.float64], of_y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share of pairs that x (R) wins against y (S), ties half, where each was drawn so often: (B, R), (B, S) to (B)."""
    order = np.argsort(x, kind="stable")
    below = np.concatenate([np.zeros((len(of_x), 1)), np.cumsum(of_x[:, order], axis=1)], axis=1)
    first, last = (np.searchsorted(x[order], y, side=side) for side in ("left", "right"))
    won = below[:, -1:] - (below[:, first] + below[:, last]) / 2.0
    return np.asarray((won * of_y).sum(axis=1) / (len(x) * len(y)))


def _counts(
    x: NDArray[np.float64], y: NDArray[np.float64], rng: np.random.Generator, resamples: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How often each run is drawn: (B, R) and (B, S)."""
    of_x, of_y = (rng.multinomial(len(one), np.full(len(one), 1.0 / len(one)), size=resamples) for one in (x, y))
    return of_x.astype(np.float64), of_y.astype(np.float64)


def _middle_ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from below (N,); ties share the mean of theirs."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2.0)[inverse])


def _same_tasks(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mine, theirs = checked_scores(x), checked_scores(y)
    if mine.shape[1] != theirs.shape[1]:
        raise InputError(f"both must be run on the same tasks, found {mine.shape[1]} and {theirs.shape[1]}")
    return mine, theirs
