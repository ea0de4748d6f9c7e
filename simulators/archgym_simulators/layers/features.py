"""Eighteen numbers in [0, 1] that describe a list of layers to a learner."""

from __future__ import annotations

__all__ = ["FEATURE_DESCRIPTIONS", "FEATURE_NAMES", "layer_features"]

import math
from collections.abc import Callable, Sequence

from archgym_simulators.layers.layer import Layer


def layer_features(layers: Sequence[Layer]) -> tuple[float, ...]:
    """Describe layers with their repetitions; in the order of `FEATURE_NAMES`, all in [0, 1]."""
    return tuple(min(1.0, max(0.0, feature(layers))) for _, _, feature in _FEATURES)


def _total(layers: Sequence[Layer], of: Callable[[Layer], int]) -> int:
    return sum(of(layer) * layer.repeat for layer in layers)


def _macs(layers: Sequence[Layer]) -> int:
    return _total(layers, lambda layer: layer.macs)


def _share(layers: Sequence[Layer], which: Callable[[Layer], bool]) -> float:
    """Share of the MACs that is in some of the layers."""
    return _macs([layer for layer in layers if which(layer)]) / _macs(layers)


def _mean_log2(layers: Sequence[Layer], of: Callable[[Layer], int], scale: float) -> float:
    """Mean of log2, weighted by MACs, over ``scale``."""
    weighted = math.fsum(layer.total_macs * math.log2(of(layer)) for layer in layers)
    return weighted / _macs(layers) / scale


def _largest_share(layers: Sequence[Layer]) -> float:
    return max(layer.total_macs for layer in layers) / _macs(layers)


def _kind(*kinds: str) -> Callable[[Sequence[Layer]], float]:
    return lambda layers: _share(layers, lambda layer: layer.kind in kinds)


_FEATURES: tuple[tuple[str, str, Callable[[Sequence[Layer]], float]], ...] = (
    ("log_macs", "log2 of all multiply-accumulates over 48", lambda ls: math.log2(_macs(ls)) / 48),
    ("log_layers", "log2 of the number of layers, repetitions included, over 10", lambda ls: _log_count(ls) / 10),
    ("distinct_share", "distinct shapes over layers", lambda ls: len(ls) / _total(ls, lambda _: 1)),
    ("largest_share", "share of the MACs in the largest shape", _largest_share),
    ("conv_share", "share of the MACs in dense convolutions", _kind("conv")),
    ("grouped_share", "share of the MACs in depthwise and grouped convolutions", _kind("depthwise", "grouped")),
    ("gemm_share", "share of the MACs in matrix products with weights", _kind("gemm")),
    ("attention_share", "share of the MACs in products of activations", _kind("attention")),
    ("mean_m", "log2 of rows M, mean over MACs, over 20", lambda ls: _mean_log2(ls, _rows, 20)),
    ("mean_n", "log2 of columns N, mean over MACs, over 20", lambda ls: _mean_log2(ls, _columns, 20)),
    ("mean_k", "log2 of inner dimension K, mean over MACs, over 20", lambda ls: _mean_log2(ls, _inner, 20)),
    (
        "mean_groups",
        "log2 of groups, mean over MACs, over 14",
        lambda ls: _mean_log2(ls, lambda layer: layer.groups, 14),
    ),
    (
        "mean_window",
        "log2 of R * S, mean over MACs, over 8",
        lambda ls: _mean_log2(ls, lambda layer: layer.r * layer.s, 8),
    ),
    ("strided_share", "share of the MACs with a stride above 1", lambda ls: _share(ls, lambda layer: layer.stride > 1)),
    ("input_share", "inputs over all data", lambda ls: _total(ls, lambda layer: layer.input_words) / _words(ls)),
    ("weight_share", "weights over all data", lambda ls: _total(ls, lambda layer: layer.weight_words) / _words(ls)),
    ("intensity", "log2 of MACs per word of data over 14", lambda ls: math.log2(max(1.0, _macs(ls) / _words(ls))) / 14),
    ("log_words", "log2 of the mean layer's words of data over 32", lambda ls: math.log2(_mean_words(ls)) / 32),
)


def _rows(layer: Layer) -> int:
    return layer.gemm_mnk[0]


def _columns(layer: Layer) -> int:
    return layer.gemm_mnk[1]


def _inner(layer: Layer) -> int:
    return layer.gemm_mnk[2]


def _log_count(layers: Sequence[Layer]) -> float:
    return math.log2(_total(layers, lambda _: 1))


def _words(layers: Sequence[Layer]) -> int:
    return _total(layers, lambda layer: layer.words)


def _mean_words(layers: Sequence[Layer]) -> float:
    return _words(layers) / _total(layers, lambda _: 1)


FEATURE_NAMES: tuple[str, ...] = tuple(name for name, _, _ in _FEATURES)
FEATURE_DESCRIPTIONS: dict[str, str] = {name: description for name, description, _ in _FEATURES}
