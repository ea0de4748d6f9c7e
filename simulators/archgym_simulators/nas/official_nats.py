"""NAS-Bench-201 as NATS-Bench publishes it (Dong et al., TPAMI 2021): archives, or tables made of them.

An archive maps each architecture to two trainings, of 12 and of 200 epochs, and these to results by data set and seed.
Of each training the last epoch is taken, and the mean over its seeds, as NATS-Bench does with ``is_random=False``. The
search signal of CIFAR-10 is the training on half of the training images (``cifar10-valid``); its test accuracy is that
of the training on all of them.
"""

from __future__ import annotations

__all__ = ["ACCURACIES", "DATASETS", "EPOCHS", "TRAIN_TIME_FACTORS", "archive_columns", "frame_columns", "nats_columns"]

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nas.cells import SIZE
from archgym_simulators.nas.official_frames import Frame, cells_of_strings, order_of_cells, read_frame
from archgym_simulators.nas.official_pickles import read_pickle

DATASETS = ("cifar10", "cifar100", "imagenet16-120")
EPOCHS = (12, 200)
ACCURACIES = tuple(f"{data}_{what}" for data in DATASETS for what in ("val_12", "val_200", "test_200"))
TRAIN_TIME_FACTORS = {"cifar10": 1.0, "cifar100": 2.0, "imagenet16-120": 6.068}
"""Training time of an epoch, relative to CIFAR-10 on half of the training images; the same for every cell."""

_MOST_BYTES_OF_ONE = 1 << 28
_VALID = {"cifar10": ("cifar10-valid", "x-valid"), "cifar100": ("cifar100", "x-valid")}
_VALID["imagenet16-120"] = ("ImageNet16-120", "x-valid")
_TEST = {"cifar10": ("cifar10", "ori-test"), "cifar100": ("cifar100", "x-test")}
_TEST["imagenet16-120"] = ("ImageNet16-120", "x-test")

# Column names of tables that people have made of the archives: ours -> theirs; those in lists may be missing.
_IN_FRAMES = {"cifar10": "c10", "cifar100": "c100", "imagenet16-120": "in16"}

Progress = Callable[[int, int], None]
Columns = dict[str, NDArray[Any]]


def nats_columns(path: Path, progress: Progress | None = None) -> Columns:
    """The table of an archive, a folder of single files, or a table, by the order of `cells.index_of_cells`.

    Columns: ``nats_index``, ``DATA_val_12``, ``DATA_val_200`` (NaN where the source has none), ``DATA_test_200`` in
    percent, and ``train_s`` an epoch of CIFAR-10 on half of the training images; 15,625 rows.

    Args:
        path: what the user has.
        progress: told architectures read and in all.

    Raises:
        InputError: missing, damaged, hostile, incomplete, or with values out of range.
    """
    if path.is_dir() or ".pickle" in path.name:
        return archive_columns(path, progress)
    return frame_columns(read_frame(path))


# ---- archives ------------------------------------------------------------------------------------------------------


def archive_columns(path: Path, progress: Progress | None = None, *, needed: int = SIZE) -> Columns:
    """As `nats_columns`, of an archive or a folder.

    Args:
        path: ``NATS-tss-v1_0-3ffb9.pickle.pbz2`` or the folder ``NATS-tss-v1_0-3ffb9-simple``.
        progress: told architectures read and in all.
        needed: architectures that must be there; fewer only for tests, and then in the archive's order.
    """
    strings, trainings = _opened(path)
    rows: list[dict[str, float]] = []
    for number in range(min(needed, len(strings))):
        rows.append(_row_of(f"{path}: architecture {number}", trainings(number)))
        if progress is not None:
            progress(number + 1, needed)
    columns: Columns = {name: np.array([row[name] for row in rows]) for name in (*ACCURACIES, "train_s")}
    columns["nats_index"] = np.arange(len(rows), dtype=np.int32)
    indices = cells_of_strings(str(path), strings[:needed])
    return _ordered(str(path), columns, indices) if needed == SIZE else {"cell": indices, **columns}


def _opened(path: Path) -> tuple[list[Any], Callable[[int], Any]]:
    """Architecture strings by number, and a function from a number to its trainings."""
    if path.is_dir():
        meta = _entry(read_pickle(path / "meta.pickle.pbz2"), "meta_archs", str(path))
        return list(meta), lambda number: read_pickle(path / f"{number:06d}.pickle.pbz2", most_bytes=_MOST_BYTES_OF_ONE)
    archive = read_pickle(path)
    strings, trained = (_entry(archive, name, str(path)) for name in ("meta_archs", "arch2infos"))
    return list(strings), lambda number: _entry(trained, number, f"{path}: arch2infos")


def _row_of(where: str, trainings: Any) -> dict[str, float]:
    short, long = (_results(where, trainings, str(epochs)) for epochs in EPOCHS)
    row = {}
    for data in DATASETS:
        for epochs, results in zip(EPOCHS, (short, long), strict=True):
            row[f"{data}_val_{epochs}"] = _accuracy(where, results, *_VALID[data], epochs)
        row[f"{data}_test_200"] = _accuracy(where, long, *_TEST[data], 200)
    row["train_s"] = _mean(
        [time for result in _of_data(where, short, "cifar10-valid") for time in _times(where, result)], where
    )
    return row


def _results(where: str, trainings: Any, hp: str) -> Mapping[Any, Any]:
    found = _entry(_entry(trainings, hp, where), "all_results", f"{where}, {hp} epochs")
    if not isinstance(found, dict):
        raise InputError(f"{where}, {hp} epochs: all_results must be a mapping, not {type(found).__name__}")
    return found


def _of_data(where: str, results: Mapping[Any, Any], data: str) -> Iterator[Any]:
    found = [result for key, result in results.items() if isinstance(key, tuple) and key[:1] == (data,)]
    if not found:
        raise InputError(f"{where} has no results on {data}")
    yield from found


def _accuracy(where: str, results: Mapping[Any, Any], data: str, split: str, epochs: int) -> float:
    label = f"{split}@{epochs - 1}"
    found = [
        _number(_entry(_entry(result, "eval_acc1es", where), label, f"{where}, {data}"), f"{where}, {data}, {label}")
        for result in _of_data(where, results, data)
    ]
    return _mean(found, f"{where}, {data}, {label}", high=100.0)


def _times(where: str, result: Any) -> list[float]:
    times = _entry(result, "train_times", where)
    values = list(times.values()) if isinstance(times, dict) else times
    if not isinstance(values, list) or not values:
        raise InputError(f"{where}: train_times must be seconds by epoch")
    return [_number(value, f"{where}, train_times") for value in values]


def _entry(mapping: Any, key: Any, where: str) -> Any:
    if not isinstance(mapping, dict) or key not in mapping:
        raise InputError(f"{where} has no {key!r}: not in the format of NATS-Bench")
    return mapping[key]


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where}: {str(value)[:40]!r} is no number")
    return float(value)


def _mean(values: list[float], where: str, *, high: float = 1e9) -> float:
    mean = sum(values) / len(values)
    if not 0.0 <= mean <= high:
        raise InputError(f"{where}: {mean:g} must be from 0 to {high:g}")
    return mean


# ---- tables --------------------------------------------------------------------------------------------------------


def frame_columns(frame: Frame) -> Columns:
    """As `nats_columns`, of a table with ``arch_str`` and columns such as ``c10_val_12ep``."""
    columns: Columns = {}
    for data, short in _IN_FRAMES.items():
        columns[f"{data}_val_12"] = frame.numbers(f"{short}_val_12ep", low=0.0, high=100.0)
        columns[f"{data}_val_200"] = _optional(frame, f"{short}_val_200ep")
        given = f"{short}_test_200ep"
        chosen = given if frame.has(given) else f"{given}_robot"
        columns[f"{data}_test_200"] = frame.numbers(chosen, low=0.0, high=100.0)
    columns["train_s"] = frame.numbers("train_s_per_epoch_c10valid", low=1e-6, high=1e6)
    columns["nats_index"] = frame.numbers("index", low=0, high=SIZE - 1).astype(np.int32)
    return _ordered(frame.name, columns, cells_of_strings(frame.name, frame.texts("arch_str")))


def _optional(frame: Frame, column: str) -> NDArray[np.float64]:
    if not frame.has(column):
        return np.full(len(frame.data), np.nan)
    return frame.numbers(column, low=0.0, high=100.0)


def _ordered(name: str, columns: Columns, indices: NDArray[np.int64]) -> Columns:
    order = order_of_cells(name, indices)
    if len(np.unique(columns["nats_index"])) != SIZE:
        raise InputError(f"{name!r} numbers two architectures alike in column 'index'")
    return {column: values[order] for column, values in columns.items()}
