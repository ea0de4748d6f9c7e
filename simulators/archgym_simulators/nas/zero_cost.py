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
from archgym_simulators.nas.digits_table import SCORE_NAMES
from archgym_simulators.nas.digits_task import SIDE, training_epoch
from archgym_simulators.nas.skeleton import DIGITS

_BATCH = 32
_PERTURBATION = 0.01
_TINY = 1e-5
_ZEN_SEED = 20204

Batch = tuple[Tensor, Tensor]
"""Images (N, 1, H, W) and classes (N,)."""
WeightGradients = list[tuple[Tensor, Tensor]]
"""Every convolution's weights and their gradient."""

SCORES = SCORE_NAMES


def scores_of(cell: Cell, seed: int) -> dict[str, float]:
    """Every score by name; a network that passes nothing on has the lowest finite ones."""
    drawn = training_epoch(np.random.default_rng([seed, 2]))
    batch = torch.from_numpy(drawn.pixels[:_BATCH, None]), torch.from_numpy(drawn.classes[:_BATCH])
    network = CellNetwork(cell, DIGITS, seed)
    # The last one changes the weights.
    found = {**_of_one_pass(network, batch), "zen": _zen(network), "synflow": _synflow(network)}
    return {name: found[name] if np.isfinite(found[name]) else -1e9 for name in SCORES}


def _of_one_pass(network: CellNetwork, batch: Batch) -> dict[str, float]:
    """The four scores that look at one batch, from one pass through the network and two back."""
    images = batch[0].clone().requires_grad_()
    alike = torch.zeros(len(images), len(images), dtype=torch.float64)

    def count(_: nn.Module, inputs: tuple[Tensor, ...], __: Tensor) -> None:
        on = (inputs[0].detach().flatten(1) > 0).float()  # counts below 2^24 are exact
        alike.add_(on @ on.T + (1.0 - on) @ (1.0 - on).T)

    with _on_every(network, nn.ReLU, count):
        logits = network(images)
    loss = nn.functional.cross_entropy(logits, batch[1])
    gradients = _weight_gradients(network, loss, retain_graph=True)
    return {
        "grad_norm": _grad_norm(gradients),
        "snip": _snip(gradients),
        "jacob_cov": _jacobian_covariance(images, logits),
        "naswot": _naswot(alike),
    }


def _grad_norm(gradients: WeightGradients) -> float:
    """Norm of the loss's gradient (Abdelfattah et al., ICLR 2021)."""
    return sum(float(gradient.norm()) for _, gradient in gradients)


def _snip(gradients: WeightGradients) -> float:
    """Sum of |weight * gradient| (Lee et al., ICLR 2019)."""
    return sum(float((weight * gradient).abs().sum()) for weight, gradient in gradients)


def _synflow(network: CellNetwork) -> float:
    """Logarithm of the sum of weight * d(output) / d(weight), of absolute weights and an image of ones.

    Tanaka et al., NeurIPS 2020. Normalisation is off, so that signals only add up; the product of layers needs float64.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    network = network.double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    output = network(torch.ones(1, 1, SIDE, SIDE, dtype=torch.float64)).sum()
    flow = sum((weight * gradient).sum() for weight, gradient in _weight_gradients(network, output))
    return float(torch.log(torch.as_tensor(flow)))


def _jacobian_covariance(images: Tensor, logits: Tensor) -> float:
    """How differently the output answers to changes of different images (Mellor et al., 2020).

    With eigenvalues v of the correlation between the images' Jacobians: -sum(log v + 1 / v).
    """
    (jacobian,) = torch.autograd.grad(logits.sum(), images, allow_unused=True, materialize_grads=True)
    rows = jacobian.flatten(1).double()
    centred = rows - rows.mean(dim=1, keepdim=True)
    norms = centred.norm(dim=1, keepdim=True)
    if float(norms.min()) == 0.0:
        return float("-inf")
    unit = centred / norms
    values = torch.linalg.eigvalsh(unit @ unit.T).clamp(min=0.0) + _TINY
    return float(-(values.log() + 1.0 / values).sum())


def _naswot(alike: Tensor) -> float:
    """Log determinant of how many rectifiers two images switch alike (Mellor et al., ICML 2021)."""
    return float(torch.linalg.slogdet(alike).logabsdet)


def _zen(network: CellNetwork) -> float:
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


def _weight_gradients(network: CellNetwork, value: Tensor, *, retain_graph: bool = False) -> WeightGradients:
    weights = [module.weight for module in network.modules() if isinstance(module, nn.Conv2d)]
    gradients = torch.autograd.grad(
        value, weights, allow_unused=True, materialize_grads=True, retain_graph=retain_graph
    )
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
