"""Six scores of an untrained cell: what is known of its accuracy for a hundredth of a training.

Needs the extra ``nas``. Scores are of the network of the jitter-digits task at one seed's initial weights, on one batch
of training images; more is better in all of them.
"""

from __future__ import annotations

__all__ = ["SCORES", "scores_of"]

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from archgym_simulators.nas.cell_network import CellNetwork
from archgym_simulators.nas.cells import Cell
from archgym_simulators.nas.digits_task import SIDE, training_epoch
from archgym_simulators.nas.skeleton import DIGITS

_BATCH = 32
_PERTURBATION = 0.01
_TINY = 1e-5
_ZEN_SEED = 20204

Batch = tuple[Tensor, Tensor]
"""Images (N, 1, H, W) and classes (N,)."""


def scores_of(cell: Cell, seed: int) -> dict[str, float]:
    """Every score by name; a network that passes nothing on has the lowest finite ones."""
    drawn = training_epoch(np.random.default_rng([seed, 2]))
    batch = torch.from_numpy(drawn.pixels[:_BATCH, None]), torch.from_numpy(drawn.classes[:_BATCH])
    found = {}
    for name, score in SCORES.items():
        value = score(CellNetwork(cell, DIGITS, [seed]), batch)
        found[name] = value if np.isfinite(value) else -1e9
    return found


def _grad_norm(network: CellNetwork, batch: Batch) -> float:
    """Norm of the loss's gradient (Abdelfattah et al., ICLR 2021)."""
    return sum(float(gradient.norm()) for _, gradient in _weight_gradients(network, _loss(network, batch)))


def _snip(network: CellNetwork, batch: Batch) -> float:
    """Sum of |weight * gradient| (Lee et al., ICLR 2019)."""
    return sum(float((weight * g).abs().sum()) for weight, g in _weight_gradients(network, _loss(network, batch)))


def _synflow(network: CellNetwork, batch: Batch) -> float:
    """Logarithm of the sum of weight * d(output) / d(weight), of absolute weights and an image of ones.

    Tanaka et al., NeurIPS 2020. Normalisation is off, so that signals only add up; the product of layers needs float64.
    """
    network = network.double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    output = network(torch.ones(1, 1, SIDE, SIDE, dtype=torch.float64)).sum()
    flow = sum((weight * gradient).sum() for weight, gradient in _weight_gradients(network, output))
    return float(torch.log(torch.as_tensor(flow)))


def _jacobian_covariance(network: CellNetwork, batch: Batch) -> float:
    """How differently the output answers to changes of different images (Mellor et al., 2020).

    With eigenvalues v of the correlation between the images' Jacobians: -sum(log v + 1 / v).
    """
    images = batch[0].clone().requires_grad_()
    (jacobian,) = torch.autograd.grad(network(images).sum(), images, allow_unused=True, materialize_grads=True)
    rows = jacobian.flatten(1).double()
    centred = rows - rows.mean(dim=1, keepdim=True)
    norms = centred.norm(dim=1, keepdim=True)
    if float(norms.min()) == 0.0:
        return float("-inf")
    unit = centred / norms
    values = torch.linalg.eigvalsh(unit @ unit.T).clamp(min=0.0) + _TINY
    return float(-(values.log() + 1.0 / values).sum())


def _naswot(network: CellNetwork, batch: Batch) -> float:
    """Log determinant of how many rectifiers two images switch alike (Mellor et al., ICML 2021)."""
    alike = torch.zeros(len(batch[0]), len(batch[0]), dtype=torch.float64)

    def count(_: nn.Module, inputs: tuple[Tensor, ...], __: Tensor) -> None:
        on = (inputs[0].flatten(1) > 0).double()
        alike.add_(on @ on.T + (1.0 - on) @ (1.0 - on).T)

    with torch.no_grad(), _on_every(network, nn.ReLU, count):
        network(batch[0])
    return float(torch.linalg.slogdet(alike).logabsdet)


def _zen(network: CellNetwork, batch: Batch) -> float:
    """Zen-score: log of how far the features move with Gaussian images, and of the scales that were normalised away.

    Lin et al., ICCV 2021.
    """
    rng = torch.Generator().manual_seed(_ZEN_SEED)
    images, change = (torch.randn(_BATCH, 1, SIDE, SIDE, generator=rng) for _ in range(2))
    scales: list[Tensor] = []

    def note(_: nn.Module, inputs: tuple[Tensor, ...], __: Tensor) -> None:
        scales.append(inputs[0].var(dim=(0, 2, 3), unbiased=False).mean().sqrt())

    with torch.no_grad():
        with _on_every(network, nn.BatchNorm2d, note):
            before = network.features(images)
        moved = (network.features(images + _PERTURBATION * change) - before).abs().mean()
    positive = [scale for scale in scales if float(scale) > 0.0]
    return float(torch.log(moved) + sum(torch.log(scale) for scale in positive))


def _loss(network: CellNetwork, batch: Batch) -> Tensor:
    return nn.functional.cross_entropy(network(batch[0]).flatten(0, 1), batch[1])


def _weight_gradients(network: CellNetwork, value: Tensor) -> list[tuple[Tensor, Tensor]]:
    weights = [module.weight for module in network.modules() if isinstance(module, nn.Conv2d)]
    gradients = torch.autograd.grad(value, weights, allow_unused=True, materialize_grads=True)
    return [(weight.detach(), gradient) for weight, gradient in zip(weights, gradients, strict=True)]


@contextmanager
def _on_every(network: nn.Module, kind: type[nn.Module], look: Callable[..., None]) -> Iterator[None]:
    """Call ``look(module, inputs, output)`` after every module of a kind."""
    handles = [module.register_forward_hook(look) for module in network.modules() if isinstance(module, kind)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


SCORES: dict[str, Callable[[CellNetwork, Batch], float]] = {
    "grad_norm": _grad_norm,
    "snip": _snip,
    "synflow": _synflow,
    "jacob_cov": _jacobian_covariance,
    "naswot": _naswot,
    "zen": _zen,
}
