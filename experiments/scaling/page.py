"""Write the tables of ``docs/scaling.md`` from costs and simulation: ``python -m experiments.scaling.page``."""

from __future__ import annotations

__all__ = ["filled"]

import csv
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from archgym.run_directory import write_whole
from archgym.wording import number
from experiments.scaling.measure import COSTS
from experiments.scaling.scheduler import TABLE

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
SIMULATIONS, BUDGET, CORES_A_NODE = 1.5e9, 300, 64
_NODES = (1, 10, 100)


def filled(page: str) -> str:
    """The page with its tables written anew."""
    costs = json.loads(COSTS.read_text())
    with TABLE.open(newline="") as file:
        simulated = list(csv.DictReader(file))
    tables = {"runs": _runs(costs), "simulations": _simulations(costs), "scheduler": _scheduler(simulated)}
    for name, table in tables.items():
        pattern = rf"(?<=<!-- {name} -->\n).*?(?=<!-- end of {name} -->)"
        page = re.sub(pattern, lambda _, text=table: text, page, flags=re.DOTALL)  # type: ignore[misc]
    return page


def _runs(costs: Mapping[str, Any]) -> str:
    runs = SIMULATIONS / BUDGET
    book, disk = _at(costs["bookkeeping_ms_a_run"], BUDGET), _at(costs["kib_a_run"], BUDGET)
    lines = [["", "a run", f"{SIMULATIONS / 1e9:g} billion simulations, {BUDGET} a run: {runs / 1e6:g} million runs"]]
    for budget, cost in costs["bookkeeping_ms_a_run"].items():
        lines.append([f"study's own processor time, {int(budget):,} simulations a run", f"{cost:.2f} ms", ""])
    lines.append([f"... {BUDGET} (interpolated)", f"{book:.2f} ms", f"{book * runs / 3.6e6:,.1f} core-hours"])
    for where, cost in costs["parent_ms_a_run"].items():
        hours = f"{cost * runs / 3.6e6:,.1f} hours at least, whatever the number of workers"
        lines.append([f"the parent's processor time: {where}", f"{cost:.2f} ms", hours])
    lines.append(["on disk, improvements only", f"{disk:.1f} KiB", f"{disk * runs / 1024**2:,.0f} GiB"])
    memory = costs["peak_mib"]
    sizes = [f"{mib:,.0f} MiB at {int(count):,} runs" for count, mib in memory.items()]
    lines.append(["peak memory of the process", ", ".join(sizes), "16 bytes a run more"])
    return _markdown(lines)


def _at(costs: Mapping[str, float], budget: int) -> float:
    """Interpolated between the nearest measured budgets."""
    below = max(int(b) for b in costs if int(b) <= budget)
    above = min(int(b) for b in costs if int(b) >= budget)
    if below == above:
        return costs[str(below)]
    share = (budget - below) / (above - below)
    return costs[str(below)] * (1 - share) + costs[str(above)] * share


def _simulations(costs: Mapping[str, Any]) -> str:
    nodes = [f"{count} node{'s' * (count > 1)}" for count in _NODES]
    lines = [["task", "us a simulation", "core-hours", *nodes]]
    parent_hours = costs["parent_ms_a_run"]["Ray, short runs"] * SIMULATIONS / BUDGET / 3.6e6
    own_us = 1e3 * _at(costs["bookkeeping_ms_a_run"], BUDGET) / BUDGET
    for task, cost in costs["evaluation_us"].items():
        hours = (cost + own_us) * 1e-6 * SIMULATIONS / 3600
        spans = [_span(hours / (CORES_A_NODE * count), parent_hours) for count in _NODES]
        lines.append([f"`{task}`", number(cost, 3), f"{hours:,.0f}", *spans])
    return _markdown(lines)


def _span(hours: float, parent_hours: float) -> str:
    """The time that a study takes, marked where it is the parent's."""
    if hours < parent_hours:
        return f"{parent_hours:.1f} h *"
    return f"{hours / 24:,.1f} days" if hours >= 48 else f"{hours:.1f} h"


def _scheduler(simulated: Sequence[Mapping[str, str]]) -> str:
    workers = list(dict.fromkeys(row["workers"] for row in simulated))
    lines = [["seconds a run", *(f"{int(count):,} worker{'s' * (count != '1')}" for count in workers)]]
    for run in dict.fromkeys(row["run_s"] for row in simulated):
        lines.append([f"{float(run):g}", *(f"{float(row['busy']):.0%}" for row in simulated if row["run_s"] == run)])
    return _markdown(lines)


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    rows = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main() -> None:
    write_whole(PAGE, filled(PAGE.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
