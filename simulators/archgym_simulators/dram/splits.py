"""Workload distributions: "train", "dev" and "test", drawn from the generators with disjoint parameter values.

Every parameter (rate, write share, stride, ...) has one sorted grid of values for all families of traces, of which each
split owns a part: `archgym_simulators.splits`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from numpy.random import Generator

from archgym_simulators.dram.spec import number_text
from archgym_simulators.dram.workloads import canonical_spec
from archgym_simulators.splits import drawn_seed, generator_of, part_of_grid

__all__ = ["FAMILIES", "GRIDS", "Family", "draw", "grid_values"]

Grid = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """A generator, the parameters that a split draws, and the range of rates (what follows `@`)."""

    workload: str
    parameters: tuple[str, ...]
    rate: tuple[float, float] = (0.05, 1.0)


def draw(split: str, rng: Generator) -> str:
    """Draw the canonical spec of one workload of a split; the same generator state gives the same spec.

    The family is uniform, then every parameter is uniform over the split's part of its grid.

    Args:
        split: "train", "dev" or "test".
        rng: Advanced by one draw for "test", by several otherwise.

    Raises:
        InputError: Unknown split, or "test" without the seed of the test split.
    """
    rng = generator_of(split, rng)
    family = FAMILIES[int(rng.integers(len(FAMILIES)))]
    arguments = [f"{name}={number_text(_choice(grid_values(name, split), rng))}" for name in family.parameters]
    arguments.append(f"seed={drawn_seed(split, rng)}")
    low, high = family.rate
    rates = tuple(rate for rate in grid_values("rate", split) if low <= rate <= high)
    return canonical_spec(f"{family.workload}:{','.join(arguments)}@{number_text(_choice(rates, rng))}")


def grid_values(parameter: str, split: str) -> Grid:
    """Return the values of a parameter (or of `rate`) that belong to a split."""
    return part_of_grid(GRIDS[parameter], split)


def _choice(values: Grid, rng: Generator) -> float:
    return values[int(rng.integers(len(values)))]


def _linear(low: float, high: float, count: int) -> Grid:
    """`count` values, evenly spaced, rounded to 4 digits after the point."""
    return tuple(round(low + (high - low) * index / (count - 1), 4) for index in range(count))


def _geometric(low: float, high: float, count: int) -> Grid:
    """`count` values in constant ratio, rounded to 4 digits after the point."""
    return tuple(round(low * (high / low) ** (index / (count - 1)), 4) for index in range(count))


def _whole(low: int, high: int, count: int, *, unit: int = 1) -> Grid:
    """At most `count` distinct whole multiples of `unit`, about in constant ratio."""
    ratio = high / low
    return tuple(sorted({unit * round(low * ratio ** (index / (count - 1))) for index in range(count)}))


# Rows of 8 KiB and their multiples are where address maps differ, so powers of two stand among the strides.
_STRIDE = tuple(sorted({*_whole(2, 16_384, 80, unit=64), *(64.0 * 2**power for power in range(1, 15))}))

GRIDS: Mapping[str, Grid] = {
    # A 64-byte burst takes 4 clocks of a DDR bus: above 0.25 every design is saturated.
    "rate": _geometric(0.01, 1.0, 150),
    "writes": _linear(0.0, 0.7, 71),
    "locality": _linear(0.0, 0.99, 100),
    "block": _whole(4, 400, 80),
    "stride": _STRIDE,
    "nodes": _whole(256, 65_536, 90),
    "group": _whole(1, 64, 60),
    "burst": _whole(2, 256, 80),
    "exponent": _linear(0.3, 1.6, 66),
    "lines": _whole(1024, 262_144, 90),
    "k": _whole(16, 1024, 90),
    "c": _whole(16, 1024, 90),
    "p": _whole(7, 224, 90),
    "buffer": _whole(16, 2048, 90),
}

FAMILIES: tuple[Family, ...] = (
    Family("random", ("writes",)),
    Family("cloud-1-like", ("locality", "block", "writes")),
    Family("cloud-2-like", ("locality", "block", "writes")),
    Family("stride", ("stride", "writes")),
    Family("pointer-chase", ("nodes",), rate=(0.01, 0.05)),
    Family("mixed", ("writes", "group", "locality", "block")),
    Family("bursty", ("burst", "locality", "writes"), rate=(0.02, 0.2)),
    Family("zipf", ("exponent", "lines", "writes")),
    Family("copy", ("burst",)),
    Family("dnn-layer", ("k", "c", "p", "buffer")),
)
