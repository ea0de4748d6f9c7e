"""What the spaces themselves say, before anyone searches: how much rounding reaches, and how far effects add up."""

from __future__ import annotations

__all__ = ["RELEASED_DRAM", "SPACES", "additive_share", "reached_values", "write_spaces"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.optimum import certified_optimum
from archgym.problem import Problem
from archgym.statistics import regret
from archgym.tasks import task
from archgym_agents._rewards import Ranks
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows
from experiments.multi_agent.csv_table import short, write_csv
from experiments.multi_agent.shards import TASKS

SPACES = Path(__file__).with_name("spaces.csv")
RELEASED_DRAM = (4, 3, 3, 8, 2, 2, 4, 4, 3, 8)
"""Values of each parameter in the encoding that the released ArchGym gives its RL agents: 442,368 designs."""

DRAWN = 100_000
SAMPLES, SAMPLE_SIZE = 10, 2000
_CHUNK = 4096
_LEAST = 100  # feasible designs, of which shares can be said


def write_spaces() -> None:
    """Write ``spaces.csv``, a row a task for judging."""
    write_csv(SPACES, [_row(name) for name in TASKS])


def reached_values(n: int) -> tuple[int, ...]:
    """Of a column of n values, those that are left where a number of [-1, 1] is rounded before it is binned.

    >>> [reached_values(n) for n in (2, 3, 4, 8)]
    [(0, 1), (0, 1, 2), (0, 2, 3), (0, 4, 7)]
    """
    return tuple(sorted({0, n // 2, n - 1}))


def additive_share(rows: Rows, worth: NDArray[np.float64]) -> float:
    """Share of the variance of N designs' worth (N,) that main effects of the columns of rows (N, D) explain.

    Columns drawn independently share out the variance; each one's part is what its values' means explain beyond what
    means of so few would explain by chance (epsilon squared, Kelley 1935), so that many values do not look important.
    """
    total = float(((worth - worth.mean()) ** 2).sum())
    return sum(_explained(column, worth, total) for column in rows.T) / total


def _explained(column: NDArray[np.int64], worth: NDArray[np.float64], total: float) -> float:
    counts = np.bincount(column)
    means = np.bincount(column, worth) / np.maximum(counts, 1)
    between = float((counts * (means - worth.mean()) ** 2).sum())
    values = int((counts > 0).sum())
    return between - (values - 1) * (total - between) / (len(worth) - values)


def _row(name: str) -> Mapping[str, Any]:
    spec = task(name).spec()
    problem, optimum = spec.bind(), certified_optimum(spec)
    assert optimum is not None, f"{name} has no certified optimum"
    space, rng = problem.space, np.random.default_rng(0)
    values = [reached_values(n) for n in space.nvec.tolist()]
    within = _every_row(values)
    designs = np.unique(space.canonical(within), axis=0)
    feasible, best = _best(problem, designs)
    return {
        "task": name,
        "rows": int(space.size),
        "reached_rows": len(within),
        "reached_share": short(len(within) / space.size),
        "reached_share_of_100000_drawn": short(_share_drawn(space, values, rng)),
        "reached_designs": len(designs),
        "reached_feasible": feasible,
        "all_feasible": optimum.feasible,
        "best_regret_within": short(float(regret(best, optimum.reward, median=optimum.median_reward))),
        **_additive_shares(problem),
    }


def _every_row(values: list[tuple[int, ...]]) -> Rows:
    grids = np.meshgrid(*(np.array(one, dtype=np.int64) for one in values), indexing="ij")
    return np.stack([grid.ravel() for grid in grids], axis=1)


def _share_drawn(space: DesignSpace, values: list[tuple[int, ...]], rng: np.random.Generator) -> float:
    drawn = space.sample(DRAWN, rng)
    within = [np.isin(column, one) for column, one in zip(drawn.T, values, strict=True)]
    return float(np.all(within, axis=0).mean())


def _best(problem: Problem, designs: Rows) -> tuple[int, float]:
    """How many of the designs are feasible, and the best reward of these."""
    feasible, best = 0, float("-inf")
    for start in range(0, len(designs), _CHUNK):
        scored = problem.evaluate(designs[start : start + _CHUNK])
        feasible += int(scored.feasible.sum())
        best = max(best, float(scored.reward[scored.feasible].max(initial=-np.inf)))
    return feasible, best


def _additive_shares(problem: Problem) -> Mapping[str, Any]:
    """Over ten samples of 2,000 designs: of their ranks, as agents hear them, and of the ranks of feasible ones."""
    found: dict[str, list[float]] = {"additive": [], "additive_feasible": []}
    for seed in range(SAMPLES):
        rows = problem.space.sample(SAMPLE_SIZE, np.random.default_rng(seed))
        scored = problem.evaluate(problem.space.canonical(rows))
        every, good = np.ones(SAMPLE_SIZE, dtype=bool), scored.feasible
        for column, chosen in (("additive", every), ("additive_feasible", good)):
            if chosen.sum() >= _LEAST:
                ranks = Ranks(SAMPLE_SIZE).of(scored.reward[chosen], good[chosen], ~every[chosen])
                found[column].append(additive_share(rows[chosen], ranks))
    return {
        f"{column}_{word}": short(float(of(shares))) if shares else ""
        for column, shares in found.items()
        for word, of in (("mean", np.mean), ("low", np.min), ("high", np.max))
    }
