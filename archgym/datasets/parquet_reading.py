"""Parquet files opened so that whatever is wrong with one is a single line."""

from __future__ import annotations

__all__ = ["named", "opened"]

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from archgym_simulators import InputError

if TYPE_CHECKING:
    import pyarrow.parquet as pq


@contextmanager
def opened(path: Path, *, dictionaries: list[str] | None = None) -> Iterator[pq.ParquetFile]:
    """A Parquet file, whose pages are checked where they carry checksums.

    Args:
        path: the file.
        dictionaries: columns of text that repeat few values.

    Raises:
        InputError: missing, damaged, or no Parquet file, also while it is read.
    """
    import pyarrow.parquet as pq

    # Buffering ahead would hold the whole file in memory.
    how = {"read_dictionary": dictionaries, "page_checksum_verification": True, "pre_buffer": False}
    with named(path), pq.ParquetFile(path, **how) as file:
        yield file


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Errors of Arrow as errors of the file.

    Raises:
        InputError: with the file's name.
    """
    import pyarrow as pa

    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"cannot read {path}: {reason}") from error
