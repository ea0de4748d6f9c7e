"""Attention designs per CPU second on one core, valid ones and random ones."""

from __future__ import annotations

__all__ = ["measure"]

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from archgym.registry import environments, simulator_class
from archgym_simulators import OK
from experiments.bench.timing import cpu_timing

ENV_ID = "archgym/Attention-v0"
WORKLOADS = ("bert:seq=1024", "xlm:seq=1048576")
BATCH = 65_536


def measure() -> Iterator[dict[str, Any]]:
    """One row a workload; random designs include the invalid ones, which a constraint or the model answers."""
    for workload in WORKLOADS if ENV_ID in environments() else ():
        simulator = simulator_class(ENV_ID)(workload)  # type: ignore[call-arg]
        rows = simulator.space.canonical(simulator.space.sample(BATCH, np.random.default_rng(0)))
        valid = rows[simulator.evaluate(rows).status == OK]
        of_random = cpu_timing(partial(simulator.evaluate, rows))
        of_valid = cpu_timing(partial(simulator.simulate, valid))
        yield {
            "workload": workload,
            "valid designs/s": len(valid) / of_valid.cpu_s,
            "random designs/s": len(rows) / of_random.cpu_s,
            "valid": len(valid) / len(rows),
            "valid designs a reference loop": len(valid) / of_valid.ratio,
        }
