"""Audit every DRAM task: ``python -m experiments.core_1.audit_table`` writes ``audits.csv`` and the README's table."""

from __future__ import annotations

import argparse
import csv
import os
import re
from math import isinf
from pathlib import Path
from typing import Any

from archgym.audit import AuditReport, audit_problem
from archgym.core_1.dram import TASKS
from archgym.run_directory import write_whole
from archgym.tasks import Task
from experiments.core_1.csv_rows import write_rows

HERE = Path(__file__).parent
EXTENDED_EFFORT = {"designs": 2_000, "climbs": 12}
"""Designs of the extended space are in no table and take 3 ms each."""
BUDGETS = (30, 100, 300, 1000)
_TABLE = re.compile(r"(?<=<!-- audit -->\n).*(?=<!-- end of audit -->)", re.DOTALL)


def row_of(task: Task, report: AuditReport) -> dict[str, Any]:
    """One line of ``audits.csv``."""
    gaps = {one.budget: one for one in report.random_search}
    return {
        "task": task.name,
        "role": task.role,
        "standing": "smoke test" if report.is_smoke_test else "headline",
        **{f"gap_{budget}": gaps[budget].gap for budget in BUDGETS},
        "infeasible_100": gaps[100].infeasible,
        "regret_100": gaps[100].regret,
        "feasible": report.feasible,
        "within_1_percent": report.near_best["1 %"],
        "distinct": report.distinct,
        "stuck": report.local_optima,
        "dead": " ".join(one.name for one in report.parameters if one.is_dead),
        "designs": report.designs,
        "source": report.best_source,
    }


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """The part of the audits that fits on a page."""
    header = ["task", "role", *(f"gap at {budget:,}" for budget in BUDGETS), "feasible", "ties", "stuck", "standing"]
    lines = [header, ["---"] * len(header)]
    for row in rows:
        gaps = [_percent(row[f"gap_{budget}"]) for budget in BUDGETS]
        shares = [_percent(row["feasible"]), _percent(1.0 - float(row["distinct"])), _percent(row["stuck"])]
        lines.append([f"`{row['task']}`", row["role"], *gaps, *shares, row["standing"]])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _percent(number: float | str) -> str:
    share = float(number)
    return "none feasible" if isinf(share) else f"{100 * share:.1f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="audit tasks whose name starts so; the other rows stay")
    only = parser.parse_args().only
    os.nice(5)
    with (HERE / "audits.csv").open() as file:
        rows: dict[str, dict[str, Any]] = {row["task"]: row for row in csv.DictReader(file)}
    for task in (one for one in TASKS if one.name.startswith(only)):
        effort = EXTENDED_EFFORT if task.options.get("space") == "extended" else {}
        rows[task.name] = row_of(task, audit_problem(task.spec(), task, **effort))
        print(task.name, rows[task.name]["gap_100"], rows[task.name]["standing"], flush=True)
        _write([rows[one.name] for one in TASKS if one.name in rows])


def _write(rows: list[dict[str, Any]]) -> None:
    write_rows(HERE / "audits.csv", rows)
    readme = HERE / "README.md"
    write_whole(readme, _TABLE.sub(lambda _: as_markdown(rows), readme.read_text()))


if __name__ == "__main__":
    main()
