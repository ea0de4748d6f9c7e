"""One layer of a network as the loop nest that it is, whatever it is called."""

from __future__ import annotations

__all__ = ["KINDS", "LARGEST_DIM", "Layer", "conv", "gemm", "unique_layers"]

from collections.abc import Iterable
from dataclasses import dataclass, replace

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean

KINDS = ("conv", "depthwise", "grouped", "gemm", "attention")
LARGEST_DIM = 2**31 - 1
_LARGEST_MACS = 2**62  # a count of a whole layer stays an int64
_DIMS = ("n", "k", "c", "p", "q", "r", "s", "stride", "groups", "repeat")


@dataclass(frozen=True)
class Layer:
    """``groups`` independent loop nests of equal shape, done ``repeat`` times in the network.

    One nest computes O[n, k, p, q] += W[k, c, r, s] * I[n, c, p * stride + r, q * stride + s]. ``k`` and ``c`` are
    channels of **one** group: a depthwise convolution of 32 channels is 32 groups with k = c = 1, an attention product
    is one group a head and sequence. A matrix product of M x N x K (output M x N) is n = M, k = N, c = K, the rest 1.

    Attributes:
        name: unique in its network, such as ``"conv2_1"``.
        kind: one of `KINDS`; ``"attention"`` is a matrix product whose second operand is an activation, too.
        n: batch size; rows M of a matrix product.
        k: output channels of a group; columns N of a matrix product.
        c: input channels of a group; inner dimension K of a matrix product.
        p: output rows.
        q: output columns.
        r: filter rows.
        s: filter columns.
        stride: steps of the filter, in both directions.
        groups: independent nests; operands are not shared between them.
        repeat: how many layers of the network have this shape, each with weights of its own.
    """

    name: str
    kind: str
    n: int = 1
    k: int = 1
    c: int = 1
    p: int = 1
    q: int = 1
    r: int = 1
    s: int = 1
    stride: int = 1
    groups: int = 1
    repeat: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            hint = did_you_mean(self.kind, KINDS)
            raise InputError(
                f"layer {self.name!r}: kind must be one of {allowed_values(KINDS)}, not {self.kind!r}{hint}"
            )
        for dim in _DIMS:
            value = getattr(self, dim)
            if type(value) is not int or not 1 <= value <= LARGEST_DIM:
                raise InputError(f"layer {self.name!r}: {dim} must be a whole number 1..2^31 - 1, not {value!r}")
        if max(self.macs, self.input_words) * self.repeat > _LARGEST_MACS:
            raise InputError(f"layer {self.name!r} needs {self.macs * self.repeat:.3g} MACs; at most 2^62 are allowed")

    @property
    def shape(self) -> tuple[int | str, ...]:
        """Everything but the name and ``repeat``: equal shapes cost the same."""
        return (self.kind, self.n, self.k, self.c, self.p, self.q, self.r, self.s, self.stride, self.groups)

    @property
    def gemm_mnk(self) -> tuple[int, int, int]:
        """(M, N, K) of the matrix product that one group is after im2col: pixels, filters, window."""
        return self.n * self.p * self.q, self.k, self.c * self.r * self.s

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one repetition, all groups."""
        m, n, k = self.gemm_mnk
        return m * n * k * self.groups

    @property
    def total_macs(self) -> int:
        """Multiply-accumulates of all repetitions."""
        return self.macs * self.repeat

    @property
    def input_rows(self) -> int:
        """Rows of the input that the outputs need, padding included: (p - 1) * stride + r."""
        return (self.p - 1) * self.stride + self.r

    @property
    def input_columns(self) -> int:
        """Columns of the input that the outputs need, padding included."""
        return (self.q - 1) * self.stride + self.s

    @property
    def input_words(self) -> int:
        """Elements of the input of one repetition, all groups, padding included."""
        return self.groups * self.n * self.c * self.input_rows * self.input_columns

    @property
    def weight_words(self) -> int:
        """Elements of the weights of one repetition (of the second operand, for ``"attention"``), all groups."""
        return self.groups * self.k * self.c * self.r * self.s

    @property
    def output_words(self) -> int:
        """Elements of the output of one repetition, all groups."""
        return self.groups * self.n * self.k * self.p * self.q

    @property
    def words(self) -> int:
        """Elements of all three tensors of one repetition."""
        return self.input_words + self.weight_words + self.output_words


def conv(
    name: str,
    outputs: int | tuple[int, int],
    *,
    channels: tuple[int, int],
    kernel: int | tuple[int, int] = 1,
    stride: int = 1,
    groups: int = 1,
    batch: int = 1,
) -> Layer:
    """A convolution from its usual description.

    Args:
        name: of the layer.
        outputs: rows and columns of the output; one number for a square.
        channels: (input, output), of all groups together.
        kernel: rows and columns of the filter; one number for a square.
        stride: in both directions.
        groups: must divide both channel counts.
        batch: images.

    >>> conv("conv1", 112, channels=(3, 64), kernel=7, stride=2).macs
    118013952

    Raises:
        InputError: a dimension below 1, or groups that do not divide the channels.
    """
    p, q = outputs if isinstance(outputs, tuple) else (outputs, outputs)
    r, s = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    total_c, total_k = channels
    if groups < 1 or total_c % groups or total_k % groups:
        raise InputError(f"layer {name!r}: {groups} groups do not divide {total_c} input and {total_k} output channels")
    c, k = total_c // groups, total_k // groups
    kind = "conv" if groups == 1 else "depthwise" if c == 1 else "grouped"
    return Layer(name, kind, n=batch, k=k, c=c, p=p, q=q, r=r, s=s, stride=stride, groups=groups)


def gemm(name: str, m: int, n: int, k: int, *, groups: int = 1, kind: str = "gemm") -> Layer:
    """``groups`` products of M x K by K x N.

    >>> gemm("fc", 1, 1000, 2048).weight_words
    2048000
    """
    return Layer(name, kind, n=m, k=n, c=k, groups=groups)


def unique_layers(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """Layers of equal shape merged into the first of them, their repetitions added, in order of appearance."""
    merged: dict[tuple[int | str, ...], Layer] = {}
    for layer in layers:
        known = merged.get(layer.shape)
        merged[layer.shape] = layer if known is None else replace(known, repeat=known.repeat + layer.repeat)
    return tuple(merged.values())
