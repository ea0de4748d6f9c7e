"""What a subnet consists of: layers, trained numbers and multiply-accumulates, slot by slot.

A layer is MobileNetV2's inverted residual: 1 x 1 to more channels, depthwise, 1 x 1 back, each normalised; the shortcut
is there where shapes allow it, which is in all layers of a stage but the first.
"""

from __future__ import annotations

__all__ = [
    "CLASSES",
    "DEEPEST",
    "EXPANSIONS",
    "KERNELS",
    "SIDES",
    "STAGES",
    "STEM",
    "STRIDES",
    "WIDTHS",
    "Slot",
    "fixed_layers",
    "slot_layers",
    "slots",
]

from collections.abc import Iterator
from dataclasses import dataclass

from archgym_simulators.layers.layer import Layer, conv, gemm

STAGES, DEEPEST, CLASSES = 3, 3, 10
KERNELS, EXPANSIONS = (3, 5), (1, 2, 3)
STEM = 4
WIDTHS = (4, 8, 12)
STRIDES = (2, 1, 2)
SIDES = (10, 5, 5, 3)
"""Of the maps that enter each stage, and of those that leave the last."""


@dataclass(frozen=True)
class Slot:
    """A place for a layer.

    Attributes:
        stage: from 0.
        depth: from 0.
    """

    stage: int
    depth: int

    @property
    def number(self) -> int:
        """Its place among all."""
        return self.stage * DEEPEST + self.depth

    @property
    def before(self) -> int:
        """Channels that come in."""
        return WIDTHS[self.stage] if self.depth else (STEM, *WIDTHS)[self.stage]

    @property
    def after(self) -> int:
        """Channels that go out."""
        return WIDTHS[self.stage]

    @property
    def stride(self) -> int:
        return 1 if self.depth else STRIDES[self.stage]

    @property
    def side(self) -> int:
        """Of the maps that come in."""
        return SIDES[self.stage + 1] if self.depth else SIDES[self.stage]


def slots() -> Iterator[Slot]:
    """All nine, in order."""
    for stage in range(STAGES):
        for depth in range(DEEPEST):
            yield Slot(stage, depth)


def slot_layers(slot: Slot, kernel: int, expansion: int) -> list[Layer]:
    """What an accelerator runs for one image in a slot."""
    inner, name = expansion * slot.before, f"stage{slot.stage + 1}_{slot.depth + 1}"
    out = SIDES[slot.stage + 1]
    return [
        conv(f"{name}_expand", slot.side, channels=(slot.before, inner)),
        conv(f"{name}_dw", out, channels=(inner, inner), kernel=kernel, stride=slot.stride, groups=inner),
        conv(f"{name}_project", out, channels=(inner, slot.after)),
    ]


def fixed_layers() -> list[Layer]:
    """What every subnet has: stem and classifier."""
    return [conv("stem", SIDES[0], channels=(1, STEM), kernel=3), gemm("classifier", 1, CLASSES, WIDTHS[-1])]
