"""Uniform random designs, simulated once and kept: what proxies of every size are trained and judged on."""

from __future__ import annotations

__all__ = ["pool_of", "uniform_designs"]

import time
from pathlib import Path
from typing import Any

import numpy as np

from archgym.datasets import Dataset, DatasetWorkload, Schema, SourceRun
from archgym.problem import ProblemSpec
from archgym_simulators import DesignSpace, Simulator
from archgym_simulators.space import Rows

_AT_ONCE = 2000


def pool_of(env_id: str, workload: str, metrics: tuple[str, ...], count: int, folder: Path, **options: Any) -> Dataset:
    """``count`` uniform designs that meet the space's constraints, simulated or read from ``folder``.

    Simulation is resumed where it was interrupted. Seconds of processor time are among its run's settings.
    """
    spec = ProblemSpec.create(env_id, workload=workload, options=options)
    simulator = spec.simulator()
    rows = uniform_designs(simulator.space, count)
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{env_id.split('/')[-1]}-{simulator.workload.name}-{count}".replace("/", "_")
    done = [_part(simulator, rows, start, folder / f"{stem}-{start}.npz") for start in range(0, count, _AT_ONCE)]
    columns = {name: np.concatenate([one[name] for one in done]) for name in ("values", "status")}
    seconds = float(sum(float(one["seconds"]) for one in done))
    return _as_dataset(simulator, spec, rows, columns, metrics, seconds)


def uniform_designs(space: DesignSpace, count: int, seed: int = 7) -> Rows:
    """Distinct canonical designs that meet the constraints of the space, in random order: (count, D)."""
    rng = np.random.default_rng(seed)
    kept = np.zeros((0, space.width), np.int64)
    while len(kept) < count:
        rows = space.canonical(space.sample(4 * count, rng))
        rows = rows[(space.violations(rows) <= 0).all(axis=1)]
        kept = np.unique(np.concatenate([kept, rows]), axis=0)
    return kept[rng.permutation(len(kept))[:count]]


def _part(simulator: Simulator, rows: Rows, start: int, file: Path) -> dict[str, Any]:
    if not file.is_file():
        began = time.process_time()
        outcome = simulator.evaluate(rows[start : start + _AT_ONCE])
        seconds = time.process_time() - began
        part = file.with_suffix(".part.npz")
        np.savez(part, values=outcome.values, status=outcome.status, seconds=np.array(seconds))
        part.replace(file)
    with np.load(file, allow_pickle=False) as stored:
        return dict(stored)


def _as_dataset(
    simulator: Simulator,
    spec: ProblemSpec,
    rows: Rows,
    columns: dict[str, Any],
    metrics: tuple[str, ...],
    seconds: float,
) -> Dataset:
    chosen = [simulator.metric_names().index(name) for name in metrics]
    own = simulator.workload
    schema = Schema(
        env_id=spec.env_id,
        options=dict(spec.options),
        simulator_version=simulator.version,
        source="",
        space=simulator.space,
        space_digest=simulator.space.digest,
        metrics=tuple(simulator.metrics[place] for place in chosen),
        feature_names=own.feature_names,
    )
    n = len(rows)
    return Dataset(
        schema=schema,
        workloads=(DatasetWorkload(own.name, own.features, own.digest),),
        runs=(SourceRun("uniform", "uniform", 7, {"seconds": seconds}),),
        rows=rows,
        values=columns["values"][:, chosen],
        status=columns["status"].astype(np.int8),
        workload_index=np.zeros(n, np.int32),
        run_index=np.zeros(n, np.int32),
        step=np.arange(n),
        reward=np.zeros(n),
        feasible=columns["status"] == 0,
    )
