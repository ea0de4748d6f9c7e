"""A dataset as a directory: one Parquet file that describes itself, a card for people, and Croissant metadata."""

from __future__ import annotations

__all__ = ["CARD", "CROISSANT", "DATA", "dataset_tables", "write_dataset"]

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.datasets.card import Publication, croissant
from archgym.datasets.dataset import Dataset
from archgym.datasets.new_directory import new_directory
from archgym.datasets.readme import readme
from archgym.datasets.sources import CROISSANT, DATA, FORMAT, METADATA, file_digest
from archgym_simulators import STATUS_NAMES

if TYPE_CHECKING:
    import pyarrow as pa

CARD = "README.md"
_ROWS_AT_ONCE = 1 << 16


def write_dataset(data: Dataset, out: Path | str, *, publication: Publication | None = None) -> Path:
    """Write a dataset that `archgym.load_dataset` reads back, to the bit.

    Args:
        data: the dataset.
        out: a directory that is not there yet; it appears whole or not at all.
        publication: name, licence and creator for the card; what is not known is said to be unknown.

    Returns:
        The directory.

    Raises:
        InputError: ``out`` exists.
        OSError: the disk is full.
    """
    out = Path(out)
    about = publication or Publication(name=out.name, date=datetime.now(UTC).date().isoformat())
    with new_directory(out) as part:
        write_parquet(part / DATA, dataset_tables(data), metadata=_description(data))
        metadata = croissant(data, about, digest=file_digest(part / DATA), size=(part / DATA).stat().st_size)
        (part / CROISSANT).write_text(json.dumps(metadata, indent=1, ensure_ascii=False), encoding="utf-8")
        (part / CARD).write_text(readme(data, about), encoding="utf-8")
    return out


def write_parquet(path: Path, tables: Iterable[pa.Table], *, metadata: dict[bytes, bytes]) -> None:
    """Write tables of one schema, at least one, with a checksum on every page."""
    import pyarrow.parquet as pq

    writer: Any = None
    try:
        for table in tables:
            if writer is None:
                schema = table.schema.with_metadata(metadata)
                writer = pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True)
            writer.write_table(table.replace_schema_metadata(metadata))
    finally:
        if writer is not None:
            writer.close()


def dataset_tables(data: Dataset) -> Iterator[pa.Table]:
    """The rows as Arrow tables of some 65,000: readable design, metrics, outcome, provenance; one table at least."""
    import pyarrow as pa

    runs, metrics = data.runs, data.schema.metric_names
    for start in range(0, max(len(data), 1), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        run = data.run_index[part]
        columns = {name: _plain(column) for name, column in data.space.decode(data.rows[part].astype(np.int64)).items()}
        columns |= {name: pa.array(data.values[part, place]) for place, name in enumerate(metrics)}
        columns |= {
            "status": _named(STATUS_NAMES, data.status[part]),
            "reward": pa.array(data.reward[part]),
            "feasible": pa.array(data.feasible[part]),
            "workload": _named([one.name for one in data.workloads], data.workload_index[part]),
            "agent": _named([one.agent for one in runs], run),
            "seed": pa.array(np.array([one.seed for one in runs], np.int64)[run]),
            "run_id": _named([one.run_id for one in runs], run),
            "step": pa.array(data.step[part]),
            "simulator_version": _named([data.schema.simulator_version], np.zeros(len(run), np.int32)),
        }
        yield pa.table(columns)


def _description(data: Dataset) -> dict[bytes, bytes]:
    about = {
        "format": FORMAT,
        "schema": data.schema.to_json(),
        "workloads": [
            {"name": one.name, "features": list(one.features), "digest": one.digest} for one in data.workloads
        ],
        "runs": [run.to_json() for run in data.runs],
        "distinct": data.distinct,
        "whole_runs": data.whole_runs,
    }
    return {METADATA: json.dumps(about).encode()}


def _named(names: Iterable[str], index: NDArray[Any]) -> pa.Array:
    """Text that repeats few values; equal names of different places are one value."""
    import pyarrow as pa

    names = list(names)
    different = list(dict.fromkeys(names))
    place = np.array([different.index(name) for name in names], np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(place[index]), pa.array(different, pa.string()))


def _plain(column: NDArray[Any]) -> pa.Array:
    """Readable values; text where a parameter mixes kinds, such as "auto", 1, 2."""
    import pyarrow as pa

    if column.dtype != object:
        return pa.array(column)
    return pa.array([str(value) for value in column], pa.string()).dictionary_encode()
