"""Does a study reproduce? Simulate the designs that it claims, run its seeds again."""

from __future__ import annotations

__all__ = ["verify_study"]

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.budget import Budget
from archgym.pareto import hypervolume
from archgym.problem import Problem, ProblemSpec
from archgym.registry import agent_class, source_digest
from archgym.studies.definition import AgentSetting, Replicates, StudyDefinition, StudyTask
from archgym.studies.plan import Cell, StudyPlan
from archgym.studies.records import RunRecord, improvement_table, run_table
from archgym.studies.results import StudyResults, load_study
from archgym.studies.runner import CellRunner
from archgym.studies.store import first_difference
from archgym.tasks import task as task_named
from archgym.verification_files import Check
from archgym_simulators import InputError

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = 1e-12
"""Difference of rewards, and relative one of metrics, allowed between machines; on the machine of the record no bit is
other."""

_ROWS_PER_CALL = 4096
_TIMES = ("wall_seconds", "agent_seconds")
_NUMBERS = ("reward", "feasible", "value")


def verify_study(
    path: Path, *, sample: int | None = None, rerun: bool = False, progress: Callable[[int, int], None] | None = None
) -> list[Check]:
    """Check a study's directory against this installation.

    Args:
        path: the directory of a complete study; its tables and manifest are enough.
        sample: only so many of its runs, drawn at random (the same ones every time); None for all.
        rerun: also make the runs again from their seeds, and compare everything but times.
        progress: called with runs done and in all.

    Raises:
        InputError: no complete study, or one of another version.
    """
    found = load_study(path)
    if not found.is_complete:
        raise InputError(f"{path} is not complete: the command that made it goes on with it")
    plan = _plan_of(found)
    cells = list(plan.cells())
    checks = [_compare_cells(found, cells)]
    if not checks[0].ok:
        return checks
    chosen = _chosen(len(cells), sample)
    checks.append(_compare_designs(found, plan, [cells[place] for place in chosen]))
    if rerun:
        checks.append(_compare_runs(found, plan, [cells[place] for place in chosen], progress))
    return checks


def _plan_of(found: StudyResults) -> StudyPlan:
    """The study's plan, made again here from its manifest."""
    study, about = found.manifest["study"], found.manifest["tasks"]
    try:
        definition = StudyDefinition(
            name="",
            description="",
            tasks=tuple(_task(one, more) for one, more in zip(study["tasks"], about, strict=True)),
            settings=tuple(_setting(one) for one in study["settings"]),
            seeds=_replicates(study["seeds"]),
            record=study["record"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{found.path / 'manifest.json'} is damaged: {error}") from error
    plan = StudyPlan.create(definition)
    if json.loads(json.dumps(plan.to_json())) != study:
        difference = first_difference(study, plan.to_json())
        raise InputError(f"{found.path} cannot be checked with this installation: {difference}")
    return plan


def _task(identity: Mapping[str, Any], about: Mapping[str, Any]) -> StudyTask:
    problem, budget = identity["problem"], identity["budget"]
    spec = ProblemSpec.create(
        problem["env_id"],
        workload=problem["workload"],
        objective=problem["objectives"] or None,
        constraints=problem["constraints"],
        options=problem["options"],
    )
    task = task_named(about["task"]) if about["task"] else None
    limits = Budget(budget["limit"], budget["unit"], budget["max_proposals"])
    return StudyTask(spec, task, limits, tuple(about["budgets"]), tuple(about["reference_point"]))


def _setting(stored: Mapping[str, Any]) -> AgentSetting:
    agent, values = stored["agent"], stored["settings"]
    is_default = agent_class(agent).Config().to_json() == values
    return AgentSetting(agent, values, is_default, source_digest(agent))


def _replicates(seeds: int | list[int]) -> Replicates:
    return Replicates(len(seeds), tuple(seeds)) if isinstance(seeds, list) else Replicates(seeds)


def _chosen(count: int, sample: int | None) -> list[int]:
    if sample is None or sample >= count:
        return list(range(count))
    return [int(place) for place in np.sort(np.random.default_rng(0).choice(count, sample, replace=False))]


def _compare_cells(found: StudyResults, cells: list[Cell]) -> Check:
    """Every cell is there once, and nothing else: no seed was left out because it did badly."""
    expected, claimed = [cell.run_id for cell in cells], found.runs["run_id"].tolist()
    if claimed == expected:
        return Check("cells", True, f"the {len(cells):,} runs are those that the study asks for")
    odd = next((run for run in claimed if run not in set(expected)), None)
    what = f"run {odd} is none of them" if odd else f"{len(claimed):,} runs, some missing, doubled or out of order"
    return Check("cells", False, f"the study asks for {len(cells):,} runs; {what}")


def _compare_designs(found: StudyResults, plan: StudyPlan, cells: list[Cell]) -> Check:
    """Simulate every claimed improvement again."""
    improvements = found.improvements
    of_run = improvements.groupby("run_id", sort=False).indices
    done = 0
    for place in dict.fromkeys(cell.problem for cell in cells):
        rows = [of_run.get(cell.run_id, np.zeros(0, int)) for cell in cells if cell.problem == place]
        claimed = improvements.iloc[np.concatenate(rows)]
        problem = plan.definition.tasks[place].spec.bind()
        for start in range(0, len(claimed), _ROWS_PER_CALL):
            part = claimed.iloc[start : start + _ROWS_PER_CALL]
            wrong = _wrong_design(part, problem, plan.tasks[place]["value_metric"])
            if wrong:
                return Check("designs", False, wrong)
            done += len(part)
    wrong = _wrong_best(found, {cell.run_id for cell in cells})
    if wrong:
        return Check("designs", False, wrong)
    return Check("designs", True, f"{done:,} claimed improvements of {len(cells):,} runs simulated again: equal")


def _wrong_design(claimed: pd.DataFrame, problem: Problem, metric: str) -> str:
    """The first claim that does not hold, in words."""
    designs = [json.loads(text) for text in claimed["design"]]
    try:
        rows = problem.space.encode({name: [design[name] for design in designs] for name in problem.space.names})
    except (InputError, KeyError) as error:
        return f"a design that the space does not have: {error}"
    scored = problem.evaluate(problem.space.canonical(rows))
    column = problem.simulator.metric_names().index(metric)
    told = claimed["rewards"].tolist()
    wrong = [at for at, now in enumerate(scored.rewards.tolist()) if not _same(told[at], json.dumps(now))]
    if wrong:
        run, step = claimed["run_id"].iloc[wrong[0]], claimed["evaluation"].iloc[wrong[0]]
        return f"run {run}, evaluation {step}: rewards are claimed to be {told[wrong[0]]} and are not"
    now = {"reward": scored.reward, "feasible": scored.feasible, "value": scored.values[:, column]}
    for name in _NUMBERS:
        old = claimed[name].to_numpy()
        differs = np.flatnonzero(~_near(old, now[name]))
        if len(differs):
            first = int(differs[0])
            run, step = claimed["run_id"].iloc[first], claimed["evaluation"].iloc[first]
            return f"run {run}, evaluation {step}: {name} is claimed to be {old[first]!r} and is {now[name][first]!r}"
    return ""


def _near(old: Any, now: Any) -> Any:
    old, now = np.asarray(old, dtype=np.float64), np.asarray(now, dtype=np.float64)
    scale = np.maximum(np.maximum(np.abs(old), np.abs(now)), 1.0)
    with np.errstate(invalid="ignore"):
        return (old == now) | (np.isnan(old) & np.isnan(now)) | (np.abs(old - now) <= TOLERANCE * scale)


def _wrong_best(found: StudyResults, ids: set[str]) -> str:
    """A run whose best, or whose hypervolume, is not that of its improvements."""
    improvements = found.improvements
    feasible = improvements[improvements["feasible"] & improvements["run_id"].isin(ids)]
    of_run: dict[str, pd.DataFrame] = {str(run): one for run, one in feasible.groupby("run_id")}
    for place, run in zip(found.problems, found.runs.to_dict("records"), strict=True):
        if run["run_id"] in ids:
            origin = found.manifest["tasks"][place]["reference_point"]
            expected = _claims_backed(of_run.get(run["run_id"]), origin, with_front=np.isfinite(run["hypervolume"]))
            wrong = next((name for name, value in expected.items() if not _near(run[name], value)), "")
            if wrong:
                return f"run {run['run_id']}: {wrong} is {run[wrong]!r}, its improvements give {expected[wrong]!r}"
    return ""


def _claims_backed(feasible: pd.DataFrame | None, origin: Sequence[float], *, with_front: Any) -> dict[str, Any]:
    """What the feasible improvements of a run say of it."""
    nothing = {"feasible": False, "best_reward": np.nan, "best_value": np.nan}
    if feasible is None:
        return nothing | ({"hypervolume": 0.0} if with_front else {})
    best = feasible.iloc[int(feasible["reward"].to_numpy().argmax())]
    found = {"feasible": True, "best_reward": best["reward"], "best_value": best["value"]}
    if not with_front:
        return found
    return found | {"hypervolume": hypervolume([json.loads(text) for text in feasible["rewards"]], origin)}


def _compare_runs(
    found: StudyResults, plan: StudyPlan, cells: list[Cell], progress: Callable[[int, int], None] | None
) -> Check:
    """Make runs again from their seeds."""
    rows = dict(zip(found.runs["run_id"], found.runs.to_dict("records"), strict=True))
    # Of a run that claims nothing there is nothing to check; it may have killed its process.
    cells = [cell for cell in cells if rows[cell.run_id]["evaluations"]]
    of_run = found.improvements.groupby("run_id").indices
    with tempfile.TemporaryDirectory() as place:
        runner = CellRunner(plan, Path(place))
        for done, cell in enumerate(cells):
            again = RunRecord.from_bytes(runner.run(cell).record)
            runner.journal_of(cell).unlink(missing_ok=True)
            claimed = found.improvements.iloc[of_run.get(cell.run_id, np.zeros(0, int))]
            wrong = _wrong_run(rows[cell.run_id], claimed, again)
            if wrong:
                agent = plan.definition.settings[cell.setting].agent
                return Check("runs", False, f"run {cell.run_id} ({agent}, seed {cell.seed}): {wrong}")
            if progress is not None:
                progress(done + 1, len(cells))
    return Check("runs", True, f"{len(cells):,} of {len(found.runs):,} runs made again from their seeds: equal")


def _wrong_run(claimed: Mapping[Any, Any], improvements: pd.DataFrame, again: RunRecord) -> str:
    now = run_table([again]).to_pylist()[0]
    for name in claimed:
        # A traceback names places and libraries of one machine; that the run failed is compared.
        if name not in (*_TIMES, "error") and not _same(claimed[name], now[name]):
            return f"{name} is claimed to be {claimed[name]!r} and is {now[name]!r}"
    steps = improvement_table([again]).to_pandas()
    for name in steps.columns:
        pairs = zip(improvements[name], steps[name], strict=False)
        if len(steps) != len(improvements) or not all(_same(old, new) for old, new in pairs):
            return f"its improvements differ in {name}"
    return ""


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, str) or isinstance(new, str):
        return bool(old == new) or _same_numbers(old, new)
    return bool(_near(old, new))


def _same_numbers(old: Any, new: Any) -> bool:
    """Whether two JSON texts hold the same, but for the last digits of numbers."""
    try:
        pairs = list(_leaves(json.loads(old), json.loads(new)))
    except (TypeError, ValueError):
        return False
    return all(a == b or (isinstance(a, float) and isinstance(b, float) and bool(_near(a, b))) for a, b in pairs)


def _leaves(old: Any, new: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for a, b in zip(old, new, strict=True):
            yield from _leaves(a, b)
    else:
        yield old, new
