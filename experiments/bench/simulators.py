"""Designs per CPU second of every simulator of the registry, by workload and batch size."""

from __future__ import annotations

__all__ = ["measure"]

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from archgym.registry import environments, simulator_class
from archgym_simulators import MissingExtra, Simulator
from archgym_simulators.space import Rows
from experiments.bench.timing import cpu_timing

BATCHES = (1, 16, 256, 4096)
LONGEST_S = 10.0
"""Batches expected to need more CPU seconds than this are left out."""
SHORTEST_S = 0.02
"""Calls shorter than this are repeated within one timing."""


def measure() -> Iterator[dict[str, Any]]:
    """One row an environment and workload: designs per CPU second at each batch size, and one ratio.

    ``per reference`` is the number of designs, at the largest batch, that take as long as the reference loop.
    """
    for env_id, family in sorted(environments().items()):
        try:
            simulator = simulator_class(env_id)
        except MissingExtra:
            continue
        for workload in simulator.workload_names() or (family.default_workload,):
            yield {"environment": env_id, "workload": workload, **_throughput(simulator(workload))}  # type: ignore[call-arg]


def _throughput(simulator: Simulator) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    rates: dict[str, Any] = {}
    relative = None
    simulator.evaluate(_rows(simulator, 16, rng))  # warm: compiled and in the cache
    one = _rows(simulator, 1, rng)
    expected_s = cpu_timing(lambda: simulator.evaluate(one), repeats=3).cpu_s
    for batch in BATCHES:
        if batch > 1 and expected_s * batch > LONGEST_S:
            rates[f"batch {batch}"] = None
            continue
        rows = _rows(simulator, batch, rng)
        calls = max(1, int(SHORTEST_S / (expected_s * batch)))
        timing = cpu_timing(_repeated(simulator, rows, calls))
        expected_s = timing.cpu_s / calls / batch
        rates[f"batch {batch}"] = 1.0 / expected_s
        relative = batch * calls / timing.ratio
    return {**rates, "per reference": relative}


def _repeated(simulator: Simulator, rows: Rows, calls: int) -> Callable[[], None]:
    def call() -> None:
        for _ in range(calls):
            simulator.evaluate(rows)

    return call


def _rows(simulator: Simulator, n: int, rng: np.random.Generator) -> Rows:
    return simulator.space.canonical(simulator.space.sample(n, rng))
