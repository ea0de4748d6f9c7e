"""What a prediction and a simulation cost, one at a time and batched, on one core, side by side."""

from __future__ import annotations

__all__ = ["HEADER", "speed_table"]

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from archgym.problem import ProblemSpec
from archgym.proxies import fit
from archgym.proxies.simulator import ProxySimulator
from archgym_simulators import Simulator
from archgym_simulators.space import Rows
from experiments.proxy_accuracy.pools import pool_of

HEADER = "simulator,workload,metric,batch,simulate_us,predict_us,ratio"
CASES: tuple[tuple[str, str, str, int], ...] = (
    ("archgym/DRAM-v0", "stream", "total_time_ns", 300),
    ("archgym/DRAM-v0", "random", "total_time_ns", 300),
    ("archgym/Accelerator-v0", "", "energy_pj", 100),
    ("archgym/SoC-v0", "", "latency_ms", 1000),
    ("archgym/Systolic-v0", "", "cycles", 1000),
    ("archgym/Mapping-v0", "", "energy_pj", 1000),
)
TREES = 100
_REPEATS = 5
_MANY = 100_000


def speed_table(work: Path) -> Iterator[str]:
    """Lines of a table: microseconds of processor time a design, medians of five."""
    for env_id, workload, metric, count in CASES:
        spec = ProblemSpec.create(env_id, workload=workload or None)
        simulator = spec.simulator()
        pool = pool_of(env_id, spec.workload, (metric,), count, work)
        proxy = ProxySimulator(simulator, fit(pool, settings={"trees": TREES}))
        yield from _compared(env_id, metric, simulator, proxy, pool.designs)


def _compared(env_id: str, metric: str, simulator: Simulator, proxy: Simulator, rows: Rows) -> Iterator[str]:
    """The same call of both: constraints, region and reasons are part of it."""
    many = np.resize(rows, (_MANY, rows.shape[1]))
    for name, predicted in (("single", rows), ("batched", many)):
        batch = 1 if name == "single" else _MANY
        simulated = _microseconds(simulator.evaluate, rows, min(batch, len(rows)))
        guessed = _microseconds(proxy.evaluate, predicted, batch)
        workload = simulator.workload.name
        yield f"{env_id},{workload},{metric},{name},{simulated:.3g},{guessed:.3g},{simulated / guessed:.3g}"


def _microseconds(function: Callable[[Rows], Any], rows: Rows, batch: int) -> float:
    """Processor time a design: the median of five passes over the rows, at most 50 calls each."""
    parts = np.array_split(rows, max(len(rows) // batch, 1))[:50]
    designs = sum(len(part) for part in parts)
    function(parts[0])
    times = []
    for _ in range(_REPEATS):
        began = time.process_time()
        for part in parts:
            function(part)
        times.append(time.process_time() - began)
    return 1e6 * median(times) / designs
