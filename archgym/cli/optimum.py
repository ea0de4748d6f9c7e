"""``archgym optimum``: the certified best of a problem."""

from __future__ import annotations

__all__ = ["certificate_in_words", "parser", "run"]

import argparse
import os
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from archgym.cli import text
from archgym.cli.parser import Parser, number_type
from archgym.cli.problem_arguments import (
    add_objective,
    add_options,
    add_problem,
    add_workload,
    problem_and_task,
)
from archgym.wording import number
from archgym_simulators import InputError
from archgym_simulators.space import rounded

if TYPE_CHECKING:
    from archgym.fronts import Front
    from archgym.optimum import Optimum
    from archgym.problem import ProblemSpec
    from archgym.tasks import Task


def parser() -> Parser:
    """Arguments of ``archgym optimum``."""
    made = Parser(
        "optimum",
        "The best of all designs of an environment or a task: stored with the package for the tasks, found in the\n"
        "enumeration that --recompute makes for everything else. The enumeration stays in the user's cache, where\n"
        "--option simulator=table answers from it.",
        [
            "optimum dram-mixed-time",
            "optimum archgym/DRAM-v0 --workload mixed:n=4000 --objective total-time --recompute",
        ],
    )
    add_problem(made)
    add_workload(made)
    add_objective(made)
    add_options(made)
    made.add_argument("--recompute", action="store_true", help="simulate every design again")
    made.add_argument("--threads", metavar="N", type=number_type(1), default=_processors(), help="all where not given")
    made.add_argument("--json", action="store_true", help="for programs")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Look up, or find, and print."""
    spec, task = problem_and_task(arguments)
    found = None if arguments.recompute else stored(spec, task)
    with text.ProgressLine() as line:
        found = found or _find(spec, task, arguments, line)
    print(text.as_json(asdict(found)) if arguments.json else certificate_in_words(found, spec))
    return 0


def stored(spec: ProblemSpec, task: Task | None) -> Optimum | Front | None:
    """The certificate that ships with the package."""
    from archgym.fronts import certified_front
    from archgym.optimum import certified_optimum

    if task is not None and len(task.objectives) > 1:
        return certified_front(task)
    return certified_optimum(spec)


def _find(
    spec: ProblemSpec, task: Task | None, arguments: argparse.Namespace, line: text.ProgressLine
) -> Optimum | Front:
    from archgym.fronts import find_front
    from archgym.optimum import find_optimum

    several = task is not None and len(task.objectives) > 1
    if not arguments.recompute and len(spec.parse()[0]) == (len(task.objectives) if task else 1):
        _refuse_long_work(spec, arguments.env_id)
    how: dict[str, Any] = {
        "afresh": arguments.recompute,
        "threads": arguments.threads,
        "progress": _progress(line) if line.enabled else None,
    }
    return find_front(task, **how) if task is not None and several else find_optimum(spec, **how)


def _refuse_long_work(spec: ProblemSpec, name: str) -> None:
    from archgym.best_known import best_known
    from archgym.enumerations import is_enumerated
    from archgym_simulators.table.enumerated import MOST_DESIGNS

    problem = spec.bind()
    if is_enumerated(problem.simulator, spec.options):
        return
    space = problem.space
    way = f"--recompute looks at all {space.canonical_size:,} designs"
    if space.size > MOST_DESIGNS:
        way = f"{rounded(space.size)} designs are too many to be enumerated"
        if best_known(spec) is not None:
            way += f"; 'archgym describe {name} --reveal-optimum' shows the best known design"
    objectives = ", ".join(objective.name for objective in problem.objectives)
    raise InputError(
        f"no certified optimum is stored for {spec.env_id}, workload {problem.simulator.workload.name}, objective "
        f"{objectives}; {way}"
    )


def _progress(line: text.ProgressLine) -> Callable[[int, int], None]:
    def show(done: int, total: int) -> None:
        rate = done / max(line.seconds(), 1e-9)
        line.show(f"{done:,} of {total:,} designs, {rate:,.0f}/s, {(total - done) / rate:,.0f} s left")

    return show


def certificate_in_words(found: Optimum | Front, spec: ProblemSpec) -> str:
    """The certificate for people."""
    from archgym.optimum import Optimum

    what = f"{found.env_id}, workload {found.workload}"
    bounds = f", subject to {', '.join(found.constraints)}" if found.constraints else ""
    goal = f"{', '.join(found.objectives)}{bounds}"
    body = _optimum(found, spec) if isinstance(found, Optimum) else _front(found)
    return "\n\n".join([text.paragraph(f"{what}, objective {goal}."), *body, _effort(found)])


def _optimum(found: Optimum, spec: ProblemSpec) -> list[str]:
    from archgym.cli.outcome import beside, objective_metric

    problem = spec.bind()
    names = problem.simulator.metric_names()
    baseline = dict(zip(names, problem.baseline_values.tolist(), strict=True))
    metric = objective_metric(spec)
    best = beside(metric, found.metrics[metric.name], baseline[metric.name])
    ties = "one design has it" if found.ties == 1 else f"{found.ties:,} designs have it"
    design = [[name, str(problem.baseline_design[name]), str(value)] for name, value in found.design.items()]
    metrics = [[name, number(baseline[name]), number(value)] for name, value in found.metrics.items()]
    return [
        text.paragraph(f"Optimum: {best}; reward {found.reward:.6f}, {ties}."),
        text.table(design, ("parameter", "baseline", "optimum")),
        text.table(metrics, ("metric", "baseline", "optimum"), right=(1, 2)),
    ]


def _front(found: Front) -> list[str]:
    rows = [
        [name, f"{origin:.4f}", f"{worst:.4f}", f"{best:.4f}"]
        for name, origin, worst, best in zip(
            found.objectives, found.reference_point, found.worst, found.best, strict=True
        )
    ]
    return [
        text.paragraph(
            f"Pareto front: {found.size:,} distinct points of {found.ties:,} designs, hypervolume "
            f"{found.hypervolume:.6f} of rewards above the reference point."
        ),
        text.table(rows, ("objective", "reference", "worst on front", "best"), right=(1, 2, 3)),
    ]


def _effort(found: Optimum | Front) -> str:
    took = f"; simulating them took {found.seconds:,.0f} s" if found.seconds else ""
    how = f"By {found.method}: {found.designs:,} designs, {found.feasible:,} of them feasible{took}. To find it again:"
    return f"{text.paragraph(how)}\n  {found.command}"


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
