"""A network of cells in torch, for scores of untrained cells; training has compiled layers (`training_network`).

Needs the extra ``nas``.
"""

from __future__ import annotations

__all__ = ["CellNetwork"]

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
        seed: of the initial weights.
    """

    def __init__(self, cell: Cell, skeleton: Skeleton, seed: int) -> None:
        super().__init__()
        widths = skeleton.widths()
        self.stem = _convolution(skeleton.input_channels, widths[0], 3)
        self.stem_norm = nn.BatchNorm2d(widths[0])
        blocks: list[nn.Module] = []
        for stage, width in enumerate(widths):
            if stage:
                blocks.append(_Halving(widths[stage - 1], width))
            blocks += [_Cell(cell, width) for _ in range(skeleton.cells)]
        self.blocks = nn.Sequential(*blocks)
        self.last_norm = nn.BatchNorm2d(widths[-1])
        self.last_relu = nn.ReLU()
        self.classifier = nn.Conv2d(widths[-1], skeleton.classes, 1)
        self._initialise(seed)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, classes) of images (N, input channels, H, W)."""
        logits: Tensor = self.classifier(self.features(images).mean(dim=(2, 3), keepdim=True))
        return logits.flatten(1)

    def features(self, images: Tensor) -> Tensor:
        """Maps (N, width, H, W) before pooling."""
        x = self.stem_norm(self.stem(images))
        return self.last_relu(self.last_norm(self.blocks(x)))  # type: ignore[no-any-return]

    def _initialise(self, seed: int) -> None:
        """He's normal initialisation; the order of layers is the order of their construction."""
        generator = torch.Generator().manual_seed(seed)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                shape, fan_in = module.weight.shape, module.weight[0].numel()
                module.weight.data.copy_(torch.randn(shape, generator=generator) * sqrt(2.0 / fan_in))
                if module.bias is not None:
                    module.bias.data.zero_()


class _Cell(nn.Module):
    def __init__(self, cell: Cell, width: int) -> None:
        super().__init__()
        self._live = live_edges(cell)
        self.edges = nn.ModuleDict({str(e): _operation(cell[e], width) for e in self._live})

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
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*_relu_conv_norm(before, after, 3, stride=2), *_relu_conv_norm(after, after, 3))
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, ceil_mode=True), _convolution(before, after, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)  # type: ignore[no-any-return]


def _operation(operation: int, width: int) -> nn.Module:
    if operation == POOL:
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    if operation in (CONV_1X1, CONV_3X3):
        return nn.Sequential(*_relu_conv_norm(width, width, 1 if operation == CONV_1X1 else 3))
    return nn.Identity()


def _relu_conv_norm(before: int, after: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    return [nn.ReLU(), _convolution(before, after, kernel, stride), nn.BatchNorm2d(after)]


def _convolution(before: int, after: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, kernel, stride=stride, padding=kernel // 2, bias=False)
