"""Searches with and without a proxy: ``python -m experiments.proxy_search --work DIR``.

Resumable: what `results.csv` has is not run again. ``--print`` prints the tables of the README.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from experiments.proxy_search.answers import TABLE, printed
from experiments.proxy_search.methods import CASES, HEADER, METHODS

SEEDS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("runs/proxy_search"), help="a folder for runs and proxies")
    parser.add_argument("--minutes", type=float, default=10.0, help="of processor time; no search begins after them")
    parser.add_argument("--print", action="store_true", help="print the tables of the README and end")
    arguments = parser.parse_args()
    if arguments.print:
        print("\n".join(printed(TABLE)))
        return
    searches(arguments.work, TABLE, arguments.minutes)


def searches(work: Path, table: Path, minutes: float) -> None:
    """Append what is missing to a table of searches, seed by seed."""
    if not table.is_file():
        table.write_text(HEADER + "\n")
    done = {",".join(line.split(",")[:3]) for line in table.read_text().splitlines()}
    ends = time.process_time() + 60 * minutes
    cells = [(case, method, seed) for seed in range(SEEDS) for case in CASES for method in METHODS]
    for case, method, seed in cells:
        if f"{case.name},{method.name},{seed}" in done:
            continue
        if time.process_time() > ends:
            break
        lines = "".join(f"{line}\n" for line in method.lines(case, seed, work))
        with table.open("a") as file:
            file.write(lines)


if __name__ == "__main__":
    main()
