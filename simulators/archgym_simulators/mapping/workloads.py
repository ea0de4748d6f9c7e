"""Workloads of the mapping family: one layer each."""

from __future__ import annotations

__all__ = ["NAMED_LAYERS", "SHARED", "draw_layer", "is_shared", "single_layer"]

import numpy as np

from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import Layer
from archgym_simulators.layers.splits import draw_layers
from archgym_simulators.layers.workloads import DnnWorkload, workload
from archgym_simulators.nearest import allowed_values, did_you_mean

NAMED_LAYERS: dict[str, str] = {
    "resnet18/conv2_1": "3 x 3 convolution, 56 x 56 pixels, 64 channels; the layer of most mapping papers.",
    "resnet18/conv1": "7 x 7 convolution with stride 2 on three colours.",
    "resnet50/conv4_1b": "3 x 3 convolution with stride 2, 256 channels.",
    "alexnet/conv1": "11 x 11 convolution with stride 4.",
    "alexnet/conv2": "5 x 5 convolution in two groups.",
    "vgg16/conv1_2": "3 x 3 convolution, 224 x 224 pixels: 1.8 billion multiply-accumulates.",
    "mobilenet-v2/block1_1_dw": "Depthwise 3 x 3 convolution, 32 groups.",
    "bert-base/ffn_up": "Matrix product of 384 tokens, 768 to 3,072.",
    "gemm:512x768x3072": "A matrix product M x N x K; any three numbers.",
    "conv:28x28x128x128x3x3": "A convolution P x Q x C x K x R x S; any six numbers, stride and groups after them.",
}
"""Examples; every layer that `archgym_simulators.layers.workloads` can name is a workload."""

SHARED = "shared:"
"""Before a layer: it is mapped in the space that is the same for every layer."""


def is_shared(spec: str) -> bool:
    """Whether a spec names a layer in the shared space."""
    return spec.startswith(SHARED)


def single_layer(spec: str) -> tuple[DnnWorkload, Layer]:
    """The one layer that a spec names.

    Raises:
        InputError: an unknown spec, or one of several layers.
    """
    spec = spec.removeprefix(SHARED)
    try:
        described = workload(spec)
    except InputError as error:
        if spec in str(error):
            raise
        raise InputError(f"{error}; workload {spec!r}{did_you_mean(spec, NAMED_LAYERS)}") from error
    if len(described.layers) != 1:
        names = [f"{spec}/{layer.name}" for layer in described.layers]
        raise InputError(
            f"a mapping is of one layer, {spec!r} has {len(names)} shapes; name one: {allowed_values(names, most=6)}"
        )
    return described, described.layers[0]


def draw_layer(split: str, rng: np.random.Generator) -> str:
    """Spec of one layer from a split of `archgym_simulators.layers.splits`, in the shared space.

    Whole networks are drawn again.
    """
    while True:
        spec = draw_layers(split, rng)
        if len(workload(spec).layers) == 1:
            return SHARED + spec
