"""Random units: one PE with its encoder, of any architecture, encoding and precision."""

from __future__ import annotations

__all__ = ["KINDS", "Unit", "draw_units"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archgym_simulators.tpe.design import COMPRESSORS, FINAL_ADDERS, OPERANDS, TpeDesign
from archgym_simulators.tpe.encodings import ENCODINGS

KINDS = ("systolic-os", "systolic-ws", "cube", "tree", "matrix", "skipping")
_BITS, _SHARES = (4, 6, 8, 10, 12, 16), (0.2, 0.1, 0.4, 0.1, 0.1, 0.1)


@dataclass(frozen=True)
class Unit:
    """A design of one PE (a cube: of a chain of ``depth``), and the precision of its operands."""

    design: TpeDesign
    a_bits: int
    b_bits: int

    @property
    def kind(self) -> str:
        """Architecture and options, as in ``tree opt1``."""
        design = self.design
        name = "skipping" if design.opt3 else design.architecture
        flags = [] if design.opt3 else [flag for flag in ("opt1", "opt2") if getattr(design, flag)]
        return " ".join([name, *flags])


def draw_units(count: int, seed: int, encodings: Sequence[str] = tuple(ENCODINGS), most_cuts: int = 3) -> list[Unit]:
    """Units drawn at random, every kind, encoding, compressor, adder and number of cuts equally often."""
    rng = np.random.default_rng(seed)
    return [_draw(rng, encodings, most_cuts) for _ in range(count)]


def _draw(rng: np.random.Generator, encodings: Sequence[str], most_cuts: int) -> Unit:
    kind = str(rng.choice(KINDS))
    chosen = {
        "encoding": str(rng.choice(list(encodings))),
        "encoded_operand": str(rng.choice(OPERANDS)),
        "compressor": str(rng.choice(COMPRESSORS)),
        "final_adder": str(rng.choice(FINAL_ADDERS)),
        "accumulator_bits": int(rng.integers(16, 49)),
        "pipeline_cuts": int(rng.integers(0, most_cuts + 1)),
        **(_skipping(rng) if kind == "skipping" else _dense(rng, kind)),
    }
    a_bits, b_bits = (int(bits) for bits in rng.choice(_BITS, 2, p=_SHARES))
    return Unit(TpeDesign(rows=1, columns=1, frequency_ghz=0.01, **chosen), a_bits, b_bits)


def _skipping(rng: np.random.Generator) -> dict[str, Any]:
    group, placement = int(rng.choice((4, 8, 16))), str(rng.choice(("pe", "column", "group")))
    lanes = int(rng.choice((2, 4, 8))) if placement == "group" else 1
    flags = {"architecture": "matrix", "opt1": True, "opt2": True, "opt3": True}
    return {**flags, "skip_group": group, "encoder_placement": placement, "lanes": lanes}


def _dense(rng: np.random.Generator, kind: str) -> dict[str, Any]:
    chosen: dict[str, Any] = {"architecture": kind, "opt1": bool(rng.integers(2))}
    chosen["encoder_placement"] = str(rng.choice(("pe", "column")))
    if kind in ("cube", "tree"):
        chosen |= {"opt2": bool(rng.integers(2)), "depth": int(rng.choice((2, 4, 8)))}
    return chosen
