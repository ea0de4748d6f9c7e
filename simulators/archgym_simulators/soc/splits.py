"""Workload distributions of generated graphs: "train", "dev" and "test" with disjoint parameter values.

Every parameter has one sorted grid of values, of which each split owns a part: `archgym_simulators.splits`.
"""

from __future__ import annotations

__all__ = ["GRIDS", "draw"]

from collections.abc import Mapping

import numpy as np

from archgym_simulators.soc.generator import GENERATED, generated_spec
from archgym_simulators.splits import drawn_seed, generator_of, part_of_grid


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
    rng = generator_of(split, rng)
    chosen = {name: values[int(rng.integers(len(values)))] for name, values in _parts(split)}
    chosen["seed"] = float(drawn_seed(split, rng))
    return generated_spec(f"{GENERATED}:" + ",".join(f"{name}={value:.17g}" for name, value in chosen.items()))


def _parts(split: str) -> list[tuple[str, tuple[float, ...]]]:
    return [(name, part_of_grid(grid, split)) for name, grid in GRIDS.items()]
