"""Training a cell on the jitter-digits task: curves, test accuracy and seconds, by seed.

Needs the extra ``nas``. Stochastic gradient descent with Nesterov momentum and a cosine schedule, batches of 100 of the
1,000 training images. Training seeds are independent: initial weights, orders and images of a seed do not depend on
which others are trained with it, and its accuracies only by rounding.
"""

from __future__ import annotations

__all__ = ["EPOCHS", "TrainedCell", "time_cell", "train_cell"]

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from archgym_simulators.nas.cell_network import CellNetwork
from archgym_simulators.nas.cells import Cell
from archgym_simulators.nas.digits_task import Images, test_images, training_epoch, validation_images
from archgym_simulators.nas.skeleton import DIGITS

EPOCHS = 20
_BATCH = 100
_EVALUATED_BATCH = 500
_ON_THE_WAY = 1000
_RATE, _MOMENTUM, _DECAY = 0.1, 0.9, 5e-4


@dataclass(frozen=True)
class TrainedCell:
    """What training measured.

    Attributes:
        validation: (S, E) accuracy in percent after every epoch: on half of the validation images, at the end on all.
        test: (S,) accuracy in percent at the end.
        train_s: CPU seconds of an epoch's training, of one seed.
        evaluate_s: CPU seconds of one evaluation on the validation images, of one seed.
    """

    validation: NDArray[np.float64]
    test: NDArray[np.float64]
    train_s: float
    evaluate_s: float


def train_cell(cell: Cell, seeds: Sequence[int], *, epochs: int = EPOCHS) -> TrainedCell:
    """Train one network a seed; on one machine with one torch thread, the same bits every time."""
    network = CellNetwork(cell, DIGITS, seeds)
    optimiser = _optimiser(network)
    draws = [np.random.default_rng([seed, 1]) for seed in seeds]
    validation = np.empty((len(seeds), epochs))
    halved = validation_images().head(_ON_THE_WAY)
    trained_s = evaluated_s = 0.0
    for epoch in range(epochs):
        started = time.process_time()
        _train_epoch(network, optimiser, [training_epoch(rng) for rng in draws], epoch, epochs)
        finished = time.process_time()
        validation[:, epoch] = accuracy(network, halved if epoch < epochs - 1 else validation_images())
        trained_s += finished - started
        evaluated_s = time.process_time() - finished
    test = accuracy(network, test_images())
    return TrainedCell(validation, test, trained_s / (epochs * len(seeds)), evaluated_s / len(seeds))


def time_cell(cell: Cell, seeds: Sequence[int]) -> tuple[float, float]:
    """CPU seconds of an epoch's training, and of one evaluation on the validation images, of one seed of several."""
    network = CellNetwork(cell, DIGITS, seeds)
    optimiser = _optimiser(network)
    draws = [np.random.default_rng([seed, 1]) for seed in seeds]
    started = time.process_time()
    _train_epoch(network, optimiser, [training_epoch(rng) for rng in draws], 0, EPOCHS)
    finished = time.process_time()
    accuracy(network, validation_images())
    return (finished - started) / len(seeds), (time.process_time() - finished) / len(seeds)


def _optimiser(network: CellNetwork) -> torch.optim.SGD:
    return torch.optim.SGD(
        network.parameters(), lr=_RATE, momentum=_MOMENTUM, nesterov=True, weight_decay=_DECAY, foreach=True
    )


def accuracy(network: CellNetwork, images: Images) -> NDArray[np.float64]:
    """Percent (S,) of images that each seed's network names rightly."""
    network.eval()
    pixels = torch.from_numpy(np.array(images.pixels))[:, None].expand(-1, network.seeds, -1, -1)
    with torch.no_grad():
        parts = pixels.contiguous(memory_format=torch.channels_last).split(_EVALUATED_BATCH)  # type: ignore[no-untyped-call]
        named = torch.cat([network(part).argmax(dim=2) for part in parts]).numpy()
    network.train()
    right = np.count_nonzero(named == images.classes[:, None], axis=0)
    return np.asarray(100.0 * right / len(images.classes))


def _train_epoch(
    network: CellNetwork, optimiser: torch.optim.Optimizer, drawn: Sequence[Images], epoch: int, epochs: int
) -> None:
    pixels = torch.from_numpy(np.stack([images.pixels for images in drawn], axis=1))  # (N, S, H, W)
    classes = torch.from_numpy(np.stack([images.classes for images in drawn], axis=1))  # (N, S)
    batches = len(pixels) // _BATCH
    for step in range(batches):
        done = (epoch + step / batches) / epochs
        optimiser.param_groups[0]["lr"] = 0.5 * _RATE * (1.0 + cos(pi * done))
        part = slice(step * _BATCH, (step + 1) * _BATCH)
        logits = network(pixels[part].contiguous(memory_format=torch.channels_last))
        # Summed over seeds, so that each seed's gradient is its own.
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), classes[part].flatten(), reduction="sum") / _BATCH
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
