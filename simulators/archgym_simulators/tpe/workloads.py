"""Workloads of tensor engines: matrix products of networks, the operands' formats, and what values they have."""

from __future__ import annotations

__all__ = ["DEFAULT_PRECISION", "TpeWorkload", "draw_tpe_workload", "workload", "workload_descriptions"]

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.layers.features import FEATURE_NAMES
from archgym_simulators.layers.layer import Layer
from archgym_simulators.layers.splits import draw_layers
from archgym_simulators.layers.workloads import workload as dnn_workload
from archgym_simulators.layers.workloads import workload_descriptions as network_descriptions
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.tpe.encodings import digit_counts
from archgym_simulators.tpe.operands import DEFAULT_OPERANDS, Distribution, code_probabilities, distribution_of
from archgym_simulators.tpe.precision import Precision, precision_of

Integers = NDArray[np.int64]

DEFAULT_PRECISION = "int8"
_LARGEST_TOTAL = 2**49
_PRECISIONS_DRAWN = ("int8", "int8", "int4", "int16", "int8xint4", "e4m3", "e2m1", "e3m2")
_SPREADS_DRAWN = {"train": (10, 20, 40), "dev": (15, 30), "test": (12, 25, 50)}

FEATURES = (
    *FEATURE_NAMES,
    *(f"{side}_{what}" for side in "ab" for what in ("bits", "exponent_bits", "booth_digits", "ones")),
)
"""Layer features, then for both operands: bits / 16, exponent bits / 8, mean digits and ones as shares of the bits."""


@dataclass(frozen=True)
class TpeWorkload:
    """Matrix products M x N x K with the formats and values of A (M x K, activations) and B (K x N, weights).

    Attributes:
        name: canonical spec.
        layers: distinct shapes with their repetitions.
        precisions: of A and B.
        distributions: of A and B.
        features: named by `FEATURES`.
        digest: of everything that changes a number.
    """

    name: str
    layers: tuple[Layer, ...]
    precisions: tuple[Precision, Precision]
    distributions: tuple[Distribution, Distribution]
    features: tuple[float, ...]
    digest: str

    def products(self) -> Integers:
        """M, N, K and how often: (L, 4)."""
        shapes = [(*layer.gemm_mnk, layer.groups * layer.repeat) for layer in self.layers]
        return np.array(shapes, dtype=np.int64).reshape(len(shapes), 4)

    @property
    def total_macs(self) -> int:
        """Multiply-accumulates of all layers and repetitions."""
        return sum(layer.total_macs for layer in self.layers)


def workload(spec: str) -> TpeWorkload:
    """The workload of a spec ``LAYERS[@PRECISION][;a=OPERANDS][;b=OPERANDS]``.

    Layers are those of `archgym_simulators.layers.workloads`; a precision is one of
    `archgym_simulators.tpe.precision.PRECISIONS` or two with an x between (``int8xint4``: A has 8 bits, B 4); operands
    are those of `archgym_simulators.tpe.operands.distribution_of`.

    >>> workload("gemm:64x64x64@int8xint4;b=laplace:20").name
    'gemm:64x64x64@int8xint4;b=laplace:20'

    Raises:
        InputError: one line with the part that is wrong.
    """
    head, *options = spec.split(";")
    layers_spec, at, precision = head.partition("@")
    described = dnn_workload(layers_spec.strip())
    formats = _precisions(precision.strip() if at else DEFAULT_PRECISION)
    operands = _operands(spec, options)
    total = described.total_macs
    if total > _LARGEST_TOTAL:
        raise InputError(f"the workload needs {total:.3g} MACs; at most {_LARGEST_TOTAL:.3g} are run")
    name = described.name + "@" + "x".join(dict.fromkeys(p.name for p in formats))
    for key, distribution in zip("ab", operands, strict=True):
        if distribution.spec != DEFAULT_OPERANDS:
            name += f";{key}={distribution.spec}"
    text = repr([described.digest, [p.name for p in formats], [(d.spec, d.digest) for d in operands]])
    features = described.features + _operand_features(formats, operands)
    return TpeWorkload(
        name, described.layers, formats, operands, features, hashlib.sha256(text.encode()).hexdigest()[:16]
    )


def workload_descriptions() -> Mapping[str, str]:
    """Built-in workloads: networks at INT8, and a few at other precisions."""
    networks = {name: f"{sentence} (INT8)" for name, sentence in network_descriptions().items()}
    further = {
        "resnet18@int4": "ResNet-18 in INT4",
        "bert-base@int16": "BERT base in INT16",
        "bert-base@e4m3": "BERT base in minifloats E4M3",
        "vit-b@e2m1": "ViT-B in minifloats E2M1",
    }
    return networks | further


def draw_tpe_workload(split: str, rng: np.random.Generator) -> str:
    """Draw the spec of one workload; spreads of the operands belong to one split.

    Raises:
        InputError: an unknown split.
    """
    layers = draw_layers(split, rng)
    precision = _PRECISIONS_DRAWN[int(rng.integers(len(_PRECISIONS_DRAWN)))]
    spreads = _SPREADS_DRAWN[split]
    kind = ("normal", "laplace")[int(rng.integers(2))]
    return f"{layers}@{precision};a={kind}:{spreads[int(rng.integers(len(spreads)))]}"


def _precisions(text: str) -> tuple[Precision, Precision]:
    parts = text.split("x")
    if not 1 <= len(parts) <= 2:
        raise InputError(f"precision {text!r} must be one format or two, as in int8xint4")
    formats = [precision_of(part.strip()) for part in parts]
    return formats[0], formats[-1]


def _operands(spec: str, options: list[str]) -> tuple[Distribution, Distribution]:
    found = {"a": distribution_of(DEFAULT_OPERANDS), "b": distribution_of(DEFAULT_OPERANDS)}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or key.strip() not in found:
            hint = did_you_mean(key.strip(), found)
            raise InputError(f"workload {spec!r}: {option!r} must be a=OPERANDS or b=OPERANDS{hint}")
        found[key.strip()] = distribution_of(value)
    return found["a"], found["b"]


def _operand_features(
    formats: tuple[Precision, Precision], operands: tuple[Distribution, Distribution]
) -> tuple[float, ...]:
    features = []
    for precision, distribution in zip(formats, operands, strict=True):
        probabilities = code_probabilities(distribution, precision)
        features += [precision.bits / 16, precision.exponent_bits / 8]
        for encoding in ("booth", "sm-serial"):
            mean = float(np.add.reduce(probabilities * digit_counts(encoding, precision.bits)))
            features.append(mean / precision.bits)
    return tuple(features)
