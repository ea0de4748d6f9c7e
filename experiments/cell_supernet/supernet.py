"""A supernet that is trained one cell a step, and asked how good cells are without training them."""

from __future__ import annotations

__all__ = ["Supernet"]

from collections.abc import Iterator, Sequence
from math import cos, pi

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from archgym_simulators.nas.cells import Cell
from archgym_simulators.nas.digits_task import training_epoch, validation_images
from archgym_simulators.nas.mixed_cell import MixedCellNetwork, one_hot_mixture
from archgym_simulators.nas.skeleton import DIGITS
from experiments.cell_supernet.sampling import Sampler

_BATCH = 50
_RATE, _MOMENTUM, _DECAY = 0.05, 0.9, 5e-4
_EVALUATED, _EVALUATED_BATCH = 1000, 500


class Supernet:
    """Several seeds in one network; they train the same cells on images of their own."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self.network = MixedCellNetwork(DIGITS, seeds)
        self._images = _batches([np.random.default_rng([seed, 4]) for seed in seeds])
        self._optimiser = torch.optim.SGD(
            self.network.parameters(), lr=_RATE, momentum=_MOMENTUM, nesterov=True, weight_decay=_DECAY
        )

    def train(self, sampler: Sampler, steps: int) -> None:
        """Train one cell of the sampler's a step, at a rate that falls to 0 by half a cosine."""
        for step in range(steps):
            self._optimiser.param_groups[0]["lr"] = 0.5 * _RATE * (1.0 + cos(pi * step / steps))
            loss = self.loss(sampler.draw(), next(self._images))
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            sampler.hear(float(loss.detach()) / self.network.seeds)

    def loss(self, cell: Cell, images: tuple[Tensor, Tensor]) -> Tensor:
        """Cross entropy, summed over seeds so that each seed's gradient is its own."""
        logits = self._logits(cell, images[0])
        entropy = nn.functional.cross_entropy(logits.flatten(0, 1), images[1].flatten(), reduction="sum")
        return entropy / len(images[0])

    def next_images(self) -> tuple[Tensor, Tensor]:
        """A training batch of every seed: pixels (N, S, H, W) and classes (N, S)."""
        return next(self._images)

    def accuracy(self, cell: Cell) -> NDArray[np.float64]:
        """Percent (S,) of the first validation images that the cell names rightly with the shared weights."""
        images = validation_images().head(_EVALUATED)
        pixels = torch.from_numpy(np.array(images.pixels))[:, None].expand(-1, self.network.seeds, -1, -1)
        with torch.no_grad():
            named = torch.cat([self._logits(cell, part).argmax(dim=2) for part in pixels.split(_EVALUATED_BATCH)])  # type: ignore[no-untyped-call]
        right = np.count_nonzero(named.numpy() == images.classes[:, None], axis=0)
        return np.asarray(100.0 * right / len(images.classes))

    def _logits(self, cell: Cell, pixels: Tensor) -> Tensor:
        mixture = one_hot_mixture(cell, self.network.seeds)
        contiguous = pixels.contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.network(contiguous, mixture, operations=[(operation,) for operation in cell])
        return logits


def _batches(draws: Sequence[np.random.Generator]) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        drawn = [training_epoch(rng) for rng in draws]
        pixels = torch.from_numpy(np.stack([images.pixels for images in drawn], axis=1))
        classes = torch.from_numpy(np.stack([images.classes for images in drawn], axis=1))
        yield from zip(pixels.split(_BATCH), classes.split(_BATCH), strict=True)  # type: ignore[no-untyped-call]
