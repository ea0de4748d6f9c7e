# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "pandas==2.3.3", "scipy==1.17.1", "statsmodels==0.15.0", "rliable==1.2.0",
#                 "moocore==0.3.2", "lifelines==0.30.3"]
# ///
"""Golden values of the statistics, from the libraries that people trust.

Not for the project's environment: rliable 1.2.0 fails to import with pandas 3. See README.md beside this file.
"""

from __future__ import annotations

import importlib
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

OUT = Path(__file__).with_name("golden.json")
PACKAGES = ("numpy", "scipy", "statsmodels", "rliable", "moocore", "lifelines")
RESAMPLES = 50_000
DIGITS = 12


def main() -> int:
    """Write golden.json."""
    rng = np.random.default_rng(20_261_120)
    golden = {
        "made_with": {name: version(name) for name in PACKAGES},
        "aggregates": [aggregates(scores) for scores in score_cases(rng)],
        "comparisons": [comparison(x, y) for x, y in pair_cases(rng)],
        "holm": [holm(rng.uniform(0.0, 0.2, size=n).round(DIGITS)) for n in (1, 4, 9)],
        "kendall": [kendall(rng, n) for n in (3, 6)],
        "survival": [survival(rng, share) for share in (0.0, 0.3, 1.0)],
        "ecdf": ecdf(rng),
        "fronts": [front(rng, objectives, points) for objectives in (2, 3, 4, 5, 6) for points in (5, 30)],
    }
    OUT.write_text(json.dumps(golden, indent=1) + "\n")
    return 0


def score_cases(rng: np.random.Generator) -> list[np.ndarray[Any, Any]]:
    """Scores (R, T): sizes that a quarter does and does not divide, ties, heavy tails."""
    smooth = [rng.normal(size=shape).round(DIGITS) for shape in ((20, 10), (7, 3), (5, 1), (1, 6))]
    return [*smooth, rng.integers(0, 4, size=(12, 5)).astype(float), rng.lognormal(0, 2, size=(10, 4)).round(DIGITS)]


def pair_cases(rng: np.random.Generator) -> list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Two agents' scores on the same tasks."""
    return [
        (rng.normal(0.3, 1.0, size=(20, 6)).round(DIGITS), rng.normal(size=(15, 6)).round(DIGITS)),
        (rng.integers(0, 3, size=(8, 3)).astype(float), rng.integers(0, 3, size=(9, 3)).astype(float)),
    ]


def aggregates(scores: np.ndarray[Any, Any]) -> dict[str, Any]:
    """IQM, mean, median, profile and intervals by rliable."""
    metrics, library = importlib.import_module("rliable.metrics"), importlib.import_module("rliable.library")
    of = {
        "iqm": metrics.aggregate_iqm,
        "mean": metrics.aggregate_mean,
        "median": metrics.aggregate_median,
    }
    points, intervals = {}, {}
    for name, function in of.items():
        state = np.random.RandomState(7)
        estimates = library.get_interval_estimates(
            {"a": scores}, lambda drawn, f=function: np.array([f(drawn)]), reps=RESAMPLES, random_state=state
        )
        points[name], intervals[name] = float(estimates[0]["a"][0]), estimates[1]["a"][:, 0].tolist()
    thresholds = np.quantile(scores, [0.0, 0.1, 0.5, 0.9]) + 1e-6
    profile, _ = library.create_performance_profile({"a": scores}, thresholds, reps=10)
    return {
        "scores": scores.tolist(),
        **points,
        "intervals": intervals,
        "thresholds": thresholds.tolist(),
        "share_above": profile["a"].tolist(),
    }


def comparison(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Probability of improvement with its interval by rliable, the permutation test of its distance to 1/2 by SciPy."""
    metrics, library = importlib.import_module("rliable.metrics"), importlib.import_module("rliable.library")
    stats = importlib.import_module("scipy.stats")
    _, intervals = library.get_interval_estimates(
        {"a": (x, y)},
        lambda a, b: np.array([metrics.probability_of_improvement(a, b)]),
        reps=4_000,
        random_state=np.random.RandomState(7),
    )
    one_task = stats.permutation_test(
        (x[:, 0], y[:, 0]),
        lambda a, b: abs(((a[:, None] > b[None, :]) + 0.5 * (a[:, None] == b[None, :])).mean() - 0.5),
        n_resamples=100_000,
        alternative="greater",
        rng=np.random.default_rng(7),
    )
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "probability_of_improvement": float(metrics.probability_of_improvement(x, y)),
        "interval": intervals["a"][:, 0].tolist(),
        "p_value_of_first_task": float(one_task.pvalue),
    }


def holm(p_values: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Holm's correction by statsmodels."""
    adjusted = importlib.import_module("statsmodels.stats.multitest").multipletests(p_values, method="holm")[1]
    return {"p_values": p_values.tolist(), "adjusted": adjusted.tolist()}


def kendall(rng: np.random.Generator, agents: int) -> dict[str, Any]:
    """Tau-b of one ranking with others, ties included, by SciPy."""
    tau = importlib.import_module("scipy.stats").kendalltau
    observed = rng.integers(0, 4, size=agents).astype(float)
    observed[:2] = 0.0, 1.0  # tau-b is undefined where all are tied
    others = rng.integers(0, 4, size=(6, agents)).astype(float)
    others[:, :2] = 0.0, 1.0
    return {
        "observed": observed.tolist(),
        "others": others.tolist(),
        "mean_tau": float(np.mean([tau(observed, other).statistic for other in others])),
    }


def survival(rng: np.random.Generator, censored: float) -> dict[str, Any]:
    """Kaplan-Meier with log-log intervals by lifelines."""
    times = rng.integers(1, 40, size=30).astype(float)
    observed = rng.uniform(size=30) >= censored
    fit = importlib.import_module("lifelines").KaplanMeierFitter().fit(times, observed)
    at = np.unique(times[observed])
    bounds = fit.confidence_interval_survival_function_
    return {
        "times": times.tolist(),
        "observed": observed.tolist(),
        "at": at.tolist(),
        "survival": [float(fit.predict(t)) for t in at.tolist()],
        "low": [float(bounds.iloc[:, 0].loc[t]) for t in at.tolist()],
        "high": [float(bounds.iloc[:, 1].loc[t]) for t in at.tolist()],
        "median": None if np.isinf(fit.median_survival_time_) else float(fit.median_survival_time_),
    }


def ecdf(rng: np.random.Generator) -> dict[str, Any]:
    """The distribution function by SciPy."""
    times, grid = rng.integers(1, 50, size=40).astype(float), np.arange(0.0, 60.0, 7.0)
    shares = importlib.import_module("scipy.stats").ecdf(times).cdf.evaluate(grid)
    return {"times": times.tolist(), "grid": grid.tolist(), "shares": shares.tolist()}


def front(rng: np.random.Generator, objectives: int, points: int) -> dict[str, Any]:
    """Hypervolume, non-dominated points and IGD+ by moocore; all maximised."""
    moocore = importlib.import_module("moocore")
    found, target = (rng.uniform(size=(points, objectives)).round(DIGITS) for _ in range(2))
    origin = np.full(objectives, 0.1)
    return {
        "points": found.tolist(),
        "reference_front": target.tolist(),
        "reference_point": origin.tolist(),
        "hypervolume": float(moocore.hypervolume(found, ref=origin, maximise=True)),
        "igd_plus": float(moocore.igd_plus(found, ref=target, maximise=True)),
        "on_front": moocore.is_nondominated(found, maximise=True, keep_weakly=True).tolist(),
    }


if __name__ == "__main__":
    sys.exit(main())
