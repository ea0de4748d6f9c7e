"""How many cycles digits take when zeros are skipped: moments of a group, and the slowest of several columns.

A group is ``size`` neighbours along K. For one digit weight it takes as many cycles as digits are not zero, and one
cycle, a bubble, if all are zero (as the OPT3 and OPT4 designs of the HPCA 2025 seed repository run). An encoder that
may be ahead of its PEs by more than the group in work hides bubbles behind work.
"""

from __future__ import annotations

__all__ = [
    "GroupMoments",
    "OperandMoments",
    "digit_pairs",
    "fifo_cycles",
    "group_moments",
    "operand_moments",
    "slowest_quantile",
    "synchronised_utilisation",
]

from dataclasses import dataclass
from functools import lru_cache
from math import comb
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.tpe.encodings import digit_counts, digit_table

Floats = NDArray[np.float64]

_SURE = 1e-9


@dataclass(frozen=True, eq=False)
class GroupMoments:
    """Cycles that groups take.

    Attributes:
        mean: of a group for each digit weight (D,).
        deviation: the same for its standard deviation (D,).
        total_deviation: of the sum over digit weights, whose counts are correlated.
        digits: mean number of digits that are not zero, of one operand.
    """

    mean: Floats
    deviation: Floats
    total_deviation: float
    digits: float

    @property
    def total_mean(self) -> float:
        """Mean of the sum over digit weights."""
        return float(np.add.reduce(self.mean))


@dataclass(frozen=True)
class OperandMoments:
    """Cycles of one operand whose digits come one after another, at least one."""

    mean: float
    deviation: float


def group_moments(probabilities: Floats, encoding: str, *, bits: int, size: int, fifo_depth: int = 1) -> GroupMoments:
    """Moments of the cycles of a group of ``size`` independent operands.

    With n_d digits that are not zero at weight d, cycles are sum_d max(1, n_d) = sum_d n_d + [n_d = 0]. Digits of one
    operand depend on each other, operands do not, so all moments follow from the probabilities of pairs of digits.

    Args:
        probabilities: of each value (2 ** bits,), the first for the most negative one.
        encoding: of the operands.
        bits: of the operands.
        size: neighbours along K.
        fifo_depth: groups between encoder and PEs, the one in work included; 1 hides nothing.
    """
    both = digit_pairs(probabilities, encoding, bits)
    alone = np.diagonal(both).copy()
    covariance, busy = _pairs(both, alone, size)
    plain, deviation = size * alone, np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    mean = plain + (1.0 - alone) ** size
    total, busy_total = (float(np.add.reduce(table, axis=None)) for table in (covariance, busy))
    if fifo_depth > 1:
        # The closer the PEs are to being always busy, the more their time varies as the digits alone do.
        hidden = np.array([fifo_cycles(p, size, fifo_depth) for p in alone.tolist()])
        share = np.where(mean > plain, (hidden - plain) / np.where(mean > plain, mean - plain, 1.0), 1.0)
        spread = np.sqrt(np.diagonal(busy))
        deviation = share * deviation + (1.0 - share) * spread
        weight = float(share.mean())
        mean, total = hidden, weight * total + (1.0 - weight) * busy_total
    return GroupMoments(mean, deviation, max(total, 0.0) ** 0.5, float(np.add.reduce(alone)))


def operand_moments(probabilities: Floats, encoding: str, *, bits: int) -> OperandMoments:
    """Moments where an operand's digits are worked off before the next operand: max(1, digits) cycles."""
    cycles = np.maximum(digit_counts(encoding, bits), 1).astype(np.float64)
    mean = float(np.add.reduce(probabilities * cycles))
    return OperandMoments(mean, float(np.add.reduce(probabilities * (cycles - mean) ** 2)) ** 0.5)


@lru_cache(maxsize=4096)
def fifo_cycles(probability: float, size: int, depth: int) -> float:
    """Cycles a group in the long run, with an encoder that takes up to one group a cycle and drops empty ones.

    A chain over (digits left of the group in work, whole groups waiting): each cycle the PEs work off one digit, then
    the encoder puts the next group behind the others if fewer than ``depth`` are there. Its share of idle cycles gives
    the cycles that the digits take.
    """
    filled = [comb(size, n) * probability**n * (1.0 - probability) ** (size - n) for n in range(size + 1)]
    mean = size * probability
    # Where next to no group has a digit, or every one, there is nothing to hide.
    if depth == 1 or probability >= 1.0 or filled[0] > 1.0 - _SURE:
        return mean + filled[0]
    alive = np.array([0.0, *filled[1:]]) / (1.0 - filled[0])
    chain = _work(size, depth, alive) @ _arrival(size, depth, filled[0], alive)
    states = len(chain)
    system = chain.T - np.eye(states)
    system[-1] = 1.0
    idle = float(np.linalg.solve(system, np.eye(states)[-1])[0])
    return mean / (1.0 - idle)


def slowest_quantile(columns: int) -> float:
    """Where the slowest of ``columns`` independent normal times is expected, in standard deviations (Blom, 1958)."""
    if columns < 2:
        return 0.0
    return NormalDist().inv_cdf((columns - 0.375) / (columns + 0.25))


def synchronised_utilisation(
    mean: float, deviation: float, *, operands: float, columns: int, minimum: float = 0.0
) -> float:
    """Mean over slowest time of columns that wait for each other every ``operands`` operands.

    Args:
        mean: cycles an operand.
        deviation: standard deviation of one operand's share, so that ``operands`` have sqrt(operands) times it.
        operands: of a column between two barriers.
        columns: that wait for each other.
        minimum: cycles that an operand takes at least.
    """
    slowest = mean + slowest_quantile(columns) * deviation / operands**0.5
    return float(mean / max(slowest, minimum))


def digit_pairs(probabilities: Floats, encoding: str, bits: int) -> Floats:
    """How often two digits of one operand are both not zero: (D, D); one digit alone on the diagonal."""
    nonzero = (digit_table(encoding, bits) != 0).astype(np.float64)
    pairs: Floats = np.einsum("vd,ve->de", nonzero * probabilities[:, None], nonzero)  # no BLAS: same bits everywhere
    return pairs


def _pairs(both: Floats, alone: Floats, size: int) -> tuple[Floats, Floats]:
    """Covariance of max(1, n_d) and max(1, n_e), and of n_d and n_e: (D, D) each."""
    p, q = alone[:, None], alone[None, :]
    neither = np.maximum(1.0 - p - q + both, 0.0)
    counts = size * (both - p * q)
    empty_p, empty_q = (1.0 - p) ** size, (1.0 - q) ** size
    # E n_d [n_e = 0]: one operand has d and not e, the others have no e.
    mixed_p = size * (p - both) * (1.0 - q) ** (size - 1) - size * p * empty_q
    mixed_q = size * (q - both) * (1.0 - p) ** (size - 1) - size * q * empty_p
    return counts + mixed_p + mixed_q + neither**size - empty_p * empty_q, counts


# States of the chain: 0 for nothing to do, 1 + (left - 1) + size * waiting for left of
# 1..size and waiting of 0..depth - 1.


def _work(size: int, depth: int, alive: Floats) -> Floats:
    """Where a cycle of the PEs leads to: (states, states)."""
    step = np.zeros((1 + size * depth, 1 + size * depth))
    step[0, 0] = step[1, 0] = 1.0
    for waiting in range(depth):
        first = 1 + size * waiting
        within = np.arange(first, first + size - 1)
        step[within + 1, within] = 1.0
        if waiting:
            step[first, first - size : first] = alive[1:]
    return step


def _arrival(size: int, depth: int, empty: float, alive: Floats) -> Floats:
    """Where the encoder's next group leads to, if there is room for it: (states, states)."""
    step = np.eye(1 + size * depth)
    room = 1 + size * (depth - 1)  # states with fewer than depth groups
    step[:room, :room] *= empty
    step[0, 1 : 1 + size] = (1.0 - empty) * alive[1:]
    some = np.arange(1, room)
    step[some, some + size] = 1.0 - empty
    return step
