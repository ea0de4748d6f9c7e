"""Accelerators searched per CPU second, every layer mapped, beside Timeloop's mapper."""

from __future__ import annotations

__all__ = ["measure"]

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from archgym_simulators import OK
from archgym_simulators.accelerator.simulator import AcceleratorSimulator
from archgym_simulators.space import Rows
from experiments.bench.timing import cpu_timing

CASES = (("resnet50", "quick"), ("resnet50", "normal"), ("resnet50", "thorough"), ("bert-base", "normal"))
DESIGNS = 24
TIMELOOP_MAPPER = 1830.0
"""Valid mappings a second of timeloop-mapper 3.0.3, one thread, start included: measured once on a 2-core x86-64
machine; not run here."""


def measure() -> Iterator[dict[str, Any]]:
    """One row a workload and effort: random valid designs of the class mobile, warm, one core."""
    for workload, effort in CASES:
        simulator = AcceleratorSimulator(workload)
        rows = _valid(simulator, effort)
        evaluation = simulator.evaluate(rows)
        cpu_s = cpu_timing(partial(simulator.evaluate, rows)).cpu_s
        mappings = float(evaluation.cost.sum())
        yield {
            "workload": workload,
            "effort": effort,
            "designs/s": DESIGNS / cpu_s,
            "mappings a layer": float(evaluation.diagnostics[:, -1].mean()),
            "mappings/s": mappings / cpu_s,
            "times Timeloop's mapper": mappings / cpu_s / TIMELOOP_MAPPER,
        }


def _valid(simulator: AcceleratorSimulator, effort: str) -> Rows:
    drawn = simulator.space.sample(8 * DESIGNS, np.random.default_rng(0))
    designs = simulator.space.decode(drawn)
    designs["mapper_effort"] = np.full(len(drawn), effort, dtype=object)
    rows = simulator.space.canonical(simulator.space.encode(designs))
    rows = rows[(simulator.space.violations(rows) <= 0.0).all(axis=1)][:DESIGNS]
    if (simulator.evaluate(rows).status != OK).any() or len(rows) < DESIGNS:
        raise RuntimeError("too few of the random designs are valid")
    return rows
