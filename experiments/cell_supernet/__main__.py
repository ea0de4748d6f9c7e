"""``python -m experiments.cell_supernet``: how well supernets rank cells; goes on where it stopped."""

from __future__ import annotations

__all__ = ["main"]

import argparse
import csv
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from archgym_simulators import ArchgymError, InputError
from archgym_simulators.errors import import_extra
from archgym_simulators.nas.cells import EDGES, OPERATIONS, Cell
from archgym_simulators.nas.digits_table import read_table
from experiments import digits_darts
from experiments.cell_supernet.sampling import Sampler, ShiftedSampler, UniformSampler
from experiments.cell_supernet.splitting import Split, split_allowed, splits_of
from experiments.cell_supernet.supernet import Supernet
from experiments.digits_darts.__main__ import RANDOM_CELLS, RANDOM_SEED, VERDICTS
from experiments.digits_darts.judge import Judge, random_cells

SEEDS = (0, 1, 2)
STEPS = 400
WARM_UP = 200
SPLITS = 1
CONTEXTS = 6
RESULTS = "results.csv"
HEADER = ("arm", "seed", "steps", "kendall", "spearman", "cpu_s", "splits")

_ALL = [tuple(range(len(OPERATIONS)))] * len(EDGES)
_SamplerClass = Callable[[Sequence[Sequence[int]], np.random.Generator], Sampler]

Accuracies = NDArray[np.float64]
"""By cell and seed (N, S)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train every arm that is missing, and print the correlations; exit status 2 for wrong input."""
    parser = argparse.ArgumentParser(prog="python -m experiments.cell_supernet", description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS, metavar="N", help=f"of one supernet (default {STEPS})")
    parser.add_argument("--cells", type=int, default=RANDOM_CELLS, metavar="N", help="random cells to rank")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, metavar="FOLDER", help="where the table is")
    parser.add_argument("--verdicts", type=Path, default=Path(digits_darts.__file__).with_name(VERDICTS))
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        if chosen.cells < 3:
            raise InputError(f"--cells must be at least 3 to be ranked, not {chosen.cells}")
        _run(chosen.out / RESULTS, chosen.verdicts, chosen.steps, chosen.cells)
    except ArchgymError as error:
        print(f"experiments.cell_supernet: {error}", file=sys.stderr)
        return 2
    return 0


def _run(path: Path, verdicts: Path, steps: int, n: int) -> None:
    cells = random_cells(n, RANDOM_SEED)
    judge = Judge(verdicts, read_table())
    truth = np.array([judge.verdict(cell).test for cell in cells])
    for name, arm in ARMS.items():
        if name in _done(path):
            continue
        started = time.process_time()
        accuracies, total, splits = arm(cells, steps)
        _append(path, name, total, accuracies, truth, time.process_time() - started, splits)
    print(path.read_text(), end="")


def _one_shot(sampler: _SamplerClass, cells: Sequence[Cell], steps: int) -> tuple[Accuracies, int, Sequence[Split]]:
    supernet = Supernet(SEEDS)
    supernet.train(sampler(_ALL, np.random.default_rng(0)), steps)
    return np.array([supernet.accuracy(cell) for cell in cells]), steps, ()


def _few_shot(splits: Sequence[Split], cells: Sequence[Cell], steps: int) -> Accuracies:
    """Accuracies from the part of the supernet that holds a cell; parts start from new weights."""
    accuracies = np.full((len(cells), len(SEEDS)), np.nan)
    for number, allowed in enumerate(split_allowed(splits)):
        part = Supernet([100 * (number + 1) + seed for seed in SEEDS])
        part.train(UniformSampler(allowed, np.random.default_rng(number)), steps)
        for n, cell in enumerate(cells):
            if all(operation in allowed[e] for e, operation in enumerate(cell)):
                accuracies[n] = part.accuracy(cell)
    return accuracies


def _by_gradients(cells: Sequence[Cell], steps: int) -> tuple[Accuracies, int, Sequence[Split]]:
    supernet = Supernet(SEEDS)
    supernet.train(UniformSampler(_ALL, np.random.default_rng(0)), min(WARM_UP, steps))
    splits = splits_of(supernet, np.random.default_rng(1), contexts=CONTEXTS)[:SPLITS]
    return _few_shot(splits, cells, steps), min(WARM_UP, steps) + 2**SPLITS * steps, splits


def _by_chance(cells: Sequence[Cell], steps: int) -> tuple[Accuracies, int, Sequence[Split]]:
    rng = np.random.default_rng(2)
    splits = []
    for edge in rng.choice(len(EDGES), size=SPLITS, replace=False):
        order = rng.permutation(len(OPERATIONS)).tolist()
        splits.append(Split(int(edge), (tuple(sorted(order[:2])), tuple(sorted(order[2:]))), float("nan")))
    return _few_shot(splits, cells, steps), 2**SPLITS * steps, splits


_Arm = Callable[[Sequence[Cell], int], tuple[Accuracies, int, Sequence[Split]]]
ARMS: Mapping[str, _Arm] = {
    "uniform": lambda cells, steps: _one_shot(UniformSampler, cells, steps),
    "uniform, as long as split": lambda cells, steps: _one_shot(UniformSampler, cells, 2**SPLITS * steps),
    "uniform, six times as long": lambda cells, steps: _one_shot(UniformSampler, cells, 6 * steps),
    "shifted, as long as split": lambda cells, steps: _one_shot(ShiftedSampler, cells, 2**SPLITS * steps),
    "split by gradients": _by_gradients,
    "split by chance": _by_chance,
}


def _done(path: Path) -> set[str]:
    if not path.exists():
        return set()
    with path.open() as file:
        return {row["arm"] for row in csv.DictReader(file)}


def _append(
    path: Path, arm: str, steps: int, accuracies: Accuracies, truth: Accuracies, cpu_s: float, splits: Sequence[Split]
) -> None:
    stats = import_extra("scipy.stats", "nas")
    is_new = not path.exists()
    cuts = "; ".join(f"edge {split.edge}: {list(split.groups[0])} | {list(split.groups[1])}" for split in splits)
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(HEADER)
        for s, seed in enumerate(SEEDS):
            kendall = stats.kendalltau(accuracies[:, s], truth).statistic
            spearman = stats.spearmanr(accuracies[:, s], truth).statistic
            writer.writerow((arm, seed, steps, f"{kendall:.3f}", f"{spearman:.3f}", f"{cpu_s:.1f}", cuts))


if __name__ == "__main__":
    raise SystemExit(main())
