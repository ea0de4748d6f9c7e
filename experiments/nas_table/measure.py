"""Measure cells block by block; a block is a file, so the work can stop and go on at any time."""

from __future__ import annotations

__all__ = ["BEST", "EVERY", "Part", "cell_of_group", "measure_block", "open_blocks"]

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archgym_simulators.nas.cells import Cell, cells_of_indices, function_groups
from archgym_simulators.nas.zero_cost import SCORES, scores_of

BLOCK = 34
"""Groups a file; 4,930 = 145 * 34."""


@dataclass(frozen=True)
class Part:
    """One part of the measurements.

    Attributes:
        name: of its folder.
        seeds: of the trainings.
        scores: whether zero-cost scores are taken as well.
    """

    name: str
    seeds: tuple[int, ...]
    scores: bool


EVERY = Part("every", (0, 1, 2), scores=True)
"""Every function, with the seeds that searches see."""
BEST = Part("best", tuple(range(100, 110)), scores=False)
"""The functions that came out best, with seeds that no search sees."""


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
    """Train every group's cell, and write the file in one piece."""
    import torch

    from archgym_simulators.nas.cell_training import train_cell

    torch.set_num_threads(1)
    cells = [cell_of_group(group) for group in groups]
    trained = [train_cell(cell, part.seeds) for cell in cells]
    columns: dict[str, np.ndarray] = {
        "group": np.array(groups, dtype=np.int16),
        "validation": np.array([one.validation for one in trained], dtype=np.float32),  # (G, S, E)
        "test": np.array([one.test for one in trained], dtype=np.float32),  # (G, S)
        "train_s": np.array([one.train_s for one in trained], dtype=np.float32),
        "evaluate_s": np.array([one.evaluate_s for one in trained], dtype=np.float32),
    }
    if part.scores:
        found = [scores_of(cell, part.seeds[0]) for cell in cells]
        columns |= {name: np.array([one[name] for one in found]) for name in SCORES}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part.npz")
    np.savez_compressed(unfinished, allow_pickle=False, **columns)
    unfinished.replace(path)
