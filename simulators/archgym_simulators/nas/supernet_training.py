"""Training the supernet once for all subnets, and one subnet from scratch, on the jitter-digits task.

Needs the extra ``nas``. Every step trains four networks on one batch and adds up their gradients (sandwich rule, Yu and
Huang, ICCV 2019): the biggest by the labels, the smallest and two random ones by the biggest's probabilities (in-place
distillation, same paper).
"""

from __future__ import annotations

__all__ = ["BIGGEST", "SMALLEST", "Recipe", "random_subnet", "train_subnet", "train_supernet"]

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi

import numpy as np
import torch
from torch import Tensor, nn

from archgym_simulators.nas.digits_task import training_epoch
from archgym_simulators.nas.supernet_network import Subnet, Supernet
from archgym_simulators.nas.supernet_shape import DEEPEST, EXPANSIONS, KERNELS, STAGES

_BATCH = 100
_MOMENTUM, _DECAY = 0.9, 5e-4

BIGGEST: Subnet = ((KERNELS[-1], EXPANSIONS[-1]),) * (STAGES * DEEPEST)
SMALLEST: Subnet = ((KERNELS[0], EXPANSIONS[0]), *((0, 0),) * (DEEPEST - 1)) * STAGES

Loss = Callable[[Supernet, Tensor, Tensor], None]
"""Leaves the gradients of one batch of images and classes in the network."""


@dataclass(frozen=True)
class Recipe:
    """How long and how fast.

    Attributes:
        epochs: passes over the 1,000 training digits, each at a new place under new noise.
        rate: of learning at the start; a cosine brings it to 0.
        sampled: random subnets a step.
    """

    epochs: int
    rate: float
    sampled: int = 2


def train_supernet(recipe: Recipe, seed: int) -> Supernet:
    """Train all subnets together; on one machine with one torch thread, the same bits every time."""
    sampling = np.random.default_rng([seed, 1])

    def sandwich(network: Supernet, images: Tensor, classes: Tensor) -> None:
        logits = network(images, BIGGEST)
        _descend(logits, classes)
        taught = logits.detach().softmax(dim=1)
        for subnet in (SMALLEST, *(random_subnet(sampling) for _ in range(recipe.sampled))):
            _descend(network(images, subnet), taught)

    return _trained(recipe, seed, sandwich)


def train_subnet(subnet: Subnet, recipe: Recipe, seed: int) -> Supernet:
    """Train one subnet from scratch by the labels; the rest of the supernet stays as it was."""
    return _trained(recipe, seed, lambda network, images, classes: _descend(network(images, subnet), classes))


def random_subnet(rng: np.random.Generator) -> Subnet:
    """Depths, kernels and expansions uniform, each by itself."""
    chosen: list[tuple[int, int]] = []
    for _ in range(STAGES):
        depth = int(rng.integers(1, DEEPEST + 1))
        chosen += [(int(rng.choice(KERNELS)), int(rng.choice(EXPANSIONS))) for _ in range(depth)]
        chosen += [(0, 0)] * (DEEPEST - depth)
    return tuple(chosen)


def _trained(recipe: Recipe, seed: int, take_gradients: Loss) -> Supernet:
    network = Supernet(seed)
    optimiser = torch.optim.SGD(
        network.parameters(), lr=recipe.rate, momentum=_MOMENTUM, nesterov=True, weight_decay=_DECAY, foreach=True
    )
    drawing = np.random.default_rng([seed, 0])
    for epoch in range(recipe.epochs):
        drawn = training_epoch(drawing)
        batches = len(drawn.classes) // _BATCH
        images = torch.from_numpy(drawn.pixels)[:, None].contiguous(memory_format=torch.channels_last)
        classes = torch.from_numpy(drawn.classes)
        for step in range(batches):
            done = (epoch + step / batches) / recipe.epochs
            optimiser.param_groups[0]["lr"] = 0.5 * recipe.rate * (1.0 + cos(pi * done))
            part = slice(step * _BATCH, (step + 1) * _BATCH)
            optimiser.zero_grad()
            take_gradients(network, images[part], classes[part])
            optimiser.step()
    return network


def _descend(logits: Tensor, wanted: Tensor) -> None:
    nn.functional.cross_entropy(logits, wanted).backward()  # type: ignore[no-untyped-call]
