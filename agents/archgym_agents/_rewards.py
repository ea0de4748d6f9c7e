"""What agents that learn by policies make of rewards, and how much they explore."""

from __future__ import annotations

__all__ = ["Ranks", "exploration_change"]

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_BELOW_EVERY_FEASIBLE = 1e6
_CHANGE = 1.3  # of exploration, after a rollout


class Ranks:
    """Rewards as ranks among the ``memory`` designs evaluated last: -1 worst, 1 best, 0 the middle.

    Rewards differ in scale from family to family, and an invalid design (-30) would drown every difference between
    valid ones. Feasible designs rank before infeasible ones. A failed evaluation says nothing about its design and gets
    0, as does a step that evaluates none.
    """

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._seen: Floats = np.zeros(0)

    def of(self, reward: Floats, feasible: NDArray[np.bool_], failed: NDArray[np.bool_]) -> Floats:
        """Ranks (N,) of designs, which count among the last from now on."""
        ranked = np.zeros(len(reward))
        if not failed.all():
            keys = np.where(feasible, reward, reward - _BELOW_EVERY_FEASIBLE)[~failed]
            self._seen = np.concatenate([self._seen, keys])[-self._memory :]
            ordered = np.sort(self._seen)
            below, upto = np.searchsorted(ordered, keys, "left"), np.searchsorted(ordered, keys, "right")
            ranked[~failed] = (below + upto) / len(ordered) - 1.0
        return ranked

    def of_infos(self, reward: Floats, infos: Sequence[Mapping[str, Any]]) -> Floats:
        """As `of`, for what environments say of designs: an ``info`` each."""
        failed = np.array([info.get("status", "failed") == "failed" for info in infos])
        return self.of(reward, np.array([_is_feasible(info) for info in infos]), failed)


def exploration_change(calls: int, proposals: int, share: float) -> float:
    """The factor for an entropy bonus or the like after a rollout of ``proposals`` designs, ``calls`` of them new.

    More where less than ``share`` were new, else less. A policy that has converged proposes what is known, which costs
    nothing and finds nothing.
    """
    return _CHANGE if calls < share * proposals else 1.0 / _CHANGE


def _is_feasible(info: Mapping[str, Any]) -> bool:
    return info.get("status") == "ok" and not any(info["violations"].values())
