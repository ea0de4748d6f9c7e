"""MAESTRO's own rules, replayed case by case for any directives: for comparison with the tool, one mapping at a time.

Where it differs from `model.simulate`:

- An operand counts as new only if it depends on the very loop that advanced.
- Partial tiles of an inner level are as large as those inside a whole outer tile: where a single, partial fold over
  sub-clusters is left, it is the last one of a whole tile, but for C, whose tile is computed whole.
- Partial tiles are fetched as whole; so is a tile that is single in the last of several folds. Of the input rows of a
  sub-cluster that is alone there each counts as an output.
- The last of several folds loses a whole tile if it ends with a partial one. So does a single fold of whole tiles that
  leaves sub-clusters idle, but only for output channels and for what a loop outside fetches when it advances.
- At a stride, rows behind the last window go to one more sub-cluster, or, where windows do not overlap, to the last.
  Outputs of tiles side by side are counted in input rows.
- Memory off the chip delivers the tiles of every iteration anew.
- A tile of output rows or columns that is larger than the layer's output, but not than its input, is not cut to size:
  the tool takes the input rows after it, too few for a window, so that outputs are fewer than none. Two make some.
"""

from __future__ import annotations

__all__ = ["ReplayResult", "replay"]

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from archgym_simulators.errors import InputError
from archgym_simulators.maestro.cases import FILTER_OF, Case, Loop, combinations, loop_of, outputs_of, past_the_end
from archgym_simulators.maestro.directives import Directive
from archgym_simulators.maestro.directives import Mapping as DataflowMapping

Sizes = Mapping[str, int]
_ORDER = "KCRSYX"


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
class _Spread:
    """A dimension whose tile is repeated over sub-clusters."""

    dimension: str
    active: int
    last: int
    step: int
    loses_last: bool


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
        InputError: a cluster of more PEs than there are, or a tile for which the tool counts fewer outputs than none.
    """
    if mapping.clusters and mapping.clusters[0] > pes:
        raise InputError(f"a cluster of {mapping.clusters[0]} PEs is more than the {pes} that there are")
    model = _Replay(mapping, stride, depthwise, pes, noc_words, off_chip_words)
    cycles = model.runtime(0, sizes, sizes)
    if model.moved[2] < 0:
        raise InputError(
            f"the tool counts {model.moved[2]} outputs and gives no finite result: a tile of Y' or X' is larger than "
            "the layer's output but not than its input; make it no larger than the output"
        )
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
        self._channel = "C" if depthwise else "K"
        self._coupled = ("CRS", "CYX", "CYX") if depthwise else ("KCRS", "CYX", "KYX")

    def runtime(self, level: int, whole: Sizes, sizes: Sizes) -> int:
        """Cycles of a level on a tile of ``sizes``, cut as a tile of ``whole`` is."""
        key = (level, *(whole[d] for d in _ORDER), *(sizes[d] for d in _ORDER))
        if key not in self._known:
            self._known[key] = self._runtime(level, whole, sizes)
        return self._known[key]

    def _runtime(self, level: int, whole: Sizes, sizes: Sizes) -> int:
        loops = self._loops(level, whole, sizes)
        tiles = {loop.dimension: max(case.tile for case in loop.cases) for loop in loops}
        firsts = [loop.cases[0] for loop in loops]
        spreads = _spreads(loops, firsts)
        (weights, inputs), outputs = self._operands(tiles, spreads), self._results(tiles, spreads)
        is_last = level == len(self._levels) - 1
        if level == 0:
            self.l2_words = 2 * (weights + inputs + outputs)
        wholes = {loop.dimension: loop.size for loop in loops}
        if is_last:
            self.l1_words = max(self.l1_words, self._l1_requirement(wholes))
        # Off the chip, integer divisions of the requirements of one iteration.
        waiting = max((weights + inputs) // self._off, outputs // self._off) if level == 0 else 0
        total = 0
        for times, chosen in combinations(loops):
            extent = {loop.dimension: case.tile for loop, case in zip(loops, chosen, strict=True)}
            counted = _counted(loops, chosen, extent, self._stride)
            compute = self._macs(counted) if is_last else self.runtime(level + 1, wholes, extent)
            moved = (*self._fetched(loops, chosen, tiles), self._results(counted, _spreads(loops, chosen, counted)))
            arriving, leaving = -(-(moved[0] + moved[1]) // self._noc), -(-moved[2] // self._noc)
            starts = chosen == tuple(firsts)
            cycles = compute + arriving if starts else max(compute, arriving, leaving)
            total += times * max(cycles, waiting)
            if level == 0:
                self.moved = [old + times * new for old, new in zip(self.moved, moved, strict=True)]
        return total

    def _loops(self, level: int, whole: Sizes, sizes: Sizes) -> list[Loop]:
        """Loops of all six dimensions, in input rows and columns; those that are not named come first, uncut."""
        named = self._levels[level]
        present = {directive.dimension for directive in named}
        rest = [Directive(False, whole[d], whole[d], d, False) for d in reversed(_ORDER) if d not in present]
        return [self._loop(directive, whole, sizes, self._units[level]) for directive in (*rest, *named)]

    def _loop(self, directive: Directive, whole: Sizes, sizes: Sizes, units: int) -> Loop:
        d, size = directive.dimension, directive.size
        loop = loop_of(self._in_inputs(directive, whole), whole, sizes, units)
        in_outputs = directive.of_outputs and d in FILTER_OF
        if in_outputs and self._outputs(whole[d], whole[FILTER_OF[d]]) < size <= whole[d]:
            return past_the_end(loop, sizes[d] - size * self._stride)
        return loop

    def _in_inputs(self, directive: Directive, sizes: Sizes) -> Directive:
        dimension = directive.dimension
        if dimension not in FILTER_OF:
            return replace(directive, size=min(directive.size, sizes[dimension]))
        filters, size, offset = sizes[FILTER_OF[dimension]], directive.size, directive.offset
        if directive.of_outputs:
            outputs = min(size, self._outputs(sizes[dimension], filters))
            return replace(directive, size=(outputs - 1) * self._stride + filters, offset=offset * self._stride)
        size = min(size, sizes[dimension])
        if self._stride == 1 or size < filters:
            return replace(directive, size=size)
        if offset == 1 or directive.size > offset:
            return replace(directive, size=size, offset=offset * self._stride)
        # Tiles side by side are as large as the windows that fit in, and move by these.
        outputs = self._outputs(directive.size, filters)
        span = (outputs - 1) * self._stride + filters
        return replace(directive, size=min(span, size), offset=outputs * self._stride)

    def _fetched(self, loops: Sequence[Loop], chosen: Sequence[Case], tiles: Sizes) -> tuple[int, int]:
        """New weights and new inputs of one iteration."""
        prime = max((place for place, case in enumerate(chosen) if not case.is_first), default=-1)
        if prime < 0:
            return self._operands(tiles, _spreads(loops, chosen))
        extent, joined, apart = dict(tiles), set(), []
        for place, (loop, case) in enumerate(zip(loops, chosen, strict=True)):
            if not loop.spatial or case.fetches_whole:
                continue
            if place > prime or (place == prime and not self._starts_again(1, loops, prime)):
                extent[loop.dimension] = case.last + (case.active - 1 - loop.loses_last) * loop.step
                joined.add(loop.dimension)
            else:
                apart.append(_Spread(loop.dimension, case.active, case.last, loop.step, loop.loses_last))
        weights, inputs = self._operands(extent, apart, joined)
        return self._new(weights, 0, loops, prime, extent), self._new(inputs, 1, loops, prime, extent)

    def _new(self, volume: int, tensor: int, loops: Sequence[Loop], prime: int, extent: Sizes) -> int:
        coupled, loop = self._coupled[tensor], loops[prime]
        if loop.dimension not in coupled:
            return 0
        if self._starts_again(tensor, loops, prime) or loop.spatial or tensor == 0 or loop.dimension not in FILTER_OF:
            return volume
        rows = extent[loop.dimension]
        return volume if loop.offset >= rows else volume // rows * loop.offset

    def _starts_again(self, tensor: int, loops: Sequence[Loop], prime: int) -> bool:
        """Whether an operand changes in a loop inside the one that advanced."""
        return any(inner.dimension in self._coupled[tensor] and inner.iterations > 1 for inner in loops[prime + 1 :])

    def _operands(self, extent: Sizes, spreads: Sequence[_Spread], joined: Collection[str] = ()) -> tuple[int, int]:
        """Weights and inputs of a tile, summed over sub-clusters of ``spreads``; ``joined`` extents hold several's."""
        e = {**extent, **{s.dimension: (s.active - 1) * extent[s.dimension] + s.last for s in spreads}}
        outputs = self._output_sides(extent, spreads)
        weights = e["C"] * e["R"] * e["S"] * (1 if self._depthwise else e["K"])
        for d, f in FILTER_OF.items():
            if self._stride > extent[f] and d not in joined:
                e[d] = outputs[d] * extent[f]  # such a stride leaves rows that no window needs
        return weights, e["C"] * e["Y"] * e["X"]

    def _results(self, extent: Sizes, spreads: Sequence[_Spread]) -> int:
        """Outputs of a tile, summed over the sub-clusters of ``spreads``."""
        outputs = self._output_sides(extent, spreads)
        channels = extent[self._channel]
        for spread in spreads:
            if spread.dimension == self._channel:
                channels = (spread.active - 1) * channels + (0 if spread.loses_last else spread.last)
        return channels * outputs["Y"] * outputs["X"]

    def _output_sides(self, extent: Sizes, spreads: Sequence[_Spread]) -> dict[str, int]:
        """Output rows (Y) and columns (X)."""
        sides = {d: self._outputs(extent[d], extent[f]) for d, f in FILTER_OF.items()}
        for spread in spreads:
            d = spread.dimension
            if d in sides:
                sides[d] = self._spread_outputs(spread, extent[d], extent[FILTER_OF[d]])
        return sides

    def _spread_outputs(self, spread: _Spread, tile: int, filters: int) -> int:
        """Outputs of tiles side by side; the tool adds input rows from one to the next, more than those at a stride."""
        last = self._outputs(spread.last, filters)
        if spread.active == 1:
            return last
        whole = self._outputs(tile, filters)
        if spread.last == tile:
            return (spread.active - 1) * spread.step + whole
        return (spread.active - 2) * spread.step + whole + last

    def _l1_requirement(self, tiles: Sizes) -> int:
        # The tool takes an output tile to be as large as the input tile.
        return 2 * (sum(self._operands(tiles, ())) + tiles[self._channel] * tiles["Y"] * tiles["X"])

    def _macs(self, extent: Sizes) -> int:
        outputs = self._outputs(extent["Y"], extent["R"]) * self._outputs(extent["X"], extent["S"])
        return (1 if self._depthwise else extent["K"]) * extent["C"] * extent["R"] * extent["S"] * outputs

    def _outputs(self, inputs: int, filters: int) -> int:
        return outputs_of(inputs, filters, self._stride)


def _spreads(loops: Sequence[Loop], chosen: Sequence[Case], counted: Sizes | None = None) -> list[_Spread]:
    """Where sub-clusters work in an iteration; of one that is alone, the tile in ``counted`` if that is given."""
    return [
        _Spread(
            loop.dimension,
            case.active,
            counted[loop.dimension] if counted is not None and _is_alone(case) else case.last,
            loop.step,
            loop.loses_last,
        )
        for loop, case in zip(loops, chosen, strict=True)
        if loop.spatial
    ]


def _is_alone(case: Case) -> bool:
    return case.ends_fold and case.active == 1


def _counted(loops: Sequence[Loop], chosen: Sequence[Case], extent: Sizes, stride: int) -> dict[str, int]:
    """Extents whose outputs the tool counts: as many as input rows for a sub-cluster alone in the last fold."""
    counted = dict(extent)
    for loop, case in zip(loops, chosen, strict=True):
        if _is_alone(case) and loop.dimension in FILTER_OF:
            counted[loop.dimension] = (counted[loop.dimension] - 1) * stride + extent[FILTER_OF[loop.dimension]]
    return counted
