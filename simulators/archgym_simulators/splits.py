"""Workload distributions that all families share in form: "train", "dev" and "test" own different parameter values.

A parameter has one sorted grid of values, cut into 30 cells of equal length; a split owns whole cells, so no value of a
drawn parameter occurs in two splits. Most test cells lie between cells of the others, one lies at the upper end: the
test split asks for interpolation and for a little extrapolation.
"""

from __future__ import annotations

__all__ = ["SPLITS", "drawn_seed", "generator_of", "part_of_grid", "test_split_seed"]

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean

T = TypeVar("T")

SPLITS = ("train", "dev", "test")
_CELL_COUNT = 30
# Cell c belongs to the split that has c % 10 here.
_CELLS: Mapping[str, tuple[int, ...]] = {"train": (0, 1, 3, 4, 6, 8), "dev": (2, 7), "test": (5, 9)}

# Seeds of a split start here and span 2**40; built-in workloads have small ones.
_FIRST_SEED = {"train": 1 * 2**40, "dev": 2 * 2**40, "test": 3 * 2**40}
_SEED_SPAN = 2**40

TEST_SEED_VARIABLE = "ARCHGYM_TEST_SEED"
TEST_SEED_SHA256 = "d130ea6f5afbe499e0e2c4a38fe308e1d84fb24d21701ca75af74d6987aaebdf"


def generator_of(split: str, rng: np.random.Generator) -> np.random.Generator:
    """The generator that draws a workload of a split: ``rng`` itself, but for "test".

    Nobody can know a test workload in advance: there, every choice depends on the hidden seed.

    Raises:
        InputError: unknown split, or "test" without the seed of the test split.
    """
    if split not in SPLITS:
        raise InputError(f"unknown split {split!r}; allowed are {allowed_values(SPLITS)}{did_you_mean(split, SPLITS)}")
    if split != "test":
        return rng
    return np.random.default_rng([int(test_split_seed(), 16), int(rng.integers(2**63))])


def part_of_grid(grid: Sequence[T], split: str) -> tuple[T, ...]:
    """The values of a sorted grid that belong to a split."""
    cells = _CELLS[split]
    return tuple(value for index, value in enumerate(grid) if index * _CELL_COUNT // len(grid) % 10 in cells)


def drawn_seed(split: str, rng: np.random.Generator) -> int:
    """A seed for a generated workload that no other split, and no built-in workload, has."""
    return _FIRST_SEED[split] + int(rng.integers(_SEED_SPAN))


def test_split_seed() -> str:
    """The base seed of the test split, 32 hexadecimal digits, from the environment.

    It is kept back until a release reveals it; the repository holds its SHA-256 only.

    Raises:
        InputError: the variable is unset, or holds another seed.
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
