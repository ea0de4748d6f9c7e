"""What holds a design back: the numbers that the kernels find, their columns, and their names."""

from __future__ import annotations

__all__ = ["DIAGNOSTICS", "GOALS", "Names", "diagnostics", "named"]

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.soc.arrays import RANKS, Floats
from archgym_simulators.soc.model import SocResult

GOALS = ("latency", "power", "area")
_PARTS = ("task", "block", "data")
_DISTANCES = tuple(f"{goal}_distance" for goal in GOALS)
_WORST = ("bottleneck_metric", "bottleneck_task", "bottleneck_block")


def _ranked(rank: int) -> list[str]:
    ending = f"_{rank}" if rank > 1 else ""
    return [*(f"{goal}_{part}{ending}" for goal in GOALS for part in _PARTS), f"is_contested{ending}"]


_FOUND = tuple(name for rank in range(1, RANKS + 1) for name in _ranked(rank))
DIAGNOSTICS = (*_DISTANCES, *_WORST, *_FOUND, "phases")
_WORDS = ("metric", "task", "block", *(name.replace("is_contested", "contested") for name in _FOUND))


def diagnostics(result: SocResult, *, by_application: bool) -> Floats:
    """The columns `DIAGNOSTICS`, (N, G); with the latency of each application where that is wanted."""
    distances = np.stack([result.latency_distance.max(axis=1), result.power_distance, result.area_distance], axis=1)
    worst = np.where(np.isnan(distances), -np.inf, distances).argmax(axis=1)
    n = np.arange(len(worst))
    first = result.bottleneck[:, 0].astype(np.float64)
    chief = np.stack([worst, first[n, 3 * worst], first[n, 3 * worst + 1]], axis=1)
    numbers = [distances, chief, result.bottleneck.reshape(len(n), len(_FOUND)), result.phases[:, None]]
    if by_application:
        numbers.append(result.latency_s * 1e3)
    return np.concatenate(numbers, axis=1)


class Names:
    """What the numbers in diagnostics stand for.

    Args:
        tasks: by number.
        blocks: by number.
        choices: by the number of a task, what its parameters begin with: its name, or that of its group of tasks.
    """

    def __init__(self, tasks: Sequence[str], blocks: Sequence[str], choices: Sequence[str]) -> None:
        vocabularies: dict[str, Sequence[Any]] = {
            "metric": GOALS,
            "chief task": tasks,
            "block": blocks,
            "task": choices,
            "contested": (False, True),
        }
        starts = dict(zip(vocabularies, accumulate((len(v) for v in vocabularies.values()), initial=0), strict=False))
        kinds = ["metric", "chief task", "block"]
        kinds += [{"block": "block", "contested": "contested"}.get(_kind(name), "task") for name in _FOUND]
        self.words = np.array([word for vocabulary in vocabularies.values() for word in vocabulary], dtype=object)
        self.first = np.array([starts[kind] for kind in kinds])
        self.last = np.array([starts[kind] + len(vocabularies[kind]) - 1 for kind in kinds])


def _kind(name: str) -> str:
    return next((part for part in ("block", "contested") if part in name), "task")


def named(columns: Floats, names: Names) -> dict[str, NDArray[Any]]:
    """Diagnostics (N, G) in words, each (N,); of a design that is not ok, the words mean nothing.

    ``metric``, ``task`` and ``block`` are the worst of all. For each of `GOALS`: ``*_excess`` over its budget (negative
    where it is kept), ``*_block`` that is to blame, ``*_task`` that suffers, and ``*_data``: whose outputs weigh most
    in the block, where that holds or moves data. Tasks of a goal go by what their parameters begin with.
    ``contested``: another task wanted the latency's block at the same time. The next to blame end in ``_2`` to ``_4``.
    """
    numbers = np.nan_to_num(columns)
    start = len(_DISTANCES)
    codes = numbers[:, start : start + len(_WORDS)].astype(np.int64) + names.first
    # Clipped: in a vector environment, rows may be of another workload; their words are not used.
    found = names.words[np.minimum(codes, names.last)]
    words = dict(zip(_WORDS, found.T, strict=True))
    return words | {f"{goal}_excess": numbers[:, g] for g, goal in enumerate(GOALS)}
