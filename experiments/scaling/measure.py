"""Measure what a run and an evaluation cost: ``python -m experiments.scaling.measure`` writes ``costs.json``.

CPU seconds, medians of repetitions. Runs are of the toy simulator, whose evaluations cost next to nothing, so what is
left is the study's own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from archgym.run_directory import write_whole
from archgym.run_plan import run_agent
from archgym.session import Session
from archgym.studies import ray_cluster
from archgym.studies.definition import StudyDefinition
from archgym.studies.engine import run_study
from archgym.studies.plan import StudyPlan
from archgym.studies.study_file import parse_study
from archgym.tasks import tasks
from archgym.testing import toys

COSTS = Path(__file__).with_name("costs.json")
TOY = f"{toys.__file__}:Bowl"
RUNS, REPEATS, BATCH = 200, 3, 16
BUDGETS = (10, 100, 1000)
_MEASURED_S = 0.3


def study(runs: int, budget: int) -> StudyDefinition:
    """Random search on the toy."""
    content = {"tasks": [{"env": TOY, "budget": budget}], "agents": ["random_search"], "seeds": runs}
    return parse_study(content)


def bookkeeping_seconds(budget: int) -> float:
    """CPU seconds a run takes in a study beyond the same run without one: journal, record, tables."""
    definition = study(RUNS, budget)
    plan = StudyPlan.create(definition)
    problem, cells = definition.tasks[0].spec.bind(), list(plan.cells())
    run_plan = plan.run_plan(cells[0])

    def bare() -> None:
        for cell in cells:
            session = Session(run_plan.spec, budget=run_plan.limits, problem=problem)
            run_agent(session, run_plan.with_seed(cell.seed).create_agent(session))

    def recorded() -> None:
        with tempfile.TemporaryDirectory() as place:
            run_study(definition, Path(place) / "out")

    recorded()  # imports
    return (cpu_seconds(recorded) - cpu_seconds(bare)) / RUNS


def parent_seconds(**where: Any) -> float:
    """CPU seconds of the parent process a run, where others run it; also what bounds the rate of a study."""
    definition = study(RUNS, 10)

    def run() -> None:
        with tempfile.TemporaryDirectory() as place:
            run_study(definition, Path(place) / "out", **where)

    return cpu_seconds(run) / RUNS


def bytes_a_run(budget: int) -> float:
    """Of the journal and the tables that a study keeps."""
    with tempfile.TemporaryDirectory() as place:
        run_study(study(RUNS, budget), Path(place) / "out")
        return sum(file.stat().st_size for file in (Path(place) / "out").iterdir()) / RUNS


def evaluation_seconds(name: str) -> float:
    """CPU seconds a design of a task, in batches of 16."""
    problem = tasks()[name].spec().bind()
    rows = problem.space.canonical(problem.space.sample(BATCH, np.random.default_rng(0)))
    problem.evaluate(rows)
    times = []
    for _ in range(REPEATS):
        started, done = time.process_time(), 0
        while time.process_time() - started < _MEASURED_S:
            problem.evaluate(rows)
            done += BATCH
        times.append((time.process_time() - started) / done)
    return median(times)


def cpu_seconds(work: Callable[[], None]) -> float:
    """Median CPU seconds of this process."""
    times = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return median(times)


def peak_mib(runs: int) -> float:
    """Peak memory of a process that makes a study of so many runs."""
    code = f"from experiments.scaling.measure import run_one; run_one({runs})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def run_one(runs: int) -> None:
    """Make a study and print this process's peak memory."""
    with tempfile.TemporaryDirectory() as place:
        run_study(study(runs, 10), Path(place) / "out")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measured() -> dict[str, dict[Any, float]]:
    """Everything but Ray."""
    singles = [name for name, task in tasks().items() if len(task.objectives) == 1 and task.role == "test"]
    return {
        "bookkeeping_ms_a_run": {budget: 1e3 * bookkeeping_seconds(budget) for budget in BUDGETS},
        "parent_ms_a_run": {"workers": 1e3 * parent_seconds(workers=2)},
        "kib_a_run": {budget: bytes_a_run(budget) / 1024 for budget in BUDGETS},
        "peak_mib": {runs: peak_mib(runs) for runs in (200, 4000)},
        "evaluation_us": {name: 1e6 * evaluation_seconds(name) for name in singles},
    }


def parent_seconds_on_ray() -> dict[str, float]:
    """As `parent_seconds`, on a cluster that is there already, with short runs sharing tasks and without."""
    import ray

    ray.init(include_dashboard=False, log_to_driver=False)
    try:
        parent_seconds(ray="auto")  # starts the workers
        shared = parent_seconds(ray="auto")
        ray_cluster._MOST_CELLS = 1
        return {"Ray, short runs": shared, "Ray, runs of a second and more": parent_seconds(ray="auto")}
    finally:
        ray.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m experiments.scaling.measure", description=__doc__)
    parser.add_argument("--ray", action="store_true", help="only the parent's time on a local Ray cluster; adds it")
    chosen = parser.parse_args()
    costs = json.loads(COSTS.read_text()) if COSTS.is_file() else {"parent_ms_a_run": {}}
    if chosen.ray:
        costs["parent_ms_a_run"] |= {name: 1e3 * seconds for name, seconds in parent_seconds_on_ray().items()}
    else:
        found = measured()
        costs = found | {"parent_ms_a_run": costs["parent_ms_a_run"] | found["parent_ms_a_run"]}
    write_whole(COSTS, json.dumps(costs, indent=1) + "\n")
    print(COSTS.read_text())


if __name__ == "__main__":
    main()
