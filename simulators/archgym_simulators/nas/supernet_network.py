"""The supernet that is trained: every subnet is a slice of its weights.

Needs the extra ``nas``. A kernel of 3 x 3 is the middle of that of 5 x 5, a smaller expansion the first channels of the
largest, a shallower stage its first layers (once-for-all networks, Cai et al., ICLR 2020).
"""

from __future__ import annotations

__all__ = ["Subnet", "Supernet", "weights_of"]

from collections.abc import Sequence
from math import sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from archgym_simulators.nas.supernet_kernel import EPSILON, Weights
from archgym_simulators.nas.supernet_shape import CLASSES, EXPANSIONS, KERNELS, STEM, WIDTHS, Slot, slots

Subnet = Sequence[tuple[int, int]]
"""Kernel and expansion of each slot, 0 where there is no layer."""


class Supernet(nn.Module):
    """Stem, three stages of up to three layers, pooling, classifier.

    Args:
        seed: of the initial weights.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.stem = _kernels(STEM, 1, 3, 9, generator)
        self.stem_norm = _norm(STEM)
        self.layers = nn.ModuleList(_Layer(slot, generator) for slot in slots())
        self.classifier = nn.Linear(WIDTHS[-1], CLASSES)
        with torch.no_grad():
            self.classifier.weight.copy_(torch.randn(CLASSES, WIDTHS[-1], generator=generator) / sqrt(WIDTHS[-1]))
            self.classifier.bias.zero_()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor, subnet: Subnet) -> Tensor:
        """Logits (N, classes) of images (N, 1, H, W); normalised by the statistics of these images."""
        x = torch.relu(_normalised(nn.functional.conv2d(images, self.stem, padding=1), self.stem_norm))
        for number, (kernel, expansion) in enumerate(subnet):
            if kernel:
                x = self.layers[number](x, kernel, expansion)
        logits: Tensor = self.classifier(x.mean(dim=(2, 3)))
        return logits


class _Layer(nn.Module):
    def __init__(self, slot: Slot, generator: torch.Generator) -> None:
        super().__init__()
        inner = EXPANSIONS[-1] * slot.before
        self.slot = slot
        self.expand = _kernels(inner, slot.before, 1, slot.before, generator)
        self.depthwise = _kernels(inner, 1, KERNELS[-1], KERNELS[0] ** 2, generator)
        self.project = _kernels(slot.after, inner, 1, inner, generator)
        self.expand_norm, self.depthwise_norm, self.project_norm = _norm(inner), _norm(inner), _norm(slot.after)

    def forward(self, x: Tensor, kernel: int, expansion: int) -> Tensor:
        inner, margin, stride = expansion * self.slot.before, (KERNELS[-1] - kernel) // 2, self.slot.stride
        middle = slice(margin, margin + kernel)
        y = nn.functional.conv2d(x, self.expand[:inner])
        y = torch.relu(_normalised(y, self.expand_norm[:, :inner]))
        taps = self.depthwise[:inner, :, middle, middle]
        y = nn.functional.conv2d(y, taps, stride=stride, padding=kernel // 2, groups=inner)
        y = torch.relu(_normalised(y, self.depthwise_norm[:, :inner]))
        y = _normalised(nn.functional.conv2d(y, self.project[:, :inner]), self.project_norm)
        return x + y if self.slot.depth else y


def weights_of(network: Supernet) -> Weights:
    """The weights as the compiled network takes them, rounded to half precision, in which they are kept."""
    layers = [layer for layer in network.layers if isinstance(layer, _Layer)]
    return Weights(
        stem=_plain(network.stem.flatten(1)),
        expand=_stacked([layer.expand.flatten(1) for layer in layers]),
        depthwise=_stacked([layer.depthwise.flatten(1) for layer in layers]),
        project=_stacked([layer.project.flatten(1) for layer in layers]),
        stem_norm=_plain(network.stem_norm),
        expand_norm=_stacked([layer.expand_norm for layer in layers]),
        depthwise_norm=_stacked([layer.depthwise_norm for layer in layers]),
        project_norm=_stacked([layer.project_norm for layer in layers]),
        classifier=_plain(network.classifier.weight),
        bias=_plain(network.classifier.bias),
    )


def _kernels(outputs: int, inputs: int, side: int, fan_in: int, generator: torch.Generator) -> nn.Parameter:
    """He's normal initialisation."""
    return nn.Parameter(torch.randn(outputs, inputs, side, side, generator=generator) * sqrt(2.0 / fan_in))


def _norm(channels: int) -> nn.Parameter:
    """Gain and shift (2, C)."""
    return nn.Parameter(torch.stack([torch.ones(channels), torch.zeros(channels)]))


def _normalised(x: Tensor, norm: Tensor) -> Tensor:
    return nn.functional.batch_norm(x, None, None, norm[0], norm[1], training=True, eps=EPSILON)


def _plain(tensor: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(tensor.detach().numpy().astype(np.float16).astype(np.float32))


def _stacked(tensors: Sequence[Tensor]) -> NDArray[np.float32]:
    """(L, rows, columns), filled up with zeros."""
    plain = [_plain(tensor) for tensor in tensors]
    rows, columns = (max(one.shape[axis] for one in plain) for axis in (0, 1))
    return np.stack([np.pad(one, ((0, rows - one.shape[0]), (0, columns - one.shape[1]))) for one in plain])
