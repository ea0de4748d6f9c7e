"""What is known of every cell, by index: from the table, from the network's shape and from the hardware."""

from __future__ import annotations

__all__ = ["DISCONNECTED", "NOT_JUDGED", "NOT_MEASURED", "KnownCells", "known_cells"]

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.nas.cell_hardware import CellCosts
from archgym_simulators.nas.cells import SIZE, function_groups
from archgym_simulators.nas.digits_design import connected_cells, convolutions_of_cells, live_cells
from archgym_simulators.nas.digits_table import FUNCTIONS, DigitsTable
from archgym_simulators.nas.digits_workloads import Seeds
from archgym_simulators.nas.skeleton import DIGITS, macs_of, parameters_of

DISCONNECTED, NOT_MEASURED, NOT_JUDGED = range(3)
_POINTS_A_UNIT = 10.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class KnownCells:
    """The 15,625 cells by index, and the functions that they are.

    Attributes:
        groups: (SIZE,) the function of each cell.
        accuracy: (FUNCTIONS * EPOCHS,) percent after every epoch, function by function.
        spread: (FUNCTIONS * EPOCHS,) its standard deviation between seeds; NaN where one seed is asked.
        test: (FUNCTIONS,) percent of the test images; NaN but for judging.
        fixed: (SIZE, F) what does not depend on the epochs: train seconds of an epoch, evaluation seconds,
            parameters, MACs, latency, energy, area and the zero-cost scores.
        trainings: paid by an evaluation.
        code: (SIZE,) why a cell is invalid, -1 where it is not.
        detail: (SIZE,) the number in the reason's sentence.
        violation: (SIZE,) how far it is from valid.
    """

    groups: NDArray[np.int64]
    accuracy: Floats
    spread: Floats
    test: Floats
    fixed: Floats
    trainings: int
    code: NDArray[np.int16]
    detail: Floats
    violation: Floats

    def training_s(self, cells: NDArray[np.int64], epochs: NDArray[np.int64] | int) -> Floats:
        """Seconds (N,) of all trainings of cells (N,) for so many epochs."""
        return np.asarray(self.trainings * (epochs * self.fixed[:, 0].take(cells)))

    def evaluation_s(self, cells: NDArray[np.int64]) -> Floats:
        """Seconds (N,) of one validation of each training."""
        return np.asarray(self.trainings * self.fixed[:, 1].take(cells))


def known_cells(table: DigitsTable, seeds: Seeds, costs: CellCosts) -> KnownCells:
    """Put together what a workload needs, once."""
    groups = function_groups()[0].astype(np.int64)
    accuracy, searched = seeds.measured.validation(seeds.one), table.every.validation()[:, -1]
    spread = seeds.measured.validation_spread() if seeds.one is None else np.full(accuracy.shape, np.nan)
    test = seeds.measured.test() if seeds.is_judge else np.full(FUNCTIONS, np.nan)
    code, detail, violation = _verdicts(groups, accuracy[:, -1], searched)
    return KnownCells(
        groups=groups,
        accuracy=accuracy.ravel(),
        spread=spread.ravel(),
        test=test,
        fixed=_fixed(groups, table, costs),
        trainings=seeds.count,
        code=code,
        detail=detail,
        violation=violation,
    )


def _fixed(groups: NDArray[np.int64], table: DigitsTable, costs: CellCosts) -> Floats:
    cells, convolutions = live_cells(), convolutions_of_cells()
    return np.column_stack(
        [
            _by_function(table.train_s, table)[groups],
            _by_function(table.evaluate_s, table)[groups],
            parameters_of(cells, DIGITS),
            macs_of(cells, DIGITS),
            costs.latencies(convolutions),
            costs.energies(convolutions),
            np.full(SIZE, costs.area_mm2),
            _by_function(table.scores, table)[groups],
        ]
    )


def _by_function(values: NDArray[Any], table: DigitsTable) -> Floats:
    spread = np.full((FUNCTIONS, *values.shape[1:]), np.nan)
    spread[table.every.groups] = values
    return spread


def _verdicts(groups: NDArray[np.int64], final: Floats, searched: Floats) -> tuple[NDArray[np.int16], Floats, Floats]:
    """Reason, its number and the violation (SIZE,) each, from what the workload and the search know at the end."""
    accuracy, has_final = searched[groups], np.isfinite(final[groups])
    least = np.nanmin(searched[np.isfinite(final)], initial=100.0)
    short = np.maximum(least - accuracy, 0.0) / _POINTS_A_UNIT
    conditions = [~connected_cells(), ~np.isfinite(accuracy), ~has_final]
    code = np.select(conditions, [DISCONNECTED, NOT_MEASURED, NOT_JUDGED], -1).astype(np.int16)
    detail = np.select(conditions, [0.0, groups, accuracy], 0.0)
    violation = np.select(conditions, [1.0, 1.0, 1.0 + short], 0.0)
    return code, detail, violation
