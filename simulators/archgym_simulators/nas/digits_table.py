"""The table of measured cells: accuracies by function, training seed and epoch, seconds and zero-cost scores.

``digits_table.npz`` is made by ``python -m experiments.nas_table pack``; its card is the README of that experiment.
Accuracies are kept as counts of images named rightly, which are exact.
"""

from __future__ import annotations

__all__ = [
    "COMMITTED",
    "EPOCHS",
    "FUNCTIONS",
    "IMAGES",
    "SCORE_NAMES",
    "DigitsTable",
    "Measurements",
    "read_table",
    "write_table",
]

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError, MissingData

EPOCHS = 20
FUNCTIONS = 4930
SCORE_NAMES = ("grad_norm", "snip", "synflow", "jacob_cov", "naswot", "zen")
PACK = "python -m experiments.nas_table every, then python -m experiments.nas_table pack"

COMMITTED = Path(__file__).with_name("digits_table.npz")
_ON_THE_WAY, _AT_THE_END = 1000, 2000
IMAGES = np.array([_ON_THE_WAY] * (EPOCHS - 1) + [_AT_THE_END])
"""Validation images after every epoch (E,); there are as many test images as at the end."""


@dataclass(frozen=True, eq=False)
class Measurements:
    """Trainings of some functions with the same seeds.

    Attributes:
        groups: (R,) the functions, by `archgym_simulators.nas.cells.function_groups`, ascending.
        seeds: of the trainings, S.
        right: (R, S, E) validation images named rightly after every epoch, of `IMAGES`.
        right_test: (R, S) test images named rightly at the end, of 2,000.
    """

    groups: NDArray[np.int64]
    seeds: tuple[int, ...]
    right: NDArray[np.uint16]
    right_test: NDArray[np.uint16]

    def validation(self, seed: int | None = None) -> NDArray[np.float64]:
        """Percent (FUNCTIONS, E) after every epoch, the mean of the seeds or one of them; NaN where not measured."""
        chosen = self.right if seed is None else self.right[:, [self.seeds.index(seed)]]
        return self._by_function(100.0 * _total(chosen) / (IMAGES * chosen.shape[1]))

    def validation_by_seed(self, group: int) -> NDArray[np.float64] | None:
        """Percent (S,) at the end of one function by seed; None where it was not measured."""
        row = np.flatnonzero(self.groups == group)
        return None if not len(row) else np.asarray(100.0 * self.right[row[0], :, -1] / IMAGES[-1])

    def validation_spread(self) -> NDArray[np.float64]:
        """Standard deviation (FUNCTIONS, E) between the seeds, in percent, from S - 1 degrees of freedom."""
        percent = 100.0 * self.right / IMAGES  # (R, S, E)
        mean = 100.0 * _total(self.right) / (IMAGES * len(self.seeds))
        square = np.zeros_like(mean)
        for s in range(len(self.seeds)):
            square += (percent[:, s] - mean) ** 2
        return self._by_function(np.sqrt(square / (len(self.seeds) - 1)))

    def test(self) -> NDArray[np.float64]:
        """Percent (FUNCTIONS,) of the test images at the end, the mean of the seeds; NaN where not measured."""
        return self._by_function(100.0 * _total(self.right_test) / (_AT_THE_END * len(self.seeds)))

    def _by_function(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        spread = np.full((FUNCTIONS, *values.shape[1:]), np.nan)
        spread[self.groups] = values
        return spread


@dataclass(frozen=True, eq=False)
class DigitsTable:
    """Everything that was measured.

    Attributes:
        every: functions with the seeds that searches see.
        best: some of them with other seeds, for judging; none in a table that is not finished.
        train_s: (R,) CPU seconds of an epoch's training of one network, by the rows of ``every``.
        evaluate_s: (R,) CPU seconds of one evaluation on the validation images.
        scores: (R, 6) zero-cost scores named `SCORE_NAMES`, of seed 0.
        about: how it was measured, JSON-able.
        digest: content hash of the file.
    """

    every: Measurements
    best: Measurements
    train_s: NDArray[np.float64]
    evaluate_s: NDArray[np.float64]
    scores: NDArray[np.float64]
    about: Mapping[str, Any]
    digest: str

    @property
    def missing(self) -> int:
        """Functions that no row has."""
        return FUNCTIONS - len(self.every.groups)

    def require_complete(self) -> None:
        """Refuse a table with missing rows.

        Raises:
            MissingData: how many there are, and how to make the rest.
        """
        if self.missing:
            raise MissingData(
                f"the table of measured cells holds {len(self.every.groups):,} of {FUNCTIONS:,} functions; "
                f"run: {PACK}; or take partial=True, where the others are invalid"
            )


def read_table(path: str | Path | None = None) -> DigitsTable:
    """The table in a file; the committed one where None.

    Raises:
        MissingData: there is no file.
        InputError: the file is damaged or no such table.
    """
    file = COMMITTED if path is None else Path(path)
    try:
        stamp = file.stat().st_mtime_ns
    except OSError:
        raise MissingData(f"no table of measured cells at {str(file)!r}; run: {PACK}") from None
    return _read(file, stamp)


def write_table(path: Path, columns: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> None:
    """Write a file in one piece; ``columns`` are those of `_COLUMNS`."""
    text = np.frombuffer(json.dumps(about, sort_keys=True).encode(), dtype=np.uint8)
    unfinished = path.with_suffix(".part.npz")
    arrays = {name: columns[name].astype(kind) for name, kind in _COLUMNS.items()}
    np.savez_compressed(unfinished, allow_pickle=False, about=text, **arrays)
    unfinished.replace(path)


_COLUMNS = {
    "every_group": "<u2",
    "every_right": "<u2",
    "every_right_test": "<u2",
    "best_group": "<u2",
    "best_right": "<u2",
    "best_right_test": "<u2",
    "train_s": "<f4",
    "evaluate_s": "<f4",
    "scores": "<f4",
}


@cache
def _read(file: Path, stamp: int) -> DigitsTable:
    del stamp  # a file that was written anew is read anew
    content = file.read_bytes()
    try:
        with np.load(BytesIO(content), allow_pickle=False) as archive:
            columns = {name: archive[name] for name in _COLUMNS}
            about = json.loads(archive["about"].tobytes())
        _check(columns, about)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{str(file)!r} is no table of measured cells: {str(error).splitlines()[0]}") from None
    for column in columns.values():
        column.flags.writeable = False
    return DigitsTable(
        _measurements(columns, "every", about),
        _measurements(columns, "best", about),
        columns["train_s"].astype(np.float64),
        columns["evaluate_s"].astype(np.float64),
        columns["scores"].astype(np.float64),
        about,
        hashlib.sha256(content).hexdigest()[:16],
    )


def _measurements(columns: Mapping[str, NDArray[Any]], part: str, about: Mapping[str, Any]) -> Measurements:
    return Measurements(
        columns[f"{part}_group"].astype(np.int64),
        tuple(about[f"{part}_seeds"]),
        columns[f"{part}_right"],
        columns[f"{part}_right_test"],
    )


def _check(columns: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> None:
    rows = len(columns["every_group"])
    for part in ("every", "best"):
        groups, seeds = columns[f"{part}_group"], len(about[f"{part}_seeds"])
        expected = {
            f"{part}_group": (len(groups),),
            f"{part}_right": (len(groups), seeds, EPOCHS),
            f"{part}_right_test": (len(groups), seeds),
        }
        for name, shape in expected.items():
            if columns[name].shape != shape:
                raise ValueError(f"{name} has the shape {columns[name].shape}, not {shape}")
        if len(groups) and (groups.max() >= FUNCTIONS or (np.diff(groups.astype(np.int64)) <= 0).any()):
            raise ValueError(f"{part}_group must ascend within 0..{FUNCTIONS - 1}")
        if (columns[f"{part}_right"] > IMAGES).any() or (columns[f"{part}_right_test"] > _AT_THE_END).any():
            raise ValueError(f"{part} counts more images than there are")
    if not rows or any(len(columns[name]) != rows for name in ("train_s", "evaluate_s", "scores")):
        raise ValueError("seconds and scores must have one row a function, at least one")
    numbers = (columns[name] for name in ("train_s", "evaluate_s", "scores"))
    if not all(np.isfinite(column).all() for column in numbers) or columns["train_s"].min() <= 0:
        raise ValueError("seconds and scores must be finite, and seconds above 0")


def _total(right: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Sum over the seeds (R, S, ...) -> (R, ...), exact."""
    return np.asarray(right.sum(axis=1, dtype=np.int64))
