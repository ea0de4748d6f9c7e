"""Workloads of measured cells: which training seeds an accuracy comes from."""

from __future__ import annotations

__all__ = ["JUDGE", "WORKLOADS", "Seeds", "seeds_of"]

from collections.abc import Mapping
from dataclasses import dataclass

from archgym_simulators.errors import InputError, MissingData
from archgym_simulators.nas.digits_table import DigitsTable, Measurements
from archgym_simulators.nearest import allowed_values, did_you_mean

JUDGE = "judge"
WORKLOADS: Mapping[str, str] = {
    "search": "mean of three trainings, seeds 0 to 2; the three are charged",
    "search-seed-0": "one training, seed 0: the noise that a search really has",
    "search-seed-1": "one training, seed 1",
    "search-seed-2": "one training, seed 2",
    JUDGE: "mean of ten trainings with seeds that no search sees, of the cells that came out best; for results only",
}
BEST = "python -m experiments.nas_table best, then python -m experiments.nas_table pack"


@dataclass(frozen=True)
class Seeds:
    """Which measurements a workload reads.

    Attributes:
        measured: rows of the table.
        one: a single seed of them; None for the mean.
        count: trainings that an evaluation pays for.
        is_judge: whether these are the seeds for judging.
    """

    measured: Measurements
    one: int | None
    count: int
    is_judge: bool


def seeds_of(workload: str, table: DigitsTable, *, partial: bool) -> Seeds:
    """The measurements of a workload.

    Raises:
        InputError: an unknown workload.
        MissingData: no cell was trained with the seeds for judging yet, and ``partial`` is not allowed.
    """
    if workload not in WORKLOADS:
        hint = did_you_mean(workload, WORKLOADS)
        raise InputError(f"unknown workload {workload!r}{hint}; allowed: {allowed_values(tuple(WORKLOADS))}")
    if workload == JUDGE:
        if not len(table.best.groups) and not partial:
            raise MissingData(f"no cell was trained with the seeds for judging yet; run: {BEST}")
        return Seeds(table.best, None, len(table.best.seeds), is_judge=True)
    seed = workload.partition("-seed-")[2]
    one = int(seed) if seed else None
    return Seeds(table.every, one, 1 if seed else len(table.every.seeds), is_judge=False)
