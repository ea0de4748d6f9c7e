"""What tensor engines cost on a workload, for any design: cycles, area by part, shortest period, energy."""

from __future__ import annotations

__all__ = [
    "TpeResult",
    "design_moments",
    "evaluate",
    "operand_group_moments",
    "slowest_quantiles",
    "unit_costs",
    "zero_shares",
]

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.tpe.design import LARGEST_SIDE, OPERANDS, TpeDesign
from archgym_simulators.tpe.encodings import ENCODINGS, digit_table
from archgym_simulators.tpe.engine import OUTPUTS, run_designs
from archgym_simulators.tpe.layout import design_table, format_table
from archgym_simulators.tpe.libraries import Library, library_of
from archgym_simulators.tpe.operands import Distribution, code_probabilities
from archgym_simulators.tpe.parts import PARTS
from archgym_simulators.tpe.precision import Precision
from archgym_simulators.tpe.skipping import group_moments, slowest_quantile
from archgym_simulators.tpe.structure import surrounding_bits
from archgym_simulators.tpe.workloads import TpeWorkload

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_MOST_DIGITS = 16


@dataclass(frozen=True, eq=False)
class TpeResult:
    """N designs on one workload; float64 (N,).

    Attributes:
        table: (N, len(OUTPUTS)) all of it.
        frequency_ghz: of the designs.
        macs: of the workload.
    """

    table: Floats
    frequency_ghz: Floats
    macs: int

    def column(self, name: str) -> Floats:
        """One of `archgym_simulators.tpe.engine.OUTPUTS`."""
        column: Floats = self.table[:, OUTPUTS.index(name)]
        return column

    @property
    def latency_ns(self) -> Floats:
        """Of the whole workload."""
        return self.column("cycles") / self.frequency_ghz

    @property
    def energy_pj(self) -> Floats:
        """Of the whole workload, leakage included (mW x ns = pJ)."""
        return self.column("energy_pj") + self.column("leakage_mw") * self.latency_ns

    @property
    def area_um2(self) -> Floats:
        """Of all parts."""
        return self.column("area_um2")

    @property
    def slack_ns(self) -> Floats:
        """Period less the shortest period: below 0 the design cannot run at its frequency."""
        return 1.0 / self.frequency_ghz - self.column("shortest_period_ns")

    @property
    def tops(self) -> Floats:
        """Tera-operations a second, two a multiply-accumulate, on this workload."""
        return 2e-3 * self.macs / self.latency_ns

    @property
    def power_mw(self) -> Floats:
        """Energy over latency."""
        return self.energy_pj / self.latency_ns

    def part_um2(self) -> dict[str, Floats]:
        """Area by part."""
        return {part: self.column(f"{part}_um2") for part in PARTS}


def evaluate(
    designs: Sequence[TpeDesign],
    workload: TpeWorkload,
    *,
    library: str | Library = "saed32",
    bare: bool = False,
    wire: float = 1.0,
) -> TpeResult:
    """Cost of designs, inside an index space or not.

    Args:
        designs: N.
        workload: matrix products with formats and operands.
        library: a key of `archgym_simulators.tpe.libraries.LIBRARIES`, or one of your own.
        bare: leave out what the public RTL leaves out (accumulators behind cubes and trees, finishing adders, operand
            fetch).
        wire: stretches delays, for layouts with pessimistic wires.

    Raises:
        InputError: an unknown library.
    """
    chosen = library_of(library) if isinstance(library, str) else library
    ghz = np.array([design.frequency_ghz for design in designs], dtype=np.float64)
    moments = np.array([design_moments(design, workload) for design in designs]).reshape(len(designs), 4)
    table = run_designs(
        design_table(designs),
        ghz,
        format_table(*workload.precisions),
        chosen.numbers(),
        moments,
        zero_shares(workload),
        slowest_quantiles(),
        workload.products(),
        bare,
        wire,
    )
    return TpeResult(table, ghz, workload.total_macs)


def unit_costs(
    designs: Sequence[TpeDesign], workload: TpeWorkload, *, library: str | Library = "saed32"
) -> tuple[Floats, Floats]:
    """Area in um2 and shortest period in ns of one PE with its encoders, as `archgym_simulators.tpe.verilog` writes it.

    Args:
        designs: N of one row and column, at a clock so slow that nothing has to grow. An adder tree is one PE with its
            accumulator; a cube is a chain of PEs, of which one is taken.
        workload: of which only the precisions count.
        library: as in `evaluate`.
    """
    chosen = library_of(library) if isinstance(library, str) else library
    bare, whole = (evaluate(designs, workload, library=chosen, bare=bare) for bare in (True, False))
    table, formats = design_table(designs), format_table(*workload.precisions)
    outside = np.array([surrounding_bits(row, formats) for row in table]) * chosen.register_um2
    chain = np.array([design.depth if design.architecture == "cube" else 1 for design in designs])
    tree = np.array([design.architecture == "tree" for design in designs], dtype=np.bool_)
    name = "shortest_period_ns"
    area = np.where(tree, whole.area_um2 - whole.part_um2()["finish"], bare.area_um2) - outside
    return area / chain, np.where(tree, whole.column(name), bare.column(name))


def design_moments(design: TpeDesign, workload: TpeWorkload) -> tuple[float, float, float, float]:
    """Of a group's cycles: mean, deviation, sum of the deviations by digit; and mean digits of an operand."""
    if not design.opt3:
        return 0.0, 0.0, 0.0, 0.0
    side = OPERANDS.index(design.encoded_operand)
    return operand_group_moments(
        workload.distributions[side],
        workload.precisions[side],
        encoding=design.encoding,
        size=design.skip_group,
        fifo_depth=design.fifo_depth,
    )


@lru_cache(maxsize=4096)
def operand_group_moments(
    distribution: Distribution, precision: Precision, *, encoding: str, size: int, fifo_depth: int
) -> tuple[float, float, float, float]:
    """As `design_moments`, for one operand."""
    probabilities = code_probabilities(distribution, precision)
    found = group_moments(probabilities, encoding, bits=precision.bits, size=size, fifo_depth=fifo_depth)
    return found.total_mean, found.total_deviation, float(np.add.reduce(found.deviation)), found.digits


def zero_shares(workload: TpeWorkload) -> Floats:
    """How often each digit is zero: (operands, encodings, 16), 0 beyond an encoding's digits."""
    shares = np.zeros((2, len(ENCODINGS), _MOST_DIGITS))
    for side in range(2):
        precision = workload.precisions[side]
        probabilities = code_probabilities(workload.distributions[side], precision)
        for e, encoding in enumerate(ENCODINGS):
            zero = digit_table(encoding, precision.bits) == 0
            for d in range(zero.shape[1]):
                shares[side, e, d] = np.add.reduce(probabilities[zero[:, d]])
    return shares


@lru_cache
def slowest_quantiles() -> Floats:
    """`slowest_quantile` of 0, 1, 2 ... columns."""
    return np.array([slowest_quantile(columns) for columns in range(LARGEST_SIDE + 1)])
