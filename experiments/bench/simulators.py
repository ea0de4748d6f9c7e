"""Valid designs per CPU second of every simulator of the registry, by workload and batch size."""

from __future__ import annotations

__all__ = ["measure"]

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from archgym.registry import environments, simulator_class
from archgym_simulators import OK, MissingExtra, Simulator
from archgym_simulators.space import Rows
from experiments.bench.timing import cpu_timing

BATCHES = (1, 16, 256, 4096)
LONGEST_S = 10.0
"""Batches expected to need more CPU seconds than this are left out."""
SAME_DESIGNS = 64
"""Small batches run over this many designs, so that every batch size sees the same mix."""
DRAWN = 512
SHORTEST_S = 0.02
"""Calls shorter than this are repeated within one timing."""


def measure() -> Iterator[dict[str, Any]]:
    """One row an environment and workload: valid designs per CPU second at each batch size, and one ratio.

    ``per reference`` is the number of designs, at the largest batch, that take as long as the reference loop.
    """
    for env_id, family in sorted(environments().items()):
        try:
            simulator = simulator_class(env_id)
        except MissingExtra:
            continue
        for workload in simulator.workload_names() or (family.default_workload,):
            try:
                bound = simulator(workload)  # type: ignore[call-arg]
            except MissingExtra:  # also data that nobody has imported
                continue
            yield {"environment": env_id, "workload": workload, **_throughput(bound)}


def _throughput(simulator: Simulator) -> dict[str, Any]:
    designs = _valid_designs(simulator, max(BATCHES), np.random.default_rng(0))
    rates: dict[str, Any] = {}
    relative = None
    expected_s = cpu_timing(lambda: simulator.evaluate(designs[:1]), repeats=3).cpu_s  # of one design
    for batch in BATCHES:
        n = max(batch, min(SAME_DESIGNS, int(LONGEST_S / expected_s)))
        if batch > 1 and expected_s * n > LONGEST_S:
            rates[f"batch {batch}"] = None
            continue
        passes = max(1, int(SHORTEST_S / (expected_s * n)))
        timing = cpu_timing(_evaluations(simulator, designs[:n], batch, passes))
        expected_s = timing.cpu_s / passes / n
        rates[f"batch {batch}"] = 1.0 / expected_s
        relative = n * passes / timing.ratio
    return {**rates, "per reference": relative}


def _evaluations(simulator: Simulator, designs: Rows, batch: int, passes: int) -> Callable[[], None]:
    batches = [designs[start : start + batch] for start in range(0, len(designs), batch)]

    def call() -> None:
        for _ in range(passes):
            for rows in batches:
                simulator.evaluate(rows)

    return call


def _valid_designs(simulator: Simulator, n: int, rng: np.random.Generator) -> Rows:
    """``n`` random valid designs, some repeated where valid ones are rare; all of them also warm the simulator."""
    few = simulator.space.canonical(simulator.space.sample(DRAWN, rng))
    valid = few[simulator.evaluate(few).status == OK]
    return np.resize(valid if len(valid) else few, (n, simulator.space.width))
