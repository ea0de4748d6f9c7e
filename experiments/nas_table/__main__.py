"""Make the table of measured cells, and check it.

every, best, clock   measure; again until it says done. best needs every, clock needs a quiet machine
pack                 write the table that the package ships, from the blocks that are there
plateau              the cells that cannot be told apart from the best, by the seeds for judging
again CELL           train one cell anew, such as '|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|'
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from archgym_simulators.errors import ArchgymError
from archgym_simulators.nas.cells import text_of_cell
from archgym_simulators.nas.digits_table import COMMITTED, FUNCTIONS, read_table
from archgym_simulators.nas.plateau import Plateau, plateau
from experiments.nas_table.again import measure_again
from experiments.nas_table.choose import chosen_groups
from experiments.nas_table.measure import BEST, CLOCK, EVERY, cell_of_group, open_blocks
from experiments.nas_table.pack import accuracy_of_every, pack
from experiments.nas_table.workers import in_processes

BLOCKS = Path(__file__).parent / "blocks"
PARTS = {part.name: part for part in (EVERY, BEST, CLOCK)}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.nas_table",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("task", choices=(*PARTS, "pack", "plateau", "again"))
    parser.add_argument("cell", nargs="?", help="architecture string, for again")
    parser.add_argument("--processes", type=int, default=2, help="2 by default; clock takes one")
    parser.add_argument("--minutes", type=float, default=80.0, help="start no further block after so long")
    parser.add_argument("--blocks", type=Path, default=BLOCKS, help="folder of the blocks")
    parser.add_argument("--table", type=Path, default=COMMITTED, help="file of the table")
    chosen = parser.parse_args(arguments)
    if (chosen.task == "again") != (chosen.cell is not None):
        parser.error("again takes an architecture string, the others none")
    try:
        return _run(chosen)
    except ArchgymError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _run(chosen: argparse.Namespace) -> int:
    if chosen.task == "again":
        comparison = measure_again(chosen.cell, read_table(chosen.table))
        print(comparison)
        return 0 if comparison.holds else 1
    if chosen.task == "pack":
        about = pack(chosen.blocks, chosen.table)
        print(f"{chosen.table}: {', '.join(f'{name} {value}' for name, value in about.items())}")
        return 0
    if chosen.task == "plateau":
        _print_plateau(plateau(read_table(chosen.table).best))
        return 0
    part = PARTS[chosen.task]
    groups = chosen_groups(accuracy_of_every(chosen.blocks)) if part is BEST else list(range(FUNCTIONS))
    folder = chosen.blocks / part.name
    until = time.monotonic() + 60.0 * chosen.minutes
    in_processes(folder, part, groups, processes=1 if part.is_timing else chosen.processes, until=until)
    left = len(open_blocks(folder, groups))
    print("done" if not left else f"{left} blocks left; run the same command again")
    return 0


def _print_plateau(found: Plateau) -> None:
    print(
        f"{len(found.groups)} of {found.of} functions within {found.margin:.2f} of {found.best:.2f} % hold the best "
        f"with {found.confidence:.0%} confidence; standard deviation between seeds {found.seed_std:.2f}"
    )
    for group, accuracy in zip(found.groups.tolist(), found.accuracy.tolist(), strict=True):
        print(f"{accuracy:.2f}  {text_of_cell(cell_of_group(group))}")


if __name__ == "__main__":
    raise SystemExit(main())
