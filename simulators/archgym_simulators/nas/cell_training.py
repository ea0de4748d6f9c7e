"""Training a cell on the jitter-digits task: curves, test accuracy and seconds, by seed.

Stochastic gradient descent with Nesterov momentum and a cosine schedule, batches of 100 of the 1,000 training images.
A seed is a network of its own: its initial weights, orders and images depend on nothing else.
"""

from __future__ import annotations

__all__ = ["EPOCHS", "TrainedCell", "time_cell", "train_cell"]

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.nas.cells import Cell
from archgym_simulators.nas.digits_task import Images, test_images, training_epoch, validation_images
from archgym_simulators.nas.map_kernels import BATCH
from archgym_simulators.nas.training_network import TrainingNetwork

EPOCHS = 20
_ON_THE_WAY = 1000
_RATE = 0.1


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
    """Train one network a seed; on one machine, the same bits every time."""
    each = [_train(cell, seed, epochs) for seed in seeds]
    return TrainedCell(
        np.concatenate([one.validation for one in each]),
        np.concatenate([one.test for one in each]),
        float(np.mean([one.train_s for one in each])),
        float(np.mean([one.evaluate_s for one in each])),
    )


def _train(cell: Cell, seed: int, epochs: int) -> TrainedCell:
    network, rng = _start(cell, seed)
    validation = np.empty((1, epochs))
    halved = validation_images().head(_ON_THE_WAY)
    trained_s = evaluated_s = 0.0
    for epoch in range(epochs):
        started = time.process_time()
        _train_epoch(network, training_epoch(rng), epoch, epochs)
        finished = time.process_time()
        validation[:, epoch] = _accuracy(network, halved if epoch < epochs - 1 else validation_images())
        trained_s += finished - started
        evaluated_s = time.process_time() - finished
    test = np.array([_accuracy(network, test_images())])
    return TrainedCell(validation, test, trained_s / epochs, evaluated_s)


def time_cell(cell: Cell, seeds: Sequence[int]) -> tuple[float, float]:
    """CPU seconds of an epoch's training, and of one evaluation on the validation images: medians over seeds."""
    seconds = []
    for seed in seeds:
        network, rng = _start(cell, seed)
        started = time.process_time()
        _train_epoch(network, training_epoch(rng), 0, EPOCHS)
        finished = time.process_time()
        _accuracy(network, validation_images())
        seconds.append((finished - started, time.process_time() - finished))
    train_s, evaluate_s = np.median(seconds, axis=0).tolist()
    return train_s, evaluate_s


def _start(cell: Cell, seed: int) -> tuple[TrainingNetwork, np.random.Generator]:
    """The untrained network, and what draws its training images."""
    return TrainingNetwork(cell, np.random.default_rng([seed, 0])), np.random.default_rng([seed, 1])


def _train_epoch(network: TrainingNetwork, images: Images, epoch: int, epochs: int) -> None:
    batches = len(images.classes) // BATCH
    for step in range(batches):
        part = slice(step * BATCH, (step + 1) * BATCH)
        network.learn(images.pixels[part], images.classes[part])
        done = (epoch + step / batches) / epochs
        network.step(0.5 * _RATE * (1.0 + cos(pi * done)))


def _accuracy(network: TrainingNetwork, images: Images) -> float:
    """Percent of images that the network names rightly."""
    parts = [images.pixels[start : start + BATCH] for start in range(0, len(images.classes), BATCH)]
    named = np.concatenate([network.logits(part).argmax(axis=1) for part in parts])
    return float(100.0 * np.mean(named == images.classes))
