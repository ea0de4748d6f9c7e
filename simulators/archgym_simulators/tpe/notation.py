"""A tensor engine as a loop nest over M, N, K and the digits (BW), with the primitives of a multiply-accumulate in it.

``C[m, n] = sum over k and bw of digit(A[m, k], bw) * radix ** bw * B[k, n]``. A loop is temporal (``for``, one
iteration after another) or spatial (``par``, hardware beside hardware). A primitive takes one instance per enclosing
spatial iteration and fires once per enclosing temporal iteration: where it stands says what it costs.

The notation follows "Exploring the Performance Improvement of Tensor Processing Engines through Transformation in the
Bit-weight Dimension of MACs" (HPCA 2025), in our own words; `archgym_simulators.tpe.notation_moves` has its moves.
"""

from __future__ import annotations

__all__ = ["DIMENSIONS", "PRIMITIVES", "Item", "Loop", "Nest", "Placed", "Step"]

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean

DIMENSIONS = ("M", "N", "K", "BW")
PRIMITIVES: dict[str, str] = {
    "encode": "write the encoded operand as digits",
    "sparse": "list the digits that are not zero",
    "candidates": "prepare the multiples of the other operand that a digit can ask for",
    "map": "select the multiple that the digit asks for: a partial product",
    "shift": "move words to the weight of their digit",
    "half_reduce": "compress words to a sum and a carry word, no carry runs through",
    "add": "add sum and carry: a carry runs through",
    "accumulate": "keep the running total in a register",
    "sync": "wait until all columns are done",
}
_INDENT = "  "


@dataclass(frozen=True)
class Step:
    """A primitive at its place."""

    primitive: str

    def __post_init__(self) -> None:
        if self.primitive not in PRIMITIVES:
            hint = did_you_mean(self.primitive, PRIMITIVES)
            raise InputError(f"unknown primitive {self.primitive!r}{hint}; allowed: {', '.join(PRIMITIVES)}")


@dataclass(frozen=True)
class Loop:
    """A loop and what is in it.

    Attributes:
        dim: one of `DIMENSIONS`.
        body: steps and loops in program order.
        size: iterations; None for what the workload leaves of the dimension.
        spatial: side by side instead of one after another.
        skewed: of a spatial loop, each iteration starts a cycle after the one before it, as in a systolic array.
    """

    dim: str
    body: tuple[Item, ...]
    size: int | None = None
    spatial: bool = False
    skewed: bool = False

    def __post_init__(self) -> None:
        if self.dim not in DIMENSIONS:
            raise InputError(f"unknown dimension {self.dim!r}; allowed: {', '.join(DIMENSIONS)}")
        if self.size is None and (self.spatial or self.dim == "BW"):
            raise InputError(f"the {'spatial ' if self.spatial else ''}loop over {self.dim} needs a size")
        if self.size is not None and self.size < 1:
            raise InputError(f"the loop over {self.dim} must have at least one iteration, not {self.size}")

    def with_body(self, *body: Item) -> Loop:
        return replace(self, body=body)


Item = Step | Loop


@dataclass(frozen=True)
class Placed:
    """A step and the loops around it, outermost first."""

    primitive: str
    loops: tuple[Loop, ...]

    @property
    def instances(self) -> int:
        """How many times the primitive is built."""
        return prod(loop.size or 1 for loop in self.loops if loop.spatial)

    def firings(self, shape: Mapping[str, int]) -> int:
        """How many times each instance works for a GEMM of ``shape``, edges filled up.

        Args:
            shape: sizes of ``"M"``, ``"N"`` and ``"K"``.
        """
        return prod(self._iterations(loop, shape) for loop in self.loops if not loop.spatial)

    def _iterations(self, loop: Loop, shape: Mapping[str, int]) -> int:
        if loop.size is not None:
            return loop.size
        inner = prod(other.size or 1 for other in self.loops if other.dim == loop.dim)
        return -(-shape[loop.dim] // inner)


@dataclass(frozen=True)
class Nest:
    """The loop nest of an engine.

    Attributes:
        name: of the engine, with the moves made.
        body: outermost loops and steps.
        encoded: ``"a"`` or ``"b"``, the operand that is written as digits.
    """

    name: str
    body: tuple[Item, ...]
    encoded: str = "a"

    def placed(self, primitive: str | None = None) -> list[Placed]:
        """Every step with the loops around it, in program order; only those of ``primitive`` where it is given."""
        return [step for step in _placed(self.body, ()) if primitive in (None, step.primitive)]

    def instances(self, primitive: str) -> int:
        """How many times a primitive is built in the engine."""
        return sum(step.instances for step in self.placed(primitive))

    def show(self) -> str:
        """The annotated loop nest, one line a loop or step."""
        return "\n".join([self.name, *self._lines(self.body, ())])

    def _lines(self, body: tuple[Item, ...], around: tuple[Loop, ...]) -> Iterator[str]:
        indent = _INDENT * (len(around) + 1)
        for item in body:
            if isinstance(item, Loop):
                yield indent + _heading(item, around)
                yield from self._lines(item.body, (*around, item))
            else:
                instances = Placed(item.primitive, around).instances
                yield f"{indent}{item.primitive}{self._operand(item.primitive)}".ljust(48) + f"x {instances}"

    def _operand(self, primitive: str) -> str:
        one, other = (" A[m, k]", " B[k, n]") if self.encoded == "a" else (" B[k, n]", " A[m, k]")
        return {"encode": one, "sparse": one, "candidates": other, "shift": " by bw"}.get(primitive, "")


def _placed(body: tuple[Item, ...], around: tuple[Loop, ...]) -> Iterator[Placed]:
    for item in body:
        if isinstance(item, Loop):
            yield from _placed(item.body, (*around, item))
        else:
            yield Placed(item.primitive, around)


def _heading(loop: Loop, around: tuple[Loop, ...]) -> str:
    word = "par" if loop.spatial else "for"
    if loop.size is None:
        inner = prod(size for dim, size in _sizes(loop) if dim == loop.dim)
        inner *= prod(other.size or 1 for other in around if other.dim == loop.dim)
        extent = loop.dim if inner == 1 else f"{loop.dim} / {inner}"
    else:
        extent = str(loop.size)
    return f"{word} {loop.dim.lower()} in {extent}{' (skewed)' if loop.skewed else ''}:"


def _sizes(loop: Loop) -> Iterator[tuple[str, int]]:
    """Loops below ``loop`` on the way to a partial product, or else to the first step."""
    inner = [item for item in loop.body if isinstance(item, Loop)]
    if inner:
        selecting = (item for item in inner if any(step.primitive == "map" for step in _placed((item,), ())))
        chosen = next(selecting, inner[0])
        yield chosen.dim, chosen.size or 1
        yield from _sizes(chosen)
