"""A network whose cell holds every operation on every edge: what weight sharing and differentiable search train.

Needs the extra ``nas``. S seeds are S groups of one network's channels: convolutions are grouped, normalisation works
by channel, so each computes what it would compute alone, and together they take half the time. Normalisations inside
the cell have no scale and shift of their own (DARTS, Liu et al., ICLR 2019, section 3.1), which would undo the weights
of the mixture, and all of them use the batch that is there: running averages over ever other mixtures fit none.
"""

from __future__ import annotations

__all__ = ["MixedCellNetwork", "one_hot_mixture"]

from collections.abc import Sequence
from math import sqrt

import torch
from torch import Tensor, nn

from archgym_simulators.errors import InputError
from archgym_simulators.nas.cells import CONV_1X1, CONV_3X3, EDGES, NODES, NONE, OPERATIONS, POOL, Cell
from archgym_simulators.nas.skeleton import Skeleton

_EVERY = tuple(range(len(OPERATIONS)))


def one_hot_mixture(cell: Cell, seeds: int) -> Tensor:
    """The weights (S, 6, 5) that make a mixture a cell."""
    chosen = nn.functional.one_hot(torch.tensor(cell), len(OPERATIONS)).float()
    return chosen.expand(seeds, -1, -1)


class MixedCellNetwork(nn.Module):
    """Stem, stages of mixed cells with a residual halving between them, pooling, classifier.

    Args:
        skeleton: what is around the cell.
        seeds: one network each, whose initial weights depend on its seed alone.
        partial: the operations see one of so many channels, the rest goes round them (PC-DARTS, Xu et al., ICLR 2020).
    """

    def __init__(self, skeleton: Skeleton, seeds: Sequence[int], *, partial: int = 1) -> None:
        super().__init__()
        widths = skeleton.widths()
        if widths[0] % partial:
            raise InputError(f"partial must divide the {widths[0]} channels of the first stage, not {partial}")
        self.seeds = len(seeds)
        self.stem = _conv(skeleton.input_channels, widths[0], 3, self.seeds)
        self.stem_norm = _norm(self.seeds * widths[0], affine=True)
        self.blocks = nn.ModuleList()
        for stage, width in enumerate(widths):
            if stage:
                self.blocks.append(_Halving(widths[stage - 1], width, self.seeds))
            self.blocks.extend(_MixedCell(width, self.seeds, partial) for _ in range(skeleton.cells))
        self.last_norm = _norm(self.seeds * widths[-1], affine=True)
        self.classifier = nn.Conv2d(self.seeds * widths[-1], self.seeds * skeleton.classes, 1, groups=self.seeds)
        self._initialise(seeds)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(
        self,
        images: Tensor,
        mixture: Tensor,
        *,
        edges: Tensor | None = None,
        operations: Sequence[Sequence[int]] | None = None,
    ) -> Tensor:
        """Logits (N, S, classes) of images (N, S, H, W), one image a seed.

        Args:
            images: of every seed.
            mixture: (S, 6, 5) weight of every operation on every edge.
            edges: (S, 6) weight of every edge at the node that it goes to; 1 where None.
            operations: for every edge those that are computed, where the others have no weight; all where None.
        """
        x = self.stem_norm(self.stem(images))
        for block in self.blocks:
            if isinstance(block, _MixedCell):
                x = block(x, mixture, edges, operations or [_EVERY] * len(EDGES))
            else:
                x = block(x)
        pooled = torch.relu(self.last_norm(x)).mean(dim=(2, 3), keepdim=True)
        logits: Tensor = self.classifier(pooled)
        return logits.reshape(len(images), self.seeds, -1)

    def _initialise(self, seeds: Sequence[int]) -> None:
        """He's normal initialisation by seed; the order of layers is the order of their construction."""
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_in = module.weight[0].numel()
                for part, generator in zip(module.weight.data.chunk(self.seeds), generators, strict=True):
                    part.copy_(torch.randn(part.shape, generator=generator) * sqrt(2.0 / fan_in))
                if module.bias is not None:
                    module.bias.data.zero_()


class _MixedCell(nn.Module):
    def __init__(self, width: int, seeds: int, partial: int) -> None:
        super().__init__()
        self.edges = nn.ModuleList(_MixedEdge(width, seeds, partial) for _ in EDGES)

    def forward(self, x: Tensor, mixture: Tensor, edges: Tensor | None, operations: Sequence[Sequence[int]]) -> Tensor:
        nodes: list[Tensor] = [x]
        for node in range(1, NODES):
            total = torch.zeros_like(x)
            for e, (to, source) in enumerate(EDGES):
                if to == node:
                    brought = self.edges[e](nodes[source], mixture[:, e], operations[e])
                    total = total + (brought if edges is None else brought * _by_channel(edges[:, e], brought))
            nodes.append(total)
        return nodes[-1]


class _MixedEdge(nn.Module):
    def __init__(self, width: int, seeds: int, partial: int) -> None:
        super().__init__()
        self._seeds, self._partial = seeds, partial
        seen = width // partial
        self.operations = nn.ModuleDict(
            {
                str(CONV_1X1): nn.Sequential(*_relu_conv_norm(seen, seen, 1, seeds, affine=False)),
                str(CONV_3X3): nn.Sequential(*_relu_conv_norm(seen, seen, 3, seeds, affine=False)),
                str(POOL): nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
            }
        )

    def forward(self, x: Tensor, weights: Tensor, operations: Sequence[int]) -> Tensor:
        if self._partial == 1:
            return self._mixed(x, weights, operations)
        n, _, h, w = x.shape
        parts = x.reshape(n, self._seeds, self._partial, -1, h, w)  # (N, S, K, C / K, H, W)
        mixed = self._mixed(parts[:, :, 0].reshape(n, -1, h, w), weights, operations)
        joined = torch.cat([mixed.reshape(n, self._seeds, 1, -1, h, w), parts[:, :, 1:]], dim=2)
        # Shuffled, so that the next edge's operations see others.
        return joined.transpose(2, 3).reshape(n, -1, h, w).contiguous(memory_format=torch.channels_last)

    def _mixed(self, x: Tensor, weights: Tensor, operations: Sequence[int]) -> Tensor:
        """The weighted sum; weights are (S, 5)."""
        total = torch.zeros_like(x)
        for operation in operations:
            if operation == NONE:
                continue
            done = self.operations[str(operation)](x) if str(operation) in self.operations else x
            total = total + done * _by_channel(weights[:, operation], done)
        return total


class _Halving(nn.Module):
    def __init__(self, before: int, after: int, seeds: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_relu_conv_norm(before, after, 3, seeds, affine=True, stride=2),
            *_relu_conv_norm(after, after, 3, seeds, affine=True),
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, ceil_mode=True), _conv(before, after, 1, seeds))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)  # type: ignore[no-any-return]


def _by_channel(weights: Tensor, x: Tensor) -> Tensor:
    """Weights (S,) of the seeds as (1, S * C, 1, 1), to multiply ``x`` with."""
    return weights.repeat_interleave(x.shape[1] // len(weights))[None, :, None, None]


def _relu_conv_norm(
    before: int, after: int, kernel: int, seeds: int, *, affine: bool, stride: int = 1
) -> list[nn.Module]:
    return [nn.ReLU(), _conv(before, after, kernel, seeds, stride), _norm(seeds * after, affine=affine)]


def _conv(before: int, after: int, kernel: int, seeds: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(
        seeds * before, seeds * after, kernel, stride=stride, padding=kernel // 2, groups=seeds, bias=False
    )


def _norm(channels: int, *, affine: bool) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, affine=affine, track_running_stats=False)
