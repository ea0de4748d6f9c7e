"""Audit the DNN tasks: ``python -m experiments.core_1.audits_dnn`` writes ``audits_dnn.csv``.

With ``--only PREFIX`` only some rows are made anew.
"""

from __future__ import annotations

import argparse
import csv
import os
from pathlib import Path
from typing import Any

from archgym.audit import audit_problem
from archgym.core_1 import accelerator, attention, maestro, mapping, systolic
from experiments.core_1.audit_table import row_of
from experiments.core_1.csv_rows import write_rows

TARGET = Path(__file__).parent / "audits_dnn.csv"
TASKS = [task for family in (systolic, attention, maestro, mapping, accelerator) for task in family.TASKS]
EFFORT = {"designs": 2_000, "climbs": 12}
WHOLE_NETWORK_EFFORT = {"designs": 300, "climbs": 2}
"""A network takes 10 to 40 ms an accelerator; gaps at 1,000 calls are those of all 300 designs."""
ACCELERATOR_EFFORTS = {
    "accelerator-dev-edge-latency": EFFORT,
    "accelerator-archgym-edp": {"designs": 2_000, "climbs": 2},
}
"""The first has some layers only, 1 to 2 ms; in the second a tenth of random designs are valid and take long."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="audit tasks whose name starts so; the other rows stay")
    only = parser.parse_args().only
    os.nice(5)
    rows: dict[str, dict[str, Any]] = {}
    if TARGET.is_file():
        with TARGET.open() as file:
            rows = {row["task"]: row for row in csv.DictReader(file)}
    for task in (one for one in TASKS if one.name.startswith(only)):
        usual = WHOLE_NETWORK_EFFORT if task.env_id == accelerator.ACCELERATOR else EFFORT
        effort = ACCELERATOR_EFFORTS.get(task.name, usual)
        rows[task.name] = row_of(task, audit_problem(task.spec(), task, **effort))
        print(task.name, rows[task.name]["gap_100"], rows[task.name]["standing"], flush=True)
        write_rows(TARGET, [rows[one.name] for one in TASKS if one.name in rows])


if __name__ == "__main__":
    main()
