"""Small recorded searches and studies of toys, and datasets made by hand."""

from pathlib import Path

import numpy as np

import archgym
from archgym.datasets import Dataset, DatasetWorkload, Schema, SourceRun
from archgym.testing import toys
from archgym_simulators import INVALID, OK, Categorical, DesignSpace, Factors, InertWhen, Metric, Ordinal, Permutation

BOWL = f"{toys.__file__}:Bowl"
SPACE = DesignSpace(
    [
        Ordinal("banks", [1, 2, 4, 8]),
        Categorical("policy", ["auto", 1, 2]),
        Permutation("order", "KCX"),
        Factors("tile", 12, 2),
        Ordinal("cache", [0.5, 1.0]),
    ],
    inert=[InertWhen("cache", "policy", ("auto",))],
)
COLUMNS = ("rows", "values", "status", "workload_index", "run_index", "step", "reward", "feasible")


def search(out: Path, agent="random_search", *, seed=1, budget=60, **more) -> Path:
    """A recorded search of a toy."""
    archgym.search(BOWL, agent, budget=budget, seed=seed, out=out, **more)
    return out


def study(folder: Path, *, tasks=None, agents=("random_search", "hill_climbing"), seeds=2, record="all") -> Path:
    """A complete study of a toy."""
    from archgym.studies.engine import run_study
    from archgym.studies.study_file import parse_study

    content = {
        "tasks": tasks or [{"env": BOWL, "budget": 40}],
        "agents": list(agents),
        "seeds": seeds,
        "record": record,
    }
    run_study(parse_study(content), folder)
    return folder


def made(n=40, *, seed=0, metrics=("time_ns", "energy_pj"), agents=("ant", "bee"), workloads=("a", "b"), space=SPACE):
    """A dataset of random designs whose metrics follow from design and workload; a tenth is invalid."""
    rng = np.random.default_rng(seed)
    rows = space.canonical(space.sample(n, rng))
    workload = rng.integers(0, len(workloads), n).astype(np.int32)
    weight = rows @ np.arange(1, space.width + 1) + 10.0 * workload + 1.0
    values = weight[:, None] * np.arange(1.0, len(metrics) + 1)
    status = np.where(weight.astype(int) % 10 == 3, INVALID, OK).astype(np.int8)
    values[status != OK] = np.nan
    return Dataset(
        schema=Schema(
            "my/Chip-v0", {"rules": "x"}, "7", "", space, "space", tuple(Metric(name, name) for name in metrics), ("f",)
        ),
        workloads=tuple(DatasetWorkload(name, (0.5 * place,), name) for place, name in enumerate(workloads)),
        runs=tuple(SourceRun(f"run-{agent}-{seed}", agent, seed, {"k": 1}, "", ("time_ns",)) for agent in agents),
        rows=rows.astype(np.uint8),
        values=values,
        status=status,
        workload_index=workload,
        run_index=np.sort(rng.integers(0, len(agents), n)).astype(np.int32),
        step=np.arange(n),
        reward=np.nan_to_num(-weight),
        feasible=status == OK,
        distinct=False,
        whole_runs=True,
    )


def assert_same(one: Dataset, other: Dataset) -> None:
    """Equal to the bit."""
    for name in COLUMNS:
        a, b = getattr(one, name), getattr(other, name)
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()), name
    assert (one.schema, one.workloads, one.runs) == (other.schema, other.workloads, other.runs)
    assert (one.distinct, one.whole_runs) == (other.distinct, other.whole_runs)
