"""What regret is measured against, task by task, and where that comes from."""

from __future__ import annotations

__all__ = ["Reference", "front_reference", "reference_of"]

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym.problem import Problem, ProblemSpec
from archgym.tasks import Task
from archgym_simulators import ArchgymError

_SAMPLE = 512
_SEED = 0
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Reference:
    """The two ends of a task's scale of regret.

    Attributes:
        best: reward (for several objectives: hypervolume) at which regret is 0.
        best_source: "certified optimum", or "best known" and from where.
        median: reward at which regret is 1.
        median_source: where that comes from.
    """

    best: float
    best_source: str
    median: float
    median_source: str

    @property
    def is_certified(self) -> bool:
        """Whether the best is proved to be the best."""
        return self.best_source.startswith("certified")


def reference_of(
    spec: ProblemSpec | None, problem: Problem | None, *, best_found: float, first_rewards: NDArray[np.float64]
) -> Reference:
    """The reference of a task with one objective.

    Args:
        spec: the problem, where this installation knows it.
        problem: the same, bound.
        best_found: best feasible reward of the study; not a number where there is none.
        first_rewards: of the first feasible design of each run, the stand-in for random designs.
    """
    from archgym.best_known import best_known
    from archgym.optimum import certified_optimum

    certified = certified_optimum(spec) if spec is not None and problem is not None else None
    if certified is not None and not best_found > certified.reward + _ROUNDING:
        return Reference(
            certified.reward, "certified optimum", certified.median_reward, "certified median of all feasible designs"
        )
    stored = best_known(spec) if certified is None and spec is not None and problem is not None else None
    source = "best known: the best of this study"
    if stored is not None and not best_found > stored.reward + _ROUNDING:
        best_found, source = stored.reward, "best known: " + stored.found_by
    if certified is not None:
        source += ", which is above the certified optimum: one of them is wrong"
    median, how = _median(problem, first_rewards)
    if not np.isfinite(best_found) or not best_found > median:
        return Reference(median + 1.0, "set to 1 above the median: nothing better than that was found", median, how)
    return Reference(best_found, source, median, how)


def front_reference(task: Task | None, volumes: NDArray[np.float64], union: float) -> Reference:
    """The reference of a task with several objectives: hypervolumes, 1 where none of the best is covered.

    Args:
        task: of the suite, where it is one.
        volumes: of the runs (R,).
        union: hypervolume of the runs' fronts together; not a number where it is not known.
    """
    from archgym.fronts import certified_front

    front = certified_front(task) if task is not None else None
    known = max([*volumes[np.isfinite(volumes)].tolist(), *([union] if np.isfinite(union) else [])], default=1.0)
    if front is not None and known <= front.hypervolume * (1.0 + _ROUNDING):
        return Reference(front.hypervolume, "certified front", 0.0, "no hypervolume at all")
    if np.isfinite(union):
        return Reference(known or 1.0, "best known: the fronts of all runs together", 0.0, "no hypervolume at all")
    return Reference(known or 1.0, "best known: the largest front of this study", 0.0, "no hypervolume at all")


def _median(problem: Problem | None, first_rewards: NDArray[np.float64]) -> tuple[float, str]:
    if problem is not None:
        try:
            space = problem.space
            rows = space.canonical(space.sample(_SAMPLE, np.random.default_rng(_SEED)))
            scored = problem.evaluate(rows)
        except ArchgymError:
            scored = None
        if scored is not None and scored.feasible.any():
            feasible = scored.reward[scored.feasible]
            return float(np.median(feasible)), f"median of {len(feasible)} feasible designs among {_SAMPLE} random ones"
    if len(first_rewards):
        return float(np.median(first_rewards)), "median of the first feasible designs of all runs"
    return 0.0, "the baseline"
