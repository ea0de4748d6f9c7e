"""MAESTRO's data-centric directives: ``S(1,1)K T(64,64)C C:64 T(Sz(R),1)Y``, read into numbers."""

from __future__ import annotations

__all__ = ["Directive", "Mapping", "parse_directives"]

import re
from collections.abc import Mapping as Names
from dataclasses import dataclass

from archgym_simulators.errors import InputError

_CLUSTER = re.compile(r"C:(\w+|Sz\(\w\))")
_DIRECTIVE = re.compile(r"([ST])\((\w+|Sz\(\w\)),(\w+|Sz\(\w\))\)([KCRSYX])('?)")


@dataclass(frozen=True)
class Directive:
    """One loop.

    Attributes:
        spatial: spread over sub-clusters, or one tile after another.
        size: of the tile.
        offset: from one tile to the next; below ``size`` where tiles overlap.
        dimension: ``"K"``, ``"C"``, ``"R"``, ``"S"``, ``"Y"`` or ``"X"``.
        of_outputs: whether size and offset of Y and X count output rows and columns, not input ones.
    """

    spatial: bool
    size: int
    offset: int
    dimension: str
    of_outputs: bool


@dataclass(frozen=True)
class Mapping:
    """Levels of loops, outermost first, and the sizes of the clusters between them."""

    levels: tuple[tuple[Directive, ...], ...]
    clusters: tuple[int, ...]


def parse_directives(text: str, sizes: Names[str, int]) -> Mapping:
    """Read a mapping; ``Sz(R)`` is the layer's size of R.

    Args:
        text: directives, separated by spaces; ``C:64`` starts a level in clusters of 64.
        sizes: of the layer, by dimension.

    Raises:
        InputError: naming the token that is no directive.
    """
    levels: list[list[Directive]] = [[]]
    clusters = []
    for token in text.split():
        cluster, directive = _CLUSTER.fullmatch(token), _DIRECTIVE.fullmatch(token)
        if cluster:
            clusters.append(_number(cluster[1], sizes, token))
            levels.append([])
        elif directive:
            kind, size, offset, dimension, prime = directive.groups()
            numbers = _number(size, sizes, token), _number(offset, sizes, token)
            levels[-1].append(Directive(kind == "S", *numbers, dimension, bool(prime)))
        else:
            raise InputError(f"{token!r} is no directive; expected S(size,offset)K, T(size,offset)Y' or C:size")
    return Mapping(tuple(tuple(level) for level in levels), tuple(clusters))


def _number(text: str, sizes: Names[str, int], token: str) -> int:
    value = sizes.get(text[3:-1], 0) if text.startswith("Sz") else int(text) if text.isdigit() else 0
    if value < 1:
        raise InputError(f"{token!r}: {text!r} is no whole number from 1 and no Sz(dimension)")
    return value
