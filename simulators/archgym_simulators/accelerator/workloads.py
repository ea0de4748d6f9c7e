"""Workloads of the accelerator family: layers of networks, one after another, each group by itself."""

from __future__ import annotations

__all__ = ["LayerTable", "layer_table"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.layers.layer import Layer
from archgym_simulators.mapping.model import DIMS, layer_shape

_LARGEST_PRIME = 7
_MOST_PADDING = 1.07
_PADDED_DIMS = ("N", "K", "C", "P", "Q")


@dataclass(frozen=True, eq=False)
class LayerTable:
    """L layers as the mapper takes them.

    Attributes:
        shapes: (L, 8) int64: dimensions of one group, and the stride.
        times: (L,) groups and repetitions.
        macs: multiply-accumulates of all of them, without padding.
    """

    shapes: NDArray[np.int64]
    times: NDArray[np.float64]
    macs: float


def layer_table(layers: Sequence[Layer]) -> LayerTable:
    """Layers for the mapper, dimensions that do not split well rounded up.

    Raises:
        InputError: for a layer that is too large to be counted exactly.
    """
    shapes = np.array([_padded(layer_shape(layer)) for layer in layers], dtype=np.int64)
    times = np.array([float(layer.groups * layer.repeat) for layer in layers])
    return LayerTable(shapes, times, float(sum(layer.total_macs for layer in layers)))


def _padded(shape: NDArray[np.int64]) -> NDArray[np.int64]:
    padded = shape.copy()
    for d, dim in enumerate(DIMS):
        if dim in _PADDED_DIMS:
            padded[d] = _splittable(int(shape[d]))
    return padded


def _splittable(size: int) -> int:
    """The next number without a prime factor above 7, where that is at most 7 % more; else the number itself."""
    padded = size
    while padded <= size * _MOST_PADDING:
        rest = padded
        for prime in range(2, _LARGEST_PRIME + 1):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return padded
        padded += 1
    return size
