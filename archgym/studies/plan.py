"""A study ready to run: problems bound once to learn their versions, cells made as they are needed."""

from __future__ import annotations

__all__ = ["Cell", "StudyPlan", "described"]

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from archgym.declaration import declaration
from archgym.objectives import Objective
from archgym.problem import Problem
from archgym.run_directory import RunManifest
from archgym.run_plan import RunPlan
from archgym.session import Session
from archgym.studies.definition import StudyDefinition, StudyTask
from archgym_simulators import InputError

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of a study, by the places of its parts.

    Attributes:
        problem: place of its task.
        setting: place of its agent's setting.
        seed: of the run.
        run_id: content hash of all that its evaluations depend on.
    """

    problem: int
    setting: int
    seed: int
    run_id: str


@dataclass(frozen=True)
class StudyPlan:
    """What every process that runs cells needs to know. It can be pickled.

    Attributes:
        definition: what the study crosses.
        templates: for each task the manifest of its runs, but for agent and seed.
        tasks: for each task what readers want to know of it, JSON-able.
        place: the directory that paths in the definition start from.
    """

    definition: StudyDefinition
    templates: tuple[RunManifest, ...]
    tasks: tuple[Mapping[str, Any], ...]
    place: str

    @classmethod
    def create(cls, definition: StudyDefinition, *, progress: Callable[[str], None] | None = None) -> StudyPlan:
        """Bind every problem, and show it to every agent, so that what cannot run is found now.

        Args:
            definition: what the study crosses.
            progress: told what is being bound; a workload may be a trace that takes a while to make.

        Raises:
            InputError: an unknown workload, or an agent that refuses a problem.
            MissingExtra: an agent's optional dependency is missing.
        """
        templates, tasks = [], []
        for task in definition.tasks:
            if progress is not None:
                progress(task.label)
            problem = task.spec.bind()
            _check_reference(task, problem)
            _show_to_agents(definition, task, problem)
            templates.append(run_plan(definition, task, 0, 0).manifest(problem))
            tasks.append(described(task, problem))
        return cls(definition, tuple(templates), tuple(tasks), os.getcwd())

    def cells(self) -> Iterator[Cell]:
        """Every run in the study's order: task by task, setting by setting, seed by seed."""
        definition = self.definition
        for p, task in enumerate(definition.tasks):
            for s, setting in enumerate(definition.settings):
                for index in range(definition.seeds.count):
                    yield self._cell(p, s, definition.seeds.seed(index, task.spec, setting))

    def manifest_of(self, cell: Cell) -> RunManifest:
        """The manifest of one run, as a search would write it."""
        return self._manifest(cell.problem, cell.setting, cell.seed)

    def run_plan(self, cell: Cell) -> RunPlan:
        """The run that a cell stands for."""
        definition = self.definition
        return run_plan(definition, definition.tasks[cell.problem], cell.setting, cell.seed)

    def to_json(self) -> dict[str, Any]:
        """What makes the study the same study; hashed."""
        definition = self.definition
        # Hypervolumes from two reference points must not meet in one table.
        points = [task["reference_point"] if len(task["objectives"]) > 1 else [] for task in self.tasks]
        return {
            "format": FORMAT,
            "record": definition.record,
            **({"reference_points": points} if any(points) else {}),
            "seeds": definition.seeds.to_json(),
            "tasks": [_without_agent(template.identity) for template in self.templates],
            "settings": [
                {"agent": one.agent, "settings": dict(one.values), "source": one.source} for one in definition.settings
            ],
        }

    def _cell(self, problem: int, setting: int, seed: int) -> Cell:
        identity = self._manifest(problem, setting, seed).identity
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        return Cell(problem, setting, seed, digest[:16])

    def _manifest(self, problem: int, setting: int, seed: int) -> RunManifest:
        template, chosen = self.templates[problem], self.definition.settings[setting]
        agent = {"name": chosen.agent, "config": dict(chosen.values), "source": chosen.source}
        return replace(template, identity={**template.identity, "agent": agent, "seed": seed})


def run_plan(definition: StudyDefinition, task: StudyTask, setting: int, seed: int) -> RunPlan:
    """One run of a study, checked as a search's is."""
    chosen = definition.settings[setting]
    return RunPlan.create(
        task.spec,
        task.task,
        task.limits,
        agent=chosen.agent,
        settings=chosen.values,
        seed=seed,
        record=definition.record,
    )


def first_metric(objective: Objective) -> str:
    """The metric that an objective names first."""
    return (objective.terms[0] if objective.terms else objective.targets[0]).metric


def _without_agent(identity: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in identity.items() if name not in ("agent", "seed", "format")}


def _show_to_agents(definition: StudyDefinition, task: StudyTask, problem: Problem) -> None:
    places = {setting.agent: place for place, setting in enumerate(definition.settings)}
    for agent, place in places.items():
        session = Session(task.spec, budget=task.limits, problem=problem)
        try:
            run_plan(definition, task, place, 0).create_agent(session)
        except InputError as error:
            raise InputError(f"task {task.label} and agent {agent!r} do not go together: {error}") from error


def _check_reference(task: StudyTask, problem: Problem) -> None:
    count = len(problem.objectives)
    if task.reference_point and len(task.reference_point) != count:
        raise InputError(
            f"reference_point of {task.label} has {len(task.reference_point)} numbers for {count} objectives"
        )


def described(task: StudyTask, problem: Problem) -> dict[str, Any]:
    """What readers of a study want to know of one of its problems, JSON-able."""
    simulator = problem.simulator
    values = zip(simulator.metric_names(), problem.baseline_values.tolist(), strict=True)
    return {
        "task": task.name,
        "suite": task.task.suite if task.task is not None else "",
        "role": task.task.role if task.task is not None else "",
        **task.spec.to_json(),
        "objectives": [objective.name for objective in problem.objectives],
        "constraints": [str(bound) for bound in problem.constraints],
        "value_metric": first_metric(problem.objectives[0]),
        "budgets": list(task.budgets),
        "reference_point": list(task.reference_point or (0.0,) * len(problem.objectives)),
        "metrics": [
            {"name": metric.name, "direction": metric.direction, "scale": metric.scale} for metric in simulator.metrics
        ],
        "baseline": {
            "name": simulator.baseline.name,
            "design": problem.baseline_design,
            "metrics": dict(values),
        },
        "declaration": declaration(simulator),
    }
