"""Make the table: ``python -m experiments.nas_table every --processes 2 --minutes 80``, again until it says done.

``every`` trains all 4,930 functions with the three seeds that searches see. It goes on where it stopped.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

from archgym_simulators.nas.cells import function_groups
from experiments.nas_table.measure import EVERY, Part, measure_block, open_blocks

BLOCKS = Path(__file__).parent / "blocks"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m experiments.nas_table", description=__doc__)
    parser.add_argument("part", choices=("every",))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=80.0, help="start no further block after so long")
    chosen = parser.parse_args(arguments)
    part = {"every": EVERY}[chosen.part]
    groups = range(len(function_groups()[1]))
    until = time.monotonic() + 60.0 * chosen.minutes
    _in_processes(part, list(groups), chosen.processes, until)
    left = len(open_blocks(BLOCKS / part.name, list(groups)))
    print("done" if not left else f"{left} blocks left; run the same command again")
    return 0


def _in_processes(part: Part, groups: list[int], processes: int, until: float) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    context = get_context("spawn")
    workers = [context.Process(target=_work, args=(part, groups, i, processes, until)) for i in range(processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _work(part: Part, groups: list[int], which: int, of: int, until: float) -> None:
    os.nice(10)
    for number, (path, members) in enumerate(open_blocks(BLOCKS / part.name, groups)):
        if number % of != which:
            continue
        if time.monotonic() > until:
            return
        started = time.process_time()
        measure_block(path, members, part)
        print(f"{part.name}/{path.name}: {(time.process_time() - started) / len(members):.2f} CPU s a cell", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
