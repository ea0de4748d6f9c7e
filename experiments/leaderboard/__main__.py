"""Enter studies, and write the page: ``python -m experiments.leaderboard [--command TEXT] [DIR ...]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archgym.run_directory import write_whole
from archgym.studies.results import load_study
from archgym.studies.verification import verify_study
from archgym.tasks import task
from archgym_simulators import InputError
from experiments.leaderboard.entries import entries_of, merged, read_entries, write_entries
from experiments.leaderboard.page import as_page

HERE = Path(__file__).parent
ENTRIES, PAGE = HERE / "entries.csv", HERE.parents[1] / "LEADERBOARD.md"
REFUSED = 1


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m experiments.leaderboard", description=__doc__)
    parser.add_argument("directories", metavar="DIR", nargs="*", type=Path, help="complete studies to enter")
    parser.add_argument("--command", default="", help="what makes them again; the study's file where not given")
    parser.add_argument("--sample", type=int, default=30, help="runs that are made again from their seeds; 30")
    parser.add_argument("--entries", type=Path, default=ENTRIES, help=argparse.SUPPRESS)
    parser.add_argument("--page", type=Path, default=PAGE, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    entries = read_entries(chosen.entries)
    for directory in chosen.directories:
        wrong = refusal(directory, chosen.sample)
        if wrong:
            print(f"{directory} is refused: {wrong}", file=sys.stderr)
            return REFUSED
        command = chosen.command or f"archgym study {directory / 'study.toml'} --out {directory}"
        entries = merged(entries, entries_of(load_study(directory), command=command))
    write_entries(chosen.entries, entries)
    write_whole(chosen.page, as_page(entries))
    return 0


def refusal(directory: Path, sample: int) -> str:
    """Why a study does not count; "" where it reproduces: all claimed designs, and a sample of its runs."""
    try:
        found = load_study(directory)
        wrong = _other_rules(found.manifest)
        if wrong:
            return wrong
        checks = [*verify_study(directory), *verify_study(directory, sample=sample, rerun=True)]
    except InputError as error:
        return str(error)
    return next((f"{check.name}: {check.found}" for check in checks if not check.ok), "")


def _other_rules(manifest: Mapping[str, Any]) -> str:
    """What a study chose that its task, or the leaderboard, leaves nobody to choose; "" where there is nothing."""
    study = manifest.get("study", {})
    if isinstance(study.get("seeds"), list):
        return "its seeds are chosen; say how many, and they follow from what is run"
    for ours, about in zip(study.get("tasks", ()), manifest["tasks"], strict=True):
        if not about["task"]:
            continue
        own = task(about["task"]).reference_point
        if own and tuple(about["reference_point"]) != own:
            return f"{about['task']} measures hypervolume from {list(own)}, not from {about['reference_point']}"
        if ours["budget"]["unit"] != "calls":
            return f"{about['task']} counts calls, not {ours['budget']['unit']}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
