"""Mappings per CPU second, beside Timeloop's mapper and model."""

from __future__ import annotations

__all__ = ["measure"]

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from archgym_simulators import OK
from archgym_simulators.mapping.kernel import evaluate_many
from archgym_simulators.mapping.model import MappingArrays, layer_shape
from archgym_simulators.mapping.presets import hardware_named
from archgym_simulators.mapping.results import COUNTS, EXACT, RESULTS, TIMELOOP
from archgym_simulators.mapping.simulator import MappingSimulator
from archgym_simulators.mapping.workloads import single_layer
from archgym_simulators.space import Rows
from experiments.bench.timing import cpu_timing

CASES = (
    ("resnet18/conv2_1", "reference-256"),
    ("gemm:512x768x3072", "reference-256"),
    ("resnet18/conv2_1", "eyeriss-like"),
)
DESIGNS = 16_384
LINKED = 512
CALLS = 1000

TIMELOOP_MAPPER = 1830.0
"""Valid mappings a second of timeloop-mapper 3.0.3, one thread, start included: measured once on a 2-core x86-64
machine. It is not run here: the ratio says how far apart the two are, not more."""


def measure() -> Iterator[dict[str, Any]]:
    """One row a layer and hardware: random valid mappings, warm, one core; ``one by one`` is a call for each."""
    for workload, hardware in CASES:
        simulator = MappingSimulator(workload, hardware=hardware)
        rows = _valid(simulator)
        kernel = _Kernel(workload, hardware, simulator.space.mappings(rows))
        rate = DESIGNS / _cpu_s(partial(kernel, DESIGNS))
        yield {
            "layer": workload,
            "hardware": hardware,
            "mappings/s": rate,
            "times Timeloop's mapper": rate / TIMELOOP_MAPPER,
            "one by one us": 1e6 * _cpu_s(kernel.one_by_one) / CALLS,
            "as Timeloop/s": DESIGNS / _cpu_s(partial(kernel, DESIGNS, halo=TIMELOOP)),
            "with links/s": LINKED / _cpu_s(partial(kernel, LINKED, links=True)),
            "rows evaluated/s": DESIGNS / _cpu_s(partial(simulator.evaluate, rows)),
        }


class _Kernel:
    """The kernel bound to a layer, a hardware and mappings, with its results allocated."""

    def __init__(self, workload: str, hardware: str, mappings: MappingArrays) -> None:
        self._shape, self._vector = layer_shape(single_layer(workload)[1]), hardware_named(hardware).vector
        self._mappings = mappings
        self._results, self._counts = np.zeros((DESIGNS, RESULTS)), np.zeros((0, COUNTS), dtype=np.int64)

    def __call__(self, n: int, *, halo: int = EXACT, links: bool = False) -> None:
        given = self._mappings.factors[:n], self._mappings.orders[:n], self._mappings.keep[:n]
        evaluate_many(self._shape, *given, self._vector, halo, links, self._results[:n], self._counts)

    def one_by_one(self) -> None:
        given = self._mappings.factors[:1], self._mappings.orders[:1], self._mappings.keep[:1]
        result = self._results[:1]
        for _ in range(CALLS):
            evaluate_many(self._shape, *given, self._vector, EXACT, False, result, self._counts)


def _cpu_s(call: Callable[[], object]) -> float:
    call()
    return cpu_timing(call).cpu_s


def _valid(simulator: MappingSimulator) -> Rows:
    rng = np.random.default_rng(0)
    found = np.zeros((0, simulator.space.width), dtype=np.int64)
    while len(found) < DESIGNS:
        drawn = simulator.space.sample(4 * DESIGNS, rng)
        found = np.concatenate([found, drawn[simulator.evaluate(drawn).status == OK]])
    return found[:DESIGNS]
