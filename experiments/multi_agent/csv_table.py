"""Tables as files: whole or not at all, numbers to four digits."""

from __future__ import annotations

__all__ = ["read_csv", "short", "write_csv"]

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from archgym.run_directory import write_whole


def write_csv(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of the same columns, of which there must be one."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(file, text.getvalue())


def read_csv(file: Path) -> list[dict[str, str]]:
    """The rows of a table, as text."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def short(value: float) -> float:
    """A number to four digits."""
    return float(f"{value:.4g}")
