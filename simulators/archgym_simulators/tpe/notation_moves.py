"""Legal transformations of a nest. Each returns a new nest, or raises `IllegalMove` with the reason.

Why they are legal: the sum over K and digits is linear, so that ``add`` and ``shift`` may wait; encoding does not look
at the other operand, so that it may leave the loop over what it does not depend on.
"""

from __future__ import annotations

__all__ = [
    "IllegalMove",
    "carry_save",
    "exchange",
    "exchange_in_array",
    "group_lanes",
    "serialise",
    "share_candidates",
    "share_encoder",
    "skip_zeros",
    "split",
]

from collections.abc import Callable
from dataclasses import replace

from archgym_simulators.errors import InputError
from archgym_simulators.tpe.notation import Item, Loop, Nest, Step
from archgym_simulators.tpe.notation_trees import (
    Body,
    insert_after,
    loops_to,
    replaced,
    rewrite_first,
    spread,
    without,
    wrapped,
)

_ENCODE, _SPARSE, _CANDIDATES, _SYNC = map(Step, ("encode", "sparse", "candidates", "sync"))
_SHIFT, _HALF_REDUCE, _ADD, _ACCUMULATE = map(Step, ("shift", "half_reduce", "add", "accumulate"))


class IllegalMove(InputError):
    """The nest does not allow the transformation: one line with the reason."""


def split(nest: Nest, dim: str, *, size: int, spatial: bool = True, skewed: bool = False) -> Nest:
    """Split the temporal loop over a dimension: ``for m in M`` becomes ``for m in M / size: par m in size``.

    Raises:
        IllegalMove: there is no loop over the dimension whose size follows the workload.
    """

    def divide(loop: Loop) -> Body:
        return (loop.with_body(Loop(dim, loop.body, size, spatial, skewed)),)

    body, found = rewrite_first(nest.body, lambda loop: loop.dim == dim and loop.size is None, divide)
    if not found:
        raise IllegalMove(f"no loop over {dim} to split: each has a size already")
    return replace(nest, body=body)


def carry_save(nest: Nest) -> Nest:
    """OPT1: ``add`` waits until the sum over K is complete; sum and carry are accumulated instead.

    Raises:
        IllegalMove: there is no ``add`` within the loop over K.
    """

    def postpone(loop: Loop) -> Body:
        around = loops_to(loop, "add")
        if around is None:
            raise IllegalMove("carry-save accumulation (OPT1): no add within the loop over K, it has been moved before")
        return (without(loop, "add"), *wrapped((_ADD,), around, {"K", "BW"}))

    return _on_outer_k(nest, postpone, name="OPT1")


def exchange(nest: Nest) -> Nest:
    """OPT2: the loop over digits goes around the loop over K, so that narrow words are summed and shifted once after.

    Raises:
        IllegalMove: the loop over digits is outside already.
    """
    _require_digits_within_k(nest)
    waiting = not _within_k(nest, "add")

    def swap(loop: Loop) -> Body:
        around = loops_to(loop, "map") or ()
        digits = next(inner for inner in around if inner.dim == "BW")
        inside = without(_dissolved(loop, digits), "shift")
        resolved = wrapped((_ADD, _SHIFT) if waiting else (_SHIFT,), around, {"K", "BW"})
        return (digits.with_body(inside, *resolved), *wrapped((_HALF_REDUCE, _ADD), around, {"K", "BW"}))

    if waiting:  # the adder after K now stands in the loop over digits
        nest = replace(nest, body=_without_waiting_add(nest.body))
    return _on_outer_k(nest, swap, name="OPT2")


def exchange_in_array(nest: Nest) -> Nest:
    """OPT2 of PEs along K: the words of one digit are summed over the PEs, shifted once, and accumulated together.

    Raises:
        IllegalMove: the loop over digits is outside already, or no PEs lie along K.
    """
    _require_digits_within_k(nest)
    array = _spatial_around(nest, "map", "K")
    if array is None:
        raise IllegalMove("exchange within the array (OPT2): no PEs along K to sum over")

    def swap(loop: Loop) -> Body:
        digits = next(inner for inner in loops_to(loop, "map") or () if inner.dim == "BW")
        inside = without(_dissolved(loop, digits), "shift")
        chained = _ACCUMULATE in loop.body
        adding = (_HALF_REDUCE, _ADD) if _ADD in loop.body else (_HALF_REDUCE,)
        return (digits.with_body(inside, *(() if chained else adding), _SHIFT),)

    body, _ = rewrite_first(nest.body, lambda loop: loop is array, swap)
    return replace(nest, body=body, name=f"{nest.name} + OPT2")


def _require_digits_within_k(nest: Nest) -> None:
    around = nest.placed("map")[0].loops
    if around[-1].dim == "K":
        raise IllegalMove("exchange (OPT2): the loop over digits is around the loop over K already")


def serialise(nest: Nest) -> Nest:
    """Take the digits one after another on the same hardware.

    Raises:
        IllegalMove: the digits are within the loop over K, or serial already.
    """

    def in_turn(body: Body) -> Body:
        for position, item in enumerate(body):
            if isinstance(item, Loop) and item.dim == "BW":
                final, rest = body[position + 1], body[position + 2 :]
                if isinstance(final, Loop):  # the final sum stands in loops of its own
                    total: Item = replaced(final, (_HALF_REDUCE, _ADD), (_ACCUMULATE,))
                else:
                    total, rest = _ACCUMULATE, rest[1:]
                return (*body[:position], replace(item, spatial=False, body=(*item.body, total)), *rest)
        return tuple(item.with_body(*in_turn(item.body)) if isinstance(item, Loop) else item for item in body)

    digits = _digit_loop(nest)
    if not digits.spatial:
        raise IllegalMove("serial digits: the digits come one after another already")
    if _within_k(nest, "shift"):
        raise IllegalMove("serial digits: the loop over digits is within the loop over K; exchange them first (OPT2)")
    return replace(nest, body=in_turn(nest.body), name=f"{nest.name}, digits in turn")


def skip_zeros(nest: Nest) -> Nest:
    """OPT3: only digits that are not zero take a cycle; columns wait for each other at the end.

    Raises:
        IllegalMove: digits side by side, an ``add`` within the loop over K, or operands that arrive skewed.
    """
    if nest.placed("sparse"):
        raise IllegalMove("skipping zeros (OPT3): zeros are skipped already")
    if _digit_loop(nest).spatial:
        raise IllegalMove("skipping zeros (OPT3): digits are side by side; a zero among them saves no cycle")
    if _within_k(nest, "add"):
        raise IllegalMove("skipping zeros (OPT3): an add within the loop over K; move it out first (OPT1)")
    if any(loop.skewed for loop in nest.placed("map")[0].loops):
        raise IllegalMove("skipping zeros (OPT3): operands arrive skewed and would miss PEs that are ahead; broadcast")
    body = insert_after(nest.body, "encode", _SPARSE)
    body, _ = rewrite_first(body, lambda loop: loop.spatial, lambda loop: (loop, _SYNC))
    return replace(nest, body=body, name=f"{nest.name} + OPT3")


def group_lanes(nest: Nest, lanes: int) -> Nest:
    """OPT4E: neighbours along K select their partial products side by side and share one compressor and accumulator.

    Raises:
        IllegalMove: zeros are not skipped, or fewer than two lanes.
    """
    if lanes < 2:
        raise IllegalMove(f"lanes (OPT4E): a group has two lanes or more, not {lanes}")
    if not nest.placed("sparse"):
        raise IllegalMove("lanes (OPT4E): they fill up with digits that are not zero; skip zeros first (OPT3)")

    def widen(loop: Loop) -> Body:
        selecting = tuple(item for item in loop.body if item not in (_HALF_REDUCE, _ACCUMULATE))
        size = None if loop.size is None else -(-loop.size // lanes)
        beside = Loop("K", selecting, lanes, spatial=True)
        return (replace(loop, size=size, body=(beside, _HALF_REDUCE, _ACCUMULATE)),)

    innermost = nest.placed("map")[0].loops[-1]
    if innermost.dim != "K" or innermost.spatial:
        raise IllegalMove(
            "lanes (OPT4E): the loop over K is not the innermost; group lanes before the encoder is shared"
        )
    body, _ = rewrite_first(nest.body, lambda loop: loop is innermost, widen)
    return replace(nest, body=body, name=f"{nest.name}, {lanes} lanes")


def share_encoder(nest: Nest) -> Nest:
    """OPT4: one encoder for all PEs that share the encoded operand; they run in lock step.

    Raises:
        IllegalMove: no PEs share it, or the encoder is shared already.
    """
    free = "N" if nest.encoded == "a" else "M"
    shared = _spatial_around(nest, "encode", free)
    if shared is None:
        raise IllegalMove(f"sharing the encoder (OPT4): it stands in no spatial loop over {free}")
    name = f"{nest.name} + {'OPT4' if nest.placed('sparse') else 'shared encoder'}"
    return replace(_left_by(nest, shared, (_ENCODE, _SPARSE)), name=name)


def share_candidates(nest: Nest) -> Nest:
    """Prepare the multiples of the other operand once for all digits that stand side by side.

    Raises:
        IllegalMove: no digits side by side, or the multiples are shared already.
    """
    shared = _spatial_around(nest, "candidates", "BW")
    if shared is None:
        raise IllegalMove("sharing candidates: they stand in no spatial loop over BW")
    return _left_by(nest, shared, (_CANDIDATES,))


def _spatial_around(nest: Nest, primitive: str, dim: str) -> Loop | None:
    return next((loop for loop in nest.placed(primitive)[0].loops if loop.dim == dim and loop.spatial), None)


def _left_by(nest: Nest, shared: Loop, leaving: tuple[Step, ...]) -> Nest:
    """``nest`` with the loop ``shared`` around everything that was in it but the steps that leave it."""
    body, _ = rewrite_first(nest.body, lambda loop: loop is shared, lambda loop: spread(loop.body, loop, leaving))
    return replace(nest, body=body)


def _on_outer_k(nest: Nest, change: Callable[[Loop], Body], *, name: str) -> Nest:
    """Change the outermost loop over K within a tile."""
    tile = _tile(nest)
    target = next(loop for loop in nest.placed("map")[0].loops if loop.dim == "K" and loop is not tile)
    body, _ = rewrite_first(nest.body, lambda loop: loop is target, change)
    return replace(nest, body=body, name=f"{nest.name} + {name}")


def _tile(nest: Nest) -> Loop | None:
    """The loop over K around the one that is accumulated over: accumulators are emptied in each of its iterations."""
    loops = [loop for loop in nest.placed("map")[0].loops if loop.dim == "K" and not loop.spatial]
    return loops[0] if len(loops) > 1 else None


def _within_k(nest: Nest, primitive: str) -> bool:
    """Whether the first such step stands in a loop over K other than that over tiles."""
    tile = _tile(nest)
    return any(loop.dim == "K" and loop is not tile for loop in nest.placed(primitive)[0].loops)


def _dissolved(loop: Loop, inner: Loop) -> Loop:
    """``loop`` with the body of ``inner`` in its place; where only one word is left, nothing is to be summed."""
    if inner in loop.body:
        kept = loop.body if _ACCUMULATE in loop.body else tuple(i for i in loop.body if i not in (_HALF_REDUCE, _ADD))
        position = kept.index(inner)
        return loop.with_body(*kept[:position], *inner.body, *kept[position + 1 :])
    return loop.with_body(*(_dissolved(item, inner) if isinstance(item, Loop) else item for item in loop.body))


def _without_waiting_add(body: Body) -> Body:
    """``body`` without the ``add`` that stands after the loop over K, and without loops left empty by that."""
    kept: list[Item] = []
    for item in body:
        if isinstance(item, Loop):
            inner = _without_waiting_add(item.body)
            if inner:
                kept.append(item.with_body(*inner))
        elif item != _ADD:
            kept.append(item)
    return tuple(kept)


def _digit_loop(nest: Nest) -> Loop:
    return next(loop for loop in nest.placed("map")[0].loops if loop.dim == "BW")
