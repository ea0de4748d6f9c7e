"""A study's tables with what every section needs: tasks and agents by number, and regret beside each reward."""

from __future__ import annotations

__all__ = ["StudyData", "best_words", "one_at_a_time", "prepare"]

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.report.charts import ALL_TASKS, View
from archgym.report.fronts_of_runs import volumes_along
from archgym.report.task_data import TaskData, task_of
from archgym.statistics import CEILING, regret
from archgym_simulators import InputError

if TYPE_CHECKING:
    import pandas as pd

    from archgym.studies.results import StudyResults


@dataclass(frozen=True)
class StudyData:
    """What sections are made from.

    Attributes:
        source: the study as loaded.
        runs: one row a run, with ``task_no``, ``agent_no`` and ``regret``, ordered as in the study.
        improvements: feasible improvements with ``run_no`` (row of ``runs``) and ``regret``, ordered by run.
        tasks: by ``task_no``.
        agents: by ``agent_no``, in order of appearance.
    """

    source: StudyResults
    runs: pd.DataFrame
    improvements: pd.DataFrame
    tasks: tuple[TaskData, ...]
    agents: tuple[str, ...]

    def scopes(self) -> list[str]:
        """All tasks together, where there are several, then each."""
        names = [one.name for one in self.tasks]
        return names if len(names) == 1 else [ALL_TASKS, *names]

    def tasks_in(self, scope: str) -> list[int]:
        """Numbers of the tasks in a scope."""
        return [no for no, one in enumerate(self.tasks) if scope in (ALL_TASKS, one.name)]

    @cached_property
    def complete(self) -> pd.DataFrame:
        """The runs that ended as they should."""
        return self.runs[self.runs["state"] == "complete"]

    @cached_property
    def _entered(self) -> dict[tuple[int, int], NDArray[np.int64]]:
        """Runs of each agent on each task that stand for it: those with its default setting, else all."""
        found: dict[tuple[int, int], NDArray[np.int64]] = {}
        has_default = set(self.complete.loc[self.complete["is_default"], "agent_no"])
        complete = self.complete
        stands = complete["is_default"] | ~complete["agent_no"].isin(has_default)
        chosen = complete[stands]
        keys = chosen["agent_no"].to_numpy() * len(self.tasks) + chosen["task_no"].to_numpy()
        order = np.argsort(keys, kind="stable")
        values, starts = np.unique(keys[order], return_index=True)
        ends = np.append(starts, len(order))[1:].tolist()
        rows_of = chosen.index.to_numpy(dtype=np.int64)[order]
        for key, start, end in zip(values.tolist(), starts.tolist(), ends, strict=True):
            found[divmod(key, len(self.tasks))] = rows_of[start:end]
        return found

    def entered(self, agent: int, tasks: Sequence[int]) -> NDArray[np.int64] | None:
        """Row numbers (R, T) of the runs that stand for an agent; None where a task has none.

        Every task gives as many runs as the one with the fewest.
        """
        lists = [self._entered.get((agent, on)) for on in tasks]
        if not lists or any(one is None for one in lists):
            return None
        found = [one for one in lists if one is not None]
        fewest = min(map(len, found))
        return np.stack([one[:fewest] for one in found], axis=1)

    def field(self, scope: str) -> dict[str, NDArray[np.int64]]:
        """The agents that can be compared in a scope, with their runs (R, T)."""
        tasks = self.common_tasks(scope)
        found = {name: self.entered(no, tasks) for no, name in enumerate(self.agents)}
        return {name: rows for name, rows in found.items() if rows is not None}

    def common_tasks(self, scope: str) -> list[int]:
        """The tasks of a scope that every agent with any run there has run; all of them where that leaves none."""
        tasks = self.tasks_in(scope)
        present = [a for a in range(len(self.agents)) if any((a, on) in self._entered for on in tasks)]
        common = [on for on in tasks if all((a, on) in self._entered for a in present)]
        return common or tasks[:1]

    def regrets(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Final regrets of runs, in the shape of their row numbers."""
        return self.runs["regret"].to_numpy()[rows]

    @cached_property
    def starts(self) -> NDArray[np.float64]:
        """Regret of each run (R,) before its first feasible design: all of the hypervolume, or the ceiling."""
        fronts = np.array([one.has_front for one in self.tasks])
        return np.where(fronts[self.runs["task_no"].to_numpy()], 1.0, CEILING)

    @cached_property
    def steps(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Improvements as columns (I): run, evaluation, proposal, regret."""
        kept = self.improvements
        return (
            kept["run_no"].to_numpy(dtype=np.int64),
            kept["evaluation"].to_numpy(dtype=np.int64),
            kept["proposal"].to_numpy(dtype=np.int64),
            kept["regret"].to_numpy(dtype=np.float64),
        )


def prepare(source: StudyResults) -> StudyData:
    """Number tasks and agents, find references, and compute regrets.

    Raises:
        InputError: a study without a run.
    """
    import pandas as pd

    runs = source.runs.reset_index(drop=True)
    if runs.empty:
        raise InputError(f"{source.path} holds no run yet; run it first")
    runs["task_no"], places = _codes(pd.Series(source.problems))
    runs["agent_no"], agents = _codes(runs["agent"])
    improvements = _numbered(source.improvements, runs)
    names, described = _task_names(runs), source.manifest["tasks"]
    tasks = tuple(
        task_of(name, runs[runs["task_no"] == no], improvements[improvements["task_no"] == no], described[int(place)])
        for no, (name, place) in enumerate(zip(names, places, strict=True))
    )
    runs["regret"] = CEILING
    improvements["regret"] = CEILING
    for no, one in enumerate(tasks):
        _fill_regrets(runs, improvements, no, one)
    return StudyData(source, runs, improvements, tasks, tuple(agents))


def best_words(one: TaskData) -> list[str]:
    """What "the best design" means, where that is not plain."""
    mean = "With several objectives, the best design here is the one with the largest mean of their rewards."
    return [mean] if one.has_front else []


def one_at_a_time(data: StudyData, view_of: Callable[[StudyData, int], View]) -> dict[str, View]:
    """Views of a section that can show only one task at a time: of all tasks it shows the first, and says so."""
    views = {one.name: view_of(data, no) for no, one in enumerate(data.tasks)}
    first = data.tasks[0].name
    shown = replace(views[first], words=[f"Shown is {first}; choose another task above.", *views[first].words])
    return {scope: views.get(scope, shown) for scope in data.scopes()}


def _codes(values: pd.Series[Any]) -> tuple[NDArray[np.int64], list[str]]:
    import pandas as pd

    codes, names = pd.factorize(values)
    return np.asarray(codes, dtype=np.int64), [str(name) for name in names]


def _numbered(improvements: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """The feasible improvements with the row numbers of their runs, ordered by run."""
    import pandas as pd

    kept = improvements[improvements["feasible"]].copy()
    places = pd.Series(np.arange(len(runs)), index=runs["run_id"])
    kept["run_no"] = places.reindex(kept["run_id"]).to_numpy()
    kept = kept[kept["run_no"].notna()]
    kept["run_no"] = kept["run_no"].astype(np.int64)
    kept["task_no"] = runs["task_no"].to_numpy()[kept["run_no"].to_numpy()]
    return kept.sort_values(["run_no", "evaluation"], kind="stable").reset_index(drop=True)


def _task_names(runs: pd.DataFrame) -> list[str]:
    """A unique name of each task: its own, or environment, workload and objective as far as they tell it apart."""
    first = runs.drop_duplicates("task_no").sort_values("task_no")
    names = []
    for row in first.itertuples():
        short = str(row.env_id).removeprefix("archgym/").rpartition("/")[2]  # a plug-in's file without its folder
        objective = ", ".join(json.loads(str(row.objective)))
        names.append(str(row.task) or f"{short}, {row.workload}" + (f", {objective}" if objective else ""))
    repeated = {name for name in names if names.count(name) > 1}
    return [f"{name} ({no + 1})" if name in repeated else name for no, name in enumerate(names)]


def _fill_regrets(runs: pd.DataFrame, improvements: pd.DataFrame, no: int, one: TaskData) -> None:
    import pandas as pd

    mine = (runs["task_no"] == no).to_numpy()
    scale = one.reference
    if one.has_front:
        steps = (improvements["task_no"] == no).to_numpy()
        volumes = pd.Series(volumes_along(improvements[steps], one.reference_point), improvements.index[steps])
        improvements.loc[steps, "regret"] = np.maximum(1.0 - volumes / scale.best, 0.0)
        # A study records no hypervolume of more than three objectives.
        last = volumes.groupby(improvements["run_no"]).last().reindex(runs.index[mine])
        covered = runs.loc[mine, "hypervolume"].fillna(last).fillna(0.0).to_numpy(dtype=np.float64) / scale.best
        runs.loc[mine, "regret"] = np.maximum(1.0 - covered, 0.0)
        return
    rewards = runs.loc[mine, "best_reward"].where(runs.loc[mine, "feasible"]).to_numpy(dtype=np.float64)
    runs.loc[mine, "regret"] = regret(rewards, scale.best, median=scale.median)
    steps = (improvements["task_no"] == no).to_numpy()
    along = regret(improvements.loc[steps, "reward"].to_numpy(dtype=np.float64), scale.best, median=scale.median)
    improvements.loc[steps, "regret"] = along
