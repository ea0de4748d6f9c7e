"""Where to split a supernet: between operations of an edge that pull the shared weights in other directions.

After GM-NAS (Hu et al., ICLR 2022). For every edge, the supernet is restricted to one of its operations after another;
the gradients of these restricted supernets at the weights that they share are compared by their cosine. The operations
are cut into the two groups that agree least, and the edges whose groups agree least are split.
"""

from __future__ import annotations

__all__ = ["Split", "agreement_of", "best_cut", "split_allowed", "splits_of"]

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from archgym_simulators.nas.cells import EDGES, OPERATIONS, Cell
from experiments.cell_supernet.sampling import UniformSampler
from experiments.cell_supernet.supernet import Supernet

_EVERY = tuple(range(len(OPERATIONS)))


@dataclass(frozen=True)
class Split:
    """Two groups of operations of an edge.

    Attributes:
        edge: which.
        groups: its operations.
        agreement: mean cosine of gradients between the groups.
    """

    edge: int
    groups: tuple[tuple[int, ...], tuple[int, ...]]
    agreement: float


def splits_of(supernet: Supernet, rng: np.random.Generator, *, contexts: int) -> list[Split]:
    """The best cut of every edge, the one with the least agreement first."""
    found = [best_cut(edge, agreement_of(supernet, edge, rng, contexts=contexts)) for edge in range(len(EDGES))]
    return sorted(found, key=lambda split: split.agreement)


def agreement_of(supernet: Supernet, edge: int, rng: np.random.Generator, *, contexts: int) -> NDArray[np.float64]:
    """Cosines (5, 5) of the gradients of an edge's operations at what they share, the mean over the seeds.

    All operations see the same images, and the same operations on the other edges: ``contexts`` of each, summed.
    """
    sampler = UniformSampler([_EVERY] * len(EDGES), rng)
    seen = [(sampler.draw(), supernet.next_images()) for _ in range(contexts)]
    gradients = torch.stack([_gradient(supernet, edge, operation, seen) for operation in _EVERY])  # (5, S, P)
    unit = torch.nn.functional.normalize(gradients, dim=2)
    return np.asarray(torch.einsum("asp,bsp->ab", unit, unit).numpy() / supernet.network.seeds, dtype=np.float64)


def best_cut(edge: int, agreement: NDArray[np.float64]) -> Split:
    """The two groups of operations with the least mean agreement between them, of all 15 cuts."""
    first, others = _EVERY[0], _EVERY[1:]
    cuts = []
    for size in range(len(others)):
        for more in combinations(others, size):
            group = (first, *more)
            rest = tuple(one for one in _EVERY if one not in group)
            cuts.append(Split(edge, (group, rest), float(agreement[np.ix_(group, rest)].mean())))
    return min(cuts, key=lambda cut: cut.agreement)


def split_allowed(splits: Sequence[Split]) -> list[list[tuple[int, ...]]]:
    """What each part of a supernet may hold on every edge: every combination of the groups."""
    parts = []
    for chosen in product(*(split.groups for split in splits)):
        allowed = [_EVERY] * len(EDGES)
        for split, group in zip(splits, chosen, strict=True):
            allowed[split.edge] = group
        parts.append(allowed)
    return parts


def _gradient(
    supernet: Supernet, edge: int, operation: int, seen: Sequence[tuple[Cell, tuple[Tensor, Tensor]]]
) -> Tensor:
    """The gradient (S, P) at everything but the edge's own operations."""
    network = supernet.network
    network.zero_grad()
    for cell, images in seen:
        restricted = (*cell[:edge], operation, *cell[edge + 1 :])
        supernet.loss(restricted, images).backward()  # type: ignore[no-untyped-call]
    parts = []
    for name, parameter in network.named_parameters():
        if f".edges.{edge}." not in name:
            gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            parts.append(gradient.reshape(network.seeds, -1).clone())
    network.zero_grad()
    return torch.cat(parts, dim=1)
