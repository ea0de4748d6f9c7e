"""One row a distinct design, in growing columns: the session's memory."""

from __future__ import annotations

__all__ = ["DesignStore"]

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from archgym.problem import Problem, ScoredEvaluation
from archgym.resuming import ResumeLedger
from archgym_simulators import FAILED
from archgym_simulators.evaluation import freeze

_FIRST_CAPACITY = 64
_PENDING_PARTS = 64


class DesignStore:
    """Evaluated designs of one workload by canonical key.

    A dict from key to slot in growing arrays beat sorted and hashed arrays at every batch size in a trial. A failed
    design occupies a slot (it was charged, and is recorded) but has no key, so asking again evaluates it again.
    Evaluations wait as they are until one is asked for or there are many: copying them one by one costs more.

    Attributes:
        slot_of: slot of each known design by key.
        count: slots in use.
        ledger: how far designs were brought, where the simulator resumes; else None.
    """

    def __init__(self, problem: Problem) -> None:
        simulator = problem.simulator
        self.ledger = ResumeLedger(simulator) if simulator.resumes else None
        self.slot_of: dict[int | bytes, int] = {}
        self.count = 0
        self._pending: list[ScoredEvaluation] = []
        self._stored = 0
        self._reasons = problem.reasons
        details = max((len(reason.details) for reason in self._reasons), default=0)
        objectives, diagnostics = len(problem.objectives), len(simulator.diagnostic_names)
        edges = np.cumsum([0, len(simulator.metrics), details, objectives, diagnostics, 1, 1, 1]).tolist()
        self._values, self._details, self._rewards, self._diagnostics, self._violation, self._cost, self._missed = (
            slice(a, b) for a, b in pairwise(edges)
        )
        self._numbers = np.empty((0, edges[-1]))
        self._codes = np.empty((0, 3), dtype=np.int16)  # status, reason, feasible

    def append(self, keys: Sequence[Any], scored: ScoredEvaluation) -> None:
        """Store freshly evaluated designs under their keys, in order, at slots ``count`` and up."""
        start, stop = self.count, self.count + len(keys)
        self._pending.append(scored)
        self.count = stop
        self.slot_of.update(zip(keys, range(start, stop), strict=True))
        if np.count_nonzero(scored.status) and (scored.status == FAILED).any():
            for key in (key for key, status in zip(keys, scored.status.tolist(), strict=True) if status == FAILED):
                del self.slot_of[key]
        if len(self._pending) == _PENDING_PARTS:
            self._settle()

    def gather(self, slots: Sequence[int]) -> ScoredEvaluation:
        """The stored evaluations at ``slots`` (N), in that order."""
        self._settle()
        numbers, codes = self._numbers[slots], self._codes[slots]
        status, feasible = codes[:, 0].astype(np.int8), codes[:, 2].astype(bool)
        freeze(numbers, codes, status, feasible)
        return ScoredEvaluation(
            values=numbers[:, self._values],
            status=status,
            violation=numbers[:, self._violation.start],
            reason_code=codes[:, 1],
            reason_detail=numbers[:, self._details],
            cost=numbers[:, self._cost.start],
            reasons=self._reasons,
            diagnostics=numbers[:, self._diagnostics],
            rewards=numbers[:, self._rewards],
            feasible=feasible,
            missed=numbers[:, self._missed.start],
        )

    def resolved(self) -> int:
        """Number of distinct designs that are known (not failed)."""
        return len(self.slot_of)

    def _settle(self) -> None:
        """Copy what is pending into the columns."""
        pending = self._pending
        if not pending:
            return
        self._grow(self.count)
        numbers, codes = self._numbers[self._stored : self.count], self._codes[self._stored : self.count]
        numbers[:, self._values] = _joined([part.values for part in pending])
        numbers[:, self._details] = _joined([part.reason_detail for part in pending])
        numbers[:, self._rewards] = _joined([part.rewards for part in pending])
        numbers[:, self._diagnostics] = _joined([part.diagnostics for part in pending])
        numbers[:, self._violation.start] = _joined([part.violation for part in pending])
        numbers[:, self._cost.start] = _joined([part.cost for part in pending])
        numbers[:, self._missed.start] = _joined([part.missed for part in pending])
        codes[:, 0] = _joined([part.status for part in pending])
        codes[:, 1] = _joined([part.reason_code for part in pending])
        codes[:, 2] = _joined([part.feasible for part in pending])
        self._stored = self.count
        pending.clear()

    def _grow(self, needed: int) -> None:
        capacity = len(self._numbers)
        if needed <= capacity:
            return
        capacity = max(_FIRST_CAPACITY, capacity)
        while capacity < needed:
            capacity *= 2
        numbers = np.empty((capacity, self._numbers.shape[1]))
        numbers[: self._stored] = self._numbers[: self._stored]
        codes = np.empty((capacity, 3), dtype=np.int16)
        codes[: self._stored] = self._codes[: self._stored]
        self._numbers, self._codes = numbers, codes


def _joined(parts: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
