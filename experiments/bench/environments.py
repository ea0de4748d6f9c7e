"""What each layer between a simulator and its user costs a design: problem, session, environment, ``gym.make``."""

from __future__ import annotations

__all__ = ["measure"]

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

import archgym
from archgym.envs.design_env import DesignEnv
from archgym.envs.design_vector_env import DesignVectorEnv
from archgym_simulators.space import Rows
from experiments.bench.timing import cpu_timing

ENV_ID = "bench/Bowl-v0"
ENTRY = "archgym.testing.toys:Bowl"
"""A simulator that costs little, with every parameter kind, strings to format and constraints to check."""
BATCHES = (1, 16, 256)
DESIGNS = 1024
"""Designs in one timed call."""
REPEATS = 9


def measure() -> Iterator[dict[str, Any]]:
    """One row a layer and batch size: CPU microseconds a design, and how many of them beyond simulator and objective.

    Every design is new to the session. A step at batch 1 includes the reset that it needs. ``per reference`` is the
    number of designs that take as long as the reference loop.
    """
    archgym.register(ENV_ID, ENTRY)
    for batch in BATCHES:
        below = 0.0
        for layer, take in _layers(batch).items():
            calls = iter(_batches(batch))
            _run(take, next(calls))
            timing = cpu_timing(lambda take=take, calls=calls: _run(take, next(calls)), repeats=REPEATS)  # type: ignore[misc]
            us = 1e6 * timing.cpu_s / DESIGNS
            below = below or us
            yield {
                "layer": layer,
                "batch": batch,
                "us a design": us,
                "us beyond problem": us - below,
                "per reference": DESIGNS / timing.ratio,
            }


def _batches(batch: int) -> NDArray[np.int64]:
    """Canonical rows, none twice: (calls, batches a call, batch, D)."""
    space = archgym.make_session(ENV_ID).space
    rows = np.concatenate(list(space.chunks(canonical=True)))
    chosen = np.random.default_rng(0).permutation(rows)[: (REPEATS + 1) * DESIGNS]
    return chosen.reshape(REPEATS + 1, DESIGNS // batch, batch, space.width)


def _layers(batch: int) -> dict[str, Callable[[Rows], object]]:
    layers: dict[str, Callable[[Rows], object]] = {
        "problem": archgym.make_session(ENV_ID).problem().evaluate,
        "session": archgym.make_session(ENV_ID).evaluate,
    }
    if batch == 1:
        layers["environment"] = _episode(DesignEnv(ENV_ID))
        layers["gym.make"] = _episode(gymnasium.make(ENV_ID))
    else:
        envs = DesignVectorEnv(ENV_ID, num_envs=batch)
        envs.reset(seed=0)
        layers["vector environment"] = envs.step
    return layers


def _run(take: Callable[[Rows], object], batches: NDArray[np.int64]) -> None:
    for rows in batches:
        take(rows)


def _episode(env: gymnasium.Env[Any, Any]) -> Callable[[Rows], object]:
    def episode(rows: Rows) -> object:
        env.reset()
        return env.step(rows[0])

    return episode
