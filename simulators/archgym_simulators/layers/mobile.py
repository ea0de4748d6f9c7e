"""Mobile networks: stages of inverted residual blocks, optionally with squeeze-and-excitation."""

from __future__ import annotations

__all__ = ["Stage", "efficientnet_b0", "mnasnet_a1", "mnasnet_b1", "mobilenet_v2"]

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archgym_simulators.layers.layer import Layer, conv, gemm


@dataclass(frozen=True)
class Stage:
    """``depth`` inverted residual blocks (Sandler et al., CVPR 2018, table 1).

    Attributes:
        expansion: width of the depthwise convolution over the block's input; 1 leaves the expansion out.
        out: output channels.
        depth: blocks.
        stride: of the first block.
        kernel: of the depthwise convolution.
        squeeze: squeeze-and-excitation width over the block's input channels; 0 for none.
    """

    expansion: int
    out: int
    depth: int
    stride: int
    kernel: int = 3
    squeeze: float = 0.0


def mobilenet_v2(*, batch: int) -> Iterator[Layer]:
    """Sandler et al., CVPR 2018, table 2, width 1.0, 224 x 224."""
    stages = (
        Stage(1, 16, 1, 1),
        Stage(6, 24, 2, 2),
        Stage(6, 32, 3, 2),
        Stage(6, 64, 4, 2),
        Stage(6, 96, 3, 1),
        Stage(6, 160, 3, 2),
        Stage(6, 320, 1, 1),
    )
    return _network(stages, batch)


def efficientnet_b0(*, batch: int) -> Iterator[Layer]:
    """Tan and Le, ICML 2019, table 1; squeeze-and-excitation of a quarter of the block's input in every block."""
    se = 0.25
    stages = (
        Stage(1, 16, 1, 1, 3, se),
        Stage(6, 24, 2, 2, 3, se),
        Stage(6, 40, 2, 2, 5, se),
        Stage(6, 80, 3, 2, 3, se),
        Stage(6, 112, 3, 1, 5, se),
        Stage(6, 192, 4, 2, 5, se),
        Stage(6, 320, 1, 1, 3, se),
    )
    return _network(stages, batch)


def mnasnet_a1(*, batch: int) -> Iterator[Layer]:
    """Tan et al., CVPR 2019, figure 7: the network found, with squeeze-and-excitation in three stages."""
    se = 0.25
    stages = (
        Stage(1, 16, 1, 1),
        Stage(6, 24, 2, 2),
        Stage(3, 40, 3, 2, 5, se),
        Stage(6, 80, 4, 2),
        Stage(6, 112, 2, 1, 3, se),
        Stage(6, 160, 3, 2, 5, se),
        Stage(6, 320, 1, 1),
    )
    return _network(stages, batch)


def mnasnet_b1(*, batch: int) -> Iterator[Layer]:
    """Tan et al., CVPR 2019, the variant without squeeze-and-excitation (torchvision's ``mnasnet1_0``)."""
    stages = (
        Stage(1, 16, 1, 1),
        Stage(3, 24, 3, 2),
        Stage(3, 40, 3, 2, 5),
        Stage(6, 80, 3, 2, 5),
        Stage(6, 96, 2, 1),
        Stage(6, 192, 4, 2, 5),
        Stage(6, 320, 1, 1),
    )
    return _network(stages, batch)


def _network(stages: Sequence[Stage], batch: int) -> Iterator[Layer]:
    size, c = 112, 32
    yield conv("conv_stem", size, channels=(3, c), kernel=3, stride=2, batch=batch)
    for number, stage in enumerate(stages, start=1):
        for block in range(1, stage.depth + 1):
            stride = stage.stride if block == 1 else 1
            yield from _block(f"block{number}_{block}", size, c, stage, stride, batch)
            size, c = size // stride, stage.out
    yield conv("conv_head", size, channels=(c, 1280), batch=batch)
    yield gemm("fc", batch, 1000, 1280)


def _block(name: str, size: int, c: int, stage: Stage, stride: int, batch: int) -> Iterator[Layer]:
    width = stage.expansion * c
    if stage.expansion > 1:
        yield conv(f"{name}_expand", size, channels=(c, width), batch=batch)
    size //= stride
    yield conv(
        f"{name}_dw", size, channels=(width, width), kernel=stage.kernel, stride=stride, groups=width, batch=batch
    )
    squeezed = int(stage.squeeze * c)
    if squeezed:  # on the average over the image
        yield gemm(f"{name}_squeeze", batch, squeezed, width)
        yield gemm(f"{name}_excite", batch, width, squeezed)
    yield conv(f"{name}_project", size, channels=(width, stage.out), batch=batch)
