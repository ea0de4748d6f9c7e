"""Dataflow templates: what of a loop nest may lie along the array, what a PE holds, what stays while the rest moves."""

from __future__ import annotations

__all__ = ["FLEXIBLE", "TEMPLATES", "Dataflow", "template_tables"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.accelerator.starts import ORDERS
from archgym_simulators.mapping.hardware import TENSORS
from archgym_simulators.mapping.model import DIMS

_SETS = 8  # of tensors


@dataclass(frozen=True)
class Dataflow:
    """A dataflow as a set of mappings that it allows.

    Attributes:
        name: of the template.
        description: one sentence.
        x: dimensions that may lie along the columns, in order of preference.
        y: dimensions that may lie along the rows.
        holds: tensors that a PE has a buffer for; the others come from, or go to, the global buffer every cycle.
        stays: the tensor whose tile stays in the PEs while the innermost loops at the global buffer run; "" for any.
        within: dimensions that a PE runs through whole, as far as they are not spread.
        any_holds: whether a PE may also hold less.
    """

    name: str
    description: str
    x: tuple[str, ...]
    y: tuple[str, ...]
    holds: tuple[str, ...] = TENSORS
    stays: str = ""
    within: tuple[str, ...] = ()
    any_holds: bool = False


TEMPLATES: dict[str, Dataflow] = {
    flow.name: flow
    for flow in (
        Dataflow(
            "eyeriss",
            "Row-stationary (Chen et al., ISCA 2016): filter rows along y, output rows along x, a row of taps in a PE.",
            x=("P", "N", "K"),
            y=("R", "C", "K"),
            within=("S",),
        ),
        Dataflow(
            "nvdla",
            "Weight-stationary (NVDLA): output channels along x, input channels along y; PEs hold weights and sums.",
            x=("K",),
            y=("C",),
            holds=("weights", "outputs"),
            stays="weights",
        ),
        Dataflow(
            "shidiannao",
            "Output-stationary (Du et al., ISCA 2015): output pixels along both sides; weights are broadcast.",
            x=("Q", "N"),
            y=("P", "K"),
            holds=("inputs", "outputs"),
            stays="outputs",
        ),
        Dataflow(
            "tpu",
            "Weight-stationary (Jouppi et al., ISCA 2017): output channels along x, the window along y; weights only.",
            x=("K",),
            y=("C", "R", "S"),
            holds=("weights",),
            stays="weights",
        ),
        Dataflow(
            "simba",
            "Weights stay (Shao et al., MICRO 2019), channels and pixels are spread over both sides of the array.",
            x=("K", "P", "N"),
            y=("C", "Q"),
            stays="weights",
        ),
    )
}
"""Templates by name. As published in what is spread and what stays; sizes are genes."""

FLEXIBLE = Dataflow(
    "flexible",
    "Every dimension along either side, any order, anything held: the whole space of `archgym/Mapping-v0` and more.",
    x=("K", "P", "Q", "N", "C", "R", "S"),
    y=("C", "Q", "P", "N", "K", "R", "S"),
    any_holds=True,
)


@dataclass(frozen=True, eq=False)
class TemplateTables:
    """T dataflows as the kernel takes them; see `archgym_simulators.accelerator.state.Template`."""

    along: NDArray[np.int64]  # (T, 2, 7)
    slots: NDArray[np.bool_]  # (T, 7, 5)
    orders: NDArray[np.bool_]  # (T, 12)
    keeps: NDArray[np.bool_]  # (T, 2, 8)


def template_tables(flows: Sequence[Dataflow]) -> TemplateTables:
    """Dataflows as arrays."""
    count = len(flows)
    tables = TemplateTables(
        np.full((count, 2, len(DIMS)), -1, dtype=np.int64),
        np.array([[_slots_of(flow, dim) for dim in DIMS] for flow in flows]),
        np.array([[flow.stays in ("", order[0]) for order in ORDERS] for flow in flows]),
        np.ones((count, 2, _SETS), dtype=np.bool_),
    )
    for at, flow in enumerate(flows):
        for side, dims in enumerate((flow.x, flow.y)):
            tables.along[at, side, : len(dims)] = [DIMS.index(dim) for dim in dims]
        held = sum(1 << TENSORS.index(tensor) for tensor in flow.holds)
        if not flow.any_holds:
            tables.keeps[at, 0] = np.arange(_SETS) == held
    return tables


def _slots_of(flow: Dataflow, dim: str) -> tuple[bool, ...]:
    """Whether a factor of a dimension may be off the chip, at the global buffer, along x, along y, in a PE."""
    above = dim not in flow.within
    return (above, above, dim in flow.x, dim in flow.y, True)
