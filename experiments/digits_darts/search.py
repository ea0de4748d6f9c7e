"""Differentiable search of a cell: weights and a mixture of operations are trained by turns.

DARTS of first order (Liu et al., ICLR 2019): on every edge a softmax of logits alpha weighs all operations; alpha steps
on validation images, then the weights step on training images, each taking the other as it stands. PC-DARTS (Xu et al.,
ICLR 2020): operations see part of the channels, a softmax of logits beta weighs the edges of each node, and both start
moving after a warm-up of the weights. RARTS (Xue, Qi and Xin, 2020): two networks, of weights w trained on training
images and y trained on validation images, drawn to each other, search one mixture. Gradient steps of w, y and alpha by
turns, each at the newest of the others, on L_val(y, alpha) + L_train(w, alpha) + |y - w|^2 / 2. Seeds are groups of one
network and do not touch each other.
"""

from __future__ import annotations

__all__ = ["ARMS", "EPOCHS", "Arm", "Trace", "search"]

import copy
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from archgym_simulators.nas.cells import EDGES, NODES, OPERATIONS
from archgym_simulators.nas.digits_task import Images, training_epoch, validation_images
from archgym_simulators.nas.mixed_cell import MixedCellNetwork
from archgym_simulators.nas.skeleton import DIGITS

EPOCHS = 30
_BATCH = 50
_RATE, _MOMENTUM, _DECAY = 0.05, 0.9, 5e-4  # of the weights, as where cells are trained, for half the batch
_ALPHA_RATE, _ALPHA_BETAS, _ALPHA_DECAY = 0.01, (0.5, 0.999), 1e-3
_SPREAD = 1e-3  # of the first logits
_PULL = 1.0  # of RARTS' networks to each other; the weight of its training loss is 1 as well


Batch = tuple[Tensor, Tensor]
"""Pixels (N, S, H, W) and classes (N, S)."""


@dataclass(frozen=True)
class Arm:
    """A way to search.

    Attributes:
        title: for readers.
        partial: operations see one of so many channels.
        has_edges: whether the edges of a node are weighed.
        warm_up: share of the epochs in which only the weights move.
        alpha_rate: step of Adam on the mixture. DARTS takes 3e-4 for 19,500 steps; here are 600.
        splits: whether a second network learns from the validation images.
    """

    title: str
    partial: int = 1
    has_edges: bool = False
    warm_up: float = 0.0
    alpha_rate: float = _ALPHA_RATE
    splits: bool = False


ARMS: Mapping[str, Arm] = {
    "darts": Arm("DARTS, first order"),
    "pc_darts": Arm("PC-DARTS", partial=2, has_edges=True, warm_up=0.3),
    "rarts": Arm("RARTS", splits=True),
}
"""PC-DARTS lets operations see a quarter of 16 channels; there are 8 here, and a half leaves them as many."""


@dataclass(frozen=True, eq=False)
class Trace:
    """What a search went through.

    Attributes:
        cells: (E, S, 6) the cell that each seed would answer with after every epoch.
        mixture: (S, 6, 5) the weights of the operations at the end.
        cpu_s: of the whole search.
    """

    cells: NDArray[np.int64]
    mixture: NDArray[np.float64]
    cpu_s: float


def search(arm: Arm, seeds: Sequence[int], *, epochs: int = EPOCHS) -> Trace:
    """Search with several seeds at once; on one machine with one torch thread, the same bits every time.

    The validation images are those that every search on this task may look at; test images are not touched.
    """
    started = time.process_time()
    turns = (_SplitTurns if arm.splits else _Turns)(arm, seeds)
    cells = []
    for epoch in range(epochs):
        turns.epoch(epoch, epochs)
        cells.append(turns.cells())
    mixture = turns.mixture().detach().double().numpy()
    return Trace(np.array(cells), mixture, time.process_time() - started)


class _Turns:
    def __init__(self, arm: Arm, seeds: Sequence[int]) -> None:
        self._arm = arm
        self._network = MixedCellNetwork(DIGITS, seeds, partial=arm.partial)
        self._draws = [np.random.default_rng([seed, 3]) for seed in seeds]
        first = np.stack([rng.standard_normal((len(EDGES), len(OPERATIONS) + 1)) for rng in self._draws])
        logits = torch.from_numpy((_SPREAD * first).astype(np.float32))  # (S, 6, 5 + 1)
        self._alpha, self._beta = logits[..., :-1].clone().requires_grad_(), logits[..., -1].clone().requires_grad_()
        self._weights = _descent(self._network)
        moved = [self._alpha, self._beta] if arm.has_edges else [self._alpha]
        self._architecture = torch.optim.Adam(moved, lr=arm.alpha_rate, betas=_ALPHA_BETAS, weight_decay=_ALPHA_DECAY)

    def mixture(self) -> Tensor:
        return torch.softmax(self._alpha, dim=2)

    def cells(self) -> NDArray[np.int64]:
        """The cell (S, 6) of each seed: on every edge the operation with the largest weight, none among them."""
        return np.asarray(self._alpha.detach().argmax(dim=2).numpy())

    def epoch(self, epoch: int, epochs: int) -> None:
        training = _stacked([training_epoch(rng) for rng in self._draws])
        validation = _stacked([_drawn(validation_images(), len(training[0]), rng) for rng in self._draws])
        batches = len(training[0]) // _BATCH
        for step in range(batches):
            done = (epoch + step / batches) / epochs
            self._turn(
                _part(training, step),
                _part(validation, step),
                0.5 * _RATE * (1.0 + cos(pi * done)),
                moves=epoch >= self._arm.warm_up * epochs,
            )

    def _turn(self, training: Batch, validation: Batch, rate: float, *, moves: bool) -> None:
        """One step of the mixture, where it moves, and one of the weights."""
        if moves:
            self._step(self._architecture, self._loss(self._network, validation))
        _set_rate(self._weights, rate)
        self._step(self._weights, self._loss(self._network, training))

    def _loss(self, network: MixedCellNetwork, batch: Batch) -> Tensor:
        edges = _edge_weights(self._beta) if self._arm.has_edges else None
        logits = network(batch[0].contiguous(memory_format=torch.channels_last), self.mixture(), edges=edges)
        # Summed over seeds, so that each seed's gradient is its own.
        return nn.functional.cross_entropy(logits.flatten(0, 1), batch[1].flatten(), reduction="sum") / _BATCH

    def _step(self, optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        self._weights.zero_grad()
        self._architecture.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()


class _SplitTurns(_Turns):
    """RARTS: the second network starts as the first."""

    def __init__(self, arm: Arm, seeds: Sequence[int]) -> None:
        super().__init__(arm, seeds)
        self._second = copy.deepcopy(self._network)
        self._second_weights = _descent(self._second)

    def _turn(self, training: Batch, validation: Batch, rate: float, *, moves: bool) -> None:
        for optimiser in (self._weights, self._second_weights):
            _set_rate(optimiser, rate)
        self._step(self._weights, self._loss(self._network, training) + _pull(self._network, self._second))
        self._step(self._second_weights, self._loss(self._second, validation) + _pull(self._second, self._network))
        self._step(self._architecture, self._loss(self._second, validation) + self._loss(self._network, training))

    def _step(self, optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        self._second_weights.zero_grad()
        super()._step(optimiser, loss)


def _descent(network: nn.Module) -> torch.optim.SGD:
    return torch.optim.SGD(
        network.parameters(), lr=_RATE, momentum=_MOMENTUM, nesterov=True, weight_decay=_DECAY, foreach=True
    )


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    optimiser.param_groups[0]["lr"] = rate


def _pull(moved: nn.Module, fixed: nn.Module) -> Tensor:
    """Half the squared distance, of which the gradient goes to one network only."""
    pairs = zip(moved.parameters(), fixed.parameters(), strict=True)
    return 0.5 * _PULL * torch.stack([(one - other.detach()).square().sum() for one, other in pairs]).sum()


def _part(images: Batch, step: int) -> Batch:
    part = slice(step * _BATCH, (step + 1) * _BATCH)
    return images[0][part], images[1][part]


def _edge_weights(beta: Tensor) -> Tensor:
    """Weights (S, 6) of edges: a softmax over those that go to the same node."""
    nodes = [[e for e, (to, _) in enumerate(EDGES) if to == node] for node in range(1, NODES)]
    return torch.cat([torch.softmax(beta[:, edges], dim=1) for edges in nodes], dim=1)


def _drawn(images: Images, n: int, rng: np.random.Generator) -> Images:
    chosen = rng.permutation(len(images.classes))[:n]
    return Images(images.pixels[chosen], images.classes[chosen])


def _stacked(drawn: Sequence[Images]) -> Batch:
    pixels = torch.from_numpy(np.stack([images.pixels for images in drawn], axis=1))
    return pixels, torch.from_numpy(np.stack([images.classes for images in drawn], axis=1))
