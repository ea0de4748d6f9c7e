"""Designs per CPU second of the SoC model, beside FARSI."""

from __future__ import annotations

__all__ = ["measure"]

from collections.abc import Iterator
from typing import Any

import numpy as np

from archgym.registry import environments, simulator_class
from archgym_simulators import Simulator
from archgym_simulators.space import Rows
from experiments.bench.timing import cpu_timing

ENV_ID = "archgym/SoC-v0"
BATCH, SINGLES = 2048, 100
TARGETS = {"audio-decoder": 2000, "edge-detection": 2000, "hpvm-cava": 2000, "three-apps": 400}
"""Designs a second that one core should reach."""
FARSI_MS = {"audio-decoder": 152, "edge-detection": 139, "hpvm-cava": 134, "three-apps": 703}
"""Wall milliseconds of FARSI for one design with CACTI's results in its cache: medians over recorded runs on a 2-core
x86-64 machine. It is not run here."""


def measure() -> Iterator[dict[str, Any]]:
    """One row a workload and set of rules: uniform random designs, warm, one core, in a batch and one at a time."""
    for workload, target in TARGETS.items() if ENV_ID in environments() else ():
        for rules in ("realistic", "farsi"):
            simulator = simulator_class(ENV_ID)(workload, rules=rules)  # type: ignore[call-arg]
            space = simulator.space
            rows = space.canonical(space.sample(BATCH, np.random.default_rng(0)))
            batch = cpu_timing(lambda s=simulator, r=rows: s.evaluate(r), repeats=5)  # type: ignore[misc]
            yield {
                "workload": workload,
                "rules": rules,
                "designs/s": BATCH / batch.cpu_s,
                "per reference": batch.ratio / BATCH,
                "one at a time": 1.0 / _single_cpu_s(simulator, rows[:SINGLES]),
                "target": target,
                "FARSI ms": FARSI_MS[workload],
                "times FARSI": FARSI_MS[workload] * 1e-3 * BATCH / batch.cpu_s,
            }


def _single_cpu_s(simulator: Simulator, rows: Rows) -> float:
    singles = list(rows[:, None])
    return cpu_timing(lambda: [simulator.evaluate(row) for row in singles], repeats=5).cpu_s / len(singles)
