"""The classic engines as nests, and the nest of any design: a classic engine and the moves that lead to it."""

from __future__ import annotations

__all__ = ["classic_engine", "nest_of"]

from dataclasses import replace

from archgym_simulators.tpe.design import TpeDesign
from archgym_simulators.tpe.encodings import encoding_of, value_range
from archgym_simulators.tpe.notation import Item, Loop, Nest, Step
from archgym_simulators.tpe.notation_moves import (
    carry_save,
    exchange,
    exchange_in_array,
    group_lanes,
    serialise,
    share_candidates,
    share_encoder,
    skip_zeros,
)

_Body = tuple[Item, ...]
_ENCODE, _CANDIDATES, _MAP, _SHIFT, _ACCUMULATE = map(Step, ("encode", "candidates", "map", "shift", "accumulate"))
_SUM: _Body = (Step("half_reduce"), Step("add"), _ACCUMULATE)
_NAMES = {
    "systolic-os": "systolic array, outputs stay",
    "systolic-ws": "systolic array, weights stay",
    "cube": "3D cube",
    "tree": "multiplier-adder tree",
    "matrix": "2D matrix",
}


def classic_engine(design: TpeDesign, *, bits: int = 8, tiled: bool = False) -> Nest:
    """The engine of a design's architecture and size with classic multiply-accumulate units.

    Args:
        design: of its other choices only the encoding and the encoded operand count.
        bits: of the encoded operand.
        tiled: whether accumulators are emptied after every ``k_tile`` operands.
    """
    value_range(bits)
    digits = encoding_of(design.encoding).length(bits)
    parallel = design.rows if design.architecture == "systolic-ws" else design.depth
    steps = -(-design.k_tile // parallel) if tiled else None
    body = _ARRAYS[design.architecture](design, digits, steps)
    if tiled:
        body = (Loop("K", body),)
    return Nest(_NAMES[design.architecture], body, design.encoded_operand)


def nest_of(design: TpeDesign, *, bits: int = 8) -> Nest:
    """The nest of a design, derived from the classic engine by moves; K is tiled by ``k_tile``.

    A shared encoder where no PEs share the encoded operand (weights that stay, encoded) stays where it is.

    Args:
        design: any design that can be built.
        bits: of the encoded operand.
    """
    nest = classic_engine(design, bits=bits, tiled=True)
    if design.opt1:
        nest = carry_save(nest)
    if design.opt3:
        nest = skip_zeros(serialise(exchange(nest)))
    elif design.opt2:
        nest = share_candidates(exchange_in_array(nest))
    if design.encoder_placement == "group":
        nest = group_lanes(nest, design.lanes)
    free = "N" if nest.encoded == "a" else "M"
    shared = any(loop.dim == free and loop.spatial for loop in nest.placed("encode")[0].loops)
    if design.encoder_placement != "pe" and shared:
        nest = share_encoder(nest)
    return replace(nest, name=f"{nest.name} [{design.encoding}, K in tiles of {design.k_tile}]")


def _multiply_accumulate(digits: int) -> _Body:
    """A classic unit: digits side by side, one carry-propagating addition in each cycle."""
    selecting = Loop("BW", (_ENCODE, _MAP, _SHIFT), digits, spatial=True)
    return (_CANDIDATES, selecting, *_SUM)


def _collected(steps: int | None) -> _Body:
    """The wide total of an output, to which each tile is added; none where K is not tiled."""
    return () if steps is None else (_ACCUMULATE,)


def _outputs_stay(design: TpeDesign, body: _Body, *, skewed: bool) -> _Body:
    columns = Loop("N", body, design.columns, spatial=True, skewed=skewed)
    rows = Loop("M", (columns,), design.rows, spatial=True, skewed=skewed)
    return (Loop("M", (Loop("N", (rows,)),)),)


def _systolic(design: TpeDesign, digits: int, steps: int | None) -> _Body:
    unit = Loop("K", _multiply_accumulate(digits), steps)
    return _outputs_stay(design, (unit, *_collected(steps)), skewed=True)


def _matrix(design: TpeDesign, digits: int, steps: int | None) -> _Body:
    unit = Loop("K", _multiply_accumulate(digits), steps)
    return _outputs_stay(design, (unit, *_collected(steps)), skewed=False)


def _cube(design: TpeDesign, digits: int, steps: int | None) -> _Body:
    """Partial sums go from PE to PE along K and are collected at the end of the chain."""
    chain = Loop("K", _multiply_accumulate(digits), design.depth, spatial=True, skewed=True)
    return _outputs_stay(design, (Loop("K", (chain, *_SUM), steps), *_collected(steps)), skewed=True)


def _weights_stay(design: TpeDesign, digits: int, steps: int | None) -> _Body:
    """B stays while rows of A pass; partial sums go down the column and are collected below it."""
    chain = Loop("K", _multiply_accumulate(digits), design.rows, spatial=True, skewed=True)
    columns = Loop("N", (Loop("M", (chain, *_SUM)),), design.columns, spatial=True, skewed=True)
    total = [columns.with_body(Loop("M", (step,))) for step in _collected(steps)]
    return (Loop("N", (Loop("K", (columns,), steps), *total)),)


def _tree(design: TpeDesign, digits: int, steps: int | None) -> _Body:
    """Products are added in a tree; B stays while rows of A pass."""
    products = Loop("K", _multiply_accumulate(digits)[:-1], design.depth, spatial=True)
    columns = Loop("N", (products, *_SUM), design.columns, spatial=True)
    rows = Loop("M", (columns,), design.rows, spatial=True)
    total = [Loop("M", (rows.with_body(columns.with_body(step)),)) for step in _collected(steps)]
    return (Loop("N", (Loop("K", (Loop("M", (rows,)),), steps), *total)),)


_ARRAYS = {
    "systolic-os": _systolic,
    "systolic-ws": _weights_stay,
    "cube": _cube,
    "tree": _tree,
    "matrix": _matrix,
}
