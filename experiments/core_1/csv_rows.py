"""Tables of this folder, written in one piece."""

from __future__ import annotations

__all__ = ["write_rows"]

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from archgym.run_directory import write_whole


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
    """Write a CSV file; the columns are those of the first row where none are given."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, text.getvalue())
