"""Loops of MAESTRO's levels, and the cases into which the tool sorts their iterations; parts of `replay`."""

from __future__ import annotations

__all__ = ["FILTER_OF", "Case", "Loop", "combinations", "loop_of", "outputs_of", "past_the_end"]

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archgym_simulators.maestro.directives import Directive

Sizes = Mapping[str, int]
FILTER_OF = {"Y": "R", "X": "S"}
"""Input rows and columns, and the filter's."""


@dataclass(frozen=True)
class Case:
    """Iterations of one loop that cost the same.

    Attributes:
        is_first: whether it is the loop's first iteration.
        count: of iterations.
        tile: of a sub-cluster.
        active: sub-clusters at work.
        last: the tile of the last of them.
        ends_fold: whether it is the last fold of several over sub-clusters, and not a full one.
        fetches_whole: whether there is a single tile in that fold, which is fetched as a whole one.
    """

    is_first: bool
    count: int
    tile: int
    active: int
    last: int
    ends_fold: bool = False
    fetches_whole: bool = False


@dataclass(frozen=True)
class Loop:
    """One dimension of a level.

    Attributes:
        dimension: its letter.
        spatial: whether its tiles are spread over sub-clusters.
        size: of a whole tile.
        offset: from one tile to the next.
        cases: at least the first iteration.
        loses_last: whether the tool misses one of the tiles spread: they are whole and leave sub-clusters idle.
    """

    dimension: str
    spatial: bool
    size: int
    offset: int
    cases: tuple[Case, ...]
    loses_last: bool

    @property
    def step(self) -> int:
        """From one sub-cluster's tile to the next, in the extent that they hold together."""
        return min(self.offset, self.size)

    @property
    def iterations(self) -> int:
        """Of the whole loop."""
        return sum(case.count for case in self.cases)


@dataclass(frozen=True)
class _Cut:
    """Tiles along a dimension, and the size of the last; of a spread one, with the rows that a stride leaves over."""

    tiles: int
    last: int


def outputs_of(inputs: int, filters: int, stride: int) -> int:
    """Output rows that ``inputs`` rows give; below none, as in the tool, where there are fewer than a filter's."""
    return (inputs - filters) // stride + 1


def loop_of(directive: Directive, whole: Sizes, sizes: Sizes, units: int) -> Loop:
    """The loop of a directive, in input rows and columns, on a tile of ``sizes`` that is cut as one of ``whole`` is."""
    cut, here = _cut(directive, whole), _cut(directive, sizes)
    tile = directive.size if cut.tiles > 1 else cut.last
    if directive.spatial:
        cases = _spread_cases(directive.dimension, cut, here, tile, units)
    else:
        ends_partial = cut.tiles > 1 and cut.last < directive.size and here.last < directive.size
        cases = _temporal_cases(here.tiles, tile, cut.last, ends_partial)
    loses_last = directive.spatial and 1 < cut.tiles < units and cut.last == tile
    return Loop(directive.dimension, directive.spatial, directive.size, directive.offset, cases, loses_last)


def past_the_end(loop: Loop, rest: int) -> Loop:
    """A loop whose tile passes the last output, but not the last input: the tool takes only the ``rest`` after it."""
    return replace(loop, cases=(Case(True, 1, rest, 1, rest),), loses_last=False)


def combinations(loops: Sequence[Loop]) -> Iterator[tuple[int, tuple[Case, ...]]]:
    """Every choice of one case a loop, with the number of iterations it stands for."""
    for chosen in itertools.product(*(loop.cases for loop in loops)):
        times = 1
        for case in chosen:
            times *= case.count
        yield times, chosen


def _cut(directive: Directive, sizes: Sizes) -> _Cut:
    size, offset, n = directive.size, directive.offset, sizes[directive.dimension]
    if n <= size:
        return _Cut(1, n)
    steps = -(-(n - size) // offset)
    if directive.spatial:
        steps = min(steps, (n - 1) // offset)  # a tile of any rows at all has its sub-cluster, with a window or not
        return _Cut(steps + 1, n - steps * offset)
    filters = sizes.get(FILTER_OF.get(directive.dimension, ""), 0)
    if filters and size >= filters:
        steps = min(steps, (n - filters) // offset)  # a further tile would hold no window
    return _Cut(steps + 1, min(size, n - steps * offset))


def _temporal_cases(tiles: int, tile: int, last: int, ends_partial: bool) -> tuple[Case, ...]:
    if tiles == 1:
        only = last if ends_partial else tile
        return (Case(True, 1, only, 1, only),)
    cases = [Case(True, 1, tile, 1, tile), Case(False, tiles - 1 - ends_partial, tile, 1, tile)]
    cases += [Case(False, 1, last, 1, last)] if ends_partial else []
    return tuple(case for case in cases if case.count)


def _spread_cases(dimension: str, cut: _Cut, here: _Cut, tile: int, units: int) -> tuple[Case, ...]:
    folds, folds_here = -(-cut.tiles // units), -(-here.tiles // units)
    left = cut.tiles - (folds - 1) * units
    if folds == 1:
        return (Case(True, 1, tile, left, cut.last),)
    ends_partial = left < units or cut.last != tile
    at_end = left if cut.last == tile else max(left - 1, 1)  # the tool loses a whole tile beside a partial one
    busiest = tile if at_end > 1 else cut.last
    is_partial_here = here.tiles < units or here.last != tile
    if folds_here == 1 and ends_partial and is_partial_here:
        return (Case(True, 1, tile if dimension == "C" else busiest, at_end, cut.last),)
    cases = [Case(True, 1, tile, units, tile), Case(False, max(folds_here - 1 - ends_partial, 0), tile, units, tile)]
    if ends_partial and folds_here > 1:
        cases.append(Case(False, 1, busiest, at_end, cut.last, ends_fold=True, fetches_whole=left == 1))
    return tuple(case for case in cases if case.count)
