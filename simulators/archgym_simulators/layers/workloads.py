"""Workloads of the DNN families: networks, single layers, inline shapes, tables by path, and lists of these."""

from __future__ import annotations

__all__ = ["DnnWorkload", "canonical_spec", "workload", "workload_descriptions"]

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from archgym_simulators.errors import InputError
from archgym_simulators.layers.catalogue import NETWORKS, Network, network_layers
from archgym_simulators.layers.csv_files import read_layers
from archgym_simulators.layers.features import layer_features
from archgym_simulators.layers.inline import INLINE_KINDS, parse_inline
from archgym_simulators.layers.layer import Layer, unique_layers
from archgym_simulators.nearest import allowed_values, as_number, did_you_mean

_ARGUMENT = re.compile(r"\s*[A-Za-z_]+\s*=")
_LONGEST_SHOWN = 80


@dataclass(frozen=True)
class DnnWorkload:
    """Layers that an accelerator runs one after another.

    Attributes:
        name: canonical spec or path.
        layers: distinct shapes, each with its repetitions.
        features: in [0, 1], named by `archgym_simulators.layers.features.FEATURE_NAMES`.
        digest: hash of the shapes.
    """

    name: str
    layers: tuple[Layer, ...]
    features: tuple[float, ...]
    digest: str

    @property
    def total_macs(self) -> int:
        """Multiply-accumulates of all layers and repetitions."""
        return sum(layer.total_macs for layer in self.layers)


def workload(spec: str) -> DnnWorkload:
    """The layers that a spec names.

    A spec is a list, separated by commas, of: a network (``resnet18``, ``bert-base:seq=128,batch=8``), some of its
    layers (``resnet18/conv2_1``, ``resnet18/conv2_*``), a shape (``gemm:512x768x3072``, ``conv:56x56x64x64x3x3s1``), or
    the path of a CSV file (`archgym_simulators.layers.csv_files`), also with ``/layer`` after it. A layer that a table
    repeats (one block of a transformer stands for all) keeps its repetitions.

    >>> [layer.repeat for layer in workload("resnet18/conv2_*").layers]
    [4]

    Raises:
        InputError: one line with the token, what is allowed and the nearest match.
    """
    parts = [_part(token) for token in _tokens(spec)]
    names = [name for name, _ in parts]
    if len(parts) == 1:
        layers = parts[0][1]
    else:
        layers = tuple(replace(one, name=f"{name}/{one.name}") for name, found in parts for one in found)
    merged = unique_layers(layers)
    digest = hashlib.sha256(repr([(*layer.shape, layer.repeat) for layer in merged]).encode()).hexdigest()[:16]
    return DnnWorkload(",".join(names), merged, layer_features(merged), digest)


def canonical_spec(spec: str) -> str:
    """The one spelling of a spec: no default arguments, in declared order.

    >>> canonical_spec("bert-base:batch=1, seq=128")
    'bert-base:seq=128'
    """
    return ",".join(_part(token)[0] for token in _tokens(spec))


def workload_descriptions() -> Mapping[str, str]:
    """Networks by name, each with one sentence."""
    return {name: network.description for name, network in NETWORKS.items()}


def _tokens(spec: str) -> list[str]:
    if not spec.strip():
        raise InputError("a workload must be a network, a layer, a shape or a path, not an empty text")
    if os.path.isfile(spec):
        return [spec]
    tokens: list[str] = []
    for piece in spec.split(","):
        # An argument such as batch=8 belongs to the network before it.
        if tokens and _ARGUMENT.match(piece):
            tokens[-1] += "," + piece
        else:
            tokens.append(piece.strip())
    return tokens


def _part(token: str) -> tuple[str, tuple[Layer, ...]]:
    """Canonical name and layers of one item of a list."""
    head = re.split("[:/]", token, maxsplit=1)[0]
    if head in INLINE_KINDS and token.startswith(f"{head}:"):
        layer = parse_inline(token)
        return layer.name, (layer,)
    if head in NETWORKS:
        return _from_network(token, NETWORKS[head])
    if _looks_like_a_path(token):
        return _from_path(token)
    known = [*NETWORKS, *(f"{kind}:" for kind in INLINE_KINDS)]
    hint = did_you_mean(head, NETWORKS) or did_you_mean(f"{head}:", known)
    raise InputError(
        f"unknown workload {_cut(token)!r}{hint}; allowed are a network ({', '.join(NETWORKS)}), gemm:MxNxK, "
        "conv:PxQxCxKxRxS or the path of a CSV file"
    )


def _from_network(token: str, network: Network) -> tuple[str, tuple[Layer, ...]]:
    name, _, wanted = token.partition("/")
    text = name.partition(":")[2]
    if ":" in wanted:
        raise InputError(f"workload {_cut(token)!r}: arguments come before the layer, as in 'bert-base:seq=128/ffn_up'")
    values = _arguments(network, text) if ":" in name else {}
    shown = [f"{a.name}={values[a.name]}" for a in network.arguments if values.get(a.name, a.default) != a.default]
    spelt = network.name + (":" + ",".join(shown) if shown else "")
    layers = network_layers(network, values)
    if "/" not in token:
        return spelt, layers
    return f"{spelt}/{wanted}", _chosen(spelt, layers, wanted)


def _arguments(network: Network, text: str) -> dict[str, int]:
    allowed = {argument.name: argument for argument in network.arguments}
    values: dict[str, int] = {}
    for item in text.split(","):
        key, equals, value = (part.strip() for part in item.partition("="))
        if not equals or key not in allowed or key in values:
            what = "repeated" if key in values else "unknown"
            raise InputError(
                f"workload {network.name!r}: {what} argument {_cut(item)!r}{did_you_mean(key, allowed)}; allowed are "
                + ", ".join(f"{name}=NUMBER" for name in allowed)
            )
        number = as_number(value)
        if type(number) is not int or not 1 <= number <= allowed[key].high:
            raise InputError(
                f"workload {network.name!r}: {key} must be a whole number 1..{allowed[key].high}, not {_cut(value)!r}"
            )
        values[key] = number
    return values


def _from_path(token: str) -> tuple[str, tuple[Layer, ...]]:
    path, wanted = token, ""
    if not os.path.exists(token) and ".csv/" in token.lower():
        cut = token.lower().rindex(".csv/") + len(".csv")
        path, wanted = token[:cut], token[cut + 1 :]
    layers = read_layers(path)
    return (token, _chosen(path, layers, wanted)) if wanted else (path, layers)


def _chosen(network: str, layers: tuple[Layer, ...], wanted: str) -> tuple[Layer, ...]:
    chosen = tuple(layer for layer in layers if layer.name == wanted or fnmatchcase(layer.name, wanted))
    if chosen:
        return chosen
    names = [layer.name for layer in layers]
    raise InputError(
        f"{network} has no layer {_cut(wanted)!r}{did_you_mean(wanted, names)}; it has {allowed_values(names)}"
    )


def _looks_like_a_path(text: str) -> bool:
    return os.path.exists(text) or ".csv" in text.lower() or text.startswith(("/", "./", "../"))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."
