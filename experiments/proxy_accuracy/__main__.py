"""Measure proxies: ``python -m experiments.proxy_accuracy --work DIR``; goes on where it was interrupted.

``--speed``, ``--coverage``, ``--workloads`` and ``--slow-tools`` measure something else, from the beginning.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from archgym.datasets import Dataset
from experiments.proxy_accuracy import coverage, slow_tools, speed, workloads
from experiments.proxy_accuracy.answers import printed
from experiments.proxy_accuracy.curves import METRICS, POOL, cells, measured
from experiments.proxy_accuracy.pools import pool_of

HERE = Path(__file__).parent
HEADER = "trace,regressor,split,size,seed,metric,rmse_percent,spearman,train_seconds"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("runs/proxy_accuracy"), help="for simulated designs, 20 MB")
    parser.add_argument("--minutes", type=float, default=10.0, help="of processor time; no cell begins after them")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--print", action="store_true", help="print the tables of the README and end")
    which.add_argument("--speed", action="store_true", help="measure speeds instead")
    which.add_argument("--coverage", action="store_true", help="measure what intervals hold instead")
    which.add_argument("--workloads", action="store_true", help="measure errors on workloads never seen instead")
    which.add_argument("--slow-tools", action="store_true", help="measure accuracy where simulations are slow instead")
    arguments = parser.parse_args()
    work: Path = arguments.work
    if arguments.print:
        print("\n".join([*printed(HERE / "accuracy.csv"), "", *coverage.coverage_table(HERE / "coverage.csv")]))
        print("\n".join(["", *workloads.workload_table(HERE / "workloads.csv")]))
    elif arguments.slow_tools:
        lines = chain(slow_tools.synthesis_lines(), slow_tools.simulator_lines(work))
        write(HERE / "slow_tools.csv", slow_tools.HEADER, lines)
    elif arguments.speed:
        write(HERE / "speed.csv", speed.HEADER, speed.speed_table(work))
    elif arguments.coverage:
        write(HERE / "coverage.csv", coverage.HEADER, coverage.coverage_lines(work))
    elif arguments.workloads:
        write(HERE / "workloads.csv", workloads.HEADER, workloads.workload_lines(work))
    else:
        curves(work, HERE / "accuracy.csv", arguments.minutes)


def write(table: Path, header: str, lines: Iterable[str]) -> None:
    """Write a table line by line, so that a look at it shows how far a measurement is."""
    with table.open("w", buffering=1) as file:
        file.writelines(f"{line}\n" for line in chain([header], lines))


def curves(work: Path, table: Path, minutes: float) -> None:
    """Append what is missing to a table of accuracies."""
    if not table.is_file():
        table.write_text(HEADER + "\n")
    measured_before = Counter(line.rsplit(",", 4)[0] for line in table.read_text().splitlines())
    done = {key for key, count in measured_before.items() if count == len(METRICS)}
    pools: dict[str, Dataset] = {}
    ends = time.process_time() + 60 * minutes
    for cell in cells():
        if cell.key in done:
            continue
        if time.process_time() > ends:
            break
        if cell.trace not in pools:
            pools[cell.trace] = pool_of("archgym/DRAM-v0", cell.trace, METRICS, POOL, work)
        with table.open("a") as file:
            file.write("\n".join(measured(cell, pools[cell.trace])) + "\n")


if __name__ == "__main__":
    main()
