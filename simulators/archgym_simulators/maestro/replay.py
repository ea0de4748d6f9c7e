"""MAESTRO's own rules, replayed case by case for any directives: for comparison with the tool, one mapping at a time.

Where it differs from `model.simulate`: an operand counts as new only if it depends on the very loop that advanced;
partial tiles of an inner level are as large as those inside a whole outer tile; partial tiles are fetched as whole;
memory off the chip delivers the tiles of every iteration anew; what neighbours share is counted in one way where the
spread loop lies inside the loop that advanced, and in another where it lies outside.
"""

from __future__ import annotations

__all__ = ["ReplayResult", "replay"]

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archgym_simulators.errors import InputError
from archgym_simulators.maestro.directives import Directive
from archgym_simulators.maestro.directives import Mapping as DataflowMapping

Sizes = Mapping[str, int]
_ORDER = "KCRSYX"
_FILTER_OF = {"Y": "R", "X": "S"}


@dataclass(frozen=True)
class ReplayResult:
    """What MAESTRO reports of a mapping.

    Attributes:
        cycles: its runtime.
        l1_words: its L1 requirement, double-buffered.
        l2_words: its L2 requirement, double-buffered.
        l2_weight_reads: weights that leave L2.
        l2_input_reads: inputs that leave L2.
        l2_output_writes: outputs and partial sums that reach L2.
    """

    cycles: int
    l1_words: int
    l2_words: int
    l2_weight_reads: int
    l2_input_reads: int
    l2_output_writes: int


@dataclass(frozen=True)
class _Case:
    """Iterations of one loop that cost the same: of ``active`` sub-clusters, the last has a tile of ``last``."""

    is_first: bool
    count: int
    tile: int
    active: int
    last: int


@dataclass(frozen=True)
class _Loop:
    dimension: str
    spatial: bool
    offset: int
    cases: tuple[_Case, ...]

    @property
    def iterations(self) -> int:
        return sum(case.count for case in self.cases)


@dataclass(frozen=True)
class _Spread:
    """A dimension whose tile is repeated over sub-clusters."""

    dimension: str
    active: int
    last: int


def replay(
    mapping: DataflowMapping,
    sizes: Sizes,
    *,
    stride: int = 1,
    depthwise: bool = False,
    pes: int,
    noc_words: int,
    off_chip_words: int,
) -> ReplayResult:
    """Run one mapping as MAESTRO does.

    Args:
        mapping: directives.
        sizes: K, C, R, S and the input's Y and X; K of a depthwise convolution is 1.
        stride: in both directions.
        depthwise: whether channels C are not summed over.
        pes: processing elements.
        noc_words: words a cycle on the chip.
        off_chip_words: words a cycle off the chip.

    Raises:
        InputError: a cluster of more PEs than there are.
    """
    if mapping.clusters and mapping.clusters[0] > pes:
        raise InputError(f"a cluster of {mapping.clusters[0]} PEs is more than the {pes} that there are")
    model = _Replay(mapping, stride, depthwise, pes, noc_words, off_chip_words)
    cycles = model.runtime(0, sizes, sizes)
    return ReplayResult(cycles, model.l1_words, model.l2_words, *model.moved)


class _Replay:
    """One mapping on one layer; ``runtime`` of the outermost level fills the other attributes."""

    def __init__(
        self, mapping: DataflowMapping, stride: int, depthwise: bool, pes: int, noc_words: int, off_chip_words: int
    ) -> None:
        self.l1_words = self.l2_words = 0
        self.moved = [0, 0, 0]
        self._levels, self._stride, self._depthwise = mapping.levels, stride, depthwise
        inner = (*mapping.clusters[1:], 1)
        within = [size // smaller for size, smaller in zip(mapping.clusters, inner, strict=False)]
        self._units = [pes // mapping.clusters[0] if mapping.clusters else pes, *within]
        self._noc, self._off = noc_words, off_chip_words
        self._known: dict[tuple[object, ...], int] = {}
        self._coupled = ("CRS", "CYX", "CYX") if depthwise else ("KCRS", "CYX", "KYX")

    def runtime(self, level: int, whole: Sizes, sizes: Sizes) -> int:
        """Cycles of a level on a tile of ``sizes``, cut as a tile of ``whole`` is."""
        key = (level, *(whole[d] for d in _ORDER), *(sizes[d] for d in _ORDER))
        if key not in self._known:
            self._known[key] = self._runtime(level, whole, sizes)
        return self._known[key]

    def _runtime(self, level: int, whole: Sizes, sizes: Sizes) -> int:
        loops = [self._loop(level, d, whole, sizes) for d in self._directives(level, whole)]
        tiles = {loop.dimension: max(case.tile for case in loop.cases) for loop in loops}
        spreads = [_Spread(loop.dimension, loop.cases[0].active, loop.cases[0].last) for loop in loops if loop.spatial]
        weights, inputs, outputs = self._volumes(tiles, spreads)
        is_last = level == len(self._levels) - 1
        if level == 0:
            self.l2_words = 2 * (weights + inputs + outputs)
        if is_last and whole == sizes:
            self.l1_words = self._l1_requirement(tiles)
        # Off the chip, integer divisions of the requirements of one iteration.
        waiting = max((weights + inputs) // self._off, outputs // self._off) if level == 0 else 0
        total = 0
        for times, chosen in _combinations(loops):
            extent = {loop.dimension: case.tile for loop, case in zip(loops, chosen, strict=True)}
            compute = self._macs(extent) if is_last else self.runtime(level + 1, tiles, extent)
            moved = self._moved(loops, chosen, tiles, extent)
            arriving, leaving = -(-(moved[0] + moved[1]) // self._noc), -(-moved[2] // self._noc)
            starts = all(case.is_first for case in chosen)
            cycles = compute + arriving if starts else max(compute, arriving, leaving)
            total += times * max(cycles, waiting)
            if level == 0:
                self.moved = [old + times * new for old, new in zip(self.moved, moved, strict=True)]
        return total

    def _directives(self, level: int, sizes: Sizes) -> list[Directive]:
        """Loops of all six dimensions, in input rows and columns; those that are not named come first, uncut."""
        named = [self._in_inputs(directive, sizes) for directive in self._levels[level]]
        present = {directive.dimension for directive in named}
        rest = [Directive(False, sizes[d], sizes[d], d, False) for d in reversed(_ORDER) if d not in present]
        return [*rest, *named]

    def _in_inputs(self, directive: Directive, sizes: Sizes) -> Directive:
        dimension = directive.dimension
        if dimension not in _FILTER_OF:
            return replace(directive, size=min(directive.size, sizes[dimension]))
        # Tiles of a single step, and those that overlap, count steps of the filter; others count input columns.
        counts_steps = directive.of_outputs or directive.offset == 1 or directive.size > directive.offset
        offset = directive.offset * (self._stride if counts_steps else 1)
        if not directive.of_outputs:
            return replace(directive, size=min(directive.size, sizes[dimension]), offset=offset)
        filters = sizes[_FILTER_OF[dimension]]
        outputs = min(directive.size, self._outputs(sizes[dimension], filters))
        return replace(directive, size=(outputs - 1) * self._stride + filters, offset=offset)

    def _loop(self, level: int, directive: Directive, whole: Sizes, sizes: Sizes) -> _Loop:
        tiles, last = self._cut(directive, whole)
        tiles_here, last_here = self._cut(directive, sizes)
        tile = directive.size if tiles > 1 else last
        if directive.spatial:
            cases = _spread_cases(tiles, tiles_here, tile, last, self._units[level])
        else:
            ends_partial = tiles > 1 and last < directive.size and last_here < directive.size
            cases = _temporal_cases(tiles_here, tile, last, ends_partial)
        return _Loop(directive.dimension, directive.spatial, directive.offset, cases)

    def _cut(self, directive: Directive, sizes: Sizes) -> tuple[int, int]:
        """Number of tiles along a dimension, and the size of the last."""
        size, offset, n = directive.size, directive.offset, sizes[directive.dimension]
        if n <= size:
            return 1, n
        steps = -(-(n - size) // offset)
        filters = sizes.get(_FILTER_OF.get(directive.dimension, ""), 0)
        if filters and size >= filters:
            steps = min(steps, (n - filters) // offset)  # a further tile would hold no window
        return steps + 1, min(size, n - steps * offset)

    def _moved(
        self, loops: Sequence[_Loop], chosen: Sequence[_Case], tiles: Sizes, extent: Sizes
    ) -> tuple[int, int, int]:
        """New weights, new inputs, and outputs of one iteration."""
        spread = [
            _Spread(loop.dimension, case.active, case.last)
            for loop, case in zip(loops, chosen, strict=True)
            if loop.spatial
        ]
        prime = max((place for place, case in enumerate(chosen) if not case.is_first), default=-1)
        if prime < 0:
            weights, inputs, _ = self._volumes(tiles, spread)
            return weights, inputs, self._volumes(extent, spread)[2]
        joined, apart = dict(tiles), []
        for place, (loop, case) in enumerate(zip(loops, chosen, strict=True)):
            if loop.spatial and place > prime:
                step = min(loop.offset, tiles[loop.dimension])
                joined[loop.dimension] = case.last + (case.active - 2) * step if case.active > 1 else case.last
            elif loop.spatial:
                apart.append(_Spread(loop.dimension, case.active, case.last))
        weights, inputs, _ = self._volumes(joined, apart)
        new_weights = self._new(weights, 0, loops, prime, joined)
        return new_weights, self._new(inputs, 1, loops, prime, joined), self._volumes(extent, spread)[2]

    def _new(self, volume: int, tensor: int, loops: Sequence[_Loop], prime: int, joined: Sizes) -> int:
        coupled, loop = self._coupled[tensor], loops[prime]
        if loop.dimension not in coupled:
            return 0
        starts_again = any(inner.dimension in coupled and inner.iterations > 1 for inner in loops[prime + 1 :])
        if starts_again or loop.spatial or tensor == 0 or loop.dimension not in _FILTER_OF:
            return volume
        extent = joined[loop.dimension]
        return volume // extent * min(extent, loop.offset)

    def _volumes(self, extent: Sizes, spreads: Sequence[_Spread]) -> tuple[int, int, int]:
        """Weights, inputs and outputs of a tile, summed over the sub-clusters of ``spreads``."""
        e = dict(extent)
        outputs = {d: self._outputs(extent[d], extent[f]) for d, f in _FILTER_OF.items()}
        for spread in spreads:
            d = spread.dimension
            e[d] = (spread.active - 1) * extent[d] + spread.last
            if d in outputs:
                last = self._outputs(spread.last, extent[_FILTER_OF[d]])
                outputs[d] = (spread.active - 1) * outputs[d] + last
        channels = e["C"] if self._depthwise else e["K"]
        weights = e["C"] * e["R"] * e["S"] * (1 if self._depthwise else e["K"])
        # A stride above the filter leaves rows that no window needs.
        rows, columns = (outputs[d] * extent[f] if self._stride > extent[f] else e[d] for d, f in _FILTER_OF.items())
        return weights, e["C"] * rows * columns, channels * outputs["Y"] * outputs["X"]

    def _l1_requirement(self, tiles: Sizes) -> int:
        # The tool takes an output tile to be as large as the input tile.
        weights, inputs, _ = self._volumes(tiles, ())
        channels = tiles["C"] if self._depthwise else tiles["K"]
        return 2 * (weights + inputs + channels * tiles["Y"] * tiles["X"])

    def _macs(self, extent: Sizes) -> int:
        outputs = self._outputs(extent["Y"], extent["R"]) * self._outputs(extent["X"], extent["S"])
        return (1 if self._depthwise else extent["K"]) * extent["C"] * extent["R"] * extent["S"] * outputs

    def _outputs(self, inputs: int, filters: int) -> int:
        return max(1, (inputs - filters) // self._stride + 1)


def _temporal_cases(tiles: int, tile: int, last: int, ends_partial: bool) -> tuple[_Case, ...]:
    if tiles == 1:
        only = last if ends_partial else tile
        return (_Case(True, 1, only, 1, only),)
    cases = [_Case(True, 1, tile, 1, tile), _Case(False, tiles - 1 - ends_partial, tile, 1, tile)]
    cases += [_Case(False, 1, last, 1, last)] if ends_partial else []
    return tuple(case for case in cases if case.count)


def _spread_cases(tiles: int, tiles_here: int, tile: int, last: int, units: int) -> tuple[_Case, ...]:
    folds, folds_here = -(-tiles // units), -(-tiles_here // units)
    at_end = tiles - (folds - 1) * units
    if folds == 1:
        return (_Case(True, 1, tile, at_end, last),)
    ends_partial = at_end < units or last < tile
    cases = [_Case(True, 1, tile, units, tile), _Case(False, max(folds_here - 1 - ends_partial, 0), tile, units, tile)]
    if ends_partial and folds_here > 1:
        cases.append(_Case(False, 1, tile if at_end > 1 else last, at_end, last))
    return tuple(case for case in cases if case.count)


def _combinations(loops: Sequence[_Loop]) -> Iterator[tuple[int, tuple[_Case, ...]]]:
    """Every choice of one case a loop, with the number of iterations it stands for."""
    for chosen in itertools.product(*(loop.cases for loop in loops)):
        times = 1
        for case in chosen:
            times *= case.count
        yield times, chosen
