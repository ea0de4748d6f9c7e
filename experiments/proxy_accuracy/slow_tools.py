"""Where a simulation is slow: accelerators with their mapper, networks run on images, and synthesis by Yosys."""

from __future__ import annotations

__all__ = ["HEADER", "simulator_lines", "synthesis_lines"]

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archgym.datasets import Dataset
from archgym.proxies.features import DesignFeatures
from archgym.proxies.quality import rmse_percent, spearman
from archgym.proxies.regressors import kind_named
from experiments.proxy_accuracy.pools import pool_of

Floats = NDArray[np.float64]
HEADER = "simulator,regressor,size,seed,metric,rmse_percent,spearman"
REGRESSORS = ("lightgbm", "random-forest", "ridge")
SEEDS = 5
SIMULATORS = (
    ("archgym/Accelerator-v0", "alexnet", ("latency_ns", "energy_pj")),
    ("archgym/SupernetDigits-v0", "search", ("val_error",)),
)
_DRAWN, _TESTED = 2000, 300
_SIZES = (100, 300, 1000)
_UNITS = Path(__file__).parents[1] / "tpe_synthesis" / "units.csv"
_UNIT_SIZES = (30, 60, 120)
_NUMBERS = ("a_bits", "b_bits", "accumulator_bits", "pipeline_cuts")
_NAMES = ("kind", "encoding", "compressor", "final_adder")


def simulator_lines(work: Path) -> Iterator[str]:
    """Random designs of whole accelerators, each mapped layer by layer, and of networks, each run on images."""
    for env_id, workload, metrics in SIMULATORS:
        pool: Dataset = pool_of(env_id, workload, metrics, _DRAWN, work).valid()
        features = DesignFeatures(pool.space)
        x = features.of(features.codes(pool.designs), np.zeros(0))
        yield from _curves(env_id, x, pool.values, metrics, _SIZES, _TESTED)


def synthesis_lines() -> Iterator[str]:
    """The 150 units that ``experiments.tpe_synthesis`` has synthesised, with and without our model's own estimate."""
    with _UNITS.open(newline="") as file:
        units = list(csv.DictReader(file))
    columns = [np.array([float(unit[name]) for unit in units]) for name in _NUMBERS]
    for name in _NAMES:
        columns += [np.array([float(unit[name] == value) for unit in units]) for value in sorted(_values(units, name))]
    truth = np.array([[float(unit["area_um2"]), float(unit["delay_ns"])] for unit in units])
    model = np.log([[float(unit["model_area_um2"]), float(unit["model_delay_ns"])] for unit in units])
    x = np.stack(columns, axis=1)
    metrics = ("area_um2", "delay_ns")
    yield from _curves("Yosys", x, truth, metrics, _UNIT_SIZES, 30)
    yield from _curves("Yosys with the model's estimate", np.hstack([x, model]), truth, metrics, _UNIT_SIZES, 30)


def _values(units: list[dict[str, str]], name: str) -> set[str]:
    return {unit[name] for unit in units}


def _curves(
    simulator: str, x: Floats, y: Floats, metrics: tuple[str, ...], sizes: tuple[int, ...], tested: int
) -> Iterator[str]:
    for seed in range(SEEDS):
        order = np.random.default_rng(seed).permutation(len(x))
        test = order[:tested]
        for size in sizes:
            train = order[tested : tested + size]
            for name in REGRESSORS:
                kind = kind_named(name)
                for m, metric in enumerate(metrics):
                    model, _ = kind.train(x[train], np.log(y[train, m]), kind.settings, seed)
                    guess = np.exp(model.predict(x[test]))
                    error, ranks = rmse_percent(y[test, m], guess), spearman(y[test, m], guess)
                    yield f"{simulator},{name},{len(train)},{seed},{metric},{error:.3f},{ranks:.4f}"
