"""Cycle models of published bit-level accelerators, as presets: how many cycles an operand or a product takes.

Simplified from general knowledge of these papers (2016-2023), not checked against their texts; each preset's sentence
says what is modelled. All are exact expectations over independent operands, but for Bitlet's, which takes its bit
columns as independent.
"""

from __future__ import annotations

__all__ = ["PEERS", "Peer", "peer_cycles"]

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, comb

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.tpe.encodings import digit_counts, digit_table, value_range
from archgym_simulators.tpe.operands import Distribution, code_probabilities
from archgym_simulators.tpe.precision import Precision

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Operands:
    """What a peer multiplies: formats and values of A and B, and how many neighbours work together."""

    bits: tuple[int, int]
    probabilities: tuple[Floats, Floats]
    group: int
    encoding: str


@dataclass(frozen=True)
class Peer:
    """A published accelerator.

    Attributes:
        name: of it.
        unit: what `peer_cycles` counts for it.
        group: lanes or neighbours that wait for each other, unless told otherwise.
        encoding: of the digits that it skips.
        description: one sentence.
        cycles: the model.
    """

    name: str
    unit: str
    group: int
    encoding: str
    description: str
    cycles: Callable[[Operands], float]


def peer_cycles(
    name: str,
    *,
    precisions: tuple[Precision, Precision],
    distributions: tuple[Distribution, Distribution],
    group: int | None = None,
    encoding: str | None = None,
) -> float:
    """Mean cycles of a peer, in its own unit.

    Args:
        name: a key of `PEERS`.
        precisions: integers A and B.
        distributions: of A and B.
        group: lanes or neighbours that wait for each other; None for the published number.
        encoding: of the digits; None for the published one.

    Raises:
        InputError: an unknown peer, minifloats, or a group below 1.
    """
    if name not in PEERS:
        raise InputError(f"unknown accelerator {name!r}{did_you_mean(name, PEERS)}; allowed: {', '.join(PEERS)}")
    if not all(precision.is_integer for precision in precisions):
        raise InputError(f"{name} multiplies integers, not {' by '.join(p.name for p in precisions)}")
    peer = PEERS[name]
    lanes = peer.group if group is None else group
    if lanes < 1:
        raise InputError(f"group must be 1 or more, not {lanes}")
    probabilities = [code_probabilities(d, p) for d, p in zip(distributions, precisions, strict=True)]
    bits = (precisions[0].bits, precisions[1].bits)
    return peer.cycles(Operands(bits, (probabilities[0], probabilities[1]), lanes, encoding or peer.encoding))


def _stripes(operands: Operands) -> float:
    return float(operands.bits[0])


def _pragmatic(operands: Operands) -> float:
    return _slowest(_count_shares(operands, 0), operands.group)


def _laconic(operands: Operands) -> float:
    a, b = _count_shares(operands, 0), _count_shares(operands, 1)
    products = np.zeros((len(a) - 1) * (len(b) - 1) + 1)
    for i in range(len(a)):
        for j in range(len(b)):
            products[i * j] += a[i] * b[j]
    return _slowest(products, operands.group)


def _bitlet(operands: Operands) -> float:
    filled = _nonzero_shares(operands, 0)
    size = operands.group
    cumulative = np.ones(size + 1)
    for p in filled.tolist():
        terms = [comb(size, n) * p**n * (1.0 - p) ** (size - n) for n in range(size + 1)]
        cumulative *= np.minimum(np.cumsum(terms), 1.0)
    return float(np.add.reduce(1.0 - cumulative[:-1])) / size


def _bitwave(operands: Operands) -> float:
    filled = _nonzero_shares(operands, 0)
    low, _ = value_range(operands.bits[0])
    negative = float(np.add.reduce(operands.probabilities[0][:-low]))
    columns = [*filled.tolist(), negative]
    return float(sum(1.0 - (1.0 - p) ** operands.group for p in columns))


def _bitfusion(operands: Operands) -> float:
    return ceil(operands.bits[0] / 2) * ceil(operands.bits[1] / 2) / 16.0


def _sibia(operands: Operands) -> float:
    """Slices of three magnitude bits and a sign; the last of them takes what is left, four bits of INT8."""
    bits = operands.bits[0]
    magnitude = np.abs(np.arange(value_range(bits)[0], value_range(bits)[1] + 1))
    slices = max(1, (bits - 1) // 3)
    total = 0.0
    for place in range(slices):
        rest = magnitude >> 3 * place
        part = rest if place == slices - 1 else rest & 7
        total += float(np.add.reduce(operands.probabilities[0][part != 0]))
    return total


PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer("Stripes", "cycles an operand", 1, "tc-serial", "every bit of A takes a cycle", _stripes),
        Peer("Pragmatic", "cycles an operand", 16, "sm-serial", "lanes wait for the most ones of A", _pragmatic),
        Peer("Laconic", "cycles a product", 16, "naf", "lanes wait for the most pairs of digits of A and B", _laconic),
        Peer("Bitlet", "cycles an operand", 32, "sm-serial", "bit columns of a group wait for the fullest", _bitlet),
        Peer("BitWave", "cycles a group", 8, "sm-serial", "bit columns of a group that are not all zero", _bitwave),
        Peer("BitFusion", "array cycles a product", 1, "tc-serial", "16 bricks of 2 x 2 bits a cycle", _bitfusion),
        Peer("Sibia", "slices an operand", 1, "sm-serial", "signed slices of A that are not zero", _sibia),
    )
}


def _count_shares(operands: Operands, side: int) -> Floats:
    """How often an operand has 0, 1, 2 ... digits."""
    counts = digit_counts(operands.encoding, operands.bits[side])
    shares: Floats = np.bincount(counts, weights=operands.probabilities[side]).astype(np.float64)
    return shares


def _nonzero_shares(operands: Operands, side: int) -> Floats:
    """How often each digit is not zero."""
    nonzero = digit_table(operands.encoding, operands.bits[side]) != 0
    columns = [np.add.reduce(operands.probabilities[side][nonzero[:, d]]) for d in range(nonzero.shape[1])]
    return np.array(columns)


def _slowest(shares: Floats, lanes: int) -> float:
    """Mean of the largest of ``lanes`` counts, of which count n has the share ``shares[n]``."""
    return float(np.add.reduce(1.0 - np.minimum(np.cumsum(shares), 1.0)[:-1] ** lanes))
