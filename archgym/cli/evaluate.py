"""``archgym evaluate``: simulate the designs of a file."""

from __future__ import annotations

__all__ = ["parser", "run"]

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.cli.design_files import DesignTable, OutputFile, read_designs
from archgym.cli.parser import Parser
from archgym.cli.problem_arguments import add_objective, add_options, add_problem, add_workload, problem_spec
from archgym.cli.text import ProgressLine

if TYPE_CHECKING:
    from archgym.problem import ScoredEvaluation
    from archgym.session import Session
    from archgym_simulators.space import Rows

_ROWS_PER_CALL = 4096


def parser() -> Parser:
    """Arguments of ``archgym evaluate``."""
    made = Parser(
        "evaluate",
        "Simulate the designs of a file: one row a design, columns by parameter name and readable value. The output\n"
        "repeats the columns and appends metrics, status and reason. CSV or Parquet, by extension.",
        ["evaluate archgym/DRAM-v0 --designs designs.csv --out evaluated.csv --workload stream"],
    )
    add_problem(made)
    made.add_argument("--designs", metavar="IN", type=Path, required=True, help=".csv or .parquet")
    made.add_argument("--out", metavar="OUT", type=Path, required=True, help=".csv or .parquet")
    add_workload(made)
    add_objective(made)
    add_options(made)
    made.add_argument("--diagnostics", action="store_true", help="append the simulator's diagnostic numbers")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Read, simulate, write."""
    from archgym.datasets.evaluated import evaluation_metadata
    from archgym.problem import Problem
    from archgym.session import Session

    spec = problem_spec(arguments)
    designs = read_designs(arguments.designs)
    scored_too = arguments.objective is not None or bool(arguments.constraint)
    simulator = spec.simulator()
    # Before there is a problem, which simulates the baseline, for which kernels may have to be compiled.
    rows = designs.rows(simulator.space)
    with OutputFile(arguments.out, arguments.designs) as out:
        session = Session(spec, problem=Problem(simulator, *spec.parse(simulator)))
        outcomes = _evaluate(session, rows)
        added = _columns(session, outcomes, diagnostics=arguments.diagnostics, scores=scored_too)
        given = {name: cells for name, cells in _given(designs, rows, session, out).items() if name not in added}
        metadata = evaluation_metadata(session.problem(), spec, rows, scored=scored_too)
        kept = designs.arrow.select(list(given)) if designs.arrow is not None else None
        out.write({**given, **added}, kept, metadata)
    print(_summary(outcomes, arguments.out))
    return 0


def _evaluate(session: Session, rows: Rows) -> list[ScoredEvaluation]:
    outcomes = []
    with ProgressLine() as line:
        for start in range(0, len(rows), _ROWS_PER_CALL):
            outcomes.append(session.evaluate(rows[start : start + _ROWS_PER_CALL]))
            done = min(start + _ROWS_PER_CALL, len(rows))
            line.show(f"{done:,} of {len(rows):,} designs, {done / max(line.seconds(), 1e-9):,.0f}/s")
    return outcomes


def _given(designs: DesignTable, rows: Rows, session: Session, out: OutputFile) -> dict[str, Sequence[Any]]:
    if designs.arrow is not None or out.suffix == ".csv":
        return dict(designs.columns)
    # From text to typed columns: parameters get the type of their values, everything else stays text.
    typed = session.space.decode(rows)
    return {name: typed[name].tolist() if name in typed else list(cells) for name, cells in designs.columns.items()}


def _columns(
    session: Session, outcomes: Sequence[ScoredEvaluation], *, diagnostics: bool, scores: bool
) -> dict[str, list[Any]]:
    simulator = session.problem().simulator
    values = np.concatenate([one.values for one in outcomes])
    columns: dict[str, list[Any]] = {m.name: values[:, i].tolist() for i, m in enumerate(simulator.metrics)}
    if scores:
        columns["reward"] = (np.concatenate([one.reward for one in outcomes]) + 0.0).tolist()  # no "-0.0"
        columns["feasible"] = np.concatenate([one.feasible for one in outcomes]).tolist()
    if diagnostics:
        numbers = np.concatenate([one.diagnostics for one in outcomes])
        columns |= {name: numbers[:, g].tolist() for g, name in enumerate(simulator.diagnostic_names)}
    columns["status"] = [one.status_name(i) for one in outcomes for i in range(len(one))]
    columns["reason"] = [one.reason(i) for one in outcomes for i in range(len(one))]
    return columns


def _summary(outcomes: Sequence[ScoredEvaluation], out: Path) -> str:
    from archgym_simulators import STATUS_NAMES

    counts = np.bincount(np.concatenate([one.status for one in outcomes]), minlength=len(STATUS_NAMES)).tolist()
    parts = [f"{count:,} {name}" for name, count in zip(STATUS_NAMES, counts, strict=True) if count]
    return f"{sum(counts):,} designs: {', '.join(parts)}; written to {out}"
