"""Accel-NASBench as its users have it (Ahmad et al., DAC 2024): measured MnasNet-like networks, made into a surrogate.

The columns of the imported table are the surrogate's coefficients by target, and the scales of its features; its errors
on the tenth of the data that was kept back are in the manifest.
"""

from __future__ import annotations

__all__ = ["SCALES", "accel_columns", "surrogate_of"]

from collections.abc import Callable, Mapping
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nas.official_frames import Frame, read_frame
from archgym_simulators.nas.official_surrogate import BLOCKS, TARGETS, Surrogate, fit, settings_of_block
from archgym_simulators.nearest import allowed_values

SCALES = "scales"
"""Name of the column that holds the surrogate's `scales`, filled up with zeros."""

_SCALES_SHAPE = (2, BLOCKS, 6)
_FIELDS = ("e", "k", "l", "se")
_FEWEST = 2_000
_LARGEST = 1e9


def accel_columns(
    path: Path, progress: Callable[[int, int], None] | None = None
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The surrogate's coefficients by target, and notes for the manifest, of a table of measured networks.

    Raises:
        InputError: damaged, too few rows for a surrogate, or with values out of range.
    """
    frame = read_frame(path)
    if len(frame.data) < _FEWEST:
        raise InputError(f"{frame.name!r} has {len(frame.data):,} rows; a surrogate needs {_FEWEST:,}")
    settings = np.column_stack([_settings(frame, block) for block in range(BLOCKS)])
    measured = {
        name: frame.numbers(name, low=1e-9, high=_highest(name), may_lack=name not in ("val_top1", "macs", "params"))
        for name in TARGETS
    }
    surrogate, errors = fit(settings, measured)
    if progress is not None:
        progress(len(settings), len(settings))
    columns = {name: surrogate.coefficients[:, number] for number, name in enumerate(TARGETS)}
    columns[SCALES] = np.zeros(len(surrogate.coefficients))
    columns[SCALES][: surrogate.scales.size] = surrogate.scales.ravel()
    return columns, {"rows": len(settings), "errors": {name: asdict(error) for name, error in errors.items()}}


def surrogate_of(columns: Mapping[str, NDArray[Any]]) -> Surrogate:
    """The surrogate that `accel_columns` made columns of."""
    coefficients = np.column_stack([columns[name] for name in TARGETS])
    return Surrogate(coefficients, columns[SCALES][: prod(_SCALES_SHAPE)].reshape(_SCALES_SHAPE))


def _highest(name: str) -> float:
    return 99.99 if name == "val_top1" else _LARGEST


def _settings(frame: Frame, block: int) -> NDArray[np.int64]:
    """Index (R,) of each row's setting of a block."""
    number_of = {setting: number for number, setting in enumerate(settings_of_block(block))}
    columns = [frame.numbers(f"block{block}_{field}", low=0, high=99) for field in _FIELDS]
    found = np.empty(len(frame.data), dtype=np.int64)
    for row, values in enumerate(np.column_stack(columns).astype(np.int64).tolist()):
        number = number_of.get(tuple(values))
        if number is None:
            wrong = next(place for place, value in enumerate(values) if value not in _allowed(number_of, place))
            raise InputError(
                f"{frame.name!r}, row {row + 1}, column 'block{block}_{_FIELDS[wrong]}': {values[wrong]} must be one "
                f"of {allowed_values(_allowed(number_of, wrong))}"
            )
        found[row] = number
    return found


def _allowed(settings: dict[tuple[int, int, int, int], int], place: int) -> list[int]:
    return sorted({setting[place] for setting in settings})
