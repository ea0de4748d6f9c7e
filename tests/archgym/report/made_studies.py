"""Studies made of random numbers: whatever a report has to cope with, without running anything."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from archgym.problem import ProblemSpec
from archgym.testing import toys
from archgym_simulators import InputError

BOWL = f"{toys.__file__}:Bowl"
MISSING = "elsewhere/Chip-v0"
TRACEBACK = 'Traceback (most recent call last):\n  File "/a/b.py", line 3\nValueError: row {} of /tmp/x/y.csv is bad'


@dataclass
class MadeStudy:
    """What `archgym.studies.results.StudyResults` offers."""

    runs: pd.DataFrame
    improvements: pd.DataFrame
    manifest: dict[str, Any] = field(default_factory=dict)
    path: Path = Path("made")
    is_complete: bool = True

    @property
    def problems(self) -> list[int]:
        named = self.runs[["task", "env_id", "workload", "objective", "constraints"]].astype(str).agg("|".join, axis=1)
        return pd.factorize(named)[0].tolist()

    def evaluations(self, run_id: str) -> pd.DataFrame:
        raise InputError(f"{self.path} recorded improvements only")


@dataclass(frozen=True)
class MadeTask:
    """A task: named tasks of the suite bind as they are, others by environment."""

    name: str = ""
    env_id: str = BOWL
    workload: str = "default"
    objective: tuple[str, ...] = ("time",)
    constraints: tuple[str, ...] = ()
    best: float = 3.0
    role: str = ""

    def spec(self) -> ProblemSpec:
        bounds = self.constraints
        return ProblemSpec.create(self.env_id, workload=self.workload, objective=self.objective, constraints=bounds)


def made_study(
    tasks=(MadeTask(),),
    agents=(("alpha", 1), ("beta", 3)),
    *,
    seeds: int = 6,
    budget: int = 100,
    steps: int = 8,
    failed: float = 0.0,
    nothing_feasible: float = 0.0,
    seed: int = 0,
) -> MadeStudy:
    """Runs of agents with so many settings each; later agents are better, and every fourth setting is bad."""
    rng = np.random.default_rng(seed)
    cells = [
        (task, place, agent, setting, replicate)
        for task in tasks
        for place, (agent, settings) in enumerate(agents)
        for setting in range(settings)
        for replicate in range(seeds)
    ]
    runs, improvements = [], []
    pools = {task: _designs(task, rng) for task in tasks}
    for number, (task, place, agent, setting, replicate) in enumerate(cells):
        state = "failed" if rng.uniform() < failed else "complete"
        feasible = state == "complete" and rng.uniform() >= nothing_feasible
        run_id = f"run{number:06d}"
        found = _improvements(task, run_id, place, setting, steps, budget, pools[task], rng) if feasible else None
        if found is not None:
            improvements.append(found)
        runs.append(_run(task, run_id, agent, setting, replicate, budget, state, found, rng))
    empty = pd.DataFrame(columns=["run_id", "evaluation", "proposal", "cost", "reward", "feasible", "value", "design"])
    rows = pd.concat(improvements, ignore_index=True) if improvements else empty.assign(rewards=[])
    manifest = {"about": {"name": "Made & <b>small</b>"}, "tasks": [_described(task) for task in tasks]}
    return MadeStudy(pd.DataFrame(runs), rows.astype({"feasible": bool}), manifest)


def _described(task: MadeTask) -> dict[str, Any]:
    """What the study engine writes of a task, as far as reports read it."""
    baseline = {"name": "a small chip", "design": {"size": 1, "kind": "a"}, "metrics": {"cycles": 100.0}}
    if task.env_id != MISSING:
        problem = task.spec().bind()
        values = dict(zip(problem.simulator.metric_names(), problem.baseline_values.tolist(), strict=True))
        baseline = {"name": "the toy's", "design": problem.baseline_design, "metrics": values}
    origin = [0.0] * len(task.objective)
    return {"role": task.role, "options": {}, "baseline": baseline, "reference_point": origin}


def _designs(task: MadeTask, rng: np.random.Generator) -> list[str]:
    if task.env_id == MISSING:
        return [json.dumps({"size": int(size), "kind": kind}) for size in range(8) for kind in "ab"]
    space = task.spec().bind().space
    rows = space.canonical(space.sample(200, rng))
    return [json.dumps(space.decode_row(row)) for row in rows]


def _improvements(task, run_id, place, setting, steps, budget, pool, rng) -> pd.DataFrame:
    at = np.unique(np.rint(np.geomspace(1, budget, steps) * rng.uniform(0.5, 1.0, steps)).astype(int).clip(1, budget))
    handicap = 0.4 * rng.uniform() + 0.2 * (2 - place % 3) + (1.0 if setting % 4 == 3 else 0.0)
    several = len(task.objective) > 1
    rewards = task.best - handicap * np.geomspace(8.0, 1.0, len(at))
    rewards[rng.uniform(size=len(at)) < 0.1] -= 1e-6
    rewards = np.maximum.accumulate(rewards)
    if place == 1 and rng.uniform() < 0.3 and not several:
        rewards[-1] = task.best
    points = rewards[:, None] * rng.dirichlet(np.ones(len(task.objective)), size=len(at))
    return pd.DataFrame(
        {
            "run_id": run_id,
            "evaluation": at,
            "proposal": np.rint(at * (1.0 + place)).astype(int),
            "cost": at.astype(float),
            "reward": points.mean(axis=1) if several else rewards,
            "feasible": True,
            "value": np.exp(-rewards),
            "design": rng.choice(pool, size=len(at)),
            "rewards": [json.dumps(one) for one in points.round(6).tolist()],
        }
    )


def _run(task, run_id, agent, setting, replicate, budget, state, found, rng) -> dict[str, Any]:
    several = len(task.objective) > 1
    return {
        "run_id": run_id,
        "task": task.name,
        "env_id": task.env_id,
        "workload": task.workload,
        "objective": json.dumps(task.objective),
        "constraints": json.dumps(task.constraints),
        "agent": agent,
        "settings": json.dumps({"size": 2**setting, "kind": "plain"}),
        "setting_id": f"{agent}-{setting}",
        "is_default": setting == 0,
        "seed": replicate,
        "budget": budget,
        "max_proposals": 20 * budget,
        "state": state,
        "stop_reason": "budget" if state == "complete" else "",
        "evaluations": budget if state == "complete" else int(rng.integers(budget)),
        "proposals": 2 * budget,
        "feasible": found is not None,
        "best_reward": float(found["reward"].max()) if found is not None else np.nan,
        "best_value": float(found["value"].min()) if found is not None else np.nan,
        "hypervolume": float(rng.uniform(0.5, 1.0)) if several else np.nan,
        "invalid": int(rng.integers(10)),
        "failed": 0,
        "error": "" if state == "complete" else TRACEBACK.format(int(rng.integers(1000))),
        "wall_seconds": 1.0,
        "agent_seconds": 0.01,
    }


SMALL_TASKS = (
    MadeTask(),
    MadeTask(workload="large", constraints=("time_ns<=100",)),
    MadeTask(env_id=MISSING, objective=("cycles",)),
    MadeTask(objective=("time", "energy-delay")),
)


def large_study() -> MadeStudy:
    """20,000 runs: ten tasks, five agents, twenty settings, twenty seeds. Tasks differ in their numbers a little."""
    one = made_study((MadeTask(),), tuple((f"agent_{k}", 20) for k in range(5)), seeds=20, steps=12)
    rng, runs, improvements = np.random.default_rng(1), [], []
    for k in range(10):
        factor = rng.uniform(0.5, 1.0)
        identity = {"objective": json.dumps([f"time_ns^{k + 1}"]), "run_id": one.runs["run_id"] + f"-{k}"}
        runs.append(one.runs.assign(best_reward=one.runs["best_reward"] * factor, **identity))
        scaled = one.improvements["reward"] * factor
        improvements.append(one.improvements.assign(reward=scaled, run_id=one.improvements["run_id"] + f"-{k}"))
    manifest = {"about": {"name": "large"}, "tasks": one.manifest["tasks"] * 10}
    return MadeStudy(pd.concat(runs, ignore_index=True), pd.concat(improvements, ignore_index=True), manifest)
