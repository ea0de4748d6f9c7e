"""Audit the SoC tasks: ``python -m experiments.core_1.audits_soc`` writes ``audits_soc.csv``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from archgym.audit import audit_problem
from archgym.core_1.soc import TASKS
from experiments.core_1.audit_table import row_of
from experiments.core_1.csv_rows import write_rows

TARGET = Path(__file__).parent / "audits_soc.csv"
DESIGNS = 2_000


def main() -> None:
    os.nice(5)
    rows: list[dict[str, Any]] = []
    for task in TASKS:
        report = audit_problem(task.spec(), task, designs=DESIGNS)
        # An audit sees what random search does; that single applications are smoke tests is the suite's decision.
        rows.append({**row_of(task, report), "standing": task.standing})
        print(task.name, rows[-1]["gap_100"], rows[-1]["feasible"], flush=True)
        write_rows(TARGET, rows)


if __name__ == "__main__":
    main()
