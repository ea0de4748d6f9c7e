"""From blocks to the table that the package ships."""

from __future__ import annotations

__all__ = ["accuracy_of_every", "pack", "packed_columns"]

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nas.digits_table import EPOCHS, FUNCTIONS, IMAGES, SCORE_NAMES, write_table
from experiments.nas_table.measure import BEST, CLOCK, EVERY, Columns, Part

_WHOLE = 1e-3


def pack(blocks: Path, table: Path) -> dict[str, Any]:
    """Write the table of all blocks that are there; returns what it says about itself.

    Raises:
        InputError: there is no block, or one holds a percentage that is no number of images.
    """
    columns, about = packed_columns(blocks)
    write_table(table, columns, about)
    return about


def packed_columns(blocks: Path) -> tuple[Columns, dict[str, Any]]:
    """The columns of the table, and what it says about itself.

    Seconds are those of the part ``clock`` once it has all functions that are packed: ratios to the reference cell
    timed beside them, times that cell's median. Until then they are those of the trainings.
    """
    every, best, clock = (_joined(blocks, part) for part in (EVERY, BEST, CLOCK))
    if not len(every["group"]):
        raise InputError(f"no blocks in {blocks / EVERY.name}; run: python -m experiments.nas_table every")
    is_clocked = np.isin(every["group"], clock["group"]).all()
    seconds = _clocked(clock, every["group"]) if is_clocked else (every["train_s"], every["evaluate_s"])
    columns = {
        "every_group": every["group"],
        "every_right": _images(every["validation"], IMAGES),
        "every_right_test": _images(every["test"], IMAGES[-1]),
        "best_group": best["group"],
        "best_right": _images(best["validation"], IMAGES),
        "best_right_test": _images(best["test"], IMAGES[-1]),
        "train_s": seconds[0],
        "evaluate_s": seconds[1],
        "scores": np.stack([every[name] for name in SCORE_NAMES], axis=1),
    }
    about = {
        "every_seeds": EVERY.seeds,
        "best_seeds": BEST.seeds,
        "functions": len(every["group"]),
        "judged": len(best["group"]),
        "seconds_of": CLOCK.name if is_clocked else EVERY.name,
    }
    return columns, about


def accuracy_of_every(blocks: Path) -> NDArray[np.float64]:
    """Percent (functions,) at the end, the mean of the seeds that searches see.

    Raises:
        InputError: not all functions are measured.
    """
    every = _joined(blocks, EVERY)
    if len(every["group"]) < FUNCTIONS:
        raise InputError(
            f"{len(every['group']):,} of {FUNCTIONS:,} functions are measured, and the best of all are not known "
            "before the last; run: python -m experiments.nas_table every"
        )
    return np.asarray(every["validation"][:, :, -1].astype(np.float64).mean(axis=1))


def _joined(blocks: Path, part: Part) -> Columns:
    """All blocks of a part, by ascending function."""
    found = []
    for path in sorted((blocks / part.name).glob("[0-9][0-9][0-9].npz")):
        with np.load(path, allow_pickle=False) as block:
            found.append(dict(block))
    if not found:
        return _no_rows(part)
    joined = {name: np.concatenate([block[name] for block in found]) for name in found[0]}
    order = np.argsort(joined["group"], kind="stable")
    return {name: column[order] for name, column in joined.items()}


def _no_rows(part: Part) -> Columns:
    seeds = len(part.seeds)
    return {
        "group": np.zeros(0, dtype=np.int16),
        "validation": np.zeros((0, seeds, EPOCHS)),
        "test": np.zeros((0, seeds)),
    }


def _images(percent: NDArray[Any], of: Any) -> NDArray[np.uint16]:
    counts = percent.astype(np.float64) * of / 100.0
    whole = np.rint(counts)
    if not (np.abs(counts - whole) < _WHOLE).all():
        raise InputError(f"a block holds an accuracy that is no number of {of} images")
    return np.asarray(whole, dtype=np.uint16)


def _clocked(clock: Columns, groups: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = np.searchsorted(clock["group"], groups)
    train, evaluate = (
        clock[name][rows] / clock[f"reference_{name}"][rows] * np.median(clock[f"reference_{name}"])
        for name in ("train_s", "evaluate_s")
    )
    return train, evaluate
