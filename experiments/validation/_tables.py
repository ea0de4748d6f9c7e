"""Find reference tables below a directory and read them."""

from __future__ import annotations

__all__ = ["TableFile", "find_tables", "read_frame"]

import gzip
import io
import os
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archgym_simulators.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_SUFFIXES = (".csv", ".csv.gz", ".parquet", ".parquet.gz")


@dataclass(frozen=True)
class TableFile:
    """A table that was found.

    Attributes:
        path: the file.
        name: its path below the searched directory without the suffix; with it where two files would share a name.
        key: ``folder/file name``, by which tables are known.
    """

    path: Path
    name: str
    key: str


def find_tables(root: Path) -> list[TableFile]:
    """Find every CSV and Parquet file (also gzipped) below ``root``, sorted by path.

    Raises:
        InputError: there is no such directory, or no table in it.
    """
    if not root.is_dir():
        what = "is not a directory" if root.exists() else "does not exist"
        raise InputError(f"--refs {str(root)!r} {what}; give the directory that holds the reference tables")
    paths = sorted(path for path in root.rglob("*") if _suffix(path) and path.is_file())
    if not paths:
        raise InputError(f"--refs {str(root)!r} holds no table; looked for {', '.join(_SUFFIXES)} in it and below it")
    stems = [path.relative_to(root).as_posix().removesuffix(_suffix(path)) for path in paths]
    uses = Counter(stems)
    # abspath: the folder of a table directly in "." or ".." still has its name.
    absolute = Path(os.path.abspath(root))
    return [
        TableFile(
            path,
            stem if uses[stem] == 1 else path.relative_to(root).as_posix(),
            f"{(absolute / path.relative_to(root)).parent.name}/{path.name}",
        )
        for path, stem in zip(paths, stems, strict=True)
    ]


def read_frame(path: Path) -> pd.DataFrame:
    """Read a table; lines of a CSV file before its header may be comments that start with ``#``.

    Raises:
        InputError: the file is not a whole table, with the reader's reason.
    """
    import pandas as pd

    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix.lower() == ".gz" else path.read_bytes()
        if ".parquet" in _suffix(path).lower():
            return pd.read_parquet(io.BytesIO(data))
        return pd.read_csv(io.BytesIO(data), skiprows=_leading_comments(data), low_memory=False)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"table {str(path)!r} cannot be read: {reason}") from None


def _suffix(path: Path) -> str:
    """Return the table suffix of a file name as spelt, or an empty string."""
    matches = [suffix for suffix in _SUFFIXES if path.name.lower().endswith(suffix)]
    return path.name[-len(matches[0]) :] if matches else ""


def _leading_comments(data: bytes) -> int:
    count = 0
    for line in data.split(b"\n"):
        if not line.startswith(b"#"):
            return count
        count += 1
    return count
