"""The exact optimum of a simulator that can list its designs."""

from __future__ import annotations

__all__ = ["Optimum", "exact_optimum"]

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.space import Rows

Scored = tuple[NDArray[np.float64], NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best of all designs.

    Attributes:
        reward: of the best feasible design; -inf where none is feasible.
        rows: (T, D) every design with that reward, in the order in which they were listed.
        designs: number of designs that were compared.
        feasible: how many of them are feasible.
    """

    reward: float
    rows: Rows
    designs: int
    feasible: int


def exact_optimum(chunks: Iterable[Rows], score: Callable[[Rows], Scored]) -> Optimum:
    """Compare every design; ties are kept, by equality of the reward's bits.

    Args:
        chunks: distinct designs, a few rows (N, D) at a time: ``[simulator.designs()]`` for a table,
            ``space.chunks(canonical=True)`` for an enumeration.
        score: from rows (N, D) to reward (N,) and feasibility (N,).

    >>> optimum = exact_optimum([np.array([[0], [1], [2]])], lambda rows: (-((rows[:, 0] - 1.0) ** 2), rows[:, 0] > -1))
    >>> optimum.rows.tolist(), optimum.reward, optimum.designs
    ([[1]], -0.0, 3)
    """
    best, designs, feasible = -np.inf, 0, 0
    ties: list[Rows] = []
    for rows in chunks:
        reward, is_feasible = score(rows)
        designs += len(rows)
        feasible += int(is_feasible.sum())
        ranked = np.where(is_feasible, reward, -np.inf)
        top = float(ranked.max(initial=-np.inf))
        if top > best:
            best, ties = top, []
        if top == best > -np.inf:
            ties.append(rows[ranked == best])
    found = np.concatenate(ties) if ties else np.zeros((0, 0), dtype=np.int64)
    return Optimum(best, found, designs, feasible)
