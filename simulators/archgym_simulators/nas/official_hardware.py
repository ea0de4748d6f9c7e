"""Measured latencies and energies of the NAS-Bench-201 cells: HW-NAS-Bench (Li et al., ICLR 2021), HELP (Lee et al.).

Columns of a table are ``DATA:DEVICE:latency_ms`` and ``DATA:DEVICE:energy_mj``, in the order of `cells.index_of_cells`.
HELP measured networks for CIFAR-10; a number at the end of a device's name is the batch.
"""

from __future__ import annotations

__all__ = ["help_columns", "hw_nas_bench_columns"]

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nas.cells import SIZE
from archgym_simulators.nas.official_frames import Frame, cells_of_strings, order_of_cells, read_frame
from archgym_simulators.nas.official_nats import DATASETS
from archgym_simulators.nas.official_pickles import read_pickle
from archgym_simulators.nas.official_store import load_table

Columns = dict[str, NDArray[Any]]

_NAMES_IN_PICKLE = dict(zip(DATASETS, ("cifar10", "cifar100", "ImageNet16-120"), strict=True))
_METRIC = re.compile(r"(\w+)_(latency|energy)")
_UNITS = {"latency": "latency_ms", "energy": "energy_mj"}
_LARGEST = 1e7
_IN_HELP = "lat_ms_"


def hw_nas_bench_columns(path: Path, progress: Callable[[int, int], None] | None = None) -> Columns:
    """The latencies and energies of ``HW-NAS-Bench-v1_0.pickle``; its FBNet part is left out.

    Raises:
        InputError: damaged, hostile, incomplete, or with values out of range.
    """
    found = _part(read_pickle(path), "nasbench201", str(path))
    columns: Columns = {}
    for done, (data, name) in enumerate(_NAMES_IN_PICKLE.items(), start=1):
        where = f"{path}: nasbench201, {name}"
        metrics = _part(found, name, str(path))
        configs = metrics.get("config")
        if not isinstance(configs, list):
            raise InputError(f"{where} has no list 'config' of architectures")
        strings = [one.get("arch_str") if isinstance(one, dict) else one for one in configs]
        order = order_of_cells(where, cells_of_strings(where, strings))
        for metric, values in metrics.items():
            known = _METRIC.fullmatch(str(metric))
            if known:
                column = f"{data}:{known[1]}:{_UNITS[known[2]]}"
                columns[column] = _positive(values, f"{where}, {metric}")[order]
        if progress is not None:
            progress(done, len(_NAMES_IN_PICKLE))
    if not columns:
        raise InputError(f"{str(path)!r} has no latency or energy of NAS-Bench-201")
    return columns


def help_columns(
    path: Path, progress: Callable[[int, int], None] | None = None, *, folder: Path | None = None
) -> Columns:
    """The latencies of a table with columns ``lat_ms_DEVICE``, and ``arch_str`` or NATS-Bench's ``index``.

    An index without strings means something only beside the strings of an imported NATS-Bench table.

    Args:
        path: of the table.
        progress: told devices done and in all.
        folder: of imported tables.

    Raises:
        InputError: damaged, incomplete, or with values out of range.
        MissingData: rows are known by index, and no NATS-Bench table has been imported.
    """
    frame = read_frame(path)
    names = [str(name) for name in frame.data.columns if str(name).startswith(_IN_HELP)]
    if not names:
        raise InputError(f"{frame.name!r} has no column {_IN_HELP}DEVICE")
    if frame.has("arch_str"):
        indices = cells_of_strings(frame.name, frame.texts("arch_str"))
    else:
        indices = _cells_of_numbers(frame, folder)
    order = order_of_cells(frame.name, indices)
    columns: Columns = {}
    for done, name in enumerate(names, start=1):
        values = frame.numbers(name, low=0.0, high=_LARGEST)
        columns[f"cifar10:{name.removeprefix(_IN_HELP)}:latency_ms"] = values[order]
        if progress is not None:
            progress(done, len(names))
    return columns


def _cells_of_numbers(frame: Frame, folder: Path | None) -> NDArray[np.int64]:
    numbers = frame.numbers("index", low=0, high=SIZE - 1).astype(np.int64)
    known = load_table("nats-tss", folder, wanted_by=f"{frame.name!r}, which names architectures by number,")
    cell_of = np.empty(SIZE, dtype=np.int64)
    cell_of[known.columns["nats_index"]] = np.arange(SIZE)
    return cell_of[numbers]


def _part(found: Any, key: str, where: str) -> dict[Any, Any]:
    chosen = found.get(key) if isinstance(found, dict) else None
    if not isinstance(chosen, dict):
        raise InputError(f"{where!r} has no mapping {key!r}: not in the format of HW-NAS-Bench")
    return chosen


def _positive(values: Any, where: str) -> NDArray[np.float64]:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{where} must be {SIZE:,} numbers") from None
    if numbers.shape != (SIZE,):
        raise InputError(f"{where} must be {SIZE:,} numbers, not an array of the shape {numbers.shape}")
    wrong = ~((numbers >= 0.0) & (numbers <= _LARGEST))
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(f"{where}, architecture {row}: {numbers[row]} must be a number from 0 to {_LARGEST:g}")
    return numbers
