"""What the runs come to: one row a task and agent, and one an agent, beside random search on the same tasks."""

from __future__ import annotations

__all__ = ["AGENTS", "CONTROLS", "TASKS", "overall", "read_table", "write_tables"]

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.report.fronts_of_runs import front_of_task, volume_of, volumes_along
from archgym.report.references import Reference, front_reference, reference_of
from archgym.run_directory import write_whole
from archgym.statistics import CEILING, area_under_log_regret, regret, time_to_target
from archgym.studies.results import load_study
from archgym.tasks import Task
from experiments.agent_check.shards import BUDGET, FRONTS, SLOW_BUDGET, groups

if TYPE_CHECKING:
    import pandas as pd

HERE = Path(__file__).parent
TASKS, AGENTS = HERE / "tasks.csv", HERE / "agents.csv"
CONTROLS = ("random_search", "sobol_search", "grid_search", "random_walk")
FIRST = 10  # evaluations from which on the area counts
NEAR = 1e-3  # of reward (a logarithm: 0.1 % of the metric), or of the best hypervolume

Row = Mapping[str, Any]
Floats = NDArray[np.float64]


def write_tables(out: Path) -> None:
    """Write both tables from the studies below ``out``: complete ones, and what there is of others."""
    rows = [row for group, of_group in groups().items() for row in _group_rows(out / group, group, of_group)]
    _write(TASKS, rows)
    _write(AGENTS, overall(rows))


def read_table(file: Path) -> list[dict[str, str]]:
    """The rows of a table, as text."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def overall(rows: Sequence[Row]) -> list[Row]:
    """One row an agent: its mean area over tasks with one objective, and random search's on the same tasks and budget.

    The standard error of the difference is over seeds: it speaks of other seeds on the same tasks.
    """
    single = [row for row in rows if row["group"] != FRONTS]
    blind = {row["task"]: row for row in single if row["agent"] == "random_search"}
    own: dict[str, list[Row]] = {}
    for row in single:
        if row["task"] in blind:
            own.setdefault(row["agent"], []).append(row)
    found = [_against(agent, of_agent, blind) for agent, of_agent in own.items()]
    return sorted(found, key=lambda row: (row["difference"], row["agent"]))


def _against(agent: str, own: Sequence[Row], blind: Mapping[str, Row]) -> Row:
    is_whole = all(row[f"area_{BUDGET}"] != "" for row in own)
    budget = BUDGET if is_whole else SLOW_BUDGET
    area, spread = f"area_{budget}", f"sd_{budget}"
    pairs = [(row, blind[row["task"]]) for row in own]
    mean, random = (float(np.mean([pair[k][area] for pair in pairs])) for k in (0, 1))
    variances = [float(one[spread] or 0.0) ** 2 / one["seeds"] for pair in pairs for one in pair]
    return {
        "agent": agent,
        "tasks": len(pairs),
        "seeds": min(row["seeds"] for row in own),
        "budget": budget,
        "area": _short(mean),
        "random_search": _short(random),
        "difference": _short(mean - random),
        "standard_error": "" if agent == "random_search" else _short(sqrt(sum(variances)) / len(pairs)),
        "reached": _short(float(np.mean([row["reached"] for row in own]))),
        "beats_random_search": "control" if agent in CONTROLS else "yes" if mean < random else "no",
    }


def _group_rows(folder: Path, group: str, of_group: Sequence[Task]) -> Iterator[Row]:
    import pandas as pd

    studies = [load_study(one.parent) for one in sorted(folder.glob("*/manifest.json"))]
    studies = [one for one in studies if len(one.runs)]
    if not studies:
        return
    runs = pd.concat([one.runs for one in studies], ignore_index=True)
    steps = pd.concat([one.improvements for one in studies], ignore_index=True)
    for one in of_group:
        mine = runs[(runs["task"] == one.name) & (runs["state"] == "complete")].reset_index(drop=True)
        if len(mine):
            yield from _task_rows(group, one, mine, _numbered(steps, mine))


def _numbered(steps: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """The feasible improvements of runs, with their row numbers, ordered by run."""
    place = {run_id: number for number, run_id in enumerate(runs["run_id"])}
    kept = steps[steps["feasible"] & steps["run_id"].isin(place)].copy()
    kept["run_no"] = kept["run_id"].map(place).astype(np.int64)
    return kept.sort_values(["run_no", "evaluation"], kind="stable").reset_index(drop=True)


def _task_rows(group: str, one: Task, runs: pd.DataFrame, steps: pd.DataFrame) -> Iterator[Row]:
    reference, regrets, missing = _regrets(one, runs, steps)
    run, evaluation = steps["run_no"].to_numpy(), steps["evaluation"].to_numpy()
    ceiling = 1.0 if group == FRONTS else CEILING
    areas = {budget: _area(run, evaluation, regrets, budget, len(runs), ceiling) for budget in (SLOW_BUDGET, BUDGET)}
    reached = time_to_target(run, evaluation, -missing, targets=[-NEAR], runs=len(runs))[:, 0]
    for agent, of_agent in runs.groupby("agent").groups.items():
        rows = of_agent.to_numpy()
        budget = int(runs["budget"][rows].min())
        yield {
            "group": group,
            "task": one.name,
            "agent": agent,
            "seeds": len(rows),
            **_areas_of(areas, rows, budget),
            "reached": _short(float(np.isfinite(reached[rows]).mean())),
            "expected_evaluations": _expected(reached[rows], budget),
            "reference": reference.best_source.partition(":")[0],
        }


def _regrets(one: Task, runs: pd.DataFrame, steps: pd.DataFrame) -> tuple[Reference, Floats, Floats]:
    """What regret is measured against; regret of each improvement (I,), and by how much it misses the best (I,)."""
    if len(one.objectives) > 1:
        union = volume_of(front_of_task(steps), one.reference_point)
        reference = front_reference(one, runs["hypervolume"].to_numpy(dtype=np.float64), union)
        share = np.maximum(1.0 - volumes_along(steps, one.reference_point) / reference.best, 0.0)
        return reference, share, share
    rewards = steps["reward"].to_numpy(dtype=np.float64)
    firsts = steps.drop_duplicates("run_no")["reward"].to_numpy(dtype=np.float64)
    spec = one.spec()
    best = float(rewards.max()) if len(rewards) else float("nan")
    reference = reference_of(spec, spec.bind(), best_found=best, first_rewards=firsts)
    return reference, regret(rewards, reference.best, median=reference.median), reference.best - rewards


def _area(
    run: NDArray[np.int64], evaluation: NDArray[np.int64], regrets: Floats, budget: int, runs: int, ceiling: float
) -> Floats:
    """Mean of log10(regret) over evaluations 10 to the budget: (R,)."""
    whole, early = (
        last * area_under_log_regret(run, evaluation, regrets, budget=last, runs=runs, ceiling=ceiling)
        for last in (budget, FIRST - 1)
    )
    return np.asarray((whole - early) / (budget - FIRST + 1))


def _areas_of(areas: Mapping[int, Floats], rows: NDArray[np.int64], budget: int) -> Row:
    found: dict[str, Any] = {}
    for last, values in areas.items():
        is_known = budget >= last
        found[f"area_{last}"] = _short(float(values[rows].mean())) if is_known else ""
        found[f"sd_{last}"] = _short(float(values[rows].std(ddof=1))) if is_known and len(rows) > 1 else ""
    return found


def _expected(reached: Floats, budget: int) -> float | str:
    """Evaluations of all runs over the number that reached the goal (Hansen et al. 2022); "" where none did."""
    successes = int(np.isfinite(reached).sum())
    return _short(float(np.minimum(reached, budget).sum()) / successes) if successes else ""


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _write(file: Path, rows: Iterable[Row]) -> None:
    held = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(held[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(held)
    write_whole(file, text.getvalue())
