"""Single layers written in a spec: `gemm:512x768x3072`, `conv:56x56x64x64x3x3s1`."""

from __future__ import annotations

__all__ = ["INLINE_KINDS", "parse_inline", "spell_inline"]

import re

from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import LARGEST_DIM, Layer, conv, gemm

INLINE_KINDS = {
    "gemm": "gemm:MxNxK is a matrix product, output M x N, inner dimension K; g8 after it does 8 independent ones.",
    "conv": "conv:PxQxCxKxRxSs1 is a convolution: output rows and columns, input and output channels, filter rows and "
    "columns, stride; g32 after it sets groups, n8 the batch.",
}
_DIMS = {"gemm": ("M", "N", "K"), "conv": ("P", "Q", "C", "K", "R", "S")}
_SUFFIXES = {"gemm": ("g",), "conv": ("s", "g", "n")}
_NUMBER = r"[+-]?[0-9.]+"
_BODY = re.compile(rf"({_NUMBER}(?:x{_NUMBER})*)((?:[a-z]{_NUMBER})*)", re.ASCII)


def parse_inline(spec: str) -> Layer:
    """The layer that an inline spec describes; its name is the canonical spelling.

    >>> parse_inline("gemm:512x768x3072").gemm_mnk
    (512, 768, 3072)
    >>> parse_inline("conv:56x56x64x64x3x3s1").name
    'conv:56x56x64x64x3x3'

    Raises:
        InputError: one line that names the spec, the wrong token and what is allowed.
    """
    kind, _, body = spec.partition(":")
    match = _BODY.fullmatch(body)
    if match is None:
        raise _refuse(spec, kind)
    names, numbers = _DIMS[kind], match[1].split("x")
    if len(numbers) != len(names):
        raise InputError(f"layer {spec!r} has {len(numbers)} dimensions, not {len(names)}: {'x'.join(names)}")
    dims = [_whole(spec, name, text) for name, text in zip(names, numbers, strict=True)]
    suffixes: dict[str, int] = {}
    for key, text in re.findall(rf"([a-z])({_NUMBER})", match[2]):
        if key not in _SUFFIXES[kind] or key in suffixes:
            raise _refuse(spec, kind)
        suffixes[key] = _whole(spec, key, text)
    groups = suffixes.get("g", 1)
    if kind == "gemm":
        m, n, k = dims
        layer = gemm(spec, m, n, k, groups=groups)
    else:
        p, q, c, k, r, s = dims
        stride, batch = suffixes.get("s", 1), suffixes.get("n", 1)
        layer = conv(spec, (p, q), channels=(c, k), kernel=(r, s), stride=stride, groups=groups, batch=batch)
    return layer if layer.name == spell_inline(layer) else parse_inline(spell_inline(layer))


def spell_inline(layer: Layer) -> str:
    """The canonical inline spec of a layer's shape, without its name and repetitions."""
    suffixes = [("g", layer.groups)]
    if layer.kind in ("gemm", "attention"):
        body = f"gemm:{layer.n}x{layer.k}x{layer.c}"
    else:
        channels = f"{layer.c * layer.groups}x{layer.k * layer.groups}"
        body = f"conv:{layer.p}x{layer.q}x{channels}x{layer.r}x{layer.s}"
        suffixes = [("s", layer.stride), *suffixes, ("n", layer.n)]
    return body + "".join(f"{key}{number}" for key, number in suffixes if number != 1)


def _whole(spec: str, name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:20]) <= LARGEST_DIM:
        raise InputError(f"layer {spec!r}: {name} must be a whole number 1..{LARGEST_DIM}, not {text}")
    return int(text)


def _refuse(spec: str, kind: str) -> InputError:
    return InputError(f"layer {spec!r} is not understood: {INLINE_KINDS[kind]}")
