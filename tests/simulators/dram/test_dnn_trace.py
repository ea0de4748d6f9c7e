import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archgym_simulators.dram.dnn_trace import Layer, tile_sizes
from archgym_simulators.dram.workloads import generate
from archgym_simulators.errors import InputError


def touched_bytes(layer):
    """Bytes that the layer must read and write, from the definition of a convolution."""
    weights, inputs, outputs, end = layer.bases()
    reads, writes = set(), set()
    height, size = layer.rows(layer.p), layer.size
    for k in range(layer.k):
        for p in range(layer.p):
            for q in range(layer.q):
                writes.update(outputs + ((k * layer.p + p) * layer.q + q) * size + byte for byte in range(size))
                for c in range(layer.c):
                    for r in range(layer.r):
                        for s in range(layer.s):
                            weight = ((k * layer.c + c) * layer.r + r) * layer.s + s
                            at = (c * height + p * layer.stride + r) * layer.width + q * layer.stride + s
                            reads.update(weights + weight * size + byte for byte in range(size))
                            reads.update(inputs + at * size + byte for byte in range(size))
    assert max(writes) < end
    return reads, writes


@pytest.mark.parametrize("buffer", [1, 2, 64])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_dnn_layer_reads_its_operands_and_writes_its_result(buffer, stride):
    layer = Layer(k=6, c=5, p=7, q=6, r=3, s=2, stride=stride, size=2)
    trace = generate(f"dnn-layer:6,c=5,p=7,q=6,r=3,s=2,stride={stride},buffer={buffer},n=20000")
    reads, writes = touched_bytes(layer)
    assert set((trace.address[trace.is_write] // 64).tolist()) == {byte // 64 for byte in writes}
    read_lines = set((trace.address[~trace.is_write] // 64).tolist())
    needed = {byte // 64 for byte in reads}
    assert needed <= read_lines
    # A stride may skip bytes of a row that is loaded whole; nothing beyond the tensors is read.
    assert max(read_lines) <= max(needed) + layer.width * layer.size // 64 + 1


def test_a_dnn_layer_that_fits_the_buffer_moves_every_line_once():
    layer = Layer(k=16, c=16, p=8, q=8, r=3, s=3, stride=1, size=2)
    lines = [-(-size // 64) for size in layer.tile_bytes(16, 16, 8)]
    trace = generate(f"dnn-layer:16,c=16,p=8,q=8,buffer=64,n={sum(lines)}")
    assert np.unique(trace.address).size == sum(lines)
    assert trace.is_write.tolist() == [False] * sum(lines[:2]) + [True] * lines[2]


@settings(max_examples=50, deadline=None)
@given(st.tuples(*[st.integers(1, 64)] * 4), st.integers(1, 5), st.integers(1, 3), st.integers(1, 64))
def test_tiles_fit_the_buffer_or_the_smallest_buffer_is_named(shape, filter_size, stride, buffer):
    layer = Layer(*shape, filter_size, filter_size, stride, 2)
    if sum(layer.tile_bytes(1, 1, 1)) > buffer * 1024:
        with pytest.raises(InputError, match="holds no tile of the layer; it needs"):
            tile_sizes(layer, buffer * 1024)
        return
    tiles = tile_sizes(layer, buffer * 1024)
    assert sum(layer.tile_bytes(*tiles)) <= buffer * 1024
    assert all(1 <= tile <= size for tile, size in zip(tiles, (layer.k, layer.c, layer.p), strict=True))
