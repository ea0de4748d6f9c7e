"""Maestro mappings per CPU second on one core, of single layers and of a network."""

from __future__ import annotations

__all__ = ["measure"]

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from archgym.registry import environments, simulator_class
from experiments.bench.timing import cpu_timing

ENV_ID = "archgym/Maestro-v0"
WORKLOADS = ("gemm:128x768x768", "resnet18/conv2_*", "resnet18")
BATCH = 4096
MAESTRO_LAYERS_PER_S = 2400
"""Layers a second of MAESTRO 4eb08d1 within one process, measured once on a 2-core x86-64 machine; not run here."""


def measure() -> Iterator[dict[str, Any]]:
    """One row a workload, of random mappings; ``layers/s`` counts distinct shapes, as MAESTRO would run them."""
    for workload in WORKLOADS if ENV_ID in environments() else ():
        simulator: Any = simulator_class(ENV_ID)(workload)  # type: ignore[call-arg]
        rows = simulator.space.sample(BATCH, np.random.default_rng(0))
        timing = cpu_timing(partial(simulator.evaluate, rows))
        shapes = len(simulator.nests)
        yield {
            "workload": workload,
            "mappings/s": BATCH / timing.cpu_s,
            "layers/s": BATCH * shapes / timing.cpu_s,
            "times MAESTRO": BATCH * shapes / timing.cpu_s / MAESTRO_LAYERS_PER_S,
            "mappings a reference loop": BATCH / timing.ratio,
        }
