"""Requests per CPU second of the DRAM kernel, beside DRAMSys 4.0."""

from __future__ import annotations

__all__ = ["measure"]

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import numpy as np

from archgym.registry import environments, simulator_class
from archgym_simulators import OK, Simulator
from archgym_simulators.space import Rows
from experiments.bench.timing import WallTime, cpu_timing, wall_time

ENV_ID = "archgym/DRAM-v0"
DESIGNS = 40
REQUESTS = 10_000
REPEATS = 5
COPIES = 20
"""Copies of a design in one timed call, as many as a generation of a search: the call itself hardly counts."""
SCALING_COPIES = 5
SCALING_TRIALS = 9

DRAMSYS_CPU_MS = {"stream": 17.6, "random": 26.1, "cloud-1-like": 22.2, "cloud-2-like": 22.2}
"""CPU milliseconds of DRAMSys 4.0 for one design and 10,000 requests of ArchGym's traces: the binary it ships,
user + system, process start included, median over designs, measured once on a 2-core x86-64 machine. It is not
run here: the ratio says how far apart the two are, not more."""


def measure() -> Iterator[dict[str, Any]]:
    """One row a trace: median over 40 random designs; DDR3-1600, archgym rules, warm, one core.

    ``ms alone`` is that of a call with a single design, between other work.

    ``two threads`` is the wall time of the designs in one thread over that in two, "-" on a busy machine.
    """
    for workload, dramsys_ms in DRAMSYS_CPU_MS.items() if ENV_ID in environments() else ():
        simulator = simulator_class(ENV_ID)(workload, rules="archgym")  # type: ignore[call-arg]
        rows = _valid_designs(simulator)
        timings = [_design_cpu_s(simulator, row) for row in rows]
        cpu_s = median(t for t, _ in timings)
        yield {
            "trace": workload,
            "requests/s": REQUESTS / cpu_s,
            "ms": 1e3 * cpu_s,
            "ms alone": 1e3 * median(_design_cpu_s(simulator, row, copies=1)[0] for row in rows),
            "slowest ms": 1e3 * max(t for t, _ in timings),
            "per reference": median(1.0 / ratio for _, ratio in timings),
            "DRAMSys 4.0 ms": dramsys_ms,
            "times DRAMSys": dramsys_ms / (1e3 * cpu_s),
            "two threads": _scaling(simulator, rows),
        }


def _valid_designs(simulator: Simulator) -> Rows:
    drawn = simulator.space.canonical(simulator.space.sample(4 * DESIGNS, np.random.default_rng(0)))
    valid: Rows = drawn[simulator.evaluate(drawn).status == OK]
    return valid[:DESIGNS]


def _design_cpu_s(simulator: Simulator, row: Rows, copies: int = COPIES) -> tuple[float, float]:
    rows = np.repeat(row[None], copies, axis=0)
    timing = cpu_timing(lambda: simulator.evaluate(rows), repeats=REPEATS)
    return timing.cpu_s / copies, timing.ratio / copies


def _scaling(simulator: Simulator, rows: Rows) -> float | None:
    """Best wall time in one thread over best in two; None where the machine was too busy to tell."""
    halves = np.array_split(np.repeat(rows, SCALING_COPIES, axis=0), 2)
    one: list[WallTime] = []
    two: list[WallTime] = []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(SCALING_TRIALS):
            one.append(wall_time(lambda: [simulator.evaluate(half) for half in halves]))
            two.append(wall_time(lambda: list(pool.map(simulator.evaluate, halves))))
    quiet = max(trial.share for trial in one) > 0.9
    return min(trial.wall_s for trial in one) / min(trial.wall_s for trial in two) if quiet else None
