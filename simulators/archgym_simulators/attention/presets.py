"""Published accelerators, configured for a layer as their authors do."""

from __future__ import annotations

__all__ = ["PRESETS", "preset"]

from collections.abc import Callable, Mapping
from functools import partial

from archgym_simulators.attention.model import AttentionDesign
from archgym_simulators.attention.workloads import AttentionShape
from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean

_MIB = 2**20
_FLAT_ROWS = 1024  # most rows of scores that FLAT keeps together, by its published choices


def preset(name: str, shape: AttentionShape) -> AttentionDesign:
    """The design of that name, with query tiles and the place of scores chosen for ``shape``.

    Raises:
        InputError: for an unknown name, with the nearest match.
    """
    if name not in PRESETS:
        raise InputError(f"unknown preset {name!r}{did_you_mean(name, PRESETS)}; allowed: {', '.join(PRESETS)}")
    return PRESETS[name](shape)


def _one_pass(shape: AttentionShape, *, softmax_on: str, side: int = 256, l3: int = 16 * _MIB) -> AttentionDesign:
    """FuseMax: as many query tiles as L3 holds and the queries can be cut into evenly."""
    waiting = 2 * side if softmax_on == "1d" else 0
    row = 2 * (shape.e + shape.f + 2 + waiting)
    room = (l3 - 2 * side * (shape.e + shape.f)) // (side * row)
    tiles = _largest_divisor(-(-shape.queries // side), room)
    return AttentionDesign("1-pass", softmax_on, "row", "on-chip", "weight", "weight", side, side, l3, 400, tiles)


def _flat(shape: AttentionShape, *, side: int, l3: int, bandwidth: int) -> AttentionDesign:
    """FLAT: whole heads, else as many rows of scores as fit, else scores off the chip."""
    row = 2 * shape.keys
    arrays = (side, side, l3, bandwidth)
    if shape.queries * row <= l3:
        return AttentionDesign("3-pass", "1d", "head", "on-chip", "output", "output", *arrays, 1)
    tiles = min(max(1, _FLAT_ROWS // side), l3 // (side * row))
    if tiles:
        return AttentionDesign("3-pass", "1d", "row", "on-chip", "output", "output", *arrays, tiles)
    room = (l3 - 8 * side * (shape.e + shape.f)) // (2 * side * (shape.e + shape.f))
    tiles = max(1, min(_FLAT_ROWS // side, room))
    return AttentionDesign("3-pass", "1d", "row", "off-chip", "weight", "weight", *arrays, tiles)


def _unfused(shape: AttentionShape, *, cascade: str = "3-pass", softmax_on: str = "1d") -> AttentionDesign:
    side, l3 = 256, 32 * _MIB
    size = max(shape.e, shape.f)
    tiles = _largest_divisor(-(-shape.queries // side), (l3 - 2 * side * size) // (2 * side * size))
    return AttentionDesign(cascade, softmax_on, "none", "off-chip", "weight", "weight", side, side, l3, 400, tiles)


def _largest_divisor(number: int, limit: int) -> int:
    return max((d for d in range(1, min(number, max(limit, 1)) + 1) if number % d == 0), default=1)


PRESETS: Mapping[str, Callable[[AttentionShape], AttentionDesign]] = {
    "unfused": _unfused,
    "xnnpack": partial(_unfused, cascade="2-pass-xnnpack"),
    "flat": partial(_flat, side=256, l3=32 * _MIB, bandwidth=400),
    "flat-edge": partial(_flat, side=32, l3=_MIB // 2, bandwidth=50),
    "fusemax-cascade": partial(_one_pass, softmax_on="1d"),
    "fusemax-architecture": partial(_one_pass, softmax_on="2d"),
    "fusemax": partial(_one_pass, softmax_on="2d-interleaved"),
}
"""Name -> builder. ``fusemax-cascade`` and ``fusemax-architecture`` are FuseMax's +Cascade and +Architecture."""
