"""Plain text for terminals: aligned tables, wrapped paragraphs, JSON, one rewritten line of progress."""

from __future__ import annotations

__all__ = ["ProgressLine", "as_json", "paragraph", "table"]

import json
import shutil
import sys
import textwrap
import time
from collections.abc import Sequence
from math import isfinite
from typing import Any

_NARROWEST, _WIDEST, _NO_TERMINAL = 40, 132, (100, 24)
_SECONDS_BETWEEN_UPDATES = 0.1


def width() -> int:
    """Columns to write in: the terminal's (or ``COLUMNS``), 100 in a pipe."""
    return min(max(shutil.get_terminal_size(_NO_TERMINAL).columns, _NARROWEST), _WIDEST)


def paragraph(text: str, indent: int = 0) -> str:
    """Text wrapped to the terminal."""
    return textwrap.fill(text, width(), initial_indent=" " * indent, subsequent_indent=" " * indent)


def table(
    rows: Sequence[Sequence[str]], header: Sequence[str] = (), *, right: Sequence[int] = (), indent: int = 2
) -> str:
    """Rows with aligned columns; where they do not fit, the last column wraps, or moves below.

    Args:
        rows: cells.
        header: column titles; none where empty.
        right: columns aligned to the right.
        indent: spaces before each line.
    """
    lines = [list(header), *map(list, rows)] if header else [list(row) for row in rows]
    if not lines:
        return ""
    widths = [max(len(line[c]) for line in lines) for c in range(len(lines[0]))]
    start = indent + sum(w + 2 for w in widths[:-1])
    room = width() - start
    below = room < min(24, widths[-1])
    return "\n".join(_line(line, widths, right, indent, start, below) for line in lines)


def _line(
    cells: Sequence[str], widths: Sequence[int], right: Sequence[int], indent: int, start: int, below: bool
) -> str:
    padded = [
        cell.rjust(w) if c in right else cell.ljust(w) for c, (cell, w) in enumerate(zip(cells, widths, strict=True))
    ]
    head = " " * indent + "  ".join(padded[:-1])
    last = padded[-1].rstrip()
    if below:
        return f"{head.rstrip()}\n{paragraph(last, indent + 4)}" if last else head.rstrip()
    if start + len(last) <= width():
        return f"{head}  {last}".rstrip() if len(cells) > 1 else (" " * indent + last).rstrip()
    wrapped = textwrap.wrap(last.strip(), width() - start)
    return "\n".join([f"{head}  {wrapped[0]}", *(" " * start + line for line in wrapped[1:])])


def as_json(value: Any) -> str:
    """JSON that any parser reads: no NaN, NumPy scalars as numbers."""
    return json.dumps(_plain(value), indent=1, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if hasattr(value, "item") and not isinstance(value, dict):
        value = value.item()
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


class ProgressLine:
    """One line on stderr, rewritten as work goes on; nothing at all where stderr is no terminal."""

    def __init__(self) -> None:
        self.enabled = sys.stderr is not None and sys.stderr.isatty()
        self.started = time.monotonic()
        self._next = 0.0
        self._shown = 0

    @property
    def due(self) -> bool:
        """Whether enough time has passed since the last update."""
        return self.enabled and time.monotonic() >= self._next

    def show(self, text: str) -> None:
        """Replace the line."""
        if not self.enabled:
            return
        self._next = time.monotonic() + _SECONDS_BETWEEN_UPDATES
        cut = text[: shutil.get_terminal_size(_NO_TERMINAL).columns - 1]
        sys.stderr.write("\r" + cut.ljust(self._shown))
        sys.stderr.flush()
        self._shown = len(cut)

    def clear(self) -> None:
        """Take the line away."""
        if self.enabled and self._shown:
            sys.stderr.write("\r" + " " * self._shown + "\r")
            sys.stderr.flush()
            self._shown = 0

    def seconds(self) -> float:
        """Time since the start."""
        return time.monotonic() - self.started

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *error: object) -> None:
        self.clear()
