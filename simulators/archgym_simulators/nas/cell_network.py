"""A network of cells for the jitter-digits task, for several training seeds at once.

Needs the extra ``nas``. S seeds are S groups of one network's channels: every convolution is grouped, normalisation
works by channel, so each seed computes what it would compute alone, and together they take half the time.
"""

from __future__ import annotations

__all__ = ["CellNetwork"]

from collections.abc import Sequence
from math import sqrt

import torch
from torch import Tensor, nn

from archgym_simulators.nas.cells import CONV_1X1, CONV_3X3, EDGES, NODES, POOL, Cell, live_edges
from archgym_simulators.nas.skeleton import Skeleton


class CellNetwork(nn.Module):
    """Stem, stages of cells with a residual halving between them, pooling, classifier.

    Args:
        cell: its edges that reach no output are left out.
        skeleton: what is around the cell.
        seeds: one network each, whose initial weights depend on its seed alone.
    """

    def __init__(self, cell: Cell, skeleton: Skeleton, seeds: Sequence[int]) -> None:
        super().__init__()
        self.seeds = len(seeds)
        widths = skeleton.widths()
        self.stem = _grouped(skeleton.input_channels, widths[0], 3, self.seeds)
        self.stem_norm = nn.BatchNorm2d(self.seeds * widths[0])
        blocks: list[nn.Module] = []
        for stage, width in enumerate(widths):
            if stage:
                blocks.append(_Halving(widths[stage - 1], width, self.seeds))
            blocks += [_Cell(cell, width, self.seeds) for _ in range(skeleton.cells)]
        self.blocks = nn.Sequential(*blocks)
        self.last_norm = nn.BatchNorm2d(self.seeds * widths[-1])
        self.last_relu = nn.ReLU()
        self.classifier = nn.Conv2d(self.seeds * widths[-1], self.seeds * skeleton.classes, 1, groups=self.seeds)
        self._initialise(seeds)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, S, classes) of images (N, S, H, W), one image a seed."""
        logits: Tensor = self.classifier(self.features(images).mean(dim=(2, 3), keepdim=True))
        return logits.reshape(len(images), self.seeds, -1)

    def features(self, images: Tensor) -> Tensor:
        """Maps (N, S * width, H, W) before pooling."""
        x = self.stem_norm(self.stem(images))
        return self.last_relu(self.last_norm(self.blocks(x)))  # type: ignore[no-any-return]

    def _initialise(self, seeds: Sequence[int]) -> None:
        """He's normal initialisation by seed; the order of layers is the order of their construction."""
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_in = module.weight[0].numel()
                parts = module.weight.data.chunk(self.seeds)
                for part, generator in zip(parts, generators, strict=True):
                    part.copy_(torch.randn(part.shape, generator=generator) * sqrt(2.0 / fan_in))
                if module.bias is not None:
                    module.bias.data.zero_()


class _Cell(nn.Module):
    def __init__(self, cell: Cell, width: int, seeds: int) -> None:
        super().__init__()
        self._live = live_edges(cell)
        self.edges = nn.ModuleDict({str(e): _operation(cell[e], width, seeds) for e in self._live})

    def forward(self, x: Tensor) -> Tensor:
        nodes: list[Tensor | None] = [x, *[None] * (NODES - 1)]
        for e in self._live:
            to, source = EDGES[e]
            brought = self.edges[str(e)](nodes[source])
            known = nodes[to]
            nodes[to] = brought if known is None else known + brought
        output = nodes[-1]
        return torch.zeros_like(x) if output is None else output


class _Halving(nn.Module):
    def __init__(self, before: int, after: int, seeds: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_relu_conv_norm(before, after, 3, seeds, stride=2), *_relu_conv_norm(after, after, 3, seeds)
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, ceil_mode=True), _grouped(before, after, 1, seeds))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)  # type: ignore[no-any-return]


def _operation(operation: int, width: int, seeds: int) -> nn.Module:
    if operation == POOL:
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    if operation in (CONV_1X1, CONV_3X3):
        return nn.Sequential(*_relu_conv_norm(width, width, 1 if operation == CONV_1X1 else 3, seeds))
    return nn.Identity()


def _relu_conv_norm(before: int, after: int, kernel: int, seeds: int, stride: int = 1) -> list[nn.Module]:
    return [nn.ReLU(), _grouped(before, after, kernel, seeds, stride), nn.BatchNorm2d(seeds * after)]


def _grouped(before: int, after: int, kernel: int, seeds: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(
        seeds * before, seeds * after, kernel, stride=stride, padding=kernel // 2, groups=seeds, bias=False
    )
