"""What a prediction and a simulation cost, one at a time and batched, on one core, side by side."""

from __future__ import annotations

__all__ = ["speed_table"]

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import numpy as np

from archgym.problem import ProblemSpec
from archgym.proxies.features import DesignFeatures
from archgym.proxies.regressors import kind_named
from archgym.proxies.trees import MaskedTrees, Trees
from archgym_simulators import OK, Simulator
from archgym_simulators.space import Rows
from experiments.proxy_accuracy.pools import uniform_designs

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


def speed_table() -> Iterator[str]:
    """Lines of a table: microseconds of processor time a design, medians of five."""
    yield HEADER
    for env_id, workload, metric, rows in CASES:
        simulator = ProblemSpec.create(env_id, workload=workload or None).simulator()
        yield from _compared(env_id, simulator, metric, uniform_designs(simulator.space, rows))


def _compared(env_id: str, simulator: Simulator, metric: str, rows: Rows) -> Iterator[str]:
    outcome = simulator.evaluate(rows)
    valid = outcome.status == OK
    features = DesignFeatures(simulator.space)
    nothing = np.zeros(0)
    x = features.of(features.codes(rows[valid]), nothing)
    settings = {**kind_named("lightgbm").settings, "trees": TREES}
    model, _ = kind_named("lightgbm").train(x, np.log(simulator.column(outcome, metric)[valid]), settings, 0)
    assert isinstance(model, Trees)
    fast = MaskedTrees.of(model, features, nothing) or model

    def predict(designs: Rows) -> Any:
        codes = features.codes(designs)
        return fast.predict(codes) if isinstance(fast, MaskedTrees) else fast.predict(features.of(codes, nothing))

    many = np.resize(rows, (_MANY, rows.shape[1]))
    for batch, predicted in ((1, rows), (len(rows), many)):
        size = 1 if batch == 1 else len(predicted)
        simulated = _microseconds(simulator.evaluate, rows, batch)
        guessed = _microseconds(predict, predicted, size)
        name = "single" if batch == 1 else "batched"
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
