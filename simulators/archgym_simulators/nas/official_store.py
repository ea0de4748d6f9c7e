"""Tables of published benchmarks that a user has imported: one Parquet file a kind, in a folder of the user's data.

The file is replaced when all of it is written, and carries its manifest: what it was made of, and under which licence.
"""

from __future__ import annotations

__all__ = ["KINDS", "ImportedTable", "Kind", "data_folder", "load_table", "save_table", "table_path"]

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError, MissingData

Columns = Mapping[str, NDArray[Any]]

_FORMAT = 1
_META = b"archgym_import"


@dataclass(frozen=True)
class Kind:
    """A benchmark that can be imported.

    Attributes:
        about: one sentence.
        sources: which files it is read from.
        licence: of the published data, as its repository states it.
    """

    about: str
    sources: str
    licence: str


KINDS: Mapping[str, Kind] = {
    "nats-tss": Kind(
        "NAS-Bench-201 accuracies (NATS-Bench topology space), 15,625 cells on three image data sets",
        "NATS-tss-v1_0-3ffb9.pickle.pbz2, the folder NATS-tss-v1_0-3ffb9-simple, or a Parquet or CSV table",
        "NATS-Bench: MIT (code); the archives are published with it",
    ),
    "hw-nas-bench": Kind(
        "latency and energy of the 15,625 cells on six devices",
        "HW-NAS-Bench-v1_0.pickle",
        "HW-NAS-Bench: MIT",
    ),
    "help-latency": Kind(
        "latency of the 15,625 cells on the 27 devices of HELP",
        "a Parquet or CSV table with arch_str or index, and columns lat_ms_DEVICE",
        "HELP: MIT",
    ),
    "nas-bench-macro": Kind(
        "6,561 macro architectures on CIFAR-10, three trainings each",
        "nas-bench-macro_cifar10.json, or a Parquet or CSV table",
        "NAS-Bench-Macro: Apache-2.0",
    ),
    "accel-nasbench": Kind(
        "5,138 MnasNet-like architectures: ImageNet accuracy and speed on six accelerators; a surrogate is fitted",
        "a Parquet or CSV table with blockB_e, _k, _l, _se and the measured columns",
        "Accel-NASBench: Apache-2.0",
    ),
}


@dataclass(frozen=True, eq=False)
class ImportedTable:
    """An imported table.

    Attributes:
        columns: arrays (R,) by name, read-only.
        digest: content hash.
        manifest: kind, source, its SHA-256, licence, and notes of the import.
    """

    columns: Columns
    digest: str
    manifest: Mapping[str, Any]


def data_folder(folder: str | Path | None = None) -> Path:
    """Where imported tables are: ``folder``, else ``$ARCHGYM_DATA``, else the user's data folder (XDG)."""
    if folder:
        return Path(folder)
    chosen = os.environ.get("ARCHGYM_DATA")
    if chosen:
        return Path(chosen)
    shared = os.environ.get("XDG_DATA_HOME")
    return (Path(shared) if shared else Path.home() / ".local" / "share") / "archgym"


def table_path(kind: str, folder: str | Path | None = None) -> Path:
    """The file of a kind."""
    return data_folder(folder) / f"{kind}.parquet"


def save_table(
    kind: str,
    columns: Columns,
    *,
    source: str,
    sha256: str,
    folder: str | Path | None = None,
    notes: Mapping[str, Any] | None = None,
) -> Path:
    """Write a table, all of it or nothing; a table of that kind is replaced.

    Args:
        kind: of `KINDS`.
        columns: arrays (R,) by name.
        source: name of the file or folder that it was made of.
        sha256: of the source.
        folder: as in `data_folder`.
        notes: further entries of the manifest, JSON-able.

    Raises:
        InputError: the folder cannot be written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    manifest = {"format": _FORMAT, "kind": kind, "source": source, "sha256": sha256, "licence": KINDS[kind].licence}
    manifest |= {"digest": _digest(columns), **(notes or {})}
    table = pa.table({name: pa.array(column) for name, column in columns.items()})
    table = table.replace_schema_metadata({_META: json.dumps(manifest).encode()})
    path = table_path(kind, folder)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(table, part, compression="zstd")
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"cannot write {str(path)!r}: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return path


def load_table(kind: str, folder: str | Path | None = None, *, wanted_by: str) -> ImportedTable:
    """An imported table; kept for the next time.

    Args:
        kind: of `KINDS`.
        folder: as in `data_folder`.
        wanted_by: who needs it, for the message.

    Raises:
        MissingData: it has not been imported; the message is the command.
        InputError: the file is damaged, or of another version.
    """
    path = table_path(kind, folder)
    try:
        stamp = path.stat()
    except OSError:
        out = f" --out {folder}" if folder else ""
        raise MissingData(
            f"{wanted_by} needs data that are not imported; run: archgym data import {kind} PATH{out} "
            f"(PATH: {KINDS[kind].sources})"
        ) from None
    return _read(kind, path, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=8)
def _read(kind: str, path: Path, _modified: int, _size: int) -> ImportedTable:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
        manifest = json.loads((table.schema.metadata or {})[_META])
        columns = {name: table.column(name).to_numpy() for name in table.column_names}
    except (OSError, ValueError, KeyError, pa.ArrowException):
        raise InputError(f"{str(path)!r} is damaged; import it again: archgym data import {kind} PATH") from None
    if manifest.get("format") != _FORMAT or manifest.get("digest") != _digest(columns):
        raise InputError(f"{str(path)!r} is damaged or of another version; run again: archgym data import {kind} PATH")
    for column in columns.values():
        column.flags.writeable = False
    return ImportedTable(columns, manifest["digest"], manifest)


def _digest(columns: Columns) -> str:
    found = hashlib.sha256()
    for name, column in columns.items():
        found.update(name.encode())
        found.update("\n".join(column).encode() if column.dtype.kind == "O" else np.ascontiguousarray(column).tobytes())
    return found.hexdigest()[:16]
