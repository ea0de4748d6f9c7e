"""The design space of a systolic array: dataflow, rows, columns and three buffers."""

from __future__ import annotations

__all__ = ["AREA_CLASSES", "DATAFLOWS", "PARAMETERS", "baseline_design", "systolic_space"]

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.components.parts import WORD_BYTES, Node
from archgym_simulators.constraints import Columns, Constraint, Reason
from archgym_simulators.parameters import Categorical, Ordinal, Parameter
from archgym_simulators.space import Design, DesignSpace
from archgym_simulators.systolic.costs import area_mm2

DATAFLOWS = ("os", "ws", "is")
AREA_CLASSES = {"edge": 2.0, "mobile": 10.0, "cloud": 200.0}
"""Largest chip of a class in mm2."""

_SIDES = (4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256)
_KIBIBYTES = (2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)

PARAMETERS: tuple[Parameter, ...] = (
    Categorical(
        "dataflow",
        DATAFLOWS,
        description="What stays in the array while the rest streams: outputs (os), weights (ws) or inputs (is).",
        group="array",
    ),
    Ordinal(
        "rows", _SIDES, "PEs", description="Rows of the array; large ones waste PEs on small layers.", group="array"
    ),
    Ordinal("columns", _SIDES, "PEs", description="Columns of the array.", group="array"),
    Ordinal(
        "ifmap_kib",
        _KIBIBYTES,
        "KiB",
        description="Input buffer; half of it is filled while the other half is used.",
        group="memory",
    ),
    Ordinal(
        "filter_kib",
        _KIBIBYTES,
        "KiB",
        description="Weight buffer; half of it is filled while the other half is used.",
        group="memory",
    ),
    Ordinal(
        "ofmap_kib",
        _KIBIBYTES,
        "KiB",
        description="Output buffer; partial sums that do not fit go off the chip and back.",
        group="memory",
    ),
)

_BASELINE_KIB = {256: 2048, 128: 1024, 64: 256, 32: 64, 16: 16}  # side of the array -> size of each buffer


def baseline_design(node: Node, area_class: str) -> Design:
    """A TPU of the class: weight-stationary and square with equal buffers, the largest power of two that fits.

    The published ones are 256 x 256 (TPU v1), 128 x 128 (v2) and 64 x 64 (Edge TPU).
    """
    for side, size in _BASELINE_KIB.items():
        sides, sizes = np.array([side]), np.array([[size, size, size]])
        if area_mm2(node, sides, sides, sizes)[0] <= AREA_CLASSES[area_class]:
            break
    buffers = {"ifmap_kib": size, "filter_kib": size, "ofmap_kib": size}
    return {"dataflow": "ws", "rows": side, "columns": side, **buffers}


def systolic_space(node: Node, area_class: str) -> DesignSpace:
    """The space: 10,885,233 designs. Those that exceed the area or cannot hold a stationary tile are invalid."""
    return DesignSpace(PARAMETERS, constraints=_constraints(node, AREA_CLASSES[area_class], area_class))


def _constraints(node: Node, limit: float, area_class: str) -> Sequence[Constraint]:
    area = Constraint(
        Reason(
            "area",
            f"the chip takes {{area:,.2f}} mm2, the area class {area_class} allows {limit:g}",
            ("area",),
        ),
        lambda columns: np.maximum(np.log(_area(node, columns) / limit), 0.0),
        lambda columns: _area(node, columns)[:, None],
    )
    tile = Constraint(
        Reason(
            "stationary-tile",
            "the stationary tile of {need:,.0f} words does not fit half of its buffer, {room:,.0f} words",
            ("need", "room"),
        ),
        lambda columns: np.maximum(np.log(_tile(columns)[:, 0] / _tile(columns)[:, 1]), 0.0),
        _tile,
    )
    return (area, tile)


def _area(node: Node, columns: Columns) -> NDArray[np.float64]:
    kibibytes = np.stack([columns["ifmap_kib"], columns["filter_kib"], columns["ofmap_kib"]], axis=1)
    return area_mm2(node, columns["rows"], columns["columns"], kibibytes)


def _tile(columns: Columns) -> NDArray[np.float64]:
    """Words of the stationary tile, and of half of the buffer that holds it: (N, 2). An OS array has none."""
    dataflow = columns["dataflow"]
    buffer = np.where(dataflow == "is", columns["ifmap_kib"], columns["filter_kib"])
    tile = np.where(dataflow == "os", 1, columns["rows"] * columns["columns"])
    return np.stack([tile, buffer * (1024 // WORD_BYTES // 2)], axis=1).astype(np.float64)
