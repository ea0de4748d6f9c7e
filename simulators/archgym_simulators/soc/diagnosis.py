"""What holds a design back: the numbers that the kernels find, their columns, and their names."""

from __future__ import annotations

__all__ = ["DIAGNOSTICS", "GOALS", "Names", "diagnostics", "named"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.soc.arrays import Floats
from archgym_simulators.soc.model import SocResult

GOALS = ("latency", "power", "area")
DIAGNOSTICS = (
    "latency_distance",
    "power_distance",
    "area_distance",
    "bottleneck_metric",
    "bottleneck_task",
    "bottleneck_block",
    "latency_task",
    "latency_block",
    "power_task",
    "power_block",
    "area_task",
    "area_block",
    "is_contested",
    "latency_data",
    "power_data",
    "area_data",
    "phases",
)
_DISTANCE, _WORST, _FOUND, _CONTESTED, _DATA = 0, 3, 6, 12, 13


@dataclass(frozen=True)
class Names:
    """What the numbers in diagnostics stand for.

    Attributes:
        tasks: by number.
        blocks: by number.
        choices: by the number of a task, what its parameters begin with: its name, or that of its group of tasks.
    """

    tasks: tuple[str, ...]
    blocks: tuple[str, ...]
    choices: tuple[str, ...]


def diagnostics(result: SocResult, *, by_application: bool) -> Floats:
    """The columns `DIAGNOSTICS`, (N, 17); with the latency of each application where that is wanted."""
    distances = np.stack([result.latency_distance.max(axis=1), result.power_distance, result.area_distance], axis=1)
    worst = np.where(np.isnan(distances), -np.inf, distances).argmax(axis=1)
    n = np.arange(len(worst))
    found = result.bottleneck.astype(np.float64)
    numbers = [*distances.T, worst, found[n, 2 * worst], found[n, 2 * worst + 1], *found.T, result.phases]
    if by_application:
        numbers += list(result.latency_s.T * 1e3)
    return np.stack(numbers, axis=1).astype(np.float64)


def named(columns: Floats, names: Names) -> dict[str, NDArray[Any]]:
    """Diagnostics (N, G) in words, each (N,); of a design that is not ok, the words mean nothing.

    ``metric``, ``task`` and ``block`` are the worst of all. For each of `GOALS`: ``*_excess`` over its budget (negative
    where it is kept), ``*_block`` that is to blame, ``*_task`` that suffers, and ``*_data``: whose outputs weigh most
    in the block, where that holds or moves data. Tasks of a goal go by what their parameters begin with.
    ``contested``: another task wanted the latency's block at the same time.
    """
    numbers = np.nan_to_num(columns)
    codes = numbers.astype(np.int64)
    words = {
        "metric": _pick(GOALS, codes[:, _WORST]),
        "task": _pick(names.tasks, codes[:, _WORST + 1]),
        "block": _pick(names.blocks, codes[:, _WORST + 2]),
        "contested": codes[:, _CONTESTED] == 1,
    }
    for g, goal in enumerate(GOALS):
        words[f"{goal}_excess"] = numbers[:, _DISTANCE + g].copy()
        words[f"{goal}_task"] = _pick(names.choices, codes[:, _FOUND + 2 * g])
        words[f"{goal}_block"] = _pick(names.blocks, codes[:, _FOUND + 2 * g + 1])
        words[f"{goal}_data"] = _pick(names.choices, codes[:, _DATA + g])
    return words


def _pick(words: Sequence[str], codes: NDArray[np.int64]) -> NDArray[Any]:
    # Clipped: in a vector environment, rows may be of another workload; their words are not used.
    return np.array(words, dtype=object).take(codes, mode="clip")
