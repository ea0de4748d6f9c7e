"""Layers as the loop nests that a mapping tiles: six sizes, a stride, and what is repeated."""

from __future__ import annotations

__all__ = ["DIMENSIONS", "NEST_COLUMNS", "nests"]

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import Layer

DIMENSIONS = ("K", "C", "Y", "X", "R", "S")
"""Output and input channels, output rows and columns, filter rows and columns."""
NEST_COLUMNS = (*DIMENSIONS, "stride", "depthwise", "times")

# Counts grow with the MACs and at most three operands of each: they stay below 2^63.
_LARGEST_TOTAL = 2**49


def nests(layers: Sequence[Layer]) -> NDArray[np.int64]:
    """Layers as nests (L, 9), columns `NEST_COLUMNS`; ``times`` is groups, images and repetitions, run one by one.

    As MAESTRO does, a matrix product of M x N x K has M as its rows Y, and a depthwise convolution is one nest whose
    channels C are not summed over.

    Raises:
        InputError: where a sum of counts might not fit an int64.
    """
    total = sum(layer.total_macs for layer in layers)
    if total > _LARGEST_TOTAL:
        raise InputError(f"the workload needs {total:.3g} MACs; at most {_LARGEST_TOTAL:.3g} are run")
    return np.array([_nest(layer) for layer in layers], dtype=np.int64)


def _nest(layer: Layer) -> tuple[int, ...]:
    if layer.p == layer.q == layer.r == layer.s == 1:
        return (layer.k, layer.c, layer.n, 1, 1, 1, 1, 0, layer.groups * layer.repeat)
    sizes = (layer.p, layer.q, layer.r, layer.s, layer.stride)
    if layer.kind == "depthwise" and layer.k == 1:
        return (1, layer.groups, *sizes, 1, layer.n * layer.repeat)
    return (layer.k, layer.c, *sizes, 0, layer.groups * layer.n * layer.repeat)
