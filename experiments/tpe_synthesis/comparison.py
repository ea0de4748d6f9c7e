"""The cost model and synthesis on the same units, and how well their orders agree."""

from __future__ import annotations

__all__ = ["Comparison", "compared", "rank_correlation"]

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.tpe.libraries import Library
from archgym_simulators.tpe.model import unit_costs
from archgym_simulators.tpe.synthesis import SynthesisReport
from archgym_simulators.tpe.workloads import TpeWorkload, workload
from experiments.tpe_synthesis.designs import Unit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """N units, by both backends.

    Attributes:
        model_area: (N,) um2 of the model's library.
        model_delay: (N,) ns, registers included.
        area: (N,) synthesised, um2.
        delay: (N,) synthesised, ns, registers not included.
    """

    model_area: Floats
    model_delay: Floats
    area: Floats
    delay: Floats

    def correlations(self, chosen: NDArray[np.bool_] | None = None) -> tuple[float, float]:
        """Rank correlations of areas and of delays, over all units or those that are chosen."""
        part = slice(None) if chosen is None else chosen
        return (
            rank_correlation(self.model_area[part], self.area[part]),
            rank_correlation(self.model_delay[part], self.delay[part]),
        )


def compared(units: Sequence[Unit], reports: Sequence[SynthesisReport], library: Library) -> Comparison:
    """Both backends on the same units, of one PE with its encoders."""
    areas, delays = np.zeros(len(units)), np.zeros(len(units))
    precisions = np.array([(unit.a_bits, unit.b_bits) for unit in units])
    for bits in sorted({(unit.a_bits, unit.b_bits) for unit in units}):
        chosen = np.flatnonzero((precisions == bits).all(axis=1))
        designs = [units[n].design for n in chosen.tolist()]
        areas[chosen], delays[chosen] = unit_costs(designs, _work(*bits), library=library)
    measured = np.array([(report.area_um2, report.delay_ns) for report in reports], dtype=np.float64)
    return Comparison(areas, delays, measured[:, 0], measured[:, 1])


def rank_correlation(x: Floats, y: Floats) -> float:
    """Spearman's, ties sharing their ranks."""
    return float(np.corrcoef(_ranks(x), _ranks(y))[0, 1])


def _ranks(values: Floats) -> Floats:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2.0)[place]
    return ranks


@lru_cache
def _work(a_bits: int, b_bits: int) -> TpeWorkload:
    return workload(f"gemm:64x64x64@int{a_bits}xint{b_bits}")
