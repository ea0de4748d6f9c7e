"""The lottery: what an agent is worth as it comes, and what it is worth once somebody has paid for tuning it."""

from __future__ import annotations

__all__ = ["TunedVersusDefault", "expected_best_of", "lottery_odds", "tuned_versus_default"]

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.statistics.aggregate import iqm
from archgym.statistics.bootstrap import bootstrap_interval, checked_scores
from archgym.statistics.comparison import improvement_interval, probability_of_improvement
from archgym_simulators import InputError


@dataclass(frozen=True)
class TunedVersusDefault:
    """The outcome of the protocol for one agent; scores are higher for better.

    Attributes:
        chosen: index of the setting that was best on the dev tasks.
        trials: settings that were tried for it.
        tuning_evaluations: simulator calls that choosing it took.
        dev_score: its interquartile mean on the dev tasks: too good, because it was chosen there.
        tuned: its interquartile mean on the test tasks.
        tuned_interval: of it.
        default: that of the default setting on the test tasks.
        default_interval: of it.
        improvement: probability that a tuned run is above a default run on the test tasks.
        improvement_interval: of it.
    """

    chosen: int
    trials: int
    tuning_evaluations: int
    dev_score: float
    tuned: float
    tuned_interval: tuple[float, float]
    default: float
    default_interval: tuple[float, float]
    improvement: float
    improvement_interval: tuple[float, float]


def tuned_versus_default(
    dev: ArrayLike,
    test: ArrayLike,
    default_test: ArrayLike,
    rng: np.random.Generator,
    *,
    evaluations_per_run: int,
    trials: int | None = None,
) -> TunedVersusDefault:
    """Tune on dev tasks, freeze the winner, judge it and the default on test tasks.

    For a comparison of agents give all of them the same number of trials: more tickets win more often.

    Args:
        dev: scores (S, R, D) of S settings, R runs on each of D dev tasks.
        test: scores (S, Q, T) of the same settings on T test tasks; only the chosen one's are looked at.
        default_test: scores (P, T) of the default setting on the test tasks.
        rng: source of every draw: which trials are made, where they are fewer than the settings, and intervals.
        evaluations_per_run: simulator calls of a dev run.
        trials: settings to try; all where None.

    Raises:
        InputError: shapes that do not fit, or more trials than settings.
    """
    dev_scores, test_scores = np.asarray(dev, dtype=np.float64), np.asarray(test, dtype=np.float64)
    if dev_scores.ndim != 3 or test_scores.ndim != 3 or len(dev_scores) != len(test_scores) or not dev_scores.size:
        raise InputError(
            "dev and test scores must have the shapes (settings, runs, tasks) with the same settings, not "
            f"{dev_scores.shape} and {test_scores.shape}"
        )
    settings = len(dev_scores)
    tried = settings if trials is None else trials
    if not 1 <= tried <= settings:
        raise InputError(f"trials must lie between 1 and the {settings} settings, not at {trials!r}")
    drawn = np.arange(settings) if tried == settings else np.sort(rng.choice(settings, tried, replace=False))
    chosen = int(drawn[np.argmax(iqm(dev_scores[drawn]))])
    tuned, default = checked_scores(test_scores[chosen]), checked_scores(default_test)
    return TunedVersusDefault(
        chosen=chosen,
        trials=tried,
        tuning_evaluations=tried * dev_scores.shape[1] * dev_scores.shape[2] * evaluations_per_run,
        dev_score=float(iqm(dev_scores[chosen])),
        tuned=float(iqm(tuned)),
        tuned_interval=bootstrap_interval(tuned, iqm, rng),
        default=float(iqm(default)),
        default_interval=bootstrap_interval(default, iqm, rng),
        improvement=probability_of_improvement(tuned, default),
        improvement_interval=improvement_interval(tuned, default, rng),
    )


def expected_best_of(scores: ArrayLike) -> NDArray[np.float64]:
    """Expected best of k = 1 to S settings drawn without replacement, from the scores (S,) of all: (S,).

    What buying k tickets is worth. Dodge et al., "Show your work", EMNLP 2019, who draw with replacement.

    >>> expected_best_of([0.0, 1.0, 2.0]).round(6).tolist()
    [1.0, 1.666667, 2.0]
    """
    ordered = np.sort(np.asarray(scores, dtype=np.float64))
    if ordered.ndim != 1 or not len(ordered):
        raise InputError(f"scores must be one row with at least one number, not of the shape {ordered.shape}")
    n = len(ordered)
    below = np.arange(n, dtype=np.float64)  # i others are below the i-th, so it is the best of i + 1 at most
    is_best, expected = np.full(n, 1.0 / n), np.empty(n)
    for k in range(1, n + 1):
        expected[k - 1] = float(is_best[k - 1 :] @ ordered[k - 1 :])
        # From C(i, k-1) / C(n, k) to C(i, k) / C(n, k+1).
        is_best = is_best * (below - k + 1) / k * (k + 1) / max(n - k, 1)
    return expected


def lottery_odds(regrets: ArrayLike, threshold: float) -> NDArray[np.float64]:
    """Share of the runs of each setting that come within a regret: (S, R) to (S,)."""
    return np.asarray((np.asarray(regrets, dtype=np.float64) <= threshold).mean(axis=1))
