"""Audit every task: ``python -m experiments.core_1.audit_table`` writes ``audits.csv`` and the README's table."""

from __future__ import annotations

import csv
import io
import re
from math import isinf
from pathlib import Path
from typing import Any

from archgym.audit import AuditReport, audit_problem
from archgym.run_directory import write_whole
from archgym.tasks import Task, tasks

HERE = Path(__file__).parent
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
        shares = [_percent(row["feasible"]), _percent(1.0 - row["distinct"]), _percent(row["stuck"])]
        lines.append([f"`{row['task']}`", row["role"], *gaps, *shares, row["standing"]])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _percent(share: float) -> str:
    return "none feasible" if isinf(share) else f"{100 * share:.1f} %"


def main() -> None:
    rows = []
    for task in tasks().values():
        rows.append(row_of(task, audit_problem(task.spec(), task)))
        print(task.name, rows[-1]["gap_100"], rows[-1]["standing"], flush=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(HERE / "audits.csv", text.getvalue())
    readme = HERE / "README.md"
    write_whole(readme, _TABLE.sub(lambda _: as_markdown(rows), readme.read_text()))


if __name__ == "__main__":
    main()
