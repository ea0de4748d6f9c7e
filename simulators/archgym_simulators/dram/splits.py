"""Workload distributions: "train", "dev" and "test", drawn from the generators with disjoint parameter values.

Every parameter has one sorted grid of values for all families, cut into 30 cells of equal length; a split owns
whole cells, so no value of any drawn parameter (rate, write share, stride, ..., seed) occurs in two splits. Most
test cells lie between cells of the others, one lies at the upper end: the test split asks for interpolation and
for a little extrapolation.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from archgym_simulators.dram.spec import number_text
from archgym_simulators.dram.workloads import canonical_spec
from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean

__all__ = ["FAMILIES", "GRIDS", "SPLITS", "Family", "draw", "grid_values", "test_split_seed"]

SPLITS = ("train", "dev", "test")
CELL_COUNT = 30
# Cell c belongs to the split that has c % 10 here.
CELLS: Mapping[str, tuple[int, ...]] = {"train": (0, 1, 3, 4, 6, 8), "dev": (2, 7), "test": (5, 9)}

# Seeds of a split start here and span 2**40; built-in workloads have small ones.
_FIRST_SEED = {"train": 1 * 2**40, "dev": 2 * 2**40, "test": 3 * 2**40}
_SEED_SPAN = 2**40

TEST_SEED_VARIABLE = "ARCHGYM_TEST_SEED"
TEST_SEED_SHA256 = "d130ea6f5afbe499e0e2c4a38fe308e1d84fb24d21701ca75af74d6987aaebdf"

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
    if split not in SPLITS:
        raise InputError(f"unknown split {split!r}; allowed are {allowed_values(SPLITS)}{did_you_mean(split, SPLITS)}")
    if split == "test":
        # Nobody can know a test workload in advance: every choice depends on the hidden seed.
        rng = np.random.default_rng([int(test_split_seed(), 16), int(rng.integers(2**63))])
    family = FAMILIES[int(rng.integers(len(FAMILIES)))]
    arguments = [f"{name}={number_text(_choice(grid_values(name, split), rng))}" for name in family.parameters]
    arguments.append(f"seed={_FIRST_SEED[split] + int(rng.integers(_SEED_SPAN))}")
    low, high = family.rate
    rates = tuple(rate for rate in grid_values("rate", split) if low <= rate <= high)
    return canonical_spec(f"{family.workload}:{','.join(arguments)}@{number_text(_choice(rates, rng))}")


def grid_values(parameter: str, split: str) -> Grid:
    """Return the values of a parameter (or of `rate`) that belong to a split."""
    grid, cells = GRIDS[parameter], CELLS[split]
    return tuple(value for index, value in enumerate(grid) if index * CELL_COUNT // len(grid) % 10 in cells)


def test_split_seed() -> str:
    """Return the base seed of the test split, 32 hexadecimal digits, from the environment.

    It is kept back until a release reveals it; the repository holds its SHA-256 only.

    Raises:
        InputError: The variable is unset, or holds another seed.
    """
    seed = os.environ.get(TEST_SEED_VARIABLE, "").strip().lower()
    if not seed:
        raise InputError(
            f"the test split is closed: set {TEST_SEED_VARIABLE} to the seed that a release reveals, "
            "or use the split 'train' or 'dev'"
        )
    digest = hashlib.sha256(seed.encode()).hexdigest()
    if re.fullmatch(r"[0-9a-f]{32}", seed) is None or digest != TEST_SEED_SHA256:
        raise InputError(
            f"{TEST_SEED_VARIABLE} is not the seed of the test split: it must be the 32 hexadecimal digits "
            f"with SHA-256 {TEST_SEED_SHA256[:12]}..."
        )
    return seed


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
