"""Processes that share the open blocks of a part; in a module of their own, so that a spawned process finds them."""

from __future__ import annotations

__all__ = ["in_processes"]

import os
import time
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

from experiments.nas_table.measure import Part, measure_block, open_blocks


def in_processes(folder: Path, part: Part, groups: Sequence[int], *, processes: int, until: float) -> None:
    """Measure open blocks until all are done or the clock (``time.monotonic``) says ``until``."""
    os.environ["OMP_NUM_THREADS"] = "1"
    context = get_context("spawn")
    workers = [
        context.Process(target=_work, args=(folder, part, groups, i, processes, until)) for i in range(processes)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _work(folder: Path, part: Part, groups: Sequence[int], which: int, of: int, until: float) -> None:
    os.nice(10)
    for number, (path, members) in enumerate(open_blocks(folder, groups)):
        if number % of != which:
            continue
        if time.monotonic() > until:
            return
        started = time.process_time()
        measure_block(path, members, part)
        print(f"{part.name}/{path.name}: {(time.process_time() - started) / len(members):.2f} CPU s a cell", flush=True)
