"""One tensor engine at bit level: what a design says, and which combinations cannot be built.

Precision and operands are no part of a design: they belong to the workload.
"""

from __future__ import annotations

__all__ = [
    "ARCHITECTURES",
    "COMPRESSORS",
    "FINAL_ADDERS",
    "OPERANDS",
    "PLACEMENTS",
    "RULES",
    "Rule",
    "TpeDesign",
    "broken_rule",
]

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.tpe.encodings import ENCODINGS

ARCHITECTURES = ("systolic-os", "systolic-ws", "cube", "tree", "matrix")
OPERANDS = ("a", "b")
PLACEMENTS = ("pe", "column", "group")
COMPRESSORS = ("wallace", "dadda", "4:2")
FINAL_ADDERS = ("ripple", "brent-kung", "kogge-stone", "sklansky")

LARGEST_SIDE = 1024
LARGEST_TILE = 2**20
_WHOLE = {
    "rows": (1, LARGEST_SIDE),
    "columns": (1, LARGEST_SIDE),
    "depth": (1, 256),
    "lanes": (1, 16),
    "accumulator_bits": (8, 128),
    "pipeline_cuts": (0, 8),
    "skip_group": (1, 32),
    "k_tile": (1, LARGEST_TILE),
    "fifo_depth": (1, 16),
}
_CHOICES = {
    "architecture": ARCHITECTURES,
    "encoding": tuple(ENCODINGS),
    "encoded_operand": OPERANDS,
    "encoder_placement": PLACEMENTS,
    "compressor": COMPRESSORS,
    "final_adder": FINAL_ADDERS,
}


@dataclass(frozen=True)
class TpeDesign:
    """A tensor engine that computes C[m, n] = sum over k of A[m, k] B[k, n].

    Attributes:
        architecture: ``"systolic-os"`` (PEs along M and N, outputs stay), ``"systolic-ws"`` (PEs along K and N, B
            stays), ``"cube"`` (M x N x K PEs), ``"tree"`` (an adder tree over K for each of M x N outputs, B stays),
            ``"matrix"`` (PEs along M and N, operands broadcast).
        rows: PEs along M; along K in a ``"systolic-ws"`` array.
        columns: PEs along N.
        depth: PEs along K in a cube, inputs of an adder tree; 1 elsewhere.
        encoding: a key of `archgym_simulators.tpe.encodings.ENCODINGS`.
        encoded_operand: which operand is written as digits, ``"a"`` or ``"b"``.
        opt1: accumulate in carry-save form; sum and carry are added once an output instead of every cycle.
        opt2: exchange K and the digits: words of one digit weight are summed over K first, shifted once after.
        opt3: digits come one after another and zero digits are skipped.
        encoder_placement: ``"pe"`` for an encoder in every PE, ``"column"`` for one for all PEs that share the encoded
            operand (OPT4C where digits are skipped), ``"group"`` as ``"column"``, with lanes that share one
            compressor (OPT4E).
        lanes: neighbours along K that a group adds in one cycle.
        compressor: of partial products: ``"wallace"``, ``"dadda"`` (both of full adders) or ``"4:2"``.
        final_adder: that adds sum and carry: ``"ripple"``, ``"brent-kung"``, ``"kogge-stone"`` or ``"sklansky"``.
        accumulator_bits: width of an accumulator.
        pipeline_cuts: registers put between operands and accumulator.
        frequency_ghz: of the clock.
        skip_group: neighbours along K of which the non-zero digits of one weight are taken; an empty group costs a
            cycle.
        k_tile: operands along K between two barriers of the columns; accumulators are emptied there.
        fifo_depth: groups that an encoder may be ahead of its PEs.

    Raises:
        InputError: a value that is not allowed, or values that cannot be together.
    """

    architecture: str = "systolic-os"
    rows: int = 16
    columns: int = 16
    depth: int = 1
    encoding: str = "booth"
    encoded_operand: str = "a"
    opt1: bool = False
    opt2: bool = False
    opt3: bool = False
    encoder_placement: str = "pe"
    lanes: int = 1
    compressor: str = "wallace"
    final_adder: str = "brent-kung"
    accumulator_bits: int = 32
    pipeline_cuts: int = 0
    frequency_ghz: float = 1.0
    skip_group: int = 4
    k_tile: int = 1024
    fifo_depth: int = 1

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            value = getattr(self, name)
            if value not in allowed:
                hint = did_you_mean(value, allowed)
                raise InputError(f"{name} must be one of {', '.join(allowed)}, not {value!r}{hint}")
        for name, (low, high) in _WHOLE.items():
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise InputError(f"{name} must be a whole number {low}..{high}, not {value!r}")
        for name in ("opt1", "opt2", "opt3"):
            if type(getattr(self, name)) is not bool:
                raise InputError(f"{name} must be True or False, not {getattr(self, name)!r}")
        if type(self.frequency_ghz) not in (int, float) or not 0.0 < self.frequency_ghz <= 20.0:
            raise InputError(f"frequency_ghz must be a number above 0, at most 20, not {self.frequency_ghz!r}")
        broken = broken_rule({field.name: np.array([getattr(self, field.name)]) for field in fields(self)})
        if broken is not None:
            raise InputError(broken.sentence)

    @property
    def opt4(self) -> bool:
        """Whether zero digits are skipped by encoders that several PEs share."""
        return self.opt3 and self.encoder_placement != "pe"

    @property
    def m_parallel(self) -> int:
        """PEs along M."""
        return 1 if self.architecture == "systolic-ws" else self.rows

    @property
    def n_parallel(self) -> int:
        """PEs along N."""
        return self.columns

    @property
    def k_parallel(self) -> int:
        """Operands along K that are worked on at the same time."""
        return self.rows if self.architecture == "systolic-ws" else self.depth * self.lanes


@dataclass(frozen=True)
class Rule:
    """A combination that cannot be built.

    Attributes:
        name: identifier.
        sentence: one line.
        broken: from columns (N,) by field name to whether each design breaks it: (N,).
    """

    name: str
    sentence: str
    broken: Callable[[Mapping[str, NDArray[Any]]], NDArray[np.bool_]]


RULES: tuple[Rule, ...] = (
    Rule(
        "skipping-architecture",
        "zero digits can be skipped (opt3) only where operands are broadcast: architecture matrix",
        lambda d: d["opt3"] & (d["architecture"] != "matrix"),
    ),
    Rule(
        "skipping-order",
        "zero digits can be skipped (opt3) only with digits outside the loop over K (opt2) and a carry-save "
        "accumulator (opt1)",
        lambda d: d["opt3"] & ~(d["opt1"] & d["opt2"]),
    ),
    Rule(
        "exchange-architecture",
        "digits can be summed over K before they are shifted (opt2) only where PEs lie along K, architecture tree or "
        "cube, or with digits one after another (opt3)",
        lambda d: d["opt2"] & ~d["opt3"] & (d["architecture"] != "tree") & (d["architecture"] != "cube"),
    ),
    Rule(
        "group-skipping",
        "lanes can share a compressor (encoder_placement group) only where zero digits are skipped (opt3)",
        lambda d: (d["encoder_placement"] == "group") & ~d["opt3"],
    ),
    Rule(
        "group-lanes",
        "a group (encoder_placement group) has 2 lanes or more, and there are no lanes without one",
        lambda d: (d["encoder_placement"] == "group") != (d["lanes"] > 1),
    ),
    Rule(
        "flat-depth",
        "only a cube or tree has PEs along its depth: depth must be 1",
        lambda d: (d["depth"] > 1) & (d["architecture"] != "cube") & (d["architecture"] != "tree"),
    ),
)


def broken_rule(columns: Mapping[str, NDArray[Any]]) -> Rule | None:
    """The first rule that any of the designs (N,) breaks; None where all can be built."""
    return next((rule for rule in RULES if rule.broken(columns).any()), None)
