"""Convolutional networks, generated from the stage tables of their papers. Inputs are one RGB image unless said."""

from __future__ import annotations

__all__ = ["alexnet", "resnet", "unet", "vgg16"]

from collections.abc import Iterator, Sequence
from itertools import pairwise

from archgym_simulators.layers.layer import Layer, conv, gemm


def alexnet(*, batch: int, groups: int = 2) -> Iterator[Layer]:
    """Krizhevsky et al., NIPS 2012, section 3.5 and figure 2, 227 x 227 input.

    Args:
        batch: images.
        groups: 2 as published, because it ran on two GPUs; 1 for the variant without groups that many tools use.
    """
    table = (
        (55, 3, 96, 11, 4, 1),
        (27, 96, 256, 5, 1, groups),
        (13, 256, 384, 3, 1, 1),
        (13, 384, 384, 3, 1, groups),
        (13, 384, 256, 3, 1, groups),
    )
    for number, (size, c, k, kernel, stride, parts) in enumerate(table, start=1):
        yield conv(f"conv{number}", size, channels=(c, k), kernel=kernel, stride=stride, groups=parts, batch=batch)
    yield from _classifier((256 * 6 * 6, 4096, 4096, 1000), first=6, batch=batch)


def vgg16(*, batch: int) -> Iterator[Layer]:
    """Simonyan and Zisserman, ICLR 2015, table 1, configuration D: 3 x 3 convolutions, halved by pooling."""
    stages = ((224, 64, 2), (112, 128, 2), (56, 256, 3), (28, 512, 3), (14, 512, 3))
    c = 3
    for stage, (size, k, depth) in enumerate(stages, start=1):
        for number in range(1, depth + 1):
            yield conv(f"conv{stage}_{number}", size, channels=(c, k), kernel=3, batch=batch)
            c = k
    yield from _classifier((512 * 7 * 7, 4096, 4096, 1000), first=6, batch=batch)


def resnet(*, batch: int, depths: Sequence[int], bottleneck: bool, stride_in_3x3: bool = True) -> Iterator[Layer]:
    """He et al., CVPR 2016, table 1.

    Args:
        batch: images.
        depths: blocks of the four stages.
        bottleneck: blocks of 1 x 1, 3 x 3, 1 x 1 with fourfold output instead of two 3 x 3.
        stride_in_3x3: where a bottleneck that halves the image has its stride: in the 3 x 3 convolution (torchvision,
            MLPerf; called version 1.5) or in the first 1 x 1 (the paper).
    """
    yield conv("conv1", 112, channels=(3, 64), kernel=7, stride=2, batch=batch)
    c = 64
    for stage, depth in enumerate(depths, start=2):
        width, size = 64 * 2 ** (stage - 2), 56 >> (stage - 2)
        out = 4 * width if bottleneck else width
        for block in range(1, depth + 1):
            stride = 2 if block == 1 and stage > 2 else 1
            if bottleneck:
                yield from _bottleneck(f"conv{stage}_{block}", size, c, width, stride, stride_in_3x3, batch)
            else:
                first = f"conv{stage}_{2 * block - 1}"
                yield conv(first, size, channels=(c, width), kernel=3, stride=stride, batch=batch)
                yield conv(f"conv{stage}_{2 * block}", size, channels=(width, width), kernel=3, batch=batch)
            if block == 1 and c != out:
                yield conv(f"conv{stage}_ds", size, channels=(c, out), stride=stride, batch=batch)
            c = out
    yield gemm("fc", batch, 1000, c)


def _bottleneck(
    name: str, size: int, c: int, width: int, stride: int, stride_in_3x3: bool, batch: int
) -> Iterator[Layer]:
    first_size = size * stride if stride_in_3x3 else size
    first, second = (1, stride) if stride_in_3x3 else (stride, 1)
    yield conv(f"{name}a", first_size, channels=(c, width), stride=first, batch=batch)
    yield conv(f"{name}b", size, channels=(width, width), kernel=3, stride=second, batch=batch)
    yield conv(f"{name}c", size, channels=(width, 4 * width), batch=batch)


def unet(*, batch: int) -> Iterator[Layer]:
    """Ronneberger et al., MICCAI 2015, figure 1: 572 x 572 x 1 input, convolutions without padding, two classes.

    An up-convolution of 2 x 2 with stride 2 makes four outputs of every input pixel: it is a 1 x 1 convolution with
    four times the output channels.
    """
    size, c = 572, 1
    for level, k in enumerate((64, 128, 256, 512, 1024), start=1):
        for half in "ab":
            size -= 2
            yield conv(f"down{level}{half}", size, channels=(c, k), kernel=3, batch=batch)
            c = k
        size = size // 2 if level < 5 else size
    for level, k in enumerate((512, 256, 128, 64), start=1):
        yield conv(f"up{level}", size, channels=(c, 4 * k), batch=batch)
        size, c = 2 * size, 2 * k  # the skip connection doubles the channels
        for half in "ab":
            size -= 2
            yield conv(f"up{level}{half}", size, channels=(c, k), kernel=3, batch=batch)
            c = k
    yield conv("classes", size, channels=(c, 2), batch=batch)


def _classifier(widths: Sequence[int], *, first: int, batch: int) -> Iterator[Layer]:
    for number, (k, n) in enumerate(pairwise(widths), start=first):
        yield gemm(f"fc{number}", batch, n, k)
