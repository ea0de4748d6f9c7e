"""What layers cost on accelerators, inside a design space or not: a mapping of each is searched for."""

from __future__ import annotations

__all__ = ["EFFORT_LEVELS", "MappedLayers", "map_layer", "map_network", "readable_mapping"]

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import kernel
from archgym_simulators.accelerator.costs import Chips
from archgym_simulators.accelerator.search import search_layer
from archgym_simulators.accelerator.starts import ORDERS
from archgym_simulators.accelerator.state import CODES, MAPPING, SHAPE, Effort, Template, working_memory
from archgym_simulators.accelerator.templates import Dataflow, TemplateTables, template_tables
from archgym_simulators.accelerator.workloads import layer_table
from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import Layer
from archgym_simulators.mapping.hardware import TENSORS, Hardware
from archgym_simulators.mapping.model import DIMS, SLOTS, LayerMapping
from archgym_simulators.mapping.results import COUNTS, RESULTS
from archgym_simulators.nearest import did_you_mean

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

EFFORT_LEVELS: Mapping[str, Effort] = {
    "quick": Effort(fillings=4, orders=2, finalists=2, evaluations=2000, kicks=0, forced=0),
    "normal": Effort(fillings=8, orders=3, finalists=4, evaluations=5000, kicks=1, forced=0),
    "thorough": Effort(fillings=20, orders=3, finalists=10, evaluations=24_000, kicks=3, forced=400),
}
"""How long the mapper searches for one layer."""
_ORDERS = np.stack(list(ORDERS.values()))
_EFFORTS = np.array([tuple(effort) for effort in EFFORT_LEVELS.values()], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class MappedLayers:
    """The mappings found for L layers on N accelerators, and their costs.

    Attributes:
        results: (N, L, RESULTS) of one group, by `archgym_simulators.mapping.results.RESULT_NAMES`.
        counts: (N, L, 27) accesses of one group.
        mappings: (N, L, 47) factors, padded shape, codes of orders and of what is kept.
        evaluations: (N, L) mappings that the mapper priced.
    """

    results: Floats
    counts: Integers
    mappings: Integers
    evaluations: Integers


@kernel
def _map_all(
    shapes: Integers,
    vectors: Floats,
    leaks_pj: Floats,
    flows: Integers,
    along: Integers,
    slots: NDArray[np.bool_],
    orders: NDArray[np.bool_],
    keeps: NDArray[np.bool_],
    efforts: Integers,
    levels: Integers,
    table: NDArray[np.int8],
    results: Floats,
    counts: Integers,
    mappings: Integers,
    evaluations: Integers,
) -> None:
    """N accelerators x L layers; ``leaks_pj`` (N,) a cycle, ``flows`` (N,) and ``efforts`` (N,) are codes."""
    at = working_memory(table)
    for n in range(len(vectors)):
        flow = flows[n]
        template = Template(along[flow], slots[flow], orders[flow], keeps[flow])
        level = levels[efforts[n]]
        effort = Effort(level[0], level[1], level[2], level[3], level[4], level[5])
        at.numbers[1] = leaks_pj[n]
        for layer in range(len(shapes)):
            evaluations[n, layer] = search_layer(at, shapes[layer], vectors[n], template, effort)
            results[n, layer] = at.result
            counts[n, layer] = at.counts
            mappings[n, layer] = at.mapping


def map_network(
    shapes: Integers,
    chips: Chips,
    *,
    period_ns: float,
    flows: Integers,
    efforts: Integers,
    tables: TemplateTables,
) -> MappedLayers:
    """Map layers to N accelerators, each by itself, so that no batch changes a bit.

    Args:
        shapes: (L, 8) of `archgym_simulators.accelerator.workloads.layer_table`.
        chips: N of them.
        period_ns: of a cycle; leakage is part of what the mapper minimises.
        flows: (N,) dataflow of each in ``tables``.
        efforts: (N,) place in `EFFORT_LEVELS`.
        tables: dataflows.
    """
    n, layers = len(chips.vectors), len(shapes)
    mapped = MappedLayers(
        np.zeros((n, layers, RESULTS)),
        np.zeros((n, layers, COUNTS), dtype=np.int64),
        np.zeros((n, layers, MAPPING), dtype=np.int64),
        np.zeros((n, layers), dtype=np.int64),
    )
    _map_all(
        shapes,
        chips.vectors,
        chips.leak_mw * period_ns,
        flows,
        tables.along,
        tables.slots,
        tables.orders,
        tables.keeps,
        efforts,
        _EFFORTS,
        _ORDERS,
        mapped.results,
        mapped.counts,
        mapped.mappings,
        mapped.evaluations,
    )
    return mapped


def map_layer(
    layer: Layer, hardware: Hardware, dataflow: Dataflow, *, effort: str = "normal"
) -> tuple[LayerMapping, MappedLayers]:
    """The mapping that the mapper finds for one group of a layer on any hardware, and its costs.

    Factors that do not divide a dimension multiply to more: see `archgym_simulators.accelerator.search`.

    >>> from archgym_simulators.accelerator.templates import FLEXIBLE
    >>> from archgym_simulators.layers.layer import conv
    >>> from archgym_simulators.mapping.presets import hardware_named
    >>> mapping, found = map_layer(conv("one", 8, channels=(16, 16)), hardware_named("reference-256"), FLEXIBLE)
    >>> found.results[0, 0, 0]
    64.0

    Raises:
        InputError: for an unknown effort.
    """
    if effort not in EFFORT_LEVELS:
        raise InputError(
            f"unknown effort {effort!r}{did_you_mean(effort, EFFORT_LEVELS)}; allowed: {', '.join(EFFORT_LEVELS)}"
        )
    code = np.array([list(EFFORT_LEVELS).index(effort)])
    mapped = map_network(
        layer_table((layer,)).shapes,
        Chips(hardware.vector[None], np.zeros(1), np.zeros(1)),
        period_ns=1.0,
        flows=np.zeros(1, dtype=np.int64),
        efforts=code,
        tables=template_tables((dataflow,)),
    )
    return readable_mapping(mapped.mappings[0, 0]), mapped


def readable_mapping(row: Integers) -> LayerMapping:
    """One row (47,) of `MappedLayers.mappings` as a person writes it."""
    factors = row[:SHAPE].reshape(7, 5).tolist()
    dram, glb, x, y, pe = (
        {dim: by_slot[at] for dim, by_slot in zip(DIMS, factors, strict=True) if by_slot[at] > 1}
        for at in range(len(SLOTS))
    )
    glb_order, dram_order, kept_pe, kept_glb = row[CODES:].tolist()
    orders = [[DIMS[d] for d in _ORDERS[code][::-1].tolist()] for code in (glb_order, dram_order)]
    kept = [tuple(t for bit, t in enumerate(TENSORS) if code >> bit & 1) for code in (kept_pe, kept_glb)]
    return LayerMapping(
        dram,
        glb,
        x,
        y,
        pe,
        glb_order=orders[0],
        dram_order=orders[1],
        keep_pe=kept[0],
        keep_glb=kept[1],
    )
