"""Pareto fronts of runs, from the improvements of tasks with several objectives."""

from __future__ import annotations

__all__ = ["front_of_task", "rewards_of", "volume_of", "volumes_along"]

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.statistics import hypervolume, non_dominated

if TYPE_CHECKING:
    import pandas as pd

_MOST_OBJECTIVES = 6
_STOPS = 16
_MOST_RUNS = 2_000


def rewards_of(improvements: pd.DataFrame) -> NDArray[np.float64]:
    """Rewards (N, K) of feasible improvements; (0, 0) where they are not recorded."""
    if "rewards" not in improvements or not len(improvements):
        return np.zeros((0, 0))
    found = [json.loads(text) if text else [] for text in improvements["rewards"]]
    return (
        np.array(found, dtype=np.float64).reshape(len(found), -1) if len({*map(len, found)}) == 1 else np.zeros((0, 0))
    )


def front_of_task(improvements: pd.DataFrame) -> NDArray[np.float64]:
    """The non-dominated rewards (N, K) of all runs together."""
    rewards = np.unique(rewards_of(improvements), axis=0)
    return rewards[non_dominated(rewards)] if rewards.shape[1] else rewards


def volume_of(front: NDArray[np.float64], reference_point: Sequence[float]) -> float:
    """Hypervolume above the reference point; not a number where there is no such point, or too many objectives."""
    if len(reference_point) != front.shape[1] or not 1 < front.shape[1] <= _MOST_OBJECTIVES:
        return float("nan")
    return hypervolume(front, reference_point)


def volumes_along(improvements: pd.DataFrame, reference_point: Sequence[float]) -> NDArray[np.float64]:
    """Hypervolume of each run's front so far (I,), for improvements ordered by run.

    It is computed at up to 16 improvements a run, evenly spaced in their logarithm, the last one included, and holds
    until the next; at the last one only where there are more than 2,000 runs.
    """
    rewards, run = rewards_of(improvements), improvements["run_no"].to_numpy(dtype=np.int64)
    found = np.zeros(len(run))
    if len(reference_point) != rewards.shape[1] or not 1 < rewards.shape[1] <= _MOST_OBJECTIVES:
        return found
    starts = np.flatnonzero(np.diff(run, prepend=-1))
    ends = np.append(starts[1:], len(run))
    stops = _STOPS if len(starts) <= _MOST_RUNS else 1
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        lengths = np.unique(np.rint(np.geomspace(end - start, 1, stops)).astype(np.int64))
        for length in lengths.tolist():
            found[start + length - 1 : end] = hypervolume(rewards[start : start + length], reference_point)
    return found
