"""The tables of the README, from `results.csv`: ``python -m experiments.proxy_search --print``."""

from __future__ import annotations

__all__ = ["TABLE", "Runs", "calls_until", "printed", "read_runs", "targets"]

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from statistics import median, median_low

import numpy as np
from numpy.typing import NDArray

from archgym.statistics import (
    holm,
    improvement_interval,
    kaplan_meier,
    permutation_p_value,
    probability_of_improvement,
)
from experiments.proxy_search.methods import BUDGET, CASES, METHODS, SIZES

TABLE = Path(__file__).parent / "results.csv"
REFERENCE = "genetic_algorithm"
STAGES = (100, 300, BUDGET)
"""Simulations whose outcome by the reference is what the others are to reach."""

PAIRS = (
    ("proxy_assisted", "genetic_algorithm"),
    ("proxy of genetic_algorithm", "genetic_algorithm"),
    ("proxy of random_search", "random_search"),
)
"""A method with a proxy, and what it is to be compared with."""
AGENTS = tuple(method.name for method in METHODS if not method.with_proxy)

Points = list[tuple[int, float]]  # simulations, best reward so far
Runs = dict[tuple[str, str], list[Points]]  # by problem and method, one a seed


def read_runs(table: Path) -> Runs:
    """Best reward by number of simulations."""
    found: defaultdict[tuple[str, str], defaultdict[str, Points]] = defaultdict(lambda: defaultdict(list))
    for row in _rows(table):
        found[row["problem"], row["method"]][row["seed"]].append((int(row["calls"]), float(row["reward"])))
    return {key: [points[seed] for seed in sorted(points, key=int)] for key, points in found.items()}


def calls_until(points: Points, target: float) -> int:
    """The least number of simulations on record with that reward; one more than the budget where there is none."""
    return min((calls for calls, reward in points if reward >= target), default=BUDGET + 1)


def reward_after(points: Points, calls: int) -> float:
    """The best reward so far."""
    return max((reward for at, reward in points if at <= calls), default=float("-inf"))


def targets(runs: Runs, problem: str) -> dict[int, float]:
    """What a median run of the reference has after each stage."""
    reference = runs[problem, REFERENCE]
    return {stage: median_low(reward_after(points, stage) for points in reference) for stage in STAGES}


def printed(table: Path) -> Iterator[str]:
    """Markdown: simulations until as good as the reference, rewards by simulations, what proxies promised."""
    runs = read_runs(table)
    problems = [case.name for case in CASES if (case.name, REFERENCE) in runs]
    methods = [method.name for method in METHODS]
    yield from _needed(runs, problems, methods)
    yield from _sooner(runs, problems)
    yield from _rewards(runs, problems, methods)
    yield from _promises(table, problems)


def _needed(runs: Runs, problems: Sequence[str], methods: Sequence[str]) -> Iterator[str]:
    yield f"\n| problem | as good as a median genetic algorithm after | {' | '.join(methods)} |"
    yield f"|---|---|{'---|' * len(methods)}"
    for problem in problems:
        for stage, target in targets(runs, problem).items():
            cells = [_spread(_calls_of(runs, problem, method, target)) for method in methods]
            yield f"| {problem} | {stage:,} ({target:.4f}) | {' | '.join(cells)} |"


def _sooner(runs: Runs, problems: Sequence[str]) -> Iterator[str]:
    """How often the method with a proxy needs fewer simulations, of all pairs of runs on a problem; ties half."""
    rng = np.random.default_rng(0)
    aims = {problem: targets(runs, problem) for problem in problems}
    rows, raw = [], []
    for stage, pair in product(STAGES, PAIRS):
        aim = {problem: aims[problem][stage] for problem in problems}
        mine, theirs = (-_calls_by_problem(runs, name, aim, rounded=pair[0] not in AGENTS) for name in pair)
        low, high = improvement_interval(mine, theirs, rng)
        share = f"{probability_of_improvement(mine, theirs):.0%} ({low:.0%} to {high:.0%})"
        raw.append(permutation_p_value(mine, theirs, rng))
        rows.append(f"| {stage:,} | {pair[0]} | {pair[1]} | {share}")
    yield "\n| as good as after | with | without | sooner there with | p (Holm) |"
    yield "|---|---|---|---|---|"
    yield from (f"{row} | {p:.2g} |" for row, p in zip(rows, holm(raw).tolist(), strict=True))


def _calls_by_problem(runs: Runs, method: str, aims: Mapping[str, float], *, rounded: bool) -> NDArray[np.int64]:
    """(R, T) over the seeds that all problems have; rounded up to the sizes at which proxies were tried."""
    by_problem = [_calls_of(runs, problem, method, aim) for problem, aim in aims.items()]
    calls = np.array(list(zip(*by_problem, strict=False)))
    return np.array([*SIZES, BUDGET + 1])[np.searchsorted(SIZES, calls)] if rounded else calls


def _calls_of(runs: Runs, problem: str, method: str, target: float) -> list[int]:
    return [calls_until(points, target) for points in runs[problem, method]]


def _spread(calls: Sequence[int]) -> str:
    """``"120 (64 to 300)"``: the median over seeds, by Kaplan and Meier, the least and the most."""
    times, reached = [min(one, BUDGET) for one in calls], [one <= BUDGET for one in calls]
    middle = kaplan_meier(times, reached).median
    ends = " to ".join(_calls(one) for one in (min(calls), max(calls)))
    return f"{_calls(middle)} ({ends})"


def _calls(calls: float) -> str:
    return f"{calls:,.0f}" if calls <= BUDGET else "never"


def _rewards(runs: Runs, problems: Sequence[str], methods: Sequence[str]) -> Iterator[str]:
    yield f"\n| problem | simulations | {' | '.join(methods)} |"
    yield f"|---|---|{'---|' * len(methods)}"
    for problem, size in product(problems, SIZES):
        cells = [f"{median(reward_after(points, size) for points in runs[problem, name]):.4f}" for name in methods]
        yield f"| {problem} | {size:,} | {' | '.join(cells)} |"


def _promises(table: Path, problems: Sequence[str]) -> Iterator[str]:
    found = defaultdict(list)
    for row in _rows(table):
        if row["gap"]:
            found[row["problem"], int(row["calls"])].append([float(row[name]) for name in ("gap", "within", "outside")])
    yield "\n| problem | simulations | proxies | optimism gap | within 90 % intervals | outside the training region |"
    yield "|---|---|---|---|---|---|"
    for problem, size in product(problems, SIZES):
        if (problem, size) in found:
            gap, within, outside = zip(*found[problem, size], strict=True)
            ends = f"{median(gap):.2f} ({min(gap):.2f} to {max(gap):.2f})"
            shares = f"{100 * sum(within) / len(within):.0f} % | {100 * sum(outside) / len(outside):.0f} %"
            yield f"| {problem} | {size:,} | {len(gap)} | {ends} | {shares} |"


def _rows(table: Path) -> Iterator[dict[str, str]]:
    with table.open(newline="") as file:
        yield from csv.DictReader(file)
