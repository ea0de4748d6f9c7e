"""Parameters, multiply-accumulates and layers of the network around a cell: stem, stages of cells, residual halving."""

from __future__ import annotations

__all__ = ["CIFAR10", "CIFAR100", "DIGITS", "IMAGENET16", "Skeleton", "layers_of", "macs_of", "parameters_of"]

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.layers.layer import Layer, conv, gemm
from archgym_simulators.nas.cells import CONV_1X1, CONV_3X3, EDGES, Cell, live_edges

_TAPS = {CONV_1X1: 1, CONV_3X3: 9}


@dataclass(frozen=True)
class Skeleton:
    """What is repeated around a cell.

    Between two stages, a residual block halves the image and doubles the channels.

    Attributes:
        image: height and width of the input.
        input_channels: of the input.
        channels: of the first stage.
        stages: number of stages.
        cells: a stage.
        classes: of the task.
    """

    image: int
    input_channels: int
    channels: int
    stages: int
    cells: int
    classes: int

    def widths(self) -> list[int]:
        """Channels of each stage."""
        return [self.channels << stage for stage in range(self.stages)]

    def sides(self) -> list[int]:
        """Height and width of each stage's maps; a stride of 2 rounds up."""
        return [-(-self.image // (1 << stage)) for stage in range(self.stages)]


CIFAR10 = Skeleton(image=32, input_channels=3, channels=16, stages=3, cells=5, classes=10)
CIFAR100 = Skeleton(image=32, input_channels=3, channels=16, stages=3, cells=5, classes=100)
IMAGENET16 = Skeleton(image=16, input_channels=3, channels=16, stages=3, cells=5, classes=120)
DIGITS = Skeleton(image=10, input_channels=1, channels=8, stages=2, cells=1, classes=10)


def parameters_of(cells: NDArray[np.integer], skeleton: Skeleton) -> NDArray[np.int64]:
    """Trained numbers (N,) of networks from cells (N, 6); every edge counts, reached or not, as in NAS-Bench-201.

    A batch normalisation has two a channel.
    """
    widths = skeleton.widths()
    fixed = 9 * skeleton.input_channels * widths[0] + 2 * widths[0]
    for before, after in pairwise(widths):
        fixed += 9 * before * after + 9 * after * after + before * after + 4 * after
    fixed += 2 * widths[-1] + widths[-1] * skeleton.classes + skeleton.classes
    total = np.full(len(cells), fixed, dtype=np.int64)
    for operation, taps in _TAPS.items():
        an_edge = skeleton.cells * sum(taps * width * width + 2 * width for width in widths)
        total += (cells == operation).sum(axis=1) * an_edge
    return total


def macs_of(cells: NDArray[np.integer], skeleton: Skeleton) -> NDArray[np.int64]:
    """Multiply-accumulates (N,) of one image through networks from cells (N, 6), and the classifier's bias.

    Of convolutions and the classifier only; every edge counts, reached or not, as in NAS-Bench-201.
    """
    widths, areas = skeleton.widths(), [side * side for side in skeleton.sides()]
    fixed = 9 * skeleton.input_channels * widths[0] * areas[0] + (widths[-1] + 1) * skeleton.classes
    for before, after, area in zip(widths, widths[1:], areas[1:], strict=False):
        fixed += (9 * before + 9 * after + before) * after * area
    total = np.full(len(cells), fixed, dtype=np.int64)
    for operation, taps in _TAPS.items():
        an_edge = skeleton.cells * sum(taps * width * width * area for width, area in zip(widths, areas, strict=True))
        total += (cells == operation).sum(axis=1) * an_edge
    return total


def layers_of(cell: Cell, skeleton: Skeleton) -> tuple[Layer, ...]:
    """The layers that an accelerator runs for one image; convolutions that reach no output are dropped."""
    widths, sides = skeleton.widths(), skeleton.sides()
    live = [e for e in live_edges(cell) if cell[e] in _TAPS]
    found = [conv("stem", sides[0], channels=(skeleton.input_channels, widths[0]), kernel=3)]
    for stage, (width, side) in enumerate(zip(widths, sides, strict=True)):
        if stage:
            found += _halving(stage, widths[stage - 1], width, side)
        for e in live:
            kernel = 3 if cell[e] == CONV_3X3 else 1
            to, source = EDGES[e]
            layer = conv(f"stage{stage + 1}_{source}to{to}", side, channels=(width, width), kernel=kernel)
            found.append(replace(layer, repeat=skeleton.cells))
    return (*found, gemm("classifier", 1, skeleton.classes, widths[-1]))


def _halving(stage: int, before: int, after: int, side: int) -> list[Layer]:
    return [
        conv(f"halve{stage}_a", side, channels=(before, after), kernel=3, stride=2),
        conv(f"halve{stage}_b", side, channels=(after, after), kernel=3),
        conv(f"halve{stage}_shortcut", side, channels=(before, after)),
    ]
