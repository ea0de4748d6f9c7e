"""Make the table: ``python -m experiments.nas_table every --processes 2 --minutes 80``, again until it says done.

``every`` trains all 4,930 functions with the three seeds that searches see. It goes on where it stopped.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from archgym_simulators.nas.cells import function_groups
from experiments.nas_table.measure import EVERY, open_blocks
from experiments.nas_table.workers import in_processes

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
    in_processes(BLOCKS / part.name, part, list(groups), processes=chosen.processes, until=until)
    left = len(open_blocks(BLOCKS / part.name, list(groups)))
    print("done" if not left else f"{left} blocks left; run the same command again")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
