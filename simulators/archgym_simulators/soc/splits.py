"""Workload distributions of generated graphs: "train", "dev" and "test" with disjoint parameter values.

As for DRAM: every parameter has one sorted grid, cut into 30 cells; a split owns whole cells, so no value of a drawn
parameter occurs in two splits, and the test split depends on a seed that is kept back.
"""

from __future__ import annotations

__all__ = ["GRIDS", "draw"]

from collections.abc import Mapping

import numpy as np

from archgym_simulators.dram.splits import CELL_COUNT, CELLS, SPLITS, test_split_seed
from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.soc.generator import GENERATED, generated_spec

_FIRST_SEED = {"train": 1 * 2**40, "dev": 2 * 2**40, "test": 3 * 2**40}


def _geometric(low: float, high: float, count: int) -> tuple[float, ...]:
    return tuple(float(f"{low * (high / low) ** (i / (count - 1)):.4g}") for i in range(count))


def _linear(low: float, high: float, count: int) -> tuple[float, ...]:
    return tuple(float(f"{low + (high - low) * i / (count - 1):.4g}") for i in range(count))


GRIDS: Mapping[str, tuple[float, ...]] = {
    "tasks": tuple(float(count) for count in range(10, 201)),
    "width": _linear(1.0, 10.0, 90),
    "fan": _linear(1.0, 3.0, 90),
    "work": _geometric(3e5, 3e8, 90),
    "spread": _linear(0.3, 2.0, 90),
    "traffic": _geometric(0.003, 1.0, 90),
    "speedup": _geometric(0.2, 6.0, 90),
    "loops": _linear(0.4, 1.0, 60),
    "covered": _linear(0.7, 1.0, 60),
}


def draw(split: str, rng: np.random.Generator) -> str:
    """The spec of one graph of a split; every parameter is uniform over the split's part of its grid.

    Raises:
        InputError: unknown split, or "test" without the seed of the test split.
    """
    if split not in SPLITS:
        raise InputError(f"unknown split {split!r}{did_you_mean(split, SPLITS)}; allowed: {', '.join(SPLITS)}")
    if split == "test":
        rng = np.random.default_rng([int(test_split_seed(), 16), int(rng.integers(2**63))])
    chosen = {name: values[int(rng.integers(len(values)))] for name, values in ((n, _part(n, split)) for n in GRIDS)}
    chosen["seed"] = float(_FIRST_SEED[split] + int(rng.integers(2**40)))
    return generated_spec(f"{GENERATED}:" + ",".join(f"{name}={value:.17g}" for name, value in chosen.items()))


def _part(name: str, split: str) -> tuple[float, ...]:
    grid, cells = GRIDS[name], CELLS[split]
    return tuple(value for i, value in enumerate(grid) if i * CELL_COUNT // len(grid) % 10 in cells)
