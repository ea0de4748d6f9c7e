"""``archgym search``: one agent, one environment, one recorded run."""

from __future__ import annotations

__all__ = ["Progress", "parser", "run"]

import argparse
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from archgym.cli import text
from archgym.cli.parser import Parser, number_type, one_of
from archgym.cli.problem_arguments import (
    add_objective,
    add_options,
    add_problem,
    add_workload,
    key_values,
    split_constraints,
)
from archgym.registry import agent_names, environments
from archgym.tasks import is_task
from archgym.wording import STOP_REASONS, number, ratio, split_unit
from archgym_simulators import InputError
from archgym_simulators.nearest import did_you_mean

if TYPE_CHECKING:
    from archgym.api import SearchResult
    from archgym.problem import ProblemSpec
    from archgym.session import Session


def parser() -> Parser:
    """Arguments of ``archgym search``."""
    made = Parser(
        "search",
        "Search an environment with an agent. Every evaluation is recorded in a run directory before the agent hears\n"
        "of it; the same command again resumes an interrupted run, to the same result.",
        [
            "search archgym/DRAM-v0 --agent genetic_algorithm --budget 300 --seed 1 --out runs/ga --workload random",
            "search dram-mixed-time --agent genetic_algorithm --seed 1 --out runs/task",
        ],
    )
    add_problem(made)
    made.add_argument(
        "--agent", metavar="NAME", required=True, help="of 'archgym list agents', path/agent.py, or exec:PROGRAM"
    )
    made.add_argument("--budget", metavar="N", type=number_type(1), help="new designs to simulate; a task has its own")
    made.add_argument("--seed", metavar="S", type=number_type(0), required=True, help="of the agent's random draws")
    made.add_argument("--out", metavar="DIR", type=Path, required=True, help="the run directory")
    add_workload(made)
    add_objective(made, several=True)
    add_options(made)
    made.add_argument(
        "--agent-option", metavar="KEY=VALUE", action="append", default=[], help="a setting of the agent; repeatable"
    )
    made.add_argument(
        "--max-proposals", metavar="N", type=number_type(1), help="designs proposed, repeats included; 20 x budget"
    )
    made.add_argument(
        "--record",
        metavar="WHICH",
        type=one_of(("all", "improvements")),
        default="all",
        help="rows of evaluations.parquet: all, or only improvements",
    )
    made.add_argument("--fsync", action="store_true", help="survive power loss, not only a killed process; slower")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Search, showing progress on a terminal, and print the result."""
    from archgym.api import search

    _check_names(arguments.env_id, arguments.agent)
    if arguments.budget is None and not is_task(arguments.env_id):
        raise InputError("search needs --budget N where ENV_ID|TASK is no task; see archgym search --help")
    with Progress() as progress, resumable(arguments.out):
        result = search(
            arguments.env_id,
            arguments.agent,
            budget=arguments.budget,
            seed=arguments.seed,
            out=arguments.out,
            workload=arguments.workload,
            objective=arguments.objective,
            constraints=split_constraints(arguments.constraint),
            agent_options=key_values("--agent-option", arguments.agent_option),
            simulator_options=key_values("--option", arguments.option),
            max_proposals=arguments.max_proposals,
            record=arguments.record,
            fsync=arguments.fsync,
            progress=progress if progress.enabled else None,
        )
    print(report(result, arguments))
    return 0


@contextmanager
def resumable(out: Path) -> Iterator[None]:
    """Say, where the user interrupts, that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; the same command goes on from what {out} has recorded") from None


class Progress:
    """The progress line of a search: simulations done, rate, time left, best so far in words."""

    def __init__(self, prefix: str = "") -> None:
        self._line = text.ProgressLine()
        self._prefix = prefix
        self.enabled = self._line.enabled

    def __call__(self, session: Session) -> None:
        """Called by the session after every batch."""
        if not self._line.due:
            return
        limit, seconds = session.budget.limit or 0.0, max(self._line.seconds(), 1e-9)
        rate = session.calls / seconds
        left = f", {max(limit - session.calls, 0) / rate:,.0f} s left" if rate and limit else ""
        done = f"{session.calls:,} of {limit:,.0f} simulations, {rate:,.0f}/s{left}"
        self._line.show(f"{self._prefix}{done}; {_best_so_far(session)}")

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        self._line.clear()


def _best_so_far(session: Session) -> str:
    if session.best is None or not session.best.feasible:
        return "no valid design yet"
    from archgym.cli.outcome import objective_metric

    problem, name = session.problem(), objective_metric(session.spec).name
    column = problem.simulator.metric_names().index(name)
    value, reference = session.best.values[column], float(problem.baseline_values[column])
    what, unit = split_unit(name)
    return f"best {what} {number(value)}{' ' * bool(unit)}{unit} ({ratio(value, reference)} baseline)"


def report(result: SearchResult, arguments: argparse.Namespace) -> str:
    """The result in words."""
    from archgym.cli.outcome import compare_with_baseline, headline
    from archgym.recorded_run import RecordedRun

    spec = RecordedRun.open(arguments.out).spec
    shown = result.summary["best"] or result.summary.get("nearest")
    parts = [text.paragraph(_what_happened(result, arguments, spec))]
    if shown is None or not shown["metrics"]:
        parts.append("No valid design was found.")
    else:
        parts.append(text.paragraph(headline(result.summary, spec)))
        parts.append(compare_with_baseline(result.summary, spec))
    where = shlex.quote(str(result.out))
    commands = f"  archgym report {where} --out report.html\n  archgym verify {where}"
    parts.append(f"Recorded in {result.out}. To read it, and to check it:\n{commands}")
    return "\n\n".join(parts)


def _what_happened(result: SearchResult, arguments: argparse.Namespace, spec: ProblemSpec) -> str:
    if result.was_complete:
        start = f"{result.out} is complete already; nothing was done."
    else:
        objective = ", ".join(one.name for one in spec.parse()[0])
        bounds = f" subject to {', '.join(spec.constraints)}" if spec.constraints else ""
        start = f"{arguments.agent} searched {spec.env_id}, workload {spec.workload}, objective {objective}{bounds}."
    reason = STOP_REASONS.get(result.stop_reason, result.stop_reason)
    return f"{start} {result.calls:,} simulations for {result.proposals:,} proposals; {reason}."


def _check_names(env_id: str, agent: str) -> None:
    # The commonest slip: environment and agent exchanged.
    known = environments()
    if env_id in agent_names() and env_id not in known:
        raise InputError(f"{env_id!r} is an agent, not an environment; allowed: {', '.join(sorted(known))}")
    if agent in known:
        names = agent_names()
        raise InputError(
            f"{agent!r} is an environment, not an agent{did_you_mean(agent, names)}; allowed: {', '.join(names)}"
        )
