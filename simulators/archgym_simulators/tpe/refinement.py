"""The model's areas and periods corrected by synthesis: a fidelity that costs a run of Yosys for a new PE.

A design's PE is synthesised, and priced by the model alone; the ratio of the two, relative to the same ratio for the
baseline's PE, corrects the model's figures for the whole engine. So the two technologies cancel out, and the baseline
is the same in both fidelities. Cycles and energy stay the model's.
"""

from __future__ import annotations

__all__ = ["SynthesisedUnits"]

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError, SimulationFailed
from archgym_simulators.external.yosys import find_yosys
from archgym_simulators.tpe.design import TpeDesign
from archgym_simulators.tpe.engine import OUTPUTS
from archgym_simulators.tpe.layout import CODES, FIELDS
from archgym_simulators.tpe.liberty import liberty_file
from archgym_simulators.tpe.libraries import Library
from archgym_simulators.tpe.model import TpeResult, unit_costs
from archgym_simulators.tpe.precision import Precision
from archgym_simulators.tpe.synthesis import synthesise
from archgym_simulators.tpe.workloads import workload

Integers = NDArray[np.int64]
Ratios = tuple[float, float]

_OF_PES = ("registers", "encode", "select", "compress", "add", "shift")
_SLOW_GHZ = 0.01
_FLAGS = ("opt1", "opt2", "opt3")


class SynthesisedUnits:
    """Corrects results of the model.

    Args:
        library: of the model.
        precisions: of both operands; integers.
        liberty: cell library of the synthesis, by name or path.
        program: Yosys by name or path; "" for the one that is there.
        time_limit_s: of one synthesis.
        cache_folder: of reports that last; "" for none.

    Attributes:
        tool: version of Yosys.

    Raises:
        InputError: minifloats, or a library or program that is not there.
        MissingExtra: there is no Yosys.
        SimulationFailed: Yosys does not run.
    """

    def __init__(
        self,
        library: Library,
        precisions: tuple[Precision, Precision],
        *,
        liberty: str,
        program: str = "",
        time_limit_s: float = 120.0,
        cache_folder: str = "",
    ) -> None:
        for precision in precisions:
            if not precision.is_integer:
                raise InputError(f"fidelity synthesis is for integers, not {precision.name}")
        self.tool = find_yosys(program or None).version
        liberty_file(liberty)
        self._library, (a, b) = library, precisions
        self._bits = (a.bits, b.bits)
        self._work = workload(f"gemm:64x64x64@{a.name}x{b.name}")
        self._liberty, self._program = liberty, program or None
        self._limit_s, self._cache = time_limit_s, cache_folder or None
        self._ratios: dict[TpeDesign, Ratios] = {}

    def corrected(self, fields: Integers, result: TpeResult, baseline: Integers) -> tuple[TpeResult, NDArray[np.bool_]]:
        """The model's result with areas and periods corrected, and for which designs the synthesis failed: (N,).

        Args:
            fields: designs as `archgym_simulators.tpe.layout.design_table` has them: (N, len(FIELDS)).
            result: of the model for them.
            baseline: the design for which nothing is corrected: (len(FIELDS),).

        Raises:
            SimulationFailed: the baseline cannot be synthesised.
        """
        table = result.table.copy()
        failed = np.zeros(len(fields), dtype=np.bool_)
        reference = self._ratio(_unit(baseline))
        parts = [OUTPUTS.index(f"{part}_um2") for part in _OF_PES]
        area, period = OUTPUTS.index("area_um2"), OUTPUTS.index("shortest_period_ns")
        for row, design in enumerate(fields):
            try:
                ratio = self._ratio(_unit(design))
            except SimulationFailed:
                failed[row] = True
                continue
            own = table[row, parts]
            table[row, parts] = own * (ratio[0] / reference[0])
            table[row, area] += float(np.add.reduce(table[row, parts])) - float(np.add.reduce(own))
            table[row, period] *= ratio[1] / reference[1]
        return TpeResult(table, result.frequency_ghz, result.macs), failed

    def _ratio(self, unit: TpeDesign) -> Ratios:
        """Area and delay of a PE, synthesis over model."""
        if unit not in self._ratios:
            report = synthesise(
                unit,
                liberty=self._liberty,
                a_bits=self._bits[0],
                b_bits=self._bits[1],
                program=self._program,
                time_limit_s=self._limit_s,
                cache_folder=self._cache,
            )
            area, period = unit_costs([unit], self._work, library=self._library)
            assert report.area_um2 is not None  # since there is a library
            assert report.delay_ns is not None
            self._ratios[unit] = report.area_um2 / float(area[0]), report.delay_ns / float(period[0])
        return self._ratios[unit]


def _unit(fields: Integers) -> TpeDesign:
    """One PE of a design; what does not change it is the same for all."""
    values = dict(zip(FIELDS, fields.tolist(), strict=True))
    named = {name: CODES[name][value] if name in CODES else value for name, value in values.items()}
    design = TpeDesign(**(named | {flag: bool(named[flag]) for flag in _FLAGS}), frequency_ghz=_SLOW_GHZ)
    return replace(design, rows=1, columns=1, k_tile=1024, fifo_depth=1)
