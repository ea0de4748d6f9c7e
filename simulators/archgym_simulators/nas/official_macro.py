"""NAS-Bench-Macro as its users have it (Su et al., CVPR 2021): 3^8 architectures, three trainings each on CIFAR-10.

Columns: ``accuracy_1`` to ``_3`` in percent of the test images, ``parameters``, ``macs``, in the order of the strings
read as numbers of base 3.
"""

from __future__ import annotations

__all__ = ["BLOCKS", "LAYERS", "SIZE", "macro_columns"]

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nas.official_frames import Frame, read_frame

BLOCKS = ("identity", "mb3_k3", "mb6_k5")
"""What a layer may be: nothing, or a MobileNetV2 block with an expansion of 3 or 6 and a kernel of 3 or 5."""
LAYERS = 8
SIZE = len(BLOCKS) ** LAYERS

_TRAININGS = 3
_MEAN_AGREES = 0.02  # percent; means are published rounded


def macro_columns(path: Path, progress: Callable[[int, int], None] | None = None) -> dict[str, NDArray[Any]]:
    """The table of ``nas-bench-macro_cifar10.json``, or of a Parquet or CSV table with the same entries.

    Raises:
        InputError: damaged, incomplete, or with values out of range.
    """
    frame = _frame_of_json(path) if path.suffix.lower() == ".json" else read_frame(path)
    strings = frame.texts("arch")
    wrong = [text for text in strings if len(text) != LAYERS or set(text) - set("012")]
    if wrong:
        raise InputError(f"{frame.name!r}: architecture {wrong[0]!r} must be {LAYERS} digits of 0, 1 and 2")
    if len(set(strings)) != len(strings) or len(strings) != SIZE:
        raise InputError(
            f"{frame.name!r} has {len(set(strings)):,} of the {SIZE:,} architectures in {len(strings)} rows"
        )
    columns: dict[str, NDArray[Any]] = {
        f"accuracy_{one}": frame.numbers(f"acc{one}", low=0.0, high=100.0) for one in range(1, _TRAININGS + 1)
    }
    _check_means(frame, columns)
    for ours, theirs in (("parameters", "params"), ("macs", "flops")):
        columns[ours] = frame.numbers(theirs, low=1, high=1e15).astype(np.int64)
    order = np.argsort([int(text, len(BLOCKS)) for text in strings])
    if progress is not None:
        progress(SIZE, SIZE)
    return {name: values[order] for name, values in columns.items()}


def _check_means(frame: Frame, columns: Mapping[str, NDArray[Any]]) -> None:
    if not frame.has("mean_acc"):
        return
    mean = frame.numbers("mean_acc", low=0.0, high=100.0)
    ours = sum(columns.values()) / _TRAININGS
    wrong = np.abs(mean - ours) > _MEAN_AGREES
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(f"{frame.name!r}, row {row + 1}: mean_acc {mean[row]:g} is not the mean of its trainings")


def _frame_of_json(path: Path) -> Frame:
    import pandas as pd

    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise InputError(f"{str(path)!r} is no JSON: {str(error)[:100]}") from None
    if not isinstance(found, dict) or not found:
        raise InputError(f"{str(path)!r} must be a mapping from architectures to their results")
    return Frame(str(path), pd.DataFrame([_row(str(path), arch, entry) for arch, entry in found.items()]))


def _row(name: str, arch: str, entry: Any) -> dict[str, Any]:
    accuracies = entry.get("test_acc") if isinstance(entry, dict) else None
    if not isinstance(accuracies, list) or len(accuracies) != _TRAININGS:
        raise InputError(f"{name!r}, architecture {arch!r} must have {_TRAININGS} numbers in 'test_acc'")
    trained = {f"acc{one}": value for one, value in enumerate(accuracies, start=1)}
    return {"arch": arch, **trained, **{key: entry.get(key) for key in ("mean_acc", "params", "flops")}}
