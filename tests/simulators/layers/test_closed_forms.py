"""Networks against sums written down from their papers' tables, to the last multiply-accumulate.

Published totals have two or three digits and count by different rules; these sums share nothing with the catalogue.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from archgym_simulators.layers.workloads import workload


def chain(widths):
    """Products of each width with the next."""
    return sum(a * b for a, b in pairwise(widths))


def alexnet(groups):
    """Krizhevsky et al. 2012: layers 2, 4 and 5 in two groups."""
    spread = 55**2 * 96 * 11**2 * 3 + 13**2 * 384 * 9 * 256
    split = 27**2 * 256 * 5**2 * 96 + 13**2 * 384 * 9 * 384 + 13**2 * 256 * 9 * 384
    return spread + split // groups + chain([9216, 4096, 4096, 1000])


def vgg16():
    """Simonyan and Zisserman 2015, table 1, configuration D."""
    stages = ((224, [3, 64, 64]), (112, [64, 128, 128]), (56, [128, *[256] * 3]), (28, [256, *[512] * 3]))
    convolutions = sum(size**2 * 9 * chain(widths) for size, widths in (*stages, (14, [512] * 4)))
    return convolutions + chain([7 * 7 * 512, 4096, 4096, 1000])


def resnet18():
    """He et al. 2016, table 1, with projections where the size changes."""
    total = 112**2 * 64 * 49 * 3 + 4 * 56**2 * 9 * 64**2 + 512 * 1000
    for size, width in ((28, 128), (14, 256), (7, 512)):
        total += size**2 * (9 * (width // 2 * width + 3 * width**2) + width // 2 * width)
    return total


def resnet50(*, stride_in_window):
    """The same table; strides in the 3 x 3 convolutions (torchvision) or in the first 1 x 1 ones (the paper)."""
    total = 112**2 * 64 * 49 * 3 + 2048 * 1000
    for size, width, blocks, entering in ((56, 64, 3, 64), (28, 128, 4, 256), (14, 256, 6, 512), (7, 512, 3, 1024)):
        first = (2 * size if stride_in_window and width > 64 else size) ** 2 * entering * width
        rest = size**2 * (9 * width**2 + 4 * width**2)
        total += first + rest + size**2 * entering * 4 * width
        total += (blocks - 1) * (size**2 * 4 * width**2 + rest)
    return total


def mobilenet_v2(*, dense):
    """Sandler et al. 2018, table 2; ``dense`` runs depthwise convolutions over all channels."""
    total, size, width = 112**2 * 32 * 9 * 3, 112, 32
    table = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    for expansion, out, blocks, stride in table:
        for block in range(blocks):
            inner = expansion * width
            total += size**2 * width * inner if expansion > 1 else 0
            size //= stride if block == 0 else 1
            total += size**2 * 9 * inner * (inner if dense else 1) + size**2 * inner * out
            width = out
    return total + 7**2 * 320 * 1280 + 1280 * 1000


def encoder(tokens, width, layers):
    """Vaswani et al. 2017, with a feed-forward layer of four widths."""
    return layers * (tokens * 12 * width**2 + 2 * tokens**2 * width)


def unet():
    """Ronneberger et al. 2015, figure 1: valid 3 x 3 windows; each output of an up-convolution has one tap."""
    down = ((570, 1, 64), (568, 64, 64), (282, 64, 128), (280, 128, 128), (138, 128, 256), (136, 256, 256))
    floor = ((66, 256, 512), (64, 512, 512), (30, 512, 1024), (28, 1024, 1024))
    up = ((54, 1024, 512), (52, 512, 512), (102, 512, 256), (100, 256, 256), (198, 256, 128), (196, 128, 128))
    windows = sum(size**2 * 9 * a * b for size, a, b in (*down, *floor, *up, (390, 128, 64), (388, 64, 64)))
    doubled = sum(size**2 * a * a // 2 for size, a in ((56, 1024), (104, 512), (200, 256), (392, 128)))
    return windows + doubled + 388**2 * 64 * 2


FORMS = {
    "alexnet": alexnet(2),
    "alexnet-ungrouped": alexnet(1),
    "vgg16": vgg16(),
    "resnet18": resnet18(),
    "resnet50": resnet50(stride_in_window=True),
    "resnet50-v1": resnet50(stride_in_window=False),
    "mobilenet-v2": mobilenet_v2(dense=False),
    # Patches of 16 x 16 x 3, a class token, and a head on that token (Dosovitskiy et al. 2021).
    "vit-b": 196 * 768 * 768 + encoder(197, 768, 12) + 768 * 1000,
    # With the pooler, on one token (Devlin et al. 2019).
    "bert-base:seq=128": encoder(128, 768, 12) + 768**2,
    # Logits of every position (Radford et al. 2019).
    "gpt2": encoder(1024, 768, 12) + 1024 * 768 * 50_257,
    # 16 x 16 patches of a latent, and six modulations of the width (Peebles and Xie 2023).
    "dit-block": encoder(256, 1152, 1) + 6 * 1152**2,
    "unet": unet(),
}


@pytest.mark.parametrize("spec", FORMS)
def test_every_multiply_accumulate_is_in_the_published_tables(spec):
    assert workload(spec).total_macs == FORMS[spec]


def test_depthwise_layers_as_dense_ones_are_the_work_that_archgym_lists():
    # Its list of MobileNet-V2's 53 layers has 5.55e9 multiply-accumulates, depthwise layers as dense ones.
    layers = workload("mobilenet-v2").layers
    dense = sum(layer.total_macs * (layer.groups if layer.kind == "depthwise" else 1) for layer in layers)
    assert dense == mobilenet_v2(dense=True)
    assert dense == pytest.approx(5.55e9, rel=0.5 / 555)
