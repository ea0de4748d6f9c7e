"""The design spaces of mappings: one that follows the layer, and one that is the same for every layer."""

from __future__ import annotations

__all__ = ["SPACES", "MappingSpace", "baseline_row", "layer_space", "shared_space"]

from collections.abc import Iterator, Sequence
from functools import cached_property
from math import factorial

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.layers.layer import Layer
from archgym_simulators.mapping.hardware import TENSORS, Hardware
from archgym_simulators.mapping.layout import ABSENT, Layout, canonical_prefixes, canonical_rows, decode_rows
from archgym_simulators.mapping.model import DIMS, MappingArrays, simulate
from archgym_simulators.parameters import Categorical, Ordinal, Parameter
from archgym_simulators.space import Design, DesignSpace, Rows
from archgym_simulators.structured_parameters import Factors, Permutation

SPACES = ("layer", "shared")
LADDERS = {
    "array": (1, 2, 4, 8, 16, 32, 64, 128),
    "pe": (1, 2, 4, 8, 16),
    "glb": (1, 2, 4, 8, 16, 64, 256, 4096),
}
"""Genes of the shared space, in the order in which they take divisors of a dimension."""
_WORDS = {
    "N": "batch, or rows of a matrix product",
    "K": "output channels, or columns of a matrix product",
    "C": "input channels, or the inner dimension of a matrix product",
    "P": "output rows",
    "Q": "output columns",
    "R": "filter rows",
    "S": "filter columns",
}
_BASELINE_ORDER = ("K", "C", "R", "S", "N", "P", "Q")
_LEVELS = {"glb": "at the global buffer", "dram": "off the chip"}


class MappingSpace(DesignSpace):
    """A space of mappings that knows what its rows mean.

    Args:
        parameters: of the space.
        layout: what their indices mean.
    """

    def __init__(self, parameters: Sequence[Parameter], layout: Layout) -> None:
        super().__init__(parameters)
        self.layout = layout

    def mappings(self, rows: Rows) -> MappingArrays:
        """The mappings that rows (N, D) stand for."""
        n = len(rows)
        arrays = MappingArrays(
            np.empty((n, 7, 5), np.int64), np.empty((n, 3, 7), np.int8), np.empty((n, 2, 3), np.bool_)
        )
        decode_rows(rows, self.layout, arrays.factors, arrays.orders, arrays.keep)
        return arrays

    def canonical(self, rows: Rows) -> Rows:
        return canonical_rows(rows, self.layout)

    def chunks(self, rows_per_chunk: int = 65_536, *, canonical: bool = False) -> Iterator[Rows]:
        # Few rows are canonical, and whether one is does not depend on what is kept, its last six columns.
        keep = self.layout.keep
        if not canonical or keep == 0 or not self.has_integer_keys:
            yield from super().chunks(rows_per_chunk, canonical=canonical)
            return
        bits = np.indices((2,) * (self.width - keep)).reshape(self.width - keep, -1).T  # in the order of keys
        row = np.zeros(self.width, dtype=np.int64)
        while row[0] < self.nvec[0]:
            found = np.empty((max(rows_per_chunk // len(bits), 1), self.width), dtype=np.int64)
            count = canonical_prefixes(row, self.nvec, self.layout, found)
            rows = np.repeat(found[:count], len(bits), axis=0)
            rows[:, keep:] = np.tile(bits, (count, 1))
            yield rows

    @cached_property
    def canonical_size(self) -> int:
        # Ways to choose factors and axes, by how many dimensions have loops off the chip and at the global buffer.
        layout, ways = self.layout, {(0, 0): 1}
        ends = np.append(layout.starts[1:], len(layout.factors))
        for d in range(len(DIMS)):
            units = layout.units[layout.starts[d] : ends[d]]
            ordered = d in layout.items and layout.order_columns[0] != ABSENT
            grown: dict[tuple[int, int], int] = {}
            for (dram, glb, array), count in _counted(units):
                axes = 1 if array or layout.axes[d] == ABSENT else 2
                for (a, b), so_far in ways.items():
                    key = (a + (ordered and not dram), b + (ordered and not glb))
                    grown[key] = grown.get(key, 0) + so_far * count * axes
            ways = grown
        orders = sum(count * factorial(a) * factorial(b) for (a, b), count in ways.items())
        return int(orders << 2 * len(TENSORS))


def _counted(units: NDArray[np.bool_]) -> list[tuple[tuple[bool, bool, bool], int]]:
    patterns, counts = np.unique(units, axis=0, return_counts=True)
    return [((bool(p[0]), bool(p[1]), bool(p[2])), n) for p, n in zip(patterns, counts.tolist(), strict=True)]


def layer_space(layer: Layer) -> MappingSpace:
    """The space of one layer: all factorisations over four slots; dimensions of size 1 have no genes."""
    dims = [dim for dim in DIMS if getattr(layer, dim.lower()) > 1]
    genes: list[Parameter] = [
        Factors(
            dim,
            getattr(layer, dim.lower()),
            4,
            description=f"Factors of {dim} ({_WORDS[dim]}): off the chip x global buffer x PE array x within a PE.",
            group="tiles",
        )
        for dim in dims
    ]
    columns = np.full((len(DIMS), 3), ABSENT)
    tables, at = [], 0
    for d, dim in enumerate(DIMS):
        if dim in dims:
            gene = genes[at]
            columns[d, 0], at = at, at + 1
            tables.append(gene.values_of(np.arange(gene.size)[:, None]))
        else:
            tables.append(np.ones((1, 4), dtype=np.int64))
    units = [table[:, :3] == 1 for table in tables]
    strides = np.where(columns == ABSENT, 0, 1)
    return _space(genes, dims, columns, strides, tables, units, np.zeros(2, dtype=np.int64))


def shared_space(layer: Layer, hardware: Hardware) -> MappingSpace:
    """The space that is the same for every layer: 36 genes, of which 21 say how large factors may be.

    Array, PE and global buffer take, in this order, the largest divisor of what is left of a dimension that does not
    exceed the gene; the rest stays off the chip. In the array, K, C, P, Q, N, R, S take places in this order, and a
    gene steps down until its factor fits what is left of its side.
    """
    places = {"array": "the PE array", "pe": "a PE", "glb": "the global buffer"}
    genes: list[Parameter] = [
        Ordinal(
            f"{dim}_{slot}",
            ladder,
            description=f"Largest factor of {dim} ({_WORDS[dim]}) in {places[slot]}; the largest divisor up to it.",
            group="tiles",
        )
        for dim in DIMS
        for slot, ladder in LADDERS.items()
    ]
    sizes = np.array([len(ladder) for ladder in LADDERS.values()])
    columns = np.arange(len(genes)).reshape(len(DIMS), 3)
    strides = np.tile([sizes[1] * sizes[2], sizes[2], 1], (len(DIMS), 1))
    tables = [_ladder_table(getattr(layer, dim.lower())) for dim in DIMS]
    first = np.indices(tuple(sizes.tolist())).reshape(3, -1) == 0  # array, PE, global buffer: gene at 1
    unit = np.stack([np.zeros_like(first[0]), first[2], first[0]], axis=1)
    sides = np.array([hardware.columns, hardware.rows])
    return _space(genes, DIMS, columns, strides, tables, [unit] * len(DIMS), sides)


def _ladder_table(n: int) -> NDArray[np.int64]:
    """Factors (off the chip, global buffer, array, PE) for every combination of the three ladders."""
    rows = []
    for array_limit in LADDERS["array"]:
        array = _largest_divisor(n, array_limit)
        for pe_limit in LADDERS["pe"]:
            pe = _largest_divisor(n // array, pe_limit)
            for glb_limit in LADDERS["glb"]:
                glb = _largest_divisor(n // array // pe, glb_limit)
                rows.append((n // array // pe // glb, glb, array, pe))
    return np.array(rows, dtype=np.int64)


def _largest_divisor(n: int, limit: int) -> int:
    return next(divisor for divisor in range(min(n, limit), 0, -1) if n % divisor == 0)


def _space(
    genes: list[Parameter],
    dims: Sequence[str],
    columns: NDArray[np.int64],
    strides: NDArray[np.int64],
    tables: Sequence[NDArray[np.int64]],
    units: Sequence[NDArray[np.bool_]],
    sides: NDArray[np.int64],
) -> MappingSpace:
    """Add what both spaces have: axes, orders, and what is kept."""
    axes = np.full(len(DIMS), ABSENT)
    for dim in dims:
        axes[DIMS.index(dim)] = len(genes)
        about = f"Along which side of the PE array the factor of {dim} in it lies: columns (x) or rows (y)."
        genes.append(Categorical(f"{dim}_axis", ("x", "y"), description=about, group="array"))
    orders = np.full(2, ABSENT)
    if len(dims) > 1:
        width = len(genes)
        for at, (level, place) in enumerate(_LEVELS.items()):
            orders[at] = width + at * (len(dims) - 1)
            about = f"Order of the loops {place}, outermost first; dimensions without a loop there do not matter."
            genes.append(Permutation(f"{level}_order", dims, description=about, group="order"))
    keep = sum(len(gene.radices) for gene in genes)
    for level, where in (("pe", "a PE's buffer"), ("glb", "the global buffer")):
        for tensor in TENSORS:
            about = f"Whether {where} keeps a tile of the {tensor}, or lets them pass by."
            genes.append(Categorical(f"{level}_{tensor}", ("keep", "bypass"), description=about, group="keep"))
    starts = np.cumsum([0, *(len(table) for table in tables[:-1])])
    items = np.array([DIMS.index(dim) for dim in dims], dtype=np.int64)
    layout = Layout(
        columns, strides, starts, np.concatenate(tables), np.concatenate(units), axes, orders, items, keep, sides
    )
    return MappingSpace(genes, layout)


def baseline_row(space: MappingSpace, layer: Layer, hardware: Hardware) -> NDArray[np.int64]:
    """Weight-stationary: output by input channels in the array, one word of each tensor in a PE.

    K and, where it leaves room, P lie along x; C and Q along y. The whole window and a strip of outputs are in the
    global buffer. The genes are the same for every layer in the shared space, unless the strip does not fit.
    """
    shared = shared_space(layer, hardware)
    for strip in (16, 1):
        genes = _baseline_genes(hardware, strip)
        row = shared.encode_row(genes)
        arrays = shared.mappings(row[None])
        if simulate(layer, hardware, arrays, count=False)["broken"][0] < 0:
            break
    if space.names == shared.names:
        return row
    factors = arrays.factors[0]  # (7, 5)
    for d, dim in enumerate(DIMS):
        genes[dim] = "x".join(map(str, (*factors[d, :2], factors[d, 2] * factors[d, 3], factors[d, 4])))
    for level in _LEVELS:
        genes[f"{level}_order"] = ">".join(dim for dim in _BASELINE_ORDER if dim in space.names)
    return space.encode_row({name: genes[name] for name in space.names})


def _baseline_genes(hardware: Hardware, strip: int) -> Design:
    sides = {"x": hardware.columns, "y": hardware.rows}
    axes = {dim: "y" if dim in ("C", "Q") else "x" for dim in DIMS}
    genes: Design = {f"{dim}_axis": axis for dim, axis in axes.items()}
    for dim in DIMS:
        wanted = {
            "array": sides[axes[dim]] if dim in ("K", "C", "P", "Q") else 1,
            "pe": 1,
            "glb": {"N": strip, "Q": strip, "R": strip, "S": strip}.get(dim, 1),
        }
        genes |= {f"{dim}_{slot}": max(step for step in LADDERS[slot] if step <= wanted[slot]) for slot in LADDERS}
    genes |= {f"{level}_order": ">".join(_BASELINE_ORDER) for level in _LEVELS}
    return genes | {f"{level}_{tensor}": "keep" for level in ("pe", "glb") for tensor in TENSORS}
