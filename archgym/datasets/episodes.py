"""Searches as episodes: one run is one episode, one simulated design is one step.

Before step ``t`` a learner sees what became of design ``t - 1``; its action is design ``t``; its reward is that of the
run's objective. Nothing is terminal: a search ends where its budget ends.
"""

from __future__ import annotations

__all__ = ["Episode", "episodes", "observation_names", "rlds_episodes", "step_tables", "write_steps"]

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.datasets.export import write_parquet
from archgym.datasets.schema import SourceRun
from archgym_simulators import OK, InputError
from archgym_simulators.space import Rows

if TYPE_CHECKING:
    import pyarrow as pa

    from archgym.datasets.dataset import Dataset

STEPS_METADATA = b"archgym steps"
_TINY = 1e-300


@dataclass(frozen=True)
class Episode:
    """One run of T simulated designs.

    Attributes:
        run: the search.
        observations: (T + 1, L) float32, finite; `observation_names` says what stands where.
        actions: (T, D) index rows.
        rewards: (T,).
        metrics: (T + 1, M) of the design before, NaN before the first step and where it is not ok.
        status: (T + 1,) of the design before; -1 before the first step.
    """

    run: SourceRun
    observations: NDArray[np.float32]  # (T + 1, L)
    actions: Rows  # (T, D)
    rewards: NDArray[np.float64]  # (T,)
    metrics: NDArray[np.float64]  # (T + 1, M)
    status: NDArray[np.int8]  # (T + 1,)

    def __len__(self) -> int:
        """Number of steps, T."""
        return len(self.rewards)


def observation_names(data: Dataset) -> tuple[str, ...]:
    """What stands where in an observation (L,).

    The workload's features; the design before, each index as a share of its largest; its metrics, as logarithms where
    the metric is a log one, 0 where it has none; whether it was valid, and whether it met the constraints.
    """
    metrics = (f"log {one.name}" if one.scale == "log" else one.name for one in data.metrics)
    return (*data.schema.feature_names, *data.space.columns, *metrics, "valid", "feasible")


def episodes(data: Dataset) -> Iterator[Episode]:
    """Every run with rows, in the order of ``data.runs``.

    Raises:
        InputError: a dataset whose runs have lost rows, as repeated designs are dropped by default.
    """
    if not data.whole_runs:
        raise InputError(
            "episodes need whole runs, and this dataset has lost rows of them; load the runs with duplicates='keep'"
        )
    return _episodes(data)


def _episodes(data: Dataset) -> Iterator[Episode]:
    order = np.lexsort((data.step, data.run_index))
    ends = np.cumsum(np.bincount(data.run_index, minlength=len(data.runs)))
    for run, rows in zip(data.runs, np.split(order, ends[:-1]), strict=True):
        if len(rows):
            yield _episode(data, run, rows)


def _episode(data: Dataset, run: SourceRun, rows: NDArray[np.intp]) -> Episode:
    actions, values = data.rows[rows].astype(np.int64), data.values[rows]
    is_log = np.array([metric.scale == "log" for metric in data.metrics])
    shown = np.nan_to_num(values)
    shown[:, is_log] = np.log(np.maximum(values[:, is_log], _TINY))
    valid = data.status[rows] == OK
    shown[~valid] = 0.0
    became = np.hstack([actions / np.maximum(data.space.nvec - 1, 1), shown, valid[:, None], data.feasible[rows, None]])
    features = np.nan_to_num(data.workload_features[data.workload_index[rows]])
    return Episode(
        run=run,
        observations=np.hstack([np.vstack([features, features[-1:]]), _after(became, 0.0)]).astype(np.float32),
        actions=actions,
        rewards=data.reward[rows],
        metrics=_after(values, np.nan),
        status=_after(data.status[rows], -1),
    )


def _after(table: NDArray[Any], first: float) -> NDArray[Any]:
    """The table moved down by one row, which ``first`` fills."""
    moved = np.full((len(table) + 1, *table.shape[1:]), first, table.dtype)
    moved[1:] = table
    return moved


# ---- steps as in RLDS ------------------------------------------------------------------------------------------------


def rlds_episodes(data: Dataset) -> Iterator[dict[str, Any]]:
    """Episodes as RLDS has them: ``"steps"`` holds T + 1 of each array, and the rest says which run it is.

    A step holds an observation, the action taken there, and the reward that it brought. The last step holds the last
    observation; its action and reward mean nothing and are 0.

    Raises:
        InputError: a dataset whose runs have lost rows.
    """
    for one in episodes(data):
        count = len(one) + 1
        marks = np.arange(count)
        steps = {
            "observation": one.observations,
            "action": np.vstack([one.actions, np.zeros((1, one.actions.shape[1]), np.int64)]),
            "reward": np.append(one.rewards, 0.0),
            "discount": np.ones(count, np.float32),
            "is_first": marks == 0,
            "is_last": marks == count - 1,
            "is_terminal": np.zeros(count, bool),
        }
        yield {"steps": steps, "run_id": one.run.run_id, "agent": one.run.agent, "seed": one.run.seed}


def step_tables(data: Dataset) -> Iterator[pa.Table]:
    """RLDS steps as Arrow tables, one an episode; observation and action are lists of a fixed length.

    Raises:
        InputError: a dataset whose runs have lost rows.
    """
    import pyarrow as pa

    for episode in rlds_episodes(data):
        steps = episode["steps"]
        count = len(steps["reward"])
        columns = {
            "run_id": pa.array([episode["run_id"]] * count).dictionary_encode(),
            "agent": pa.array([episode["agent"]] * count).dictionary_encode(),
            "step": pa.array(np.arange(count)),
        }
        for name, values in steps.items():
            flat = pa.array(values.reshape(-1))
            columns[name] = flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
        yield pa.table(columns)


def write_steps(data: Dataset, path: Path) -> None:
    """Write RLDS steps as one Parquet file, whose metadata names observations, actions and their ranges.

    Raises:
        InputError: a dataset whose runs have lost rows.
    """
    about = {
        "observation": observation_names(data),
        "action": data.space.columns,
        "action_sizes": data.space.nvec.tolist(),
        "schema": data.schema.to_json(),
        "runs": [run.to_json() for run in data.runs],
    }
    write_parquet(path, step_tables(data), metadata={STEPS_METADATA: json.dumps(about).encode()})
