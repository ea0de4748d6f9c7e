"""``python -m experiments.digits_darts [--only search|judge]``: search, and judge what was found beside random cells.

Both parts go on where they stopped: what is in ``searches.csv`` and ``verdicts.csv`` is not done again.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from archgym_simulators import ArchgymError
from archgym_simulators.nas.cells import cell_of_text, text_of_cell
from archgym_simulators.nas.digits_design import RESNET
from archgym_simulators.nas.digits_table import read_table
from experiments.digits_darts.judge import Judge, random_cells
from experiments.digits_darts.report import Found, as_text
from experiments.digits_darts.search import ARMS, EPOCHS, search

SEEDS = (0, 1, 2, 3)
RANDOM_CELLS, RANDOM_SEED = 24, 9
SEARCHES, VERDICTS = "searches.csv", "verdicts.csv"
HEADER = ("arm", "seed", "epoch", "cell", "cpu_s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is missing and print the answer; exit status 2 for wrong input."""
    parser = argparse.ArgumentParser(prog="python -m experiments.digits_darts", description=__doc__)
    parser.add_argument("--only", choices=["search", "judge"], help="one part")
    parser.add_argument("--epochs", type=int, default=EPOCHS, metavar="E", help=f"of a search (default {EPOCHS})")
    parser.add_argument("--random", type=int, default=RANDOM_CELLS, metavar="N", help="random cells to compare with")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, metavar="FOLDER", help="where files are")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        if chosen.only != "judge":
            _search(chosen.out / SEARCHES, chosen.epochs)
        if chosen.only != "search":
            _judge(chosen.out, chosen.random)
    except ArchgymError as error:
        print(f"experiments.digits_darts: {error}", file=sys.stderr)
        return 2
    return 0


def _search(path: Path, epochs: int) -> None:
    done = {one.arm for one in _read(path)}
    for name, arm in ARMS.items():
        if name in done:
            continue
        trace = search(arm, SEEDS, epochs=epochs)
        is_new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if is_new:
                writer.writerow(HEADER)
            for epoch, cells in enumerate(trace.cells.tolist(), start=1):
                for seed, cell in zip(SEEDS, cells, strict=True):
                    writer.writerow((name, seed, epoch, text_of_cell(tuple(cell)), f"{trace.cpu_s:.1f}"))


def _judge(folder: Path, random: int) -> None:
    judge = Judge(folder / VERDICTS, read_table())
    found = _read(folder / SEARCHES)
    last = {(one.arm, one.seed): one for one in found}  # epochs ascend
    verdicts = {key: judge.verdict(one.cell) for key, one in last.items()}
    reference = judge.verdict(RESNET)
    drawn = [judge.verdict(cell) for cell in random_cells(random, RANDOM_SEED)]
    print(as_text(found, verdicts, reference, drawn))


def _read(path: Path) -> list[Found]:
    if not path.exists():
        return []
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return [Found(row["arm"], int(row["seed"]), int(row["epoch"]), cell_of_text(row["cell"])) for row in rows]


if __name__ == "__main__":
    raise SystemExit(main())
