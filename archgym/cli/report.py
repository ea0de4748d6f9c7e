"""``archgym report``: a study, or a single search, for people."""

from __future__ import annotations

__all__ = ["parser", "run"]

import argparse
from pathlib import Path

from archgym.cli.parser import Parser, one_of
from archgym.report.output import FORMATS


def parser() -> Parser:
    """Arguments of ``archgym report``."""
    made = Parser(
        "report",
        "Report on a study directory, or on the directory of a single search: which agent is ahead and how sure that\n"
        "is, how fast they improve, what settings do, which parameters matter, what the best designs look like, what\n"
        "failed. One page that needs nothing else (html, extra archgym[report]), or pictures or tables for papers:\n"
        "a file that ends in .png or .csv holds all of them, a folder one file each.",
        [
            "report runs/lottery --out lottery.html",
            "report runs/demo/random_search --out search.html",
            "report runs/lottery --out figures --format png",
        ],
    )
    made.add_argument("directory", metavar="DIR", type=Path, help="of a study or a search")
    made.add_argument("--out", metavar="OUT", type=Path, required=True, help="file, or a folder for png and csv")
    made.add_argument("--format", metavar="F", type=one_of(FORMATS), help="html, png or csv; by the end of OUT")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Write the report and say where it is."""
    from archgym.report import write_report

    written = write_report(arguments.directory, arguments.out, kind=arguments.format)
    size = sum(path.stat().st_size for path in written) / 1e6
    count = f"{len(written)} files in " if len(written) > 1 else ""
    print(f"{count}{arguments.out} ({size:.1f} MB)")
    return 0
