"""Tensor-engine designs per CPU second on one core: in batches, and one by one."""

from __future__ import annotations

__all__ = ["measure"]

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from archgym.registry import environments, simulator_class
from archgym_simulators import OK, Simulator
from archgym_simulators.space import Rows
from experiments.bench.timing import cpu_timing

ENV_ID = "archgym/TPE-v0"
WORKLOADS = ("resnet18", "bert-base", "efficientnet-b0", "bert-base@e4m3")
BATCH = 16_384
SINGLE = 200


def measure() -> Iterator[dict[str, Any]]:
    """One row a workload; every random design is evaluated to the end, whether it is valid or not."""
    for workload in WORKLOADS if ENV_ID in environments() else ():
        simulator = simulator_class(ENV_ID)(workload)  # type: ignore[call-arg]
        rows = simulator.space.canonical(simulator.space.sample(BATCH, np.random.default_rng(0)))
        valid = (simulator.evaluate(rows).status == OK).mean()
        batched = cpu_timing(partial(simulator.evaluate, rows))
        single = cpu_timing(partial(_one_by_one, simulator, rows[:SINGLE]))
        yield {
            "workload": workload,
            "random designs/s": BATCH / batched.cpu_s,
            "valid": float(valid),
            "us one by one": 1e6 * single.cpu_s / SINGLE,
            "designs a reference loop": BATCH / batched.ratio,
        }


def _one_by_one(simulator: Simulator, rows: Rows) -> None:
    for row in range(len(rows)):
        simulator.evaluate(rows[row : row + 1])
