"""A single recorded search as a study of one run."""

from __future__ import annotations

__all__ = ["record_of_search"]

import json
from pathlib import Path
from typing import Any

from archgym.budget import Budget
from archgym.recorded_run import RecordedRun
from archgym.registry import agent_class
from archgym.studies.definition import StudyTask, setting_digest
from archgym.studies.plan import described
from archgym.studies.records import PROBLEM, RunRecord
from archgym.studies.tally import Tally
from archgym.tasks import tasks
from archgym_simulators import ArchgymError, InputError


def record_of_search(folder: Path) -> tuple[RunRecord, dict[str, Any]]:
    """What a study would have kept of a search, from its journal, and its manifest with ``"tasks"``.

    The agent's own time is not recorded by a search, so it is NaN.

    Raises:
        InputError: no run directory, one of another version, or a search that has not ended.
    """
    run = RecordedRun.open(folder)
    result, identity = run.result, run.identity
    if result is None:
        raise InputError(f"{folder} has not ended: the command that made it resumes it")
    problem = run.problem()
    task = tasks().get(identity.get("task", {}).get("name", ""))
    limits = Budget(identity["budget"]["limit"], identity["budget"]["unit"], identity["budget"]["max_proposals"])
    reference = task.reference_point if task is not None else ()
    about = described(StudyTask(run.spec, task, limits, (limits.limit or 0.0,), reference), problem)
    found, improvements = _tally(run).columns(problem, about["value_metric"], about["reference_point"])
    agent = identity["agent"]
    row = {
        "run_id": run.manifest.digest[:16],
        "task": about["task"],
        "env_id": about["env_id"],
        "workload": about["workload"],
        "objective": json.dumps(about["objectives"]),
        "constraints": json.dumps(about["constraints"]),
        "agent": agent["name"],
        "settings": json.dumps(agent["config"], sort_keys=True),
        "setting_id": setting_digest(agent["name"], agent["config"]),
        "is_default": _is_default(agent["name"], agent["config"]),
        "seed": identity["seed"],
        "budget": limits.limit,
        "max_proposals": int(limits.max_proposals or limits.proposals(0)),
        PROBLEM: 0,
        **found,
        "state": "complete",
        "stop_reason": result["stop_reason"],
        "proposals": result["proposals"],
        "error": "",
        "wall_seconds": result["wall_s"],
        "agent_seconds": float("nan"),
    }
    return RunRecord(row, improvements), {**run.manifest.to_json(), "tasks": [about]}


def _tally(run: RecordedRun) -> Tally:
    first = run.problem()
    records, _ = run.records(first)
    problems = {record.workload: run.spec.bind(record.workload) for record in records}
    tally = Tally()
    for record in records:
        problem = problems[record.workload]
        simulator = problem.simulator
        evaluation = record.evaluation(len(simulator.metrics), simulator.all_reasons)
        tally.note(record.proposal, record.positions.tolist(), record.rows, problem.score(evaluation))
    return tally


def _is_default(agent: str, config: dict[str, Any]) -> bool:
    """Whether settings are the agent's defaults; not, where the agent is no longer there to ask."""
    try:
        return agent_class(agent).Config().to_json() == config
    except ArchgymError:
        return False
