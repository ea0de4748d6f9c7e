"""Long searches one after the other, logged, so that the same command goes on where it was interrupted."""

from __future__ import annotations

__all__ = ["make_searches"]

import argparse
import csv
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from archgym.run_directory import write_whole
from experiments.core_1.csv_rows import write_rows
from experiments.core_1.found_designs import COLUMNS, Line, Search, best_of


def make_searches(
    searches: Sequence[Search],
    run: Callable[[Search], Mapping[str, Any]],
    *,
    log: Path,
    target: Path,
    command: str,
    about: str | None,
) -> None:
    """Make the searches that ``log`` does not have yet, as many as the command line says, and write ``target``.

    Args:
        searches: all of them.
        run: makes one; returns its line.
        log: CSV file, written after every search.
        target: JSON file of the best design of every problem.
        command: that makes all of it.
        about: text of the command's help.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--most", type=int, default=10**6, help="searches to make now; all by default")
    most = parser.parse_args().most
    os.nice(5)
    lines: list[Line] = list(csv.DictReader(log.open())) if log.is_file() else []
    done = {tuple(line[name] for name in COLUMNS[:4]) for line in lines}
    for search in [one for one in searches if one.key not in done][:most]:
        lines.append({name: str(value) for name, value in run(search).items()})
        print(*search.key, lines[-1]["feasible"], lines[-1]["reward"], flush=True)
        write_rows(log, lines, COLUMNS)
    write_whole(target, json.dumps(best_of(searches, lines, command), indent=1) + "\n")
