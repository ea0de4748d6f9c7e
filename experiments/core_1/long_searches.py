"""Long searches one after the other, logged, so that the same command goes on where it was interrupted."""

from __future__ import annotations

__all__ = ["Line", "make_searches"]

import argparse
import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from archgym.run_directory import write_whole

Line = dict[str, str]
"""What one search found, by column."""


class Keyed(Protocol):
    """A search."""

    @property
    def key(self) -> tuple[str, ...]:
        """The first columns of its line."""


S = TypeVar("S", bound=Keyed)


def make_searches(
    searches: Iterable[S],
    run: Callable[[S], Mapping[str, Any]],
    best_of: Callable[[list[Line]], Any],
    *,
    log: Path,
    columns: Sequence[str],
    target: Path,
    about: str | None,
) -> None:
    """Make the searches that ``log`` does not have yet, as many as the command line says, and write ``target``.

    Args:
        searches: all of them.
        run: makes one; returns its line.
        best_of: from all lines to what ``target`` holds as JSON.
        log: CSV file, written after every search.
        columns: of the log.
        target: JSON file.
        about: text of the command's help.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--most", type=int, default=10**6, help="searches to make now; all by default")
    most = parser.parse_args().most
    os.nice(5)
    lines = list(csv.DictReader(log.open())) if log.is_file() else []
    done = {tuple(line[name] for name in columns[:4]) for line in lines}
    for search in [one for one in searches if one.key not in done][:most]:
        lines.append({name: str(value) for name, value in run(search).items()})
        print(*search.key, lines[-1]["feasible"], lines[-1]["reward"], flush=True)
        _write(log, columns, lines)
    write_whole(target, json.dumps(best_of(lines), indent=1) + "\n")


def _write(log: Path, columns: Sequence[str], lines: list[Line]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    write_whole(log, text.getvalue())
