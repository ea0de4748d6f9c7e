"""Measure a cell again and compare it with its row of the table."""

from __future__ import annotations

__all__ = ["Comparison", "measure_again"]

from dataclasses import dataclass

import numpy as np

from archgym_simulators.errors import InputError
from archgym_simulators.nas.cells import cell_of_text, function_groups, index_of_cells, text_of_cell
from archgym_simulators.nas.digits_table import DigitsTable
from experiments.nas_table.measure import EVERY, cell_of_group

_ERRORS = 3.0


@dataclass(frozen=True)
class Comparison:
    """A row of the table beside a new measurement of it.

    Attributes:
        cell: the cell that stands for the function, which is the one that is trained.
        recorded: percent (S,) at the end, by seed.
        found: the same, now.
        noise: how far two means of so many seeds may lie apart: three standard errors of their difference, from the
            standard deviation between seeds over the whole table.
    """

    cell: str
    recorded: np.ndarray
    found: np.ndarray
    noise: float

    @property
    def holds(self) -> bool:
        """Whether the means agree within the noise."""
        return bool(abs(self.recorded.mean() - self.found.mean()) <= self.noise)

    def __str__(self) -> str:
        means = f"{self.recorded.mean():.2f} % in the table, {self.found.mean():.2f} % now"
        same = "every seed to the image" if (self.recorded == self.found).all() else f"noise {self.noise:.2f}"
        return f"{self.cell}: {means} ({same}): {'holds' if self.holds else 'does NOT hold'}"


def measure_again(text: str, table: DigitsTable) -> Comparison:
    """Train the cell that stands for an architecture string's function, with the seeds that searches see.

    Raises:
        InputError: a malformed string, or a function that the table does not hold.
    """
    from archgym_simulators.nas.cell_training import train_cell

    group = int(function_groups()[0][index_of_cells(np.array([cell_of_text(text)]))[0]])
    recorded = table.every.validation_by_seed(group)
    if recorded is None:
        raise InputError(f"the table does not hold function {group} of {text!r} yet")
    cell = cell_of_group(group)
    found = train_cell(cell, EVERY.seeds).validation[:, -1]
    spread = table.every.validation_spread()[:, -1]
    pooled = float(np.sqrt(np.nanmean(spread**2)))
    return Comparison(text_of_cell(cell), recorded, found, _ERRORS * pooled * np.sqrt(2.0 / len(EVERY.seeds)))
