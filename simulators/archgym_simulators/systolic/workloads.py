"""Workloads of the systolic family: layers of networks, as products that an array runs one after another."""

from __future__ import annotations

__all__ = ["LARGEST_SIDE", "products"]

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import Layer

# Counts grow with the MACs and at most three times the longest side of an array: they stay below 2^63.
_LARGEST_TOTAL = 2**49
LARGEST_SIDE = 2**12


def products(layers: Sequence[Layer]) -> NDArray[np.int64]:
    """Layers as matrix products (L, 5): M, N, K, distinct inputs, times (groups and repetitions).

    Raises:
        InputError: where a sum of counts might not fit an int64.
    """
    total = sum(layer.total_macs for layer in layers)
    if total > _LARGEST_TOTAL:
        raise InputError(f"the workload needs {total:.3g} MACs; at most {_LARGEST_TOTAL:.3g} are run")
    rows = []
    for layer in layers:
        m, n, k = layer.gemm_mnk
        # A stride above the filter leaves pixels that no window reads.
        distinct = min(layer.input_words // layer.groups, m * k)
        rows.append((m, n, k, distinct, layer.groups * layer.repeat))
    return np.array(rows, dtype=np.int64)
