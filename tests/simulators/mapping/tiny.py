"""Random tiny layers and mappings."""

from __future__ import annotations

import numpy as np

from archgym_simulators.layers.layer import Layer
from archgym_simulators.mapping.hardware import Buffer, Hardware
from archgym_simulators.mapping.model import DIMS, SLOTS, LayerMapping

TENSORS = ("weights", "inputs", "outputs")


def roomy_hardware(**changes):
    """Hardware on which every tiny mapping fits; prime energies, so that no two counts can be exchanged."""
    fields = {
        "name": "roomy",
        "columns": 4096,
        "rows": 4096,
        "pe": (Buffer("register file", 1e9, 2.0, 3.0, 2.0, 2.0),),
        "glb": (Buffer("global buffer", 1e9, 5.0, 7.0, 16.0, 8.0),),
        "dram": Buffer("DRAM", np.inf, 101.0, 103.0, 4.0, 4.0),
        "mac_pj": 1.0,
    }
    return Hardware(**(fields | changes))


def split(n, slots, rng):
    """A random ordered factorisation."""
    factors = [1] * slots
    for prime in (2, 3, 5, 7):
        while n % prime == 0:
            factors[int(rng.integers(slots))] *= prime
            n //= prime
    return factors


def tiny_layer(rng, most=400):
    while True:
        dims = [int(rng.choice(values)) for values in ((1, 1, 2), (1, 2, 4), (1, 2, 3), *[(1, 2, 3, 4, 6)] * 2)]
        dims += [int(rng.choice((1, 2, 3))) for _ in range(2)]
        if np.prod(dims) <= most:
            named = dict(zip("nkcpqrs", dims, strict=True))
            return Layer("tiny", "conv", **named, stride=int(rng.choice((1, 1, 2, 3))))


def tiny_mapping(layer, rng):
    slots = {slot: {} for slot in SLOTS}
    for dim in DIMS:
        for slot, factor in zip(SLOTS, split(getattr(layer, dim.lower()), len(SLOTS), rng), strict=True):
            if factor > 1:
                slots[slot][dim] = factor
    orders = {name: tuple(DIMS[i] for i in rng.permutation(7)) for name in ("dram_order", "glb_order", "array_order")}
    keep = {name: [t for t in TENSORS if rng.random() < 0.7] for name in ("keep_glb", "keep_pe")}
    return LayerMapping(**slots, **orders, **keep)
