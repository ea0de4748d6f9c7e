"""Measure cells block by block; a block is a file, so the work can stop and go on at any time."""

from __future__ import annotations

__all__ = ["BEST", "CLOCK", "EVERY", "Part", "cell_of_group", "measure_block", "open_blocks"]

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archgym_simulators.nas.cells import Cell, cells_of_indices, function_groups
from archgym_simulators.nas.digits_design import RESNET

Columns = dict[str, np.ndarray]

BLOCK = 34
"""Groups a file; 4,930 = 145 * 34."""


@dataclass(frozen=True)
class Part:
    """One part of the measurements.

    Attributes:
        name: of its folder.
        seeds: of the trainings.
        scores: whether zero-cost scores are taken as well.
        is_timing: whether seconds are taken only, on a quiet machine, beside a reference cell.
    """

    name: str
    seeds: tuple[int, ...]
    scores: bool
    is_timing: bool = False


EVERY = Part("every", (0, 1, 2), scores=True)
"""Every function, with the seeds that searches see."""
BEST = Part("best", tuple(range(100, 110)), scores=False)
"""The functions that came out best, with seeds that no search sees."""
CLOCK = Part("clock", (0, 1, 2), scores=False, is_timing=True)
"""Seconds of every function. The trainings take hours beside other work, so their own seconds are not fair."""

_REFERENCE_EVERY = 4


def cell_of_group(group: int) -> Cell:
    """The first cell, by index, of those that compute a function."""
    groups, _ = function_groups()
    first = int(np.argmax(groups == group))
    return tuple(cells_of_indices(np.array([first]))[0].tolist())


def open_blocks(folder: Path, groups: Sequence[int]) -> list[tuple[Path, list[int]]]:
    """Files that are not there yet, and the groups that belong into each."""
    starts = range(0, len(groups), BLOCK)
    blocks = [(folder / f"{start // BLOCK:03d}.npz", list(groups[start : start + BLOCK])) for start in starts]
    return [(path, members) for path, members in blocks if not path.exists()]


def measure_block(path: Path, groups: Sequence[int], part: Part) -> None:
    """Train, or time, every group's cell, and write the file in one piece."""
    cells = [cell_of_group(group) for group in groups]
    columns = {"group": np.array(groups, dtype=np.int16), **(_timed if part.is_timing else _trained)(cells, part)}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part.npz")
    np.savez_compressed(unfinished, allow_pickle=False, **columns)
    unfinished.replace(path)


def _trained(cells: Sequence[Cell], part: Part) -> Columns:
    from archgym_simulators.nas.cell_training import train_cell

    trained = [train_cell(cell, part.seeds) for cell in cells]
    columns: Columns = {
        "validation": np.array([one.validation for one in trained], dtype=np.float32),  # (G, S, E)
        "test": np.array([one.test for one in trained], dtype=np.float32),  # (G, S)
        "train_s": np.array([one.train_s for one in trained], dtype=np.float32),
        "evaluate_s": np.array([one.evaluate_s for one in trained], dtype=np.float32),
    }
    return columns | (_scored(cells, part.seeds[0]) if part.scores else {})


def _scored(cells: Sequence[Cell], seed: int) -> Columns:
    import torch

    from archgym_simulators.nas.zero_cost import SCORES, scores_of

    torch.set_num_threads(1)
    found = [scores_of(cell, seed) for cell in cells]
    return {name: np.array([one[name] for one in found]) for name in SCORES}


def _timed(cells: Sequence[Cell], part: Part) -> Columns:
    """Seconds of each cell, and of the reference timed before every few of them."""
    from archgym_simulators.nas.cell_training import time_cell

    time_cell(RESNET, part.seeds)  # a process's first network is slower
    seconds, references = [], []
    for number, cell in enumerate(cells):
        if number % _REFERENCE_EVERY == 0:
            reference = time_cell(RESNET, part.seeds)
        seconds.append(time_cell(cell, part.seeds))
        references.append(reference)
    (train, evaluate), (train_reference, evaluate_reference) = np.array(seconds).T, np.array(references).T
    return {
        "train_s": train,
        "evaluate_s": evaluate,
        "reference_train_s": train_reference,
        "reference_evaluate_s": evaluate_reference,
    }
