"""``archgym verify``: does a recorded run reproduce here?"""

from __future__ import annotations

__all__ = ["parser", "run"]

import argparse
from pathlib import Path

from archgym.cli import text
from archgym.cli.parser import Parser, number_type
from archgym.recorded_run import RecordedRun


def parser() -> Parser:
    """Arguments of ``archgym verify``."""
    made = Parser(
        "verify",
        "Simulate a run directory's designs again and compare, bit for bit on the machine that recorded them and to\n"
        "1e-12 on others; compare its files with its journal. Exit status 1 where it does not reproduce.",
        ["verify runs/demo/random_search", "verify runs/demo/random_search --rerun"],
    )
    made.add_argument("directory", metavar="DIR", type=Path, help="a run directory, complete or interrupted")
    made.add_argument("--sample", metavar="N", type=number_type(1), help="only N of its designs, drawn at random")
    made.add_argument("--rerun", action="store_true", help="also run the agent again from its seed")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Verify and print the verdict."""
    from archgym.verification import verify

    with text.ProgressLine() as line:

        def progress(done: int, total: int) -> None:
            line.show(f"{done:,} of {total:,} designs simulated again")

        checks = verify(arguments.directory, sample=arguments.sample, rerun=arguments.rerun, progress=progress)
    print(text.paragraph(_what(RecordedRun.open(arguments.directory))))
    print(text.table([["ok" if check.ok else "FAILED", check.name, check.found] for check in checks]))
    reproduces = all(check.ok for check in checks)
    print("The run reproduces." if reproduces else "The run does not reproduce.")
    return 0 if reproduces else 1


def _what(run: RecordedRun) -> str:
    spec, agent, budget = run.spec, run.identity["agent"]["name"], run.identity["budget"]["limit"]
    state = "complete" if run.result is not None else "interrupted: the command that made it resumes it"
    return (
        f"{run.path}: {agent} on {spec.env_id}, workload {spec.workload}, "
        f"seed {run.identity['seed']}, budget {budget:,}, {state}"
    )
