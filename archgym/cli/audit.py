"""``archgym audit``: what an environment or a task is worth as a benchmark."""

from __future__ import annotations

__all__ = ["parser", "run"]

import argparse
from typing import TYPE_CHECKING

from archgym.cli import text
from archgym.cli.parser import Parser, number_type
from archgym.cli.problem_arguments import (
    add_objective,
    add_options,
    add_problem,
    add_workload,
    problem_and_task,
)

if TYPE_CHECKING:
    from archgym.audit import AuditReport

DESIGNS, SEED = 10_000, 0
_LISTED_CORRELATIONS = 12


def parser() -> Parser:
    """Arguments of ``archgym audit``."""
    made = Parser(
        "audit",
        "Measure by random designs and greedy descents whether a problem can tell search methods apart: what random\n"
        "search reaches, how many designs are near the best, which parameters matter, where climbers are stuck.",
        ["audit dram-mixed-time", "audit archgym/DRAM-v0 --workload stream --objective energy --designs 2000"],
    )
    add_problem(made)
    add_workload(made)
    add_objective(made)
    add_options(made)
    made.add_argument(
        "--designs", metavar="N", type=number_type(2), default=DESIGNS, help=f"random designs to simulate; {DESIGNS:,}"
    )
    made.add_argument("--seed", metavar="S", type=number_type(0), default=SEED, help=f"of every random draw; {SEED}")
    made.add_argument("--json", action="store_true", help="for programs")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    from archgym.audit import as_json, audit_problem

    spec, task = problem_and_task(arguments)
    report = audit_problem(spec, task, designs=arguments.designs, seed=arguments.seed)
    if arguments.json:
        print(text.as_json(as_json(report)))
        return 0
    title = task.name if task is not None else f"{spec.env_id}, workload {spec.workload}"
    print("\n\n".join([text.paragraph(f"{title}: {_verdict(report)}"), *_sections(report)]))
    return 0


def _verdict(report: AuditReport) -> str:
    gap = next(one for one in report.random_search if one.budget == 100)
    measure = "hypervolume" if report.objectives > 1 else "the best"
    found = f"at 100 calls random search is {_percent(gap.gap)} short of {measure} ({report.best_source})"
    return f"a smoke test, no headline: {found}." if report.is_smoke_test else f"{found}."


def _sections(report: AuditReport) -> list[str]:
    searches = []
    for one in report.random_search:
        gaps = [_percent(gap) for gap in (one.gap, one.gap_low, one.gap_high)]
        searches.append([f"{one.budget:,}", *gaps, f"{one.regret:.3f}", _percent(one.infeasible)])
    shares = [
        ["random designs simulated", f"{report.designs:,}"],
        ["invalid", _percent(report.invalid)],
        ["feasible", _percent(report.feasible)],
        *([f"within {label} of the best, of the feasible", _percent(s)] for label, s in report.near_best.items()),
        ["distinct rewards, of the feasible", _percent(report.distinct)],
        ["descents that end more than 1 % above the best", _percent(report.local_optima)],
        ["different ends of descents", f"{report.distinct_optima:,}"],
    ]
    parameters = [
        [one.name, _percent(one.changes), _percent(one.explained), "dead" if one.is_dead else ""]
        for one in report.parameters
    ]
    header = ("calls", "median gap", "5 %", "95 %", "regret", "nothing feasible")
    return [
        "Random search\n" + text.table(searches, header, right=(0, 1, 2, 3, 4, 5)),
        "Designs\n" + text.table(shares, right=(1,)),
        "Parameters\n" + text.table(parameters, ("name", "changes matter", "variance explained", ""), right=(1, 2)),
        *_correlations(report),
    ]


def _correlations(report: AuditReport) -> list[str]:
    strongest = sorted(report.correlations.items(), key=lambda pair: -abs(pair[1]))[:_LISTED_CORRELATIONS]
    if not strongest:
        return []
    rows = [[names, f"{value:+.3f}"] for names, value in strongest]
    return [f"Rank correlations of metrics, the strongest {len(rows)}\n" + text.table(rows, right=(1,))]


def _percent(share: float) -> str:
    """``"3.4 %"``; what is not finite has no feasible design to speak of."""
    if share == float("inf"):
        return "infinitely"
    return f"{100 * share:.{2 if share < 0.1 else 1}f} %"
