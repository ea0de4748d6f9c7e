"""``archgym demo``: three agents search the DRAM controller; the main job in one command."""

from __future__ import annotations

__all__ = ["AGENTS", "ENV_ID", "parser", "run"]

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archgym.cli import text
from archgym.cli.parser import Parser, number_type
from archgym.cli.problem_arguments import workload
from archgym.cli.search import Progress, resumable
from archgym.wording import change, number, ratio, split_unit
from archgym_simulators import Metric

if TYPE_CHECKING:
    from archgym.api import SearchResult
    from archgym.pictures import Curve
    from archgym.problem import ProblemSpec

ENV_ID = "archgym/DRAM-v0"
AGENTS = ("random_search", "hill_climbing", "genetic_algorithm")
WORKLOAD, OBJECTIVE = "mixed", "total-time"
BUDGET, SEED = 300, 1
PICTURES = ("best_so_far.png", "best_so_far.svg")


@dataclass(frozen=True)
class _Search:
    agent: str
    result: SearchResult

    @property
    def rank(self) -> tuple[bool, float]:
        return self.result.feasible, self.result.reward


def parser() -> Parser:
    """Arguments of ``archgym demo``."""
    made = Parser(
        "demo",
        "Three agents search the design space of a DRAM controller on a trace of 10,000 requests, with the same\n"
        "budget and seed each. Leaves a run directory an agent and a picture, and says what was found.",
        ["demo", "demo --budget 1000 --workload stream --out runs/demo-stream"],
    )
    made.add_argument("--out", metavar="DIR", type=Path, default=Path("runs/demo"), help="runs/demo where not given")
    made.add_argument("--budget", metavar="N", type=number_type(1), default=BUDGET, help=f"designs each; {BUDGET}")
    made.add_argument("--seed", metavar="S", type=number_type(0), default=SEED, help=f"of every agent; {SEED}")
    of_list = f"of 'archgym list workloads'; {WORKLOAD}"
    made.add_argument("--workload", metavar="W", type=workload, default=WORKLOAD, help=of_list)
    return made


def run(arguments: argparse.Namespace) -> int:
    """Search three times, draw, and say what was found."""
    from archgym.problem import ProblemSpec

    spec = ProblemSpec.create(ENV_ID, workload=arguments.workload, objective=OBJECTIVE)
    searches = [_Search(agent, _search(agent, arguments)) for agent in AGENTS]
    print(_report(searches, spec, arguments))
    return 0


def _search(agent: str, arguments: argparse.Namespace) -> SearchResult:
    from archgym.api import search

    with Progress(f"{agent}: ") as progress, resumable(arguments.out):
        return search(
            ENV_ID,
            agent,
            budget=arguments.budget,
            seed=arguments.seed,
            out=arguments.out / agent,
            workload=arguments.workload,
            objective=OBJECTIVE,
            progress=progress if progress.enabled else None,
        )


# ---- picture -------------------------------------------------------------------------------------------------------


def _draw(searches: Sequence[_Search], metric: Metric, title: str, arguments: argparse.Namespace) -> None:
    from archgym.pictures import draw_best_so_far

    draw_best_so_far(
        [arguments.out / name for name in PICTURES],
        [_curve(search, metric) for search in searches],
        metric=metric.name,
        title=title,
        subtitle=f"{_what(arguments)}, seed {arguments.seed}",
        baseline=searches[0].result.summary["baseline"]["metrics"][metric.name],
    )


def _curve(search: _Search, metric: Metric) -> Curve:
    import pyarrow.parquet as pq

    from archgym.pictures import Curve, best_so_far
    from archgym.run_directory import EVALUATIONS

    assert search.result.out is not None
    table = pq.read_table(search.result.out / EVALUATIONS, columns=["reward", "feasible", metric.name])
    reward, feasible, values = (table.column(name).to_numpy() for name in table.column_names)
    return Curve(search.agent, best_so_far(reward, feasible, values))


# ---- words ---------------------------------------------------------------------------------------------------------


def _report(searches: Sequence[_Search], spec: ProblemSpec, arguments: argparse.Namespace) -> str:
    from archgym.cli.outcome import beside, compare_with_baseline, objective_metric

    metric = objective_metric(spec)
    best = max(searches, key=lambda search: search.rank)
    if not best.result.feasible:
        _draw(searches, metric, "No agent found a valid design", arguments)
        return f"No valid design was found; allow more: --budget {10 * arguments.budget} --out DIR"
    summary = best.result.summary
    pair = summary["best"]["metrics"][metric.name], summary["baseline"]["metrics"][metric.name]
    winners = _winners(searches, best)
    _draw(searches, metric, _title(winners, metric, *pair), arguments)
    parts = [
        text.paragraph(_opening(searches, arguments)),
        text.paragraph(f"{_found(winners)}: {beside(metric, *pair)}."),
        _agents_table(searches, metric),
        f"The best design ({best.agent}) beside the baseline ({summary['baseline']['name']}):",
        compare_with_baseline(summary, spec),
        _where_next(best, arguments),
    ]
    return "\n\n".join(parts)


def _opening(searches: Sequence[_Search], arguments: argparse.Namespace) -> str:
    what = _what(arguments)
    if all(search.result.was_complete for search in searches):
        return f"{arguments.out} is complete already; nothing was simulated. It holds {what}."
    return f"Three agents searched {what}."


def _what(arguments: argparse.Namespace) -> str:
    return f"{ENV_ID}, workload {arguments.workload}, objective {OBJECTIVE}, {arguments.budget:,} simulations each"


def _winners(searches: Sequence[_Search], best: _Search) -> list[str]:
    return [search.agent for search in searches if search.rank == best.rank]


def _found(winners: Sequence[str]) -> str:
    if len(winners) == 1:
        return f"{winners[0]} found the best design"
    return f"{', '.join(winners[:-1])} and {winners[-1]} found equally good designs"


def _title(winners: Sequence[str], metric: Metric, value: float, reference: float) -> str:
    names = [name.replace("_", " ") for name in winners]
    if len(names) == len(AGENTS):
        who = "All three agents reach"
    else:
        who = f"{' and '.join(names).capitalize()} {'gets' if len(names) == 1 else 'get'} furthest:"
    shown = f"{number(value)} {split_unit(metric.name)[1]}".rstrip()
    if value == reference:
        return f"{who} {shown}, the same as the baseline"
    return f"{who} {shown}, {change(metric, value, reference).rsplit(', ', 1)[0]} than the baseline"


def _agents_table(searches: Sequence[_Search], metric: Metric) -> str:
    rows = []
    for search in searches:
        best: dict[str, Any] = search.result.summary["best"] or {"metrics": {}, "step": -1}
        value = best["metrics"].get(metric.name, float("nan"))
        share = ratio(value, search.result.summary["baseline"]["metrics"][metric.name])
        rows.append([search.agent, number(value), share, f"{best['step'] + 1:,}", f"{search.result.calls:,}"])
    header = ("agent", metric.name, "of baseline", "at simulation", "simulations")
    return text.table(rows, header, right=(1, 2, 3, 4))


def _where_next(best: _Search, arguments: argparse.Namespace) -> str:
    out = shlex.quote(str(arguments.out))
    lines = [
        f"Picture: {arguments.out / PICTURES[0]} (and .svg)",
        f"Runs:    {', '.join(str(arguments.out / agent) for agent in AGENTS)}",
        "",
        "Next:",
        f"  archgym describe {ENV_ID}",
        f"  archgym verify {out}/{best.agent} --rerun",
        f"  archgym search {ENV_ID} --agent {best.agent} --budget 1000 --seed 2 --objective edp --out runs/edp",
    ]
    return "\n".join(lines)
