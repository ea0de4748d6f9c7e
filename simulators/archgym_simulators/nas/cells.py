"""The cell space of NAS-Bench-201: four nodes, six edges, five operations (Dong and Yang, ICLR 2020).

Node 0 is the cell's input, node 3 its output; every node is the sum of what its edges bring. Operations and edges stand
in the order of the NATS-Bench files. Other libraries order operations differently, so architectures are exchanged as
strings: ``|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|``.
"""

from __future__ import annotations

__all__ = [
    "EDGES",
    "OPERATIONS",
    "SIZE",
    "Cell",
    "Summands",
    "cell_of_text",
    "cells_of_indices",
    "function_groups",
    "index_of_cells",
    "live_edges",
    "summands_of",
    "text_of_cell",
]

import re
from functools import cache

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NONE, SKIP, CONV_1X1, CONV_3X3, POOL = range(5)
EDGES = ((1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2))
"""(to, from) of each edge."""
NODES = 4
SIZE = len(OPERATIONS) ** len(EDGES)

Cell = tuple[int, ...]
"""An operation for each edge."""
Summands = tuple["Summand", ...]
"""What a node adds up, sorted; empty where nothing of the input arrives."""
Summand = tuple[int, Summands]
"""An operation and the sum that it is applied to; ``(SKIP, ())`` is the cell's input."""

INPUT: Summand = (SKIP, ())

_EXAMPLE = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|skip_connect~1|nor_conv_3x3~2|"
_EDGE = re.compile(r"([^~|+\s]+)~(\d+)")


def text_of_cell(cell: Cell) -> str:
    """The architecture string of NAS-Bench-201."""
    nodes = []
    for node in range(1, NODES):
        edges = [(source, cell[e]) for e, (to, source) in enumerate(EDGES) if to == node]
        nodes.append("|" + "|".join(f"{OPERATIONS[operation]}~{source}" for source, operation in edges) + "|")
    return "+".join(nodes)


def cell_of_text(text: str) -> Cell:
    """The cell of an architecture string.

    Raises:
        InputError: another shape, an unknown operation, or sources in another order.
    """
    cell: list[int] = []
    nodes = text.strip().split("+")
    if len(nodes) != NODES - 1:
        raise InputError(f"architecture {text[:200]!r} must have {NODES - 1} nodes joined by '+', as in {_EXAMPLE}")
    for node, part in enumerate(nodes, start=1):
        edges = part.split("|")[1:-1]
        if not part.startswith("|") or not part.endswith("|") or len(edges) != node:
            raise InputError(f"node {node} of an architecture must have {node} edges, not {part!r}; write {_EXAMPLE}")
        cell += [_operation_of(edge, node, source) for source, edge in enumerate(edges)]
    return tuple(cell)


def _operation_of(edge: str, node: int, source: int) -> int:
    match = _EDGE.fullmatch(edge.strip())
    if match is None or int(match[2]) != source:
        raise InputError(f"edge {source} of node {node} must be an operation and '~{source}', not {edge!r}")
    if match[1] not in OPERATIONS:
        hint = did_you_mean(match[1], OPERATIONS)
        raise InputError(f"unknown operation {match[1]!r} in {edge!r}; allowed: {allowed_values(OPERATIONS)}{hint}")
    return OPERATIONS.index(match[1])


def index_of_cells(cells: NDArray[np.integer]) -> NDArray[np.int64]:
    """Mixed-radix index (N,) of cells (N, 6), first edge first; NATS-Bench's own numbering is a different one."""
    return np.asarray(cells.astype(np.int64) @ _STRIDES)


def cells_of_indices(indices: NDArray[np.integer]) -> NDArray[np.int8]:
    """The inverse of `index_of_cells`: (N,) to (N, 6)."""
    return np.asarray(indices[:, None] // _STRIDES % len(OPERATIONS), dtype=np.int8)


_STRIDES = np.array([len(OPERATIONS) ** power for power in reversed(range(len(EDGES)))], dtype=np.int64)


def summands_of(cell: Cell) -> Summands:
    """What the cell computes, as the sorted sum at its output: cells with the same sum are the same function.

    An edge ``none``, or one from a node that nothing reaches, brings nothing; ``skip_connect`` brings what its source
    adds up; the others bring one summand each, their operation on their source. Two convolutions of one source stay
    two: each has weights of its own.
    """
    sums: list[Summands] = [(INPUT,)]
    for node in range(1, NODES):
        found: list[Summand] = []
        for operation, (to, source) in zip(cell, EDGES, strict=True):
            if to != node or operation == NONE or not sums[source]:
                continue
            found += sums[source] if operation == SKIP else [(operation, sums[source])]
        sums.append(tuple(sorted(found)))
    return sums[-1]


def live_edges(cell: Cell) -> tuple[int, ...]:
    """Edges that carry something of the input to the output; a compiler drops the others."""
    reached, needed = {0}, {NODES - 1}
    for operation, (to, source) in zip(cell, EDGES, strict=True):  # edges come in the order of their targets
        if operation != NONE and source in reached:
            reached.add(to)
    for operation, (to, source) in reversed(list(zip(cell, EDGES, strict=True))):
        if operation != NONE and to in needed:
            needed.add(source)
    pairs = enumerate(zip(cell, EDGES, strict=True))
    return tuple(e for e, (operation, (to, source)) in pairs if operation and source in reached and to in needed)


@cache
def function_groups() -> tuple[NDArray[np.int16], tuple[Summands, ...]]:
    """The group (15,625) of every cell by `index_of_cells`, and the sum of every group, in order of first occurrence.

    There are 4,930 groups; the empty sum is the group of the 341 cells whose output nothing reaches.
    """
    number: dict[Summands, int] = {}
    cells = cells_of_indices(np.arange(SIZE)).tolist()
    groups = np.array([number.setdefault(summands_of(tuple(cell)), len(number)) for cell in cells], dtype=np.int16)
    groups.flags.writeable = False
    return groups, tuple(number)
