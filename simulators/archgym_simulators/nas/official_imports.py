"""Importing a published benchmark: read, check, convert, and put where the environments find it."""

from __future__ import annotations

__all__ = ["Imported", "check_kind", "import_data"]

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archgym_simulators.errors import InputError
from archgym_simulators.nas.official_accel import accel_columns
from archgym_simulators.nas.official_frames import sha256_of
from archgym_simulators.nas.official_hardware import help_columns, hw_nas_bench_columns
from archgym_simulators.nas.official_macro import macro_columns
from archgym_simulators.nas.official_nats import nats_columns
from archgym_simulators.nas.official_store import KINDS, save_table
from archgym_simulators.nearest import allowed_values, did_you_mean

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes:
        path: the file that it wrote.
        rows: its rows.
        columns: names of its columns.
        notes: further entries of its manifest.
    """

    path: Path
    rows: int
    columns: tuple[str, ...]
    notes: dict[str, Any]


def import_data(
    kind: str, path: Path | str, *, folder: Path | None = None, progress: Progress | None = None
) -> Imported:
    """Import a benchmark that the user has; a table of that kind is replaced when all of it is read.

    Args:
        kind: of `official_store.KINDS`.
        path: a file, or the folder of NATS-Bench's single files.
        folder: of imported tables; that of the user where None.
        progress: told parts done and parts in all.

    Raises:
        InputError: unknown kind, no such file, or contents that cannot be used.
        MissingData: HELP's table by index, before a NATS-Bench table.
    """
    check_kind(kind)
    source = Path(path)
    if not source.exists():
        raise InputError(f"no file {str(source)!r}; {kind} is read from {KINDS[kind].sources}")
    columns, notes = _read(kind, source, folder, progress)
    saved = save_table(kind, columns, source=source.name, sha256=sha256_of(source), folder=folder, notes=notes)
    return Imported(saved, len(next(iter(columns.values()))), tuple(columns), notes)


def check_kind(kind: str) -> None:
    """Refuse a kind that is not known.

    Raises:
        InputError: with the nearest match.
    """
    if kind not in KINDS:
        raise InputError(f"unknown kind {kind!r}{did_you_mean(kind, KINDS)}; allowed: {allowed_values(tuple(KINDS))}")


def _read(
    kind: str, source: Path, folder: Path | None, progress: Progress | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    if source.is_dir() and kind != "nats-tss":
        raise InputError(f"{str(source)!r} is a folder; {kind} is read from {KINDS[kind].sources}")
    if kind == "accel-nasbench":
        return accel_columns(source, progress)
    if kind == "help-latency":
        return help_columns(source, progress, folder=folder), {}
    readers = {"nats-tss": nats_columns, "hw-nas-bench": hw_nas_bench_columns, "nas-bench-macro": macro_columns}
    return readers[kind](source, progress), {}
