"""The design space of an accelerator: array, dataflow, buffers of a PE, global buffer, and the mapper's effort."""

from __future__ import annotations

__all__ = [
    "EFFORTS",
    "PARAMETERS",
    "accelerator_space",
    "area_limits",
    "baseline_design",
    "build_chips",
    "template_codes",
]

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.accelerator.costs import (
    AREA_CLASSES,
    Chips,
    Floats,
    Integers,
    MacroCost,
    Memories,
    glb_cost,
    hardware_vectors,
    pe_buffer_cost,
)
from archgym_simulators.accelerator.templates import TEMPLATES
from archgym_simulators.components.parts import WORD_BYTES, Node
from archgym_simulators.constraints import Columns, Constraint, InertWhen, Reason
from archgym_simulators.mapping.hardware import TENSORS
from archgym_simulators.parameters import Categorical, Ordinal, Parameter
from archgym_simulators.space import Design, DesignSpace

PE_PORT = 2.0  # words a cycle that each buffer of a PE reads, and writes
EFFORTS = ("quick", "normal", "thorough")

_SIDES = (4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256)
_PE_WORDS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
_GLB_KIB = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096)
_HELD_FOR = {
    "weights": "the larger, the longer weights stay",
    "inputs": "the larger, the more windows share",
    "outputs": "the larger, the fewer partial sums travel",
}

EFFORT = Ordinal(
    "mapper_effort",
    EFFORTS,
    description="How long the mapper searches for each layer; more effort finds better mappings of the same chip.",
    role="fidelity",
    group="mapper",
)
PARAMETERS: tuple[Parameter, ...] = (
    Categorical(
        "dataflow",
        tuple(TEMPLATES),
        description="Template: what may be spread over the array, what a PE holds, what stays in place.",
        group="array",
    ),
    Ordinal("rows", _SIDES, "PEs", description="Rows of the array, along y.", group="array"),
    Ordinal("columns", _SIDES, "PEs", description="Columns of the array, along x.", group="array"),
    *(
        Ordinal(
            f"pe_{tensor}_words",
            _PE_WORDS,
            "words",
            description=f"Buffer for {tensor} in each PE: {why}, and the more an access costs.",
            group="pe",
        )
        for tensor, why in _HELD_FOR.items()
    ),
    Ordinal("glb_kib", _GLB_KIB, "KiB", description="Global buffer, shared by all tensors.", group="memory"),
    Ordinal(
        "glb_banks",
        (2, 4, 8, 16, 32),
        "banks",
        description="Banks of the global buffer, each with one access a cycle: bandwidth for area.",
        group="memory",
    ),
    Ordinal(
        "glb_width",
        (1, 2, 4, 8, 16),
        "words",
        description="Words of a row of the global buffer: bandwidth and cheaper words for wider buses.",
        group="memory",
    ),
    EFFORT,
)
# A PE has no buffer for what its template does not hold.
_INERT = tuple(
    InertWhen(
        f"pe_{tensor}_words", "dataflow", tuple(flow.name for flow in TEMPLATES.values() if tensor not in flow.holds)
    )
    for tensor in TENSORS
)
_HELD = np.array([[tensor in flow.holds for tensor in TENSORS] for flow in TEMPLATES.values()])  # (T, 3)

_BASELINE_KIB = {128: 2048, 64: 1024, 32: 384, 16: 96, 8: 24}  # side of the array -> global buffer


def baseline_design(node: Node, limit_mm2: float) -> Design:
    """An NVDLA of the class: square, the largest power of two that fits."""
    for side, kib in _BASELINE_KIB.items():
        design: Design = {"dataflow": "nvdla", "rows": side, "columns": side}
        design |= {"pe_weights_words": 32, "pe_inputs_words": 16, "pe_outputs_words": 32}
        design |= {"glb_kib": kib, "glb_banks": 16, "glb_width": 4, "mapper_effort": "normal"}
        columns = {name: np.array([value]) for name, value in design.items()}
        if build_chips(node, columns, 1.0).area_mm2[0] <= limit_mm2:
            break
    return design


def accelerator_space(node: Node, area_class: str) -> DesignSpace:
    """The space; designs that exceed the area are invalid."""
    limits = area_limits(lambda columns: build_chips(node, columns, 1.0), area_class)
    return DesignSpace(PARAMETERS, constraints=limits, inert=_INERT)


def area_limits(build: Callable[[Columns], Chips], area_class: str) -> tuple[Constraint, ...]:
    """No chip larger than its class; nothing for the class any."""
    limit = AREA_CLASSES[area_class]
    if limit == inf:
        return ()
    reason = Reason(
        "area", f"the chip takes {{area:,.2f}} mm2, the area class {area_class} allows {limit:g}", ("area",)
    )
    return (
        Constraint(
            reason,
            lambda columns: np.maximum(np.log(build(columns).area_mm2 / limit), 0.0),
            lambda columns: build(columns).area_mm2[:, None],
        ),
    )


def build_chips(node: Node, columns: Columns, dram_bandwidth: float) -> Chips:
    """Hardware of designs by value columns, each (N,)."""
    flow = template_codes(columns["dataflow"])
    side_x, side_y = columns["columns"].astype(np.int64), columns["rows"].astype(np.int64)
    held = _HELD[flow]  # (N, 3)
    pe_words = np.stack([columns[f"pe_{tensor}_words"] for tensor in TENSORS], axis=1).astype(np.float64)
    banks, width = columns["glb_banks"].astype(np.int64), columns["glb_width"].astype(np.int64)
    glb_words = columns["glb_kib"] * (1024.0 / WORD_BYTES)
    pe = pe_buffer_cost(node, pe_words, held)
    glb = _with_bus(node, glb_cost(node, glb_words, width, banks), side_y, (banks * width).astype(np.float64))
    memories = Memories(
        np.where(held, pe_words, 1.0),
        np.full((len(flow), 2, 3), PE_PORT),
        np.ones((len(flow), 3), dtype=np.int64),
        glb_words,
        # Half of the accesses of all banks read, half of them write.
        np.repeat((banks * width / 2.0)[:, None], 2, axis=1),
        width,
    )
    vectors = hardware_vectors(
        node,
        columns=side_x,
        rows=side_y,
        memories=memories,
        pe=pe,
        glb=glb,
        dram_bandwidth=dram_bandwidth,
    )
    pes = (side_x * side_y).astype(np.float64)
    leak_uw = pes * (node.mac_leak_uw + _sum3(pe.leak_uw)) + glb.leak_uw
    area_um2 = pes * (node.mac_area_um2 + _sum3(pe.area_um2)) + glb.area_um2
    return Chips(vectors, leak_uw * 1e-3, area_um2 * 1e-6)


def _with_bus(node: Node, glb: MacroCost, rows: Integers, port: Floats) -> MacroCost:
    """A global buffer with its bus: at every row of the array one register for each word of the port.

    A word passes half of the rows on average.
    """
    hops_pj = node.register_pj * rows / 2.0
    area = glb.area_um2 + node.register_area_um2 * rows * port
    return MacroCost(glb.read_pj + hops_pj, glb.write_pj + hops_pj, area, glb.leak_uw)


def template_codes(names: NDArray[Any]) -> Integers:
    """Place of each name (N,) in `TEMPLATES`."""
    codes = np.zeros(len(names), dtype=np.int64)
    for code, name in enumerate(TEMPLATES):
        codes[names == name] = code
    return codes


def _sum3(table: Floats) -> Floats:
    """Sum over three tensors (N, 3), in their order for any batch."""
    total: Floats = table[:, 0] + table[:, 1] + table[:, 2]
    return total
