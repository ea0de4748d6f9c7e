"""Pause and resume: what an evaluation at a higher fidelity need not pay again."""

from __future__ import annotations

__all__ = ["ResumeLedger"]

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators import FAILED, Simulator
from archgym_simulators.space import Rows


class ResumeLedger:
    """How far each design of one workload was brought, fidelity aside.

    It follows from the rows that were evaluated before, in their order, and from the simulator's pure
    `reusable_cost`; so a replay of the same calls charges the same.

    Args:
        simulator: bound to the workload.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._paid: dict[Any, float] = {}

    def discounts(self, rows: Rows, status: NDArray[np.int8]) -> NDArray[np.float64]:
        """What each of ``rows`` (N, D) finds paid already, by evaluations before it, also of this batch: (N,)."""
        found, _ = self._walk(rows, status)
        return np.array(found)

    def note(self, rows: Rows, status: NDArray[np.int8]) -> None:
        """Remember evaluations that took place; one that failed left nothing to go on from."""
        _, paid = self._walk(rows, status)
        self._paid.update(paid)

    def _walk(self, rows: Rows, status: NDArray[np.int8]) -> tuple[list[float], dict[Any, float]]:
        simulator, space = self._simulator, self._simulator.space
        keys: Sequence[Any] = space.keys(np.where(space.fidelity_columns, 0, rows))
        found: list[float] = []
        paid: dict[Any, float] = {}
        reusable_cost = simulator.reusable_cost(rows).tolist()
        for key, reusable, failed in zip(keys, reusable_cost, (status == FAILED).tolist(), strict=True):
            before = paid.get(key, self._paid.get(key, 0.0))
            found.append(min(before, reusable))
            if not failed:
                paid[key] = max(before, reusable)
        return found, paid
