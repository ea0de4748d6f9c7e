"""Which workload an episode runs: a fixed one, one of a list, or a draw from a distribution split."""

from __future__ import annotations

__all__ = ["SPLITS", "WorkloadSource"]

from collections.abc import Sequence

import numpy as np

from archgym.registry import environment, simulator_class
from archgym_simulators import InputError

SPLITS = ("train", "dev", "test")


class WorkloadSource:
    """Workload specs by episode, a pure function of (seed, episode).

    Sub-environment i of a vector environment seeded with s has seed s + i, as in Gymnasium.

    Args:
        env_id: whose family the specs belong to.
        workload: a name, path or inline spec; a list of those; a split; None for the family's default.
    """

    def __init__(self, env_id: str, workload: str | Sequence[str] | None) -> None:
        self._env_id = env_id
        self._split = workload if isinstance(workload, str) and workload in SPLITS else None
        if workload is None:
            names: Sequence[object] = [environment(env_id).default_workload]
        else:
            names = workload if isinstance(workload, list | tuple) else [workload]
        if not names or not all(isinstance(name, str) and name.strip() for name in names):
            raise InputError(
                f"workload must be a spec, a non-empty list of specs, or one of {', '.join(SPLITS)}, not {workload!r}"
            )
        self._names = [str(name) for name in names]

    @property
    def varies(self) -> bool:
        """Whether episodes may differ."""
        return self._split is not None or len(self._names) > 1

    def draw(self, seed: int, episode: int) -> str:
        """The workload spec of an episode."""
        if not self.varies:
            return self._names[0]
        rng = np.random.default_rng([seed, episode])
        if self._split is not None:
            return simulator_class(self._env_id).draw_workload(self._split, rng)
        return self._names[int(rng.integers(len(self._names)))]
