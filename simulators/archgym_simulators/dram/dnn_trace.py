"""DRAM traffic of one DNN layer on an accelerator with one on-chip buffer.

The layer is a convolution,

    out[k, p, q] = sum over c, r, s of weight[k, c, r, s] * in[c, p * stride + r, q * stride + s];

a GEMM of M x K times K x N is p = M, q = 1, c = K, k = N, r = s = 1. Tensors lie one after the other, each from a
4 KiB boundary: weights (K, C, R, S), inputs (C, H, W), outputs (K, P, Q), row-major, with H = (P - 1) * stride + R
and W = (Q - 1) * stride + S.

Schedule (output stationary, no overlap of transfers):

    for each tile of output channels k
        for each tile of output rows p
            for each tile of input channels c
                read weight[k tile, c tile]             unless it is the tile read last
                read in[c tile, rows of the p tile]     unless it is the tile read last
            write out[k tile, p tile]

Tile sizes start from the whole layer; until the three tiles fit the buffer together, the one of (k, c, p) is
halved, rounding up, whose halving saves most bytes (ties in that order).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from archgym_simulators.dram.generators import LINE_BYTES, Pattern, Values
from archgym_simulators.errors import InputError

PAGE_BYTES = 4096
WEIGHTS, INPUTS, OUTPUTS = range(3)

Tile = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution: k output channels, c input channels, p x q outputs, r x s filter, `size` bytes a number."""

    k: int
    c: int
    p: int
    q: int
    r: int
    s: int
    stride: int
    size: int

    @property
    def width(self) -> int:
        """Input width W."""
        return (self.q - 1) * self.stride + self.s

    def rows(self, outputs: int) -> int:
        """Input rows that `outputs` output rows need."""
        return (outputs - 1) * self.stride + self.r

    def tile_bytes(self, k: int, c: int, p: int) -> tuple[int, int, int]:
        """Bytes of the weight, input and output tile."""
        weight = k * c * self.r * self.s
        inputs = c * self.rows(p) * self.width
        return weight * self.size, inputs * self.size, k * p * self.q * self.size

    def bases(self) -> tuple[int, int, int, int]:
        """First byte of weights, inputs, outputs, and the end."""
        starts = [0]
        for size in self.tile_bytes(self.k, self.c, self.p):
            starts.append(starts[-1] + -(-size // PAGE_BYTES) * PAGE_BYTES)
        return starts[0], starts[1], starts[2], starts[3]


def dnn_layer(values: Values, lines: int, rng: Generator) -> Pattern:
    """Return the first n line transfers of the layer, run again for the next input until there are n.

    Raises:
        InputError: The layer does not fit the device, or not even its smallest tiles fit the buffer.
    """
    layer = Layer(*(int(values[name]) for name in ("k", "c", "p", "q", "r", "s", "stride", "bytes")))
    end = layer.bases()[-1]
    if end > lines * LINE_BYTES:
        raise InputError(f"the layer's tensors take {end} bytes; the device has {lines * LINE_BYTES}")
    count = int(values["n"])
    line, is_write = _transfers(layer, tile_sizes(layer, int(values["buffer"]) * 1024), count)
    return Pattern(np.resize(line, count), is_write=np.resize(is_write, count))


def tile_sizes(layer: Layer, buffer_bytes: int) -> tuple[int, int, int]:
    """Choose tile sizes (k, c, p) by the rule in the module's description.

    Raises:
        InputError: One line: the smallest buffer that would do.
    """
    tile = (layer.k, layer.c, layer.p)
    while sum(layer.tile_bytes(*tile)) > buffer_bytes:
        if tile == (1, 1, 1):
            least = -(-sum(layer.tile_bytes(1, 1, 1)) // 1024)
            raise InputError(f"buffer={buffer_bytes // 1024} KiB holds no tile of the layer; it needs {least}")
        k, c, p = tile
        halved = [sizes for sizes in ((-(-k // 2), c, p), (k, -(-c // 2), p), (k, c, -(-p // 2))) if sizes != tile]
        tile = min(halved, key=lambda sizes: sum(layer.tile_bytes(*sizes)))
    return tile


def _transfers(layer: Layer, tiles: tuple[int, int, int], count: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Expand tiles to lines, stopping after `count` of them, # (at most count,) each."""
    held: dict[int, Tile] = {}
    parts: list[NDArray[np.int64]] = []
    writes: list[bool] = []
    made = 0
    for tensor, tile in _schedule(layer, tiles):
        if tensor != OUTPUTS and held.get(tensor) == tile:
            continue
        held[tensor] = tile
        parts.append(_tile_lines(layer, tensor, tile))
        writes.append(tensor == OUTPUTS)
        made += parts[-1].size
        if made >= count:
            break
    is_write = np.repeat(writes, [part.size for part in parts])
    return np.concatenate(parts)[:count], is_write[:count]


def _schedule(layer: Layer, tiles: tuple[int, int, int]) -> Iterator[tuple[int, Tile]]:
    """Yield (tensor, tile) in the order of transfer; a tile is (outer range, inner range)."""
    k_tiles, c_tiles, p_tiles = (
        [(low, min(low + step, size)) for low in range(0, size, step)]
        for size, step in zip((layer.k, layer.c, layer.p), tiles, strict=True)
    )
    for k, p in product(k_tiles, p_tiles):
        for c in c_tiles:
            yield WEIGHTS, (k, c)
            yield INPUTS, (c, p)
        yield OUTPUTS, (k, p)


def _tile_lines(layer: Layer, tensor: int, tile: Tile) -> NDArray[np.int64]:
    """Lines of a tile in memory order: one contiguous run of bytes for each index of its outer range."""
    outer, (low, high) = np.arange(*tile[0], dtype=np.int64), tile[1]
    if tensor == WEIGHTS:
        pitch, start, length = (n * layer.r * layer.s for n in (layer.c, low, high - low))
    elif tensor == INPUTS:
        rows = (layer.rows(layer.p), low * layer.stride, layer.rows(high - low))
        pitch, start, length = (n * layer.width for n in rows)
    else:
        pitch, start, length = (n * layer.q for n in (layer.p, low, high - low))
    first = layer.bases()[tensor] + (outer * pitch + start) * layer.size
    first_line = first // LINE_BYTES
    lengths = (first + length * layer.size - 1) // LINE_BYTES - first_line + 1
    within = np.arange(int(lengths.sum()), dtype=np.int64) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    line: NDArray[np.int64] = np.repeat(first_line, lengths) + within
    # Neighbouring runs may share a line; it is transferred once.
    distinct: NDArray[np.bool_] = np.diff(line, prepend=-1) != 0
    return line[distinct]
