"""``archgym verify``: does a recorded run, or a study, reproduce here?"""

from __future__ import annotations

__all__ = ["parser", "run"]

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archgym.cli import text
from archgym.cli.parser import Parser, number_type
from archgym.recorded_run import RecordedRun
from archgym.run_directory import MANIFEST, read_json

if TYPE_CHECKING:
    from archgym.verification_files import Check


def parser() -> Parser:
    """Arguments of ``archgym verify``."""
    made = Parser(
        "verify",
        "Simulate the designs of a run directory again and compare, bit for bit on the machine that recorded them and\n"
        "to 1e-12 on others; compare its files with its journal. Of a study, simulate every claimed improvement, and\n"
        "see that no run is missing. Exit status 1 where it does not reproduce.",
        [
            "verify runs/demo/random_search",
            "verify runs/demo/random_search --rerun",
            "verify runs/study --rerun --sample 20",
        ],
    )
    made.add_argument(
        "directory", metavar="DIR", type=Path, help="a run directory, complete or interrupted, or a study's"
    )
    made.add_argument(
        "--sample", metavar="N", type=number_type(1), help="only N of its designs, or a study's runs, drawn at random"
    )
    made.add_argument("--rerun", action="store_true", help="also run the agents again from their seeds")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Verify and print the verdict."""
    directory: Path = arguments.directory
    manifest = directory / MANIFEST
    is_study = manifest.is_file() and "study" in read_json(manifest)
    with text.ProgressLine() as line:
        how: dict[str, Any] = {"sample": arguments.sample, "rerun": arguments.rerun}
        checks = _verify_study(directory, line, **how) if is_study else _verify_run(directory, line, **how)
    what = f"{directory}: a study" if is_study else _what(RecordedRun.open(directory))
    print(text.paragraph(what))
    print(text.table([["ok" if check.ok else "FAILED", check.name, check.found] for check in checks]))
    reproduces = all(check.ok for check in checks)
    print(f"The {'study' if is_study else 'run'} {'reproduces' if reproduces else 'does not reproduce'}.")
    return 0 if reproduces else 1


def _verify_run(directory: Path, line: text.ProgressLine, **how: Any) -> list[Check]:
    from archgym.verification import verify

    def progress(done: int, total: int) -> None:
        line.show(f"{done:,} of {total:,} designs simulated again")

    return verify(directory, progress=progress, **how)


def _verify_study(directory: Path, line: text.ProgressLine, **how: Any) -> list[Check]:
    from archgym.studies.verification import verify_study

    def progress(done: int, total: int) -> None:
        line.show(f"{done:,} of {total:,} runs made again")

    return verify_study(directory, progress=progress, **how)


def _what(run: RecordedRun) -> str:
    spec, agent, budget = run.spec, run.identity["agent"]["name"], run.identity["budget"]["limit"]
    state = "complete" if run.result is not None else "interrupted: the command that made it resumes it"
    return (
        f"{run.path}: {agent} on {spec.env_id}, workload {spec.workload}, "
        f"seed {run.identity['seed']}, budget {budget:,}, {state}"
    )
