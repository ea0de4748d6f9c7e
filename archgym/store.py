"""One row a distinct design, in growing columns: the session's memory."""

from __future__ import annotations

__all__ = ["DesignStore"]

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from archgym.problem import Problem, ScoredEvaluation
from archgym_simulators import FAILED

_FIRST_CAPACITY = 64


class DesignStore:
    """Evaluated designs of one workload by canonical key.

    A dict from key to slot in growing arrays beat sorted and hashed arrays at every batch size in a trial. A failed
    design occupies a slot (it was charged, and is recorded) but has no key, so asking again evaluates it again.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        simulator = problem.simulator
        self.slot_of: dict[int | bytes, int] = {}
        self.count = 0
        self._reasons = simulator.all_reasons
        details = max((len(reason.details) for reason in self._reasons), default=0)
        widths = (
            len(simulator.metrics),
            details,
            len(problem.objectives),
            len(simulator.diagnostic_names),
            1,
            1,
        )
        edges = np.cumsum([0, *widths]).tolist()
        self._values, self._details, self._rewards, self._diagnostics, self._violation, self._cost = (
            slice(a, b) for a, b in pairwise(edges)
        )
        self._numbers = np.full((_FIRST_CAPACITY, edges[-1]), np.nan)
        self._codes = np.zeros((_FIRST_CAPACITY, 3), dtype=np.int16)  # status, reason, feasible

    def append(self, keys: Sequence[Any], scored: ScoredEvaluation) -> None:
        """Store freshly evaluated designs under their keys, in order, at slots ``count`` and up."""
        start, stop = self.count, self.count + len(keys)
        self._grow(stop)
        numbers, codes = self._numbers[start:stop], self._codes[start:stop]
        numbers[:, self._values] = scored.values
        numbers[:, self._details][:, : scored.reason_detail.shape[1]] = scored.reason_detail
        numbers[:, self._rewards] = scored.rewards
        if scored.diagnostics.shape[1]:
            numbers[:, self._diagnostics] = scored.diagnostics
        numbers[:, self._violation.start] = scored.violation
        numbers[:, self._cost.start] = scored.cost
        codes[:, 0] = scored.status
        codes[:, 1] = scored.reason_code
        codes[:, 2] = scored.feasible
        self.count = stop
        self.slot_of.update(zip(keys, range(start, stop), strict=True))
        if (scored.status == FAILED).any():
            for key in (key for key, status in zip(keys, scored.status.tolist(), strict=True) if status == FAILED):
                del self.slot_of[key]

    def gather(self, slots: Sequence[int]) -> ScoredEvaluation:
        """The stored evaluations at ``slots`` (N), in that order."""
        numbers, codes = self._numbers[slots], self._codes[slots]
        return ScoredEvaluation(
            values=numbers[:, self._values],
            status=codes[:, 0].astype(np.int8),
            violation=numbers[:, self._violation.start],
            reason_code=codes[:, 1],
            reason_detail=numbers[:, self._details],
            cost=numbers[:, self._cost.start],
            reasons=self._reasons,
            diagnostics=numbers[:, self._diagnostics],
            rewards=numbers[:, self._rewards],
            feasible=codes[:, 2].astype(bool),
        )

    def clear(self) -> None:
        """Forget everything; only sessions without budget and record do this, to bound their memory."""
        self.slot_of.clear()
        self.count = 0

    def resolved(self) -> int:
        """Number of distinct designs that are known (not failed)."""
        return len(self.slot_of)

    def _grow(self, needed: int) -> None:
        capacity = len(self._numbers)
        if needed <= capacity:
            return
        while capacity < needed:
            capacity *= 2
        numbers = np.full((capacity, self._numbers.shape[1]), np.nan)
        numbers[: self.count] = self._numbers[: self.count]
        codes = np.zeros((capacity, 3), dtype=np.int16)
        codes[: self.count] = self._codes[: self.count]
        self._numbers, self._codes = numbers, codes
