"""Subnets trained from scratch, beside the same subnets cut out of the supernet."""

from __future__ import annotations

__all__ = ["FILE", "SUBNETS", "Agreement", "Trained", "agreement", "open_trainings", "read_trained", "train_next"]

import csv
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archgym.proxies.quality import spearman
from archgym_simulators.errors import InputError
from archgym_simulators.nas.supernet_design import subnets_of_rows
from archgym_simulators.nas.supernet_model import examination_of
from archgym_simulators.nas.supernet_simulator import SupernetDigitsSimulator
from archgym_simulators.nas.supernet_weights import read_supernet
from experiments.supernet.recipes import SCRATCH

FILE = Path(__file__).with_name("scratch.csv")
SUBNETS = 24
SEEDS = {12: (0, 1), 30: (0,)}
"""Of the trainings, by epochs."""
_SAMPLE_SEED, _BOOTSTRAP_SEED = 20207, 20208
_RESAMPLES = 10_000


@dataclass(frozen=True)
class Trained:
    """One training from scratch.

    Attributes:
        epochs: of the training.
        subnet: place in `rows_of_subnets`.
        seed: of the training.
        accuracy: percent of the 2,000 validation images at the end.
        train_s: CPU seconds.
    """

    epochs: int
    subnet: int
    seed: int
    accuracy: float
    train_s: float


@dataclass(frozen=True)
class Agreement:
    """Rank correlations over the subnets.

    Attributes:
        subnets: that were trained with every seed.
        supernet: Spearman's between the supernet and the mean of the seeds.
        interval: 95 % of it, from resampling subnets.
        parameters: Spearman's between the number of parameters and the same mean.
        macs: the same of the multiply-accumulates.
        seeds: Spearman's between two seeds: what one training says about another; None where there is one.
    """

    subnets: int
    supernet: float
    interval: tuple[float, float]
    parameters: float
    macs: float
    seeds: float | None


@cache
def _bound() -> SupernetDigitsSimulator:
    return SupernetDigitsSimulator(images=2000)


def rows_of_subnets() -> NDArray[np.int64]:
    """The subnets: drawn uniformly, gene by gene, once and for all."""
    space = _bound().space
    return space.canonical(space.sample(SUBNETS, np.random.default_rng(_SAMPLE_SEED)))


def read_trained(path: Path = FILE) -> list[Trained]:
    """Trainings so far; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as stream:
        return [
            Trained(
                epochs=int(row["epochs"]),
                subnet=int(row["subnet"]),
                seed=int(row["seed"]),
                accuracy=float(row["accuracy"]),
                train_s=float(row["train_s"]),
            )
            for row in csv.DictReader(stream)
        ]


def open_trainings(epochs: int, path: Path = FILE) -> list[tuple[int, int]]:
    """Subnet and seed of what is left to train for so many epochs."""
    done = {(one.subnet, one.seed) for one in read_trained(path) if one.epochs == epochs}
    return [(subnet, seed) for seed in SEEDS[epochs] for subnet in range(SUBNETS) if (subnet, seed) not in done]


def train_next(epochs: int, path: Path = FILE) -> Trained:
    """Do the first open training and write it down."""
    from archgym_simulators.nas.supernet_network import weights_of
    from archgym_simulators.nas.supernet_training import train_subnet

    number, seed = open_trainings(epochs, path)[0]
    subnet = subnets_of_rows(rows_of_subnets()[number : number + 1])
    started = time.process_time()
    network = train_subnet([(kernel, expansion) for kernel, expansion in subnet[0].tolist()], SCRATCH[epochs], seed)
    train_s = time.process_time() - started
    alone = replace(read_supernet(), weights=weights_of(network))
    right = examination_of(alone, alone.validation()).right(subnet)[0]
    found = Trained(epochs, number, seed, 100.0 * int(right) / len(alone.validation().classes), round(train_s, 2))
    is_new = not path.exists()
    with path.open("a", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if is_new:
            writer.writerow([field.name for field in fields(Trained)])
        writer.writerow(astuple(found))
    return found


def agreement(trained: Sequence[Trained], epochs: int) -> Agreement:
    """How alike supernet and trainings of so many epochs rank; subnets count that every seed has trained.

    Raises:
        InputError: fewer than three such subnets.
    """
    accuracy = np.full((len(SEEDS[epochs]), SUBNETS), np.nan)
    for one in trained:
        if one.epochs == epochs:
            accuracy[SEEDS[epochs].index(one.seed), one.subnet] = one.accuracy
    whole = np.flatnonzero(np.isfinite(accuracy).all(axis=0))
    if len(whole) < 3:
        raise InputError(f"a rank correlation needs three subnets trained with every seed, not {len(whole)}")
    outcome = _bound().evaluate(rows_of_subnets()[whole])
    cut, parameters, macs = (_bound().column(outcome, name) for name in ("val_accuracy", "parameters", "macs"))
    mean = accuracy[:, whole].mean(axis=0)
    draws = np.random.default_rng(_BOOTSTRAP_SEED).integers(len(whole), size=(_RESAMPLES, len(whole)))
    resampled = [spearman(cut[draw], mean[draw]) for draw in draws]
    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    return Agreement(
        subnets=len(whole),
        supernet=spearman(cut, mean),
        interval=(float(low), float(high)),
        parameters=spearman(parameters, mean),
        macs=spearman(macs, mean),
        seeds=None if len(accuracy) == 1 else spearman(accuracy[0, whole], accuracy[1, whole]),
    )
