"""What cells are worth: from the table where it has them, by training with seeds that no search saw where not."""

from __future__ import annotations

__all__ = ["FRESH_SEEDS", "Judge", "Verdict", "random_cells"]

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archgym_simulators.errors import InputError
from archgym_simulators.nas.cells import (
    Cell,
    cell_of_text,
    cells_of_indices,
    function_groups,
    index_of_cells,
    text_of_cell,
)
from archgym_simulators.nas.digits_design import connected_cells
from archgym_simulators.nas.digits_table import DigitsTable

FRESH_SEEDS = (200, 201, 202)
HEADER = ("cell", "validation", "test")


@dataclass(frozen=True)
class Verdict:
    """Percent named rightly at the end of three trainings, the mean.

    Attributes:
        source: "table" or "trained".
        validation: of the validation images.
        test: of the test images.
    """

    source: str
    validation: float
    test: float


class Judge:
    """Asks the table first; remembers what it had to train in a file. Cells of one function have one verdict.

    Args:
        path: of the trainings; it need not exist.
        table: of measured cells.
    """

    def __init__(self, path: Path, table: DigitsTable) -> None:
        self._path = path
        self._trained: dict[int, tuple[Cell, Verdict]] = {}
        self._table = table.every.validation()[:, -1], table.every.test()
        if path.exists():
            self._read()

    def verdict(self, cell: Cell) -> Verdict:
        """Of one cell; trains it if it must."""
        group = _group_of(cell)
        validation, test = (float(column[group]) for column in self._table)
        if np.isfinite(validation):
            return Verdict("table", validation, test)
        if group not in self._trained:
            self._trained[group] = (cell, _trained(cell))
            self._write()
        return self._trained[group][1]

    def _read(self) -> None:
        with self._path.open() as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            if set(row) != set(HEADER):
                raise InputError(f"{str(self._path)!r} holds no verdicts; it needs the columns {', '.join(HEADER)}")
            cell = cell_of_text(row["cell"])
            verdict = Verdict("trained", float(row["validation"]), float(row["test"]))
            self._trained[_group_of(cell)] = (cell, verdict)

    def _write(self) -> None:
        unfinished = self._path.with_suffix(".part")
        with unfinished.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADER)
            writer.writerows(_rows(self._trained.values()))
        unfinished.replace(self._path)


def _trained(cell: Cell) -> Verdict:
    from archgym_simulators.nas.cell_training import train_cell

    found = train_cell(cell, FRESH_SEEDS)
    return Verdict("trained", float(found.validation[:, -1].mean()), float(found.test.mean()))


def random_cells(n: int, seed: int) -> list[Cell]:
    """Drawn uniformly among the cells through which something passes."""
    indices = np.random.default_rng(seed).choice(np.flatnonzero(connected_cells()), size=n, replace=False)
    return [tuple(cell) for cell in cells_of_indices(indices).tolist()]


def _rows(known: Iterable[tuple[Cell, Verdict]]) -> list[tuple[str, ...]]:
    return [(text_of_cell(cell), f"{one.validation:.4f}", f"{one.test:.4f}") for cell, one in known]


def _group_of(cell: Cell) -> int:
    return int(function_groups()[0][index_of_cells(np.array([cell]))[0]])
