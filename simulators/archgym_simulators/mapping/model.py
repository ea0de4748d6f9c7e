"""What one layer costs on an accelerator under any mapping, inside a design space or not.

The interface, for whoever builds on it:

- `archgym_simulators.mapping.hardware.Hardware`: frozen; levels with their buffers, the array, energies, bandwidths.
- `LayerMapping`: frozen; one mapping as a person writes it. `MappingArrays`: N of them as arrays.
- `simulate(layer, hardware, mappings)`: N mappings of one layer, as `MappingResult`.
- `archgym_simulators.mapping.kernel.evaluate_one`: the same inside another compiled kernel, such as a mapper.

A layer is one loop nest over N, K, C, P, Q, R, S. Each dimension is split into five factors: loops off the chip (one
iteration is one tile of the global buffer), loops at the global buffer (one iteration is one tile for every PE), PEs
along x and y, and loops within a PE, which take a cycle each.
"""

from __future__ import annotations

__all__ = ["DIMS", "HALOS", "LayerMapping", "MappingArrays", "MappingResult", "layer_shape", "simulate"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import Layer
from archgym_simulators.mapping.hardware import TENSORS, Hardware
from archgym_simulators.mapping.kernel import evaluate_many
from archgym_simulators.mapping.results import COUNTS, RESULT_NAMES, RESULTS
from archgym_simulators.nearest import did_you_mean

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DIMS = ("N", "K", "C", "P", "Q", "R", "S")
SLOTS = ("dram", "glb", "x", "y", "pe")
HALOS = ("exact", "timeloop")
_MOST = 2**50  # of MACs times the square of the stride, which no count exceeds: sums stay whole in float64
_ARRAY_ORDER = ("N", "K", "C", "Q", "P", "S", "R")


@dataclass(frozen=True)
class LayerMapping:
    """One mapping of a layer. A dimension that is not named in a slot has the factor 1 there.

    Attributes:
        dram: factors of the loops off the chip, such as ``{"K": 4, "P": 7}``.
        glb: factors of the loops at the global buffer.
        x: factors spread over the columns of the array.
        y: factors spread over its rows.
        pe: factors of the loops within a PE.
        dram_order: dimensions of the loops off the chip, outermost first; those left out come first.
        glb_order: the same at the global buffer.
        keep_glb: tensors that the global buffer holds; the others pass by.
        keep_pe: tensors that a PE holds.
        array_order: of several dimensions along one side of the array, the last varies between neighbours.
    """

    dram: Mapping[str, int] = field(default_factory=dict)
    glb: Mapping[str, int] = field(default_factory=dict)
    x: Mapping[str, int] = field(default_factory=dict)
    y: Mapping[str, int] = field(default_factory=dict)
    pe: Mapping[str, int] = field(default_factory=dict)
    dram_order: Sequence[str] = ()
    glb_order: Sequence[str] = ()
    keep_glb: Sequence[str] = TENSORS
    keep_pe: Sequence[str] = TENSORS
    array_order: Sequence[str] = _ARRAY_ORDER

    def __post_init__(self) -> None:
        for slot in SLOTS:
            for dim, factor in getattr(self, slot).items():
                _known(dim, DIMS, f"dimension of {slot}")
                if type(factor) is not int or factor < 1:
                    raise InputError(f"factor of {dim} in {slot} must be a whole number from 1, not {factor!r}")
        for name in ("dram_order", "glb_order", "array_order"):
            order = tuple(getattr(self, name))
            for dim in order:
                _known(dim, DIMS, f"dimension of {name}")
            if len(set(order)) != len(order):
                raise InputError(f"{name} must name a dimension once, not {'>'.join(order)}")
        for name in ("keep_glb", "keep_pe"):
            for tensor in getattr(self, name):
                _known(tensor, TENSORS, f"tensor of {name}")

    def factor_table(self) -> list[list[int]]:
        """Factors by dimension and slot: 7 x 5."""
        return [[getattr(self, slot).get(dim, 1) for slot in SLOTS] for dim in DIMS]

    def check_layer(self, layer: Layer) -> None:
        """Refuse a layer that the factors do not multiply to.

        Raises:
            InputError: with the first such dimension.
        """
        for dim, factors in zip(DIMS, self.factor_table(), strict=True):
            bound = getattr(layer, dim.lower())
            if prod(factors) != bound:
                raise InputError(
                    f"factors of {dim} must multiply to {bound}, not {'x'.join(map(str, factors))} = {prod(factors)}"
                )


@dataclass(frozen=True, eq=False)
class MappingArrays:
    """N mappings as the kernel takes them; see `archgym_simulators.mapping.kernel`.

    Attributes:
        factors: (N, 7, 5) int64.
        orders: (N, 3, 7) int8, innermost first: global buffer, off the chip, within the array.
        keep: (N, 2, 3) bool: PE and global buffer by weights, inputs, outputs.
    """

    factors: Integers
    orders: NDArray[np.int8]
    keep: NDArray[np.bool_]

    @classmethod
    def of(cls, mappings: Sequence[LayerMapping]) -> MappingArrays:
        n = len(mappings)
        orders = [
            [_inner_first(m.glb_order), _inner_first(m.dram_order), _inner_first(m.array_order)] for m in mappings
        ]
        keep = [[[t in kept for t in TENSORS] for kept in (m.keep_pe, m.keep_glb)] for m in mappings]
        return cls(
            np.array([m.factor_table() for m in mappings], dtype=np.int64).reshape(n, 7, 5),
            np.array(orders, dtype=np.int8).reshape(n, 3, 7),
            np.array(keep, dtype=np.bool_).reshape(n, 2, 3),
        )


@dataclass(frozen=True, eq=False)
class MappingResult:
    """Costs of N mappings.

    Attributes:
        values: (N, RESULTS) float64, by `archgym_simulators.mapping.results.RESULT_NAMES`.
        counts: (N, 3, 3, 3) int64 in words: level (PE, all together; global buffer; off the chip) by tensor by reads,
            updates (from below) and fills (from above); 0 where the mapping does not fit.
    """

    values: Floats
    counts: Integers

    def __getitem__(self, name: str) -> Floats:
        """One column of ``values``: (N,)."""
        column: Floats = self.values[:, RESULT_NAMES.index(name)]
        return column


def simulate(
    layer: Layer,
    hardware: Hardware,
    mappings: Sequence[LayerMapping] | MappingArrays,
    *,
    halo: str = "exact",
    links: bool = False,
    count: bool = True,
) -> MappingResult:
    """Cost of one group of a layer under N mappings.

    Loop-nest analysis after Timeloop (Parashar et al., ISPASS 2019): a buffer takes in what its next tile does not
    share with the one it holds; equal tiles of several PEs are read once; sums of PEs that differ in C, R or S are
    added on their way up; reads, writes and computation overlap perfectly.

    Args:
        layer: groups and repetitions are not multiplied in.
        hardware: what it runs on.
        mappings: N of them.
        halo: ``"exact"`` counts every word of a sliding window's overlap; ``"timeloop"`` as that tool does.
        links: whether PEs pass inputs to their neighbours.
        count: whether to return ``counts``.

    Raises:
        InputError: an unknown halo, factors that do not multiply to the layer, or a layer of more than 2^50 MACs.
    """
    _known(halo, HALOS, "halo")
    if isinstance(mappings, MappingArrays):
        arrays = mappings
    else:
        for mapping in mappings:
            mapping.check_layer(layer)
        arrays = MappingArrays.of(mappings)
    n = len(arrays.factors)
    values = np.zeros((n, RESULTS))
    counts = np.zeros((n if count else 0, COUNTS), dtype=np.int64)
    evaluate_many(
        layer_shape(layer),
        arrays.factors,
        arrays.orders,
        arrays.keep,
        hardware.vector,
        HALOS.index(halo),
        links,
        values,
        counts,
    )
    return MappingResult(values, counts.reshape(-1, 3, 3, 3))


def layer_shape(layer: Layer) -> Integers:
    """One group of a layer as the kernel takes it: (8,), dimensions and stride.

    Raises:
        InputError: where counts might not be exact.
    """
    macs = layer.macs // layer.groups
    if macs * layer.stride**2 > _MOST:
        raise InputError(
            f"layer {layer.name!r} needs {macs:.3g} MACs with stride {layer.stride}; at most 2^50 over the square "
            "of the stride are mapped"
        )
    return np.array([*(getattr(layer, dim.lower()) for dim in DIMS), layer.stride], dtype=np.int64)


def _inner_first(order: Sequence[str]) -> list[int]:
    numbers = [DIMS.index(dim) for dim in order]
    return [*reversed(numbers), *(d for d in range(len(DIMS)) if d not in numbers)]


def _known(name: str, allowed: Sequence[str], what: str) -> None:
    if name not in allowed:
        raise InputError(f"unknown {what} {name!r}{did_you_mean(name, allowed)}; allowed: {', '.join(allowed)}")
