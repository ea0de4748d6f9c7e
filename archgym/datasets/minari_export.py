"""A dataset for Minari: one run is one episode, because an episode of one step costs Minari 26 KB (measured)."""

from __future__ import annotations

__all__ = ["MINARI_FORMATS", "default_minari_id", "write_minari"]

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from archgym.datasets.episodes import Episode, episodes, observation_names
from archgym.datasets.new_directory import new_directory
from archgym_simulators import InputError
from archgym_simulators.errors import import_extra
from archgym_simulators.nearest import did_you_mean

if TYPE_CHECKING:
    from archgym.datasets.dataset import Dataset

MINARI_FORMATS = ("hdf5", "arrow", "parquet")
_ROOT = "MINARI_DATASETS_PATH"


def write_minari(data: Dataset, out: Path | str, *, dataset_id: str = "", data_format: str = "hdf5") -> str:
    """Write a dataset below a directory that serves Minari as ``MINARI_DATASETS_PATH``.

    Observations are those of `archgym.datasets.episodes`, actions index rows (MultiDiscrete), infos the metrics in
    their units and the status, each (T + 1, 1).

    Args:
        data: whole runs: loaded with ``duplicates="keep"``.
        out: a directory that is not there yet; it appears whole or not at all.
        dataset_id: of Minari, ``"namespace/environment/name-v0"``; made from the environment where "".
        data_format: one of `MINARI_FORMATS`.

    Returns:
        The dataset's id.

    Raises:
        InputError: runs that have lost rows, an id that Minari refuses, an unknown format, or ``out`` exists.
        MissingExtra: Minari is not installed.
    """
    if data_format not in MINARI_FORMATS:
        hint = did_you_mean(data_format, MINARI_FORMATS)
        raise InputError(f"Minari's format must be one of {', '.join(MINARI_FORMATS)}, not {data_format!r}{hint}")
    minari = import_extra("minari", "data")
    for needed in ("h5py", "PIL"):
        import_extra(needed, "data")
    dataset_id = dataset_id or default_minari_id(data.schema.env_id)
    _check_id(dataset_id)
    buffers = (_buffer(one, number, data) for number, one in enumerate(episodes(data)))
    length = len(observation_names(data))
    with new_directory(Path(out)) as part, _minari_root(part), warnings.catch_warnings():
        # Minari warns of authors and an environment that are not given; there are none to give.
        warnings.simplefilter("ignore", UserWarning)
        minari.create_dataset_from_buffers(
            dataset_id,
            buffers,
            observation_space=spaces.Box(-np.inf, np.inf, (length,), np.float32),
            action_space=spaces.MultiDiscrete(data.space.nvec),
            algorithm_name=", ".join(dict.fromkeys(run.agent for run in data.runs)),
            description=_description(data),
            data_format=data_format,
        )
    return dataset_id


def default_minari_id(env_id: str) -> str:
    """A Minari id for an environment's id, or for ``path/chip.py:Chip``.

    >>> default_minari_id("archgym/DRAM-v0"), default_minari_id("models/chip.py:Chip")
    ('archgym/dram/search-v0', 'archgym/chip/search-v0')
    """
    name = re.sub(r"-v\d+$", "", re.split(r"[/:\\]", env_id)[-1]).lower()
    return f"archgym/{re.sub(r'[^a-z0-9_-]+', '-', name)}/search-v0"


def _check_id(dataset_id: str) -> None:
    if not re.fullmatch(r"([\w-]{2,}/){0,3}[\w-]+-v\d+", dataset_id, re.ASCII):
        raise InputError(f"Minari id {dataset_id!r} must read 'namespace/environment/name-v0'")


def _description(data: Dataset) -> str:
    objectives = "; ".join(dict.fromkeys(", ".join(run.objectives) or "the default" for run in data.runs))
    return (
        f"Searches of {data.schema.env_id}, simulator version {data.schema.simulator_version}, objective {objectives}. "
        f"Observation: {', '.join(observation_names(data))}. Action: indices of {', '.join(data.space.columns)}."
    )


def _buffer(one: Episode, number: int, data: Dataset) -> Any:
    count = len(one)
    infos = {name: one.metrics[:, m : m + 1] for m, name in enumerate(data.schema.metric_names)}
    return import_extra("minari.data_collector", "data").EpisodeBuffer(
        id=number,
        seed=one.run.seed,
        options={"run_id": one.run.run_id, "agent": one.run.agent},
        observations=one.observations,
        actions=one.actions,
        rewards=one.rewards,
        terminations=np.zeros(count, bool),
        truncations=np.arange(count) == count - 1,
        infos={**infos, "status": one.status[:, None].astype(np.int64)},
    )


@contextmanager
def _minari_root(folder: Path) -> Iterator[None]:
    """Minari writes below the directory that this variable names, and nowhere else; a relative one it applies twice."""
    before = os.environ.get(_ROOT)
    os.environ[_ROOT] = str(folder.resolve())
    try:
        yield
    finally:
        if before is None:
            del os.environ[_ROOT]
        else:
            os.environ[_ROOT] = before
