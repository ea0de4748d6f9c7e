"""Systolic arrays per CPU second on one core: single products, and a network of many."""

from __future__ import annotations

__all__ = ["measure"]

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from archgym_simulators.layers.workloads import workload
from archgym_simulators.systolic.kernel import network_counts
from archgym_simulators.systolic.simulator import SystolicSimulator
from archgym_simulators.systolic.workloads import products
from experiments.bench.timing import cpu_timing

WORKLOADS = ("resnet18/conv2_1", "gemm:512x768x3072", "resnet18")
BATCH = 65_536


def measure() -> Iterator[dict[str, Any]]:
    """One row a workload: counts alone, as a mapper or an enumeration would ask for them, and the whole simulator."""
    rng = np.random.default_rng(0)
    table = np.stack([rng.integers(0, 3, BATCH), *(rng.integers(4, 257, BATCH) for _ in range(2))], axis=1)
    designs = np.concatenate([table, rng.integers(512, 1 << 20, (BATCH, 3))], axis=1)
    for spec in WORKLOADS:
        layers = products(workload(spec).layers)
        simulator = SystolicSimulator(spec, area_class="cloud")
        rows = simulator.space.canonical(simulator.space.sample(BATCH, rng))
        counts = cpu_timing(partial(network_counts, designs, layers, 16))
        whole = cpu_timing(partial(simulator.simulate, rows))
        yield {
            "workload": spec,
            "layers": len(layers),
            "counts: designs/s": BATCH / counts.cpu_s,
            "counts: layers/s": BATCH * len(layers) / counts.cpu_s,
            "simulator: designs/s": BATCH / whole.cpu_s,
            "designs a reference loop": BATCH / whole.ratio,
        }
