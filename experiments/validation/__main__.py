"""The validation program: `python -m experiments.validation --refs DIR --json OUT [--only FAMILY]`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from archgym.run_directory import write_whole
from archgym_simulators.errors import InputError
from experiments.validation._comparator import Comparator, Table
from experiments.validation._registry import Promise, check_only, comparator_of, matches_only, promise_of
from experiments.validation._report import TableReport, report_text, summarise_table
from experiments.validation._tables import TableFile, find_tables, read_frame


class _OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"experiments.validation: {message}; see --help\n")


@dataclass(frozen=True)
class _Plan:
    """What is to be done with the tables found."""

    compared: Sequence[tuple[TableFile, Comparator]]
    waiting: Sequence[tuple[str, Promise]]
    unknown: Sequence[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit status is 2 for bad input, after one line that says what is wrong."""
    options = _parser().parse_args(arguments)
    try:
        _run(Path(options.refs), out=options.json, only=options.only)
    except InputError as error:
        print(f"experiments.validation: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(
        prog="python -m experiments.validation", description="Compare our simulators with reference tables."
    )
    parser.add_argument("--refs", required=True, metavar="DIR", help="directory of reference tables (dram/, dnn/, ...)")
    parser.add_argument("--json", metavar="OUT", type=Path, help="file for the report, a JSON list")
    parser.add_argument(
        "--only", metavar="FAMILY", help="a family (dram, dnn, ...) or a simulator (DRAM, Systolic, ...)"
    )
    return parser


def _run(root: Path, *, out: Path | None, only: str | None) -> None:
    if only is not None:
        check_only(only)
    if out is not None:
        _check_writable(out)
    plan = _plan(find_tables(root), only=only)
    if only is not None and not plan.compared and not plan.waiting:
        raise InputError(f"--refs {str(root)!r} holds no table of {only!r}")
    # Reading is quick, simulating is not: a broken table should be heard of first.
    tables = [(Table(root, file.path, file.name, read_frame(file.path)), how) for file, how in plan.compared]
    reports = [_compare(table, comparator) for table, comparator in tables]
    print(report_text(reports, waiting=plan.waiting, unknown=plan.unknown))
    if out is not None:
        entries = [entry.to_json() for report in reports for entry in report.entries]
        _write(out, entries)


def _plan(files: Sequence[TableFile], *, only: str | None) -> _Plan:
    compared, waiting, unknown = [], [], []
    for file in files:
        comparator, promise = comparator_of(file.key), promise_of(file.key)
        known = comparator or promise
        if known is None:
            unknown.append(file.name)
        elif not matches_only(only, prefix=known.prefix, simulator=known.simulator):
            continue
        elif comparator is not None:
            compared.append((file, comparator))
        elif promise is not None:
            waiting.append((file.name, promise))
    return _Plan(compared, waiting, unknown)


def _compare(table: Table, comparator: Comparator) -> TableReport:
    if sys.stderr.isatty():
        print(f"{table.name} ({len(table.frame)} rows) ...", file=sys.stderr)
    return summarise_table(table.name, comparator, comparator.compare(table))


def _check_writable(out: Path) -> None:
    folder = out.parent
    if out.is_dir():
        raise InputError(f"--json {str(out)!r} is a directory; name a file in it")
    if not folder.is_dir():
        raise InputError(f"--json {str(out)!r} cannot be written: there is no directory {str(folder)!r}")
    if not os.access(folder, os.W_OK):
        raise InputError(f"--json {str(out)!r} cannot be written: {str(folder)!r} is read-only")


def _write(out: Path, entries: Sequence[object]) -> None:
    try:
        write_whole(out, json.dumps(entries, indent=1, allow_nan=False) + "\n")
    except OSError as error:
        raise InputError(f"--json {str(out)!r} cannot be written: {error.strerror or error}") from error


if __name__ == "__main__":
    raise SystemExit(main())
