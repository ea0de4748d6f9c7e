"""Workload distributions of the DNN families: "train", "dev" and "test".

Half of the draws are networks or single layers of them, half are generated shapes. A family of networks belongs to one
split. Generated dimensions (M, N, K of products; size, channels of convolutions) come from sorted grids, of which each
split owns a part: `archgym_simulators.splits`.
"""

from __future__ import annotations

__all__ = ["FAMILY_SPLITS", "draw_layers", "grid_values", "networks_of"]

from collections.abc import Mapping, Sequence
from typing import TypeVar

from numpy.random import Generator

from archgym_simulators.layers.catalogue import NETWORKS, network_layers
from archgym_simulators.splits import generator_of, part_of_grid

T = TypeVar("T")

FAMILY_SPLITS: Mapping[str, str] = {
    "alexnet": "train",
    "vgg": "train",
    "resnet": "train",
    "mobilenet": "train",
    "bert": "train",
    "gpt": "train",
    "dlrm": "train",
    "mnasnet": "dev",
    "vit": "dev",
    "efficientnet": "test",
    "llama": "test",
    "mixtral": "test",
    "dit": "test",
    "unet": "test",
}
"""Split of every family of networks."""
_DEEPEST_DRAWN_MACS = 2**44  # the longest contexts would drown everything else in a mean


def draw_layers(split: str, rng: Generator) -> str:
    """Draw the canonical spec of one workload; the same generator state gives the same spec.

    A quarter each: a whole network, one layer of one, a generated matrix product, a generated convolution.

    Args:
        split: ``"train"``, ``"dev"`` or ``"test"``.
        rng: for ``"test"`` it is mixed with the hidden seed of the test split.

    Raises:
        InputError: unknown split, or ``"test"`` without its seed.
    """
    rng = generator_of(split, rng)
    return _DRAWS[int(rng.integers(len(_DRAWS)))](split, rng)


def networks_of(split: str) -> tuple[str, ...]:
    """Names of the networks of a split."""
    return tuple(name for name, network in NETWORKS.items() if FAMILY_SPLITS[network.family] == split)


def grid_values(dimension: str, split: str) -> tuple[int, ...]:
    """Values of a generated dimension that belong to a split."""
    return part_of_grid(_GRIDS[dimension], split)


def _network(split: str, rng: Generator) -> str:
    return _choice(networks_of(split), rng)


def _layer(split: str, rng: Generator) -> str:
    name = _choice(networks_of(split), rng)
    small = [layer.name for layer in network_layers(NETWORKS[name], {}) if layer.macs <= _DEEPEST_DRAWN_MACS]
    return f"{name}/{_choice(small, rng)}"


def _gemm(split: str, rng: Generator) -> str:
    m, n, k = (_choice(grid_values(dimension, split), rng) for dimension in ("m", "n", "k"))
    return f"gemm:{m}x{n}x{k}"


def _conv(split: str, rng: Generator) -> str:
    size, c, k = (_choice(grid_values(dimension, split), rng) for dimension in ("size", "channels", "channels"))
    kernel, stride = _choice((1, 3, 3, 5), rng), _choice((1, 1, 1, 2), rng)
    if rng.random() < 0.2:
        k, groups = c, f"g{c}"
    else:
        groups = ""
    return f"conv:{size}x{size}x{c}x{k}x{kernel}x{kernel}" + ("s2" if stride == 2 else "") + groups


_DRAWS = (_network, _layer, _gemm, _conv)


def _choice(values: Sequence[T], rng: Generator) -> T:
    return values[int(rng.integers(len(values)))]


def _whole(low: int, high: int, count: int) -> tuple[int, ...]:
    """At most ``count`` distinct whole numbers, about in constant ratio."""
    ratio = high / low
    return tuple(sorted({round(low * ratio ** (index / (count - 1))) for index in range(count)}))


_GRIDS: Mapping[str, tuple[int, ...]] = {
    "m": _whole(1, 8192, 150),
    "n": _whole(16, 8192, 120),
    "k": _whole(16, 8192, 120),
    "size": _whole(7, 224, 90),
    "channels": _whole(16, 1024, 90),
}
