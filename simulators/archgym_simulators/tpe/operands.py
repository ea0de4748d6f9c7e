"""What operands look like: how often each value of a format occurs."""

from __future__ import annotations

__all__ = ["DEFAULT_OPERANDS", "Distribution", "code_probabilities", "distribution_of", "draw_codes", "read_histogram"]

import csv
import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from math import erf, exp, isfinite

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import as_number, did_you_mean
from archgym_simulators.tpe.encodings import value_range
from archgym_simulators.tpe.precision import Precision

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

KINDS = ("normal", "laplace", "uniform", "histogram")
_SCALE = 127.0
DEFAULT_OPERANDS = "normal:24.4"
"""A normal tensor scaled by its largest magnitude, 5.2 standard deviations: 127 / 5.2."""


@dataclass(frozen=True)
class Distribution:
    """Where operands come from.

    Attributes:
        kind: one of `KINDS`.
        spread: standard deviation of a normal, mean magnitude of a Laplace distribution, both before rounding, where
            the largest positive value of the format is 127; 0 for the others.
        path: of a histogram's file, else "".
        digest: of the file's content, so that a changed file is another distribution.
    """

    kind: str
    spread: float = 0.0
    path: str = ""
    digest: str = ""

    @property
    def spec(self) -> str:
        """The text from which it was made."""
        if self.kind == "histogram":
            return f"histogram:{self.path}"
        return self.kind if self.kind == "uniform" else f"{self.kind}:{self.spread:g}"


def distribution_of(spec: str) -> Distribution:
    """The distribution that a text names: ``normal:25``, ``laplace:20``, ``uniform``, ``histogram:PATH``.

    Raises:
        InputError: one line with what is wrong and what is allowed.
    """
    kind, colon, rest = spec.strip().partition(":")
    if kind not in KINDS:
        allowed = "normal:SIGMA, laplace:SCALE, uniform, histogram:PATH"
        raise InputError(f"unknown operand distribution {spec!r}{did_you_mean(kind, KINDS)}; allowed: {allowed}")
    if kind == "uniform":
        if colon:
            raise InputError(f"operand distribution 'uniform' takes no number, found {spec!r}")
        return Distribution(kind)
    if kind == "histogram":
        if not os.path.isfile(rest):
            raise InputError(f"operand distribution {spec!r}: there is no file {rest!r}")
        with open(rest, "rb") as file:
            return Distribution(kind, path=rest, digest=hashlib.sha256(file.read()).hexdigest()[:16])
    spread = as_number(rest)
    if spread is None or not 0.0 < spread <= 1e6:
        raise InputError(f"operand distribution {spec!r}: the spread must be a number above 0, at most 1e6")
    return Distribution(kind, float(spread))


@lru_cache(maxsize=64)
def code_probabilities(distribution: Distribution, precision: Precision) -> Floats:
    """How often each significand occurs: (2 ** bits,), the first for the most negative one. Read-only.

    Values beyond the format are drawn again, as the testbenches of the seed repository do.

    Raises:
        InputError: a histogram that cannot be read, or for a minifloat.
    """
    if distribution.kind == "histogram":
        probabilities = read_histogram(distribution.path, precision)
    elif precision.is_integer:
        low, high = value_range(precision.bits)
        unit = high / _SCALE
        edges = (np.arange(low, high + 2, dtype=np.float64) - 0.5) / unit
        probabilities = np.diff(_cumulative(distribution, edges))
    else:
        probabilities = _minifloat_probabilities(distribution, precision)
    shares: Floats = probabilities / probabilities.sum()
    shares.setflags(write=False)
    return shares


def draw_codes(distribution: Distribution, precision: Precision, *, n: int, rng: np.random.Generator) -> Integers:
    """Draw significands independently: (n,)."""
    probabilities = code_probabilities(distribution, precision)
    edges = np.cumsum(probabilities)
    codes = np.searchsorted(edges, rng.random(n) * edges[-1], side="right")
    drawn: Integers = np.minimum(codes, len(edges) - 1).astype(np.int64) + value_range(precision.bits)[0]
    return drawn


def read_histogram(path: str, precision: Precision) -> Floats:
    """Counts of a CSV file with the columns ``value`` and ``count``: (2 ** bits,).

    Raises:
        InputError: one line with the file, the row and what is wrong in it.
    """
    if not precision.is_integer:
        raise InputError(f"a histogram holds integers; {precision.name} operands need normal, laplace or uniform")
    low, high = value_range(precision.bits)
    counts = np.zeros(1 << precision.bits)
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(line for line in file if not line.startswith("#"))
        if not {"value", "count"} <= set(reader.fieldnames or ()):
            raise InputError(f"histogram {path!r} needs the columns value and count, found {reader.fieldnames}")
        for number, row in enumerate(reader, 1):
            value, count = as_number(row["value"]), as_number(row["count"])
            if value is None or value != int(value) or not low <= value <= high:
                raise InputError(
                    f"histogram {path!r}, row {number}: value must be in {low}..{high}, not {row['value']!r}"
                )
            if count is None or not isfinite(count) or count < 0:
                raise InputError(f"histogram {path!r}, row {number}: count must be 0 or more, not {row['count']!r}")
            counts[int(value) - low] += count
    if not counts.sum() > 0.0:
        raise InputError(f"histogram {path!r} has no count above 0")
    return counts


def _cumulative(distribution: Distribution, points: Floats) -> Floats:
    """Cumulative distribution at points of the scale on which 127 is the largest value."""
    if distribution.kind == "uniform":
        return points
    if distribution.kind == "normal":
        scale = distribution.spread * 2.0**0.5
        return np.array([0.5 * (1.0 + erf(point / scale)) for point in points.tolist()])
    tails = (0.5 * exp(-abs(point) / distribution.spread) for point in points.tolist())
    return np.array([1.0 - tail if point > 0 else tail for point, tail in zip(points.tolist(), tails, strict=True)])


def _minifloat_probabilities(distribution: Distribution, precision: Precision) -> Floats:
    significands, shifts = precision.magnitudes()
    values = significands.astype(np.float64) * 2.0**shifts
    values *= _SCALE / values[-1]
    # Rounding to the nearest: a magnitude owns what is nearer to it than to its neighbours.
    edges = np.concatenate([[0.0], 0.5 * (values[1:] + values[:-1]), [_SCALE]])
    shares = np.diff(_cumulative(distribution, edges))
    probabilities = np.zeros(1 << precision.bits)
    zero = 1 << (precision.bits - 1)
    for sign in (-1, 1):
        np.add.at(probabilities, zero + sign * significands, shares)
    return probabilities
