"""``archgym study``: tasks, agents, settings and seeds, crossed."""

from __future__ import annotations

__all__ = ["parser", "run"]

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archgym.cli import text
from archgym.cli.parser import Parser, number_type
from archgym.cli.search import resumable

if TYPE_CHECKING:
    import pandas as pd

    from archgym.studies.engine import StudyProgress, StudySummary
    from archgym.studies.results import StudyResults


def parser() -> Parser:
    """Arguments of ``archgym study``."""
    made = Parser(
        "study",
        "Run every combination of the tasks, agents, settings and seeds that a TOML file lists, and keep them in one\n"
        "directory. The same command again goes on where it was interrupted, to the same tables.",
        [
            "study study.toml --out runs/study --workers 8",
            "study study.toml --out runs/study --ray auto",
            "study study.toml --out runs/study --dry-run",
        ],
    )
    made.add_argument("file", metavar="FILE.toml", type=Path, help="what to run; docs/studies.md explains it")
    made.add_argument("--out", metavar="DIR", type=Path, required=True, help="the study's directory")
    made.add_argument("--workers", metavar="N", type=number_type(1), default=1, help="processes on this machine; 1")
    made.add_argument(
        "--ray", metavar="ADDRESS", help="a Ray cluster instead: auto, HOST:PORT, or local to start one here"
    )
    made.add_argument("--dry-run", action="store_true", help="check everything, list the runs, estimate, run nothing")
    made.add_argument("--extend", action="store_true", help="add runs to a directory that has some of them")
    made.add_argument("--retry-failed", action="store_true", help="run failed runs again")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Run the study, showing progress on a terminal, and print what came of it."""
    if arguments.dry_run:
        return _show(arguments)
    from archgym.studies.engine import run_study

    with _Progress() as progress, resumable(arguments.out):
        summary = run_study(
            arguments.file,
            arguments.out,
            workers=arguments.workers,
            ray=arguments.ray,
            extend=arguments.extend,
            retry_failed=arguments.retry_failed,
            progress=progress,
        )
    print(_report(summary))
    return 0


class _Progress:
    """The progress line of a study: runs done, rate, time left, failures."""

    def __init__(self) -> None:
        self._line = text.ProgressLine()

    def __call__(self, state: StudyProgress) -> None:
        """Called after every run."""
        if not self._line.due:
            return
        rate = (state.done - state.before) / max(self._line.seconds(), 1e-9)
        left = _duration((state.total - state.done) / rate) if rate else "?"
        failed = f"; {state.failed:,} failed" if state.failed else ""
        self._line.show(f"{state.done:,} of {state.total:,} runs, {rate:,.1f}/s, {left} left{failed}")

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *error: object) -> None:
        self._line.clear()


def _report(summary: StudySummary) -> str:
    from archgym.studies.results import load_study

    start = f"{summary.out} is complete already; nothing was done. " if summary.was_complete else ""
    what = f"{summary.runs:,} runs, {summary.evaluations:,} simulations, {summary.failed:,} failed."
    found = load_study(summary.out)
    runs = found.runs
    parts = [text.paragraph(start + what), _best_table(found)]
    failed = runs[runs["state"] == "failed"]
    if len(failed):
        first = failed.iloc[0]
        reason = first["error"].strip().splitlines()[-1]
        parts.append(text.paragraph(f"First failure, {first['agent']}, seed {first['seed']}: {reason}"))
    out = shlex.quote(str(summary.out))
    parts.append(
        f"Recorded in {summary.out}. To read it, and to check it:\n"
        f"  archgym report {out} --out report.html\n  archgym verify {out}"
    )
    return "\n\n".join(parts)


def _best_table(found: StudyResults) -> str:
    """One line a task and agent: the median over its runs of the best reward."""
    runs = found.runs.assign(place=found.problems)
    names = _task_names(runs)
    rows = []
    for (place, agent), group in runs.groupby(["place", "agent"], sort=False):
        best = group["best_reward"].median()
        shown = f"{best:.3f}" if best == best else "-"
        rows.append([names[place], str(agent), f"{len(group):,}", f"{group['feasible'].mean():.0%}", shown])
    return text.table(rows, ("task", "agent", "runs", "feasible", "median best reward"), right=(2, 3, 4))


def _task_names(runs: pd.DataFrame) -> dict[Any, str]:
    """By place: the task's name, else environment and workload; objective and bounds too where those are not enough."""
    firsts = runs.drop_duplicates("place").set_index("place")
    short = firsts["task"].where(firsts["task"] != "", firsts["env_id"] + " " + firsts["workload"])
    long = short + ", " + (firsts["objective"] + " " + firsts["constraints"]).str.replace(r'[\[\]"]', "", regex=True)
    names: dict[Any, str] = short.mask(short.duplicated(keep=False), long).to_dict()
    return names


def _show(arguments: argparse.Namespace) -> int:
    from archgym.studies.estimate import estimate

    with text.ProgressLine() as line:
        found = estimate(arguments.file, arguments.out, extend=arguments.extend, progress=line.show)
    rows = [[one.label, f"{one.budget:,.0f}", f"{one.runs:,}", _duration(one.seconds)] for one in found.tasks]
    print(text.table(rows, ("task", "budget", "runs", "simulation"), right=(1, 2, 3)))
    settings = [[one.agent, f"{one.settings:,}"] for one in found.agents]
    print("\n" + text.table(settings, ("agent", "settings"), right=(1,)))
    recorded = f" {found.recorded:,} of them are recorded already." if found.recorded else ""
    print(
        "\n"
        + text.paragraph(
            f"{found.runs:,} runs, up to {found.evaluations:,.0f} simulations.{recorded} What is left takes about "
            f"{_duration(found.seconds)} of one core for simulation, measured on random designs; the agents' own time "
            "comes on top. Nothing was run."
        )
    )
    return 0


def _duration(seconds: float) -> str:
    """A time for people.

    >>> _duration(0.2), _duration(75), _duration(7300), _duration(400000)
    ('< 1 s', '75 s', '122 min', '111 h')
    """
    if seconds < 1:
        return "< 1 s"
    for limit, size, unit in ((120, 1, "s"), (7380, 60, "min"), (864000, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds / 86400:,.0f} days"
