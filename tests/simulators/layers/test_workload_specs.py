"""Specs of DNN workloads: what they name, how they are spelt, and what is refused."""

from __future__ import annotations

import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.layers.catalogue import NETWORKS
from archgym_simulators.layers.features import FEATURE_NAMES
from archgym_simulators.layers.inline import parse_inline
from archgym_simulators.layers.workloads import canonical_spec, workload, workload_descriptions


def test_inline_dimensions_are_in_the_order_stated():
    assert parse_inline("gemm:512x768x3072").gemm_mnk == (512, 768, 3072)
    layer = parse_inline("conv:56x28x64x128x3x5s2g4n7")
    found = (layer.p, layer.q, layer.c * layer.groups, layer.k * layer.groups, layer.r, layer.s)
    assert found == (56, 28, 64, 128, 3, 5)
    assert (layer.stride, layer.groups, layer.n) == (2, 4, 7)
    products = parse_inline("gemm:8x16x32g12")
    assert (products.groups, products.macs) == (12, 12 * 8 * 16 * 32)


@pytest.mark.parametrize(
    ("spec", "canonical"),
    [
        ("resnet18:batch=1", "resnet18"),
        ("bert-base:batch=8,seq=128", "bert-base:seq=128,batch=8"),
        ("conv:56x56x64x64x3x3s1", "conv:56x56x64x64x3x3"),
        ("conv:56x56x64x64x3x3g64s2", "conv:56x56x64x64x3x3s2g64"),
        ("gemm:04x5x6g1", "gemm:4x5x6"),
        ("resnet18, bert-base:seq=128, batch=8 ,gemm:1x2x3", "resnet18,bert-base:seq=128,batch=8,gemm:1x2x3"),
        ("bert-base:seq=128/ffn_*", "bert-base:seq=128/ffn_*"),
    ],
)
def test_a_spec_has_one_spelling(spec, canonical):
    assert canonical_spec(spec) == canonical
    assert canonical_spec(canonical) == canonical
    assert workload(spec) == workload(canonical)
    assert workload(spec).name == canonical


def test_single_layers_and_patterns():
    assert [layer.name for layer in workload("resnet18/conv2_1").layers] == ["conv2_1"]
    assert workload("resnet18/conv2_1").layers[0].gemm_mnk == (56 * 56, 64, 9 * 64)
    assert workload("resnet18/conv2_*").layers[0].repeat == 4
    assert workload("bert-base/ffn_up").layers[0].repeat == 12


def test_a_list_is_all_of_its_parts_and_equal_shapes_are_merged():
    both = workload("resnet18/conv2_1,conv:56x56x64x64x3x3,gemm:1x1000x512")
    assert both.total_macs == 2 * 56 * 56 * 64 * 64 * 9 + 512_000
    assert [layer.repeat for layer in both.layers] == [2, 1]
    assert workload("alexnet,vgg16").total_macs == workload("alexnet").total_macs + workload("vgg16").total_macs


def test_features_are_of_fixed_length_within_0_and_1_and_tell_workloads_apart():
    seen = {}
    for name in [*NETWORKS, "gemm:1x1x1", "gemm:2000000x2000000x1000", "conv:224x224x512x512x7x7g512"]:
        features = workload(name).features
        assert len(features) == len(FEATURE_NAMES)
        assert all(0.0 <= value <= 1.0 for value in features)
        assert features not in seen, (name, seen.get(features))
        seen[features] = name


def test_features_that_can_be_told_by_hand():
    layer = dict(zip(FEATURE_NAMES, workload("conv:16x16x32x64x2x4s2").features, strict=True))
    assert layer["conv_share"] == layer["largest_share"] == layer["distinct_share"] == layer["strided_share"] == 1.0
    assert layer["mean_m"] == pytest.approx(8 / 20)
    assert layer["mean_n"] == pytest.approx(6 / 20)
    assert layer["mean_k"] == pytest.approx(8 / 20)
    assert layer["mean_window"] == pytest.approx(3 / 8)
    assert layer["log_macs"] == pytest.approx(22 / 48)
    words = 32 * 32 * 34 + 64 * 32 * 8 + 64 * 256
    assert layer["weight_share"] == pytest.approx(64 * 32 * 8 / words)


def test_the_digest_follows_the_shapes_and_not_the_name():
    assert workload("resnet18/conv2_1").digest == workload("conv:56x56x64x64x3x3").digest
    assert workload("resnet18/conv2_1").digest != workload("resnet18/conv2_*").digest


def test_descriptions_are_of_all_networks():
    assert set(workload_descriptions()) == set(NETWORKS)
    assert all(text.endswith(".") for text in workload_descriptions().values())


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("", ("empty",)),
        (",", ("unknown workload ''", "allowed are a network")),
        ("resnt18", ("'resnt18'", "did you mean 'resnet18'")),
        ("resnet18/conv2_9", ("resnet18 has no layer 'conv2_9'", "did you mean 'conv2_")),
        ("resnet18/x*", ("no layer 'x*'",)),
        ("resnet18:seq=4", ("unknown argument 'seq=4'", "batch=NUMBER")),
        ("bert-base:sek=4", ("did you mean 'seq'",)),
        ("bert-base:seq=4,seq=5", ("repeated argument",)),
        ("bert-base:seq=0", ("seq must be a whole number 1..", "'0'")),
        ("bert-base:seq=-4", ("'-4'",)),
        ("bert-base:seq=1.5", ("'1.5'",)),
        ("bert-base/ffn_up:seq=4", ("arguments come before the layer",)),
        ("gemm:512x768", ("2 dimensions, not 3", "MxNxK")),
        ("gemm:512x0x3", ("N must be a whole number", "not 0")),
        ("gemm:512x-7x3", ("N must be", "not -7")),
        ("gemm:1.5x7x3", ("M must be", "not 1.5")),
        ("gemm:axbxc", ("'gemm:axbxc' is not understood", "MxNxK")),
        ("gemm:1x2x3s2", ("is not understood",)),
        ("conv:4x4x3x8x3x3s0", ("s must be", "not 0")),
        ("conv:4x4x3x8x3x3g2", ("2 groups do not divide 3 input",)),
        ("conv:4x4x3x8x3x3s1s1", ("is not understood",)),
        ("gem:1x2x3", ("unknown workload", "did you mean 'gemm:'")),
        ("gemm:99999999999x2x3", ("M must be",)),
    ],
)
def test_a_wrong_spec_is_one_line_that_says_what_is_allowed(spec, parts):
    with pytest.raises(InputError) as caught:
        workload(spec)
    for part in parts:
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)
