"""A layer's counts against a loop nest written out, and what it refuses."""

from __future__ import annotations

import itertools

import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import Layer, conv, gemm


def touched(layer):
    """Distinct elements of input, weights and output, and the MACs, by walking the nest of every group."""
    inputs, weights, outputs, macs = set(), set(), set(), 0
    dims = (layer.groups, layer.n, layer.k, layer.c, layer.p, layer.q, layer.r, layer.s)
    for g, n, k, c, p, q, r, s in itertools.product(*(range(dim) for dim in dims)):
        inputs.add((g, n, c, p * layer.stride + r, q * layer.stride + s))
        weights.add((g, k, c, r, s))
        outputs.add((g, n, k, p, q))
        macs += 1
    return len(inputs), len(weights), len(outputs), macs


@pytest.mark.parametrize(
    "layer",
    [
        conv("a", (4, 3), channels=(3, 5), kernel=(3, 2), batch=2),
        conv("b", 3, channels=(4, 4), kernel=3, stride=2, groups=4),
        conv("c", 3, channels=(6, 4), kernel=2, groups=2),
        gemm("d", 3, 4, 5),
        gemm("e", 3, 4, 5, groups=2, kind="attention"),
    ],
)
def test_counts_are_those_of_the_loop_nest(layer):
    found = (layer.input_words, layer.weight_words, layer.output_words, layer.macs)
    assert found == touched(layer)
    m, n, k = layer.gemm_mnk
    assert m * n * k * layer.groups == layer.macs


def test_input_that_no_filter_reads_is_counted_as_the_padded_rectangle():
    # A stride above the filter leaves gaps; they are part of the image that is fetched.
    layer = conv("ds", 28, channels=(1, 1), kernel=1, stride=2)
    assert layer.input_words == 55 * 55


def test_kinds_follow_the_groups():
    assert conv("a", 1, channels=(8, 8)).kind == "conv"
    assert conv("a", 1, channels=(8, 8), groups=8).kind == "depthwise"
    assert conv("a", 1, channels=(8, 16), groups=8).kind == "depthwise"
    assert conv("a", 1, channels=(8, 8), groups=2).kind == "grouped"


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda: gemm("fc", 0, 1, 1), "'fc': n must be a whole number"),
        (lambda: gemm("fc", 1, -3, 1), "k must be a whole number 1..2^31 - 1, not -3"),
        (lambda: gemm("fc", 1, 1, 2**31), "c must be"),
        (lambda: conv("c1", 4, channels=(6, 8), groups=4), "4 groups do not divide 6 input and 8 output channels"),
        (lambda: conv("c1", 4, channels=(6, 8), groups=0), "0 groups"),
        (lambda: gemm("fc", 2**30, 2**30, 2**30), "2^62"),
        (lambda: Layer("x", "depthwize"), "did you mean 'depthwise'"),
        (lambda: Layer("x", "conv", n=True), "not True"),
    ],
)
def test_impossible_layers_are_refused_in_one_line(make, part):
    with pytest.raises(InputError) as caught:
        make()
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
