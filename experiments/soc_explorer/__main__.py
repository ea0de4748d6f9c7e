"""Evaluations until all budgets are met: ``python -m experiments.soc_explorer``.

Writes ``runs.csv``, every search, and ``summary.csv``. The same command goes on where it was interrupted; a search that
ended without success at a lower cap is made again, since every agent's longer run begins with its shorter one.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from archgym.core_1.soc import BUDGETS, SOC, THREE
from archgym.problem import ProblemSpec, ScoredEvaluation
from archgym.registry import agent_class
from archgym.run_directory import write_whole
from archgym.session import Budget, Session
from archgym.statistics import KaplanMeier, kaplan_meier

HERE = Path(__file__).parent
RUNS, SUMMARY, README = HERE / "runs.csv", HERE / "summary.csv", HERE / "README.md"
_TABLE = re.compile(r"(?<=<!-- table -->\n).*(?=<!-- end of table -->)", re.DOTALL)
SEEDS = 10
APPLICATIONS = ("audio-decoder", "edge-detection", "hpvm-cava", THREE)
UNSEEN = ("generated:tasks=33,seed=102", "generated:tasks=20,seed=103", "generated:tasks=50,seed=106")
"""Graphs on which no setting of the explorer was tried."""
CAPS = {**dict.fromkeys(APPLICATIONS, 1300), THREE: 600, **dict.fromkeys(UNSEEN, 600)}
"""Evaluations after which a search ends: more than 16 times the explorer's medians on single applications."""
AGENTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "explorer": ("farsi_explorer", {}),
    "the same walk, random moves": ("farsi_explorer", {"random_moves": 1.0}),
    "annealing": ("simulated_annealing", {}),
    "genetic algorithm": ("genetic_algorithm", {}),
    "random search": ("random_search", {}),
}
COLUMNS = ("rules", "workload", "agent", "seed", "evaluations", "met")


@dataclass(frozen=True)
class Run:
    """One search that ends when all budgets are met, or at the cap."""

    rules: str
    workload: str
    agent: str
    seed: int

    @property
    def key(self) -> tuple[str, ...]:
        return self.rules, self.workload, self.agent, str(self.seed)


class UntilMet(Session):
    """A session that ends with the first feasible design. Its agents propose nothing twice, so calls are designs.

    Attributes:
        met: the evaluation at which it came, None before.
    """

    met: int | None = None

    def evaluate(self, rows: ArrayLike, workload: str | None = None) -> ScoredEvaluation:
        before = self.calls
        scored = super().evaluate(rows, workload)
        if self.met is None and scored.feasible.any():
            self.met = before + int(scored.feasible.argmax()) + 1
            self.stop()
        return scored


def runs() -> Iterator[Run]:
    """Every search: FARSI's rules with its budgets, and realistic rules with tight ones."""
    for seed in range(SEEDS):
        for agent in AGENTS:
            for rules in ("farsi", "realistic"):
                for workload in APPLICATIONS:
                    yield Run(rules, workload, agent, seed)
            for workload in UNSEEN:
                yield Run("realistic", workload, agent, seed)


def search(run: Run) -> tuple[int, bool]:
    """Evaluations, and whether the last of them met all budgets."""
    options = {"rules": run.rules, "space": "tasks"}
    spec = ProblemSpec.create(SOC, workload=run.workload, objective="energy", constraints=BUDGETS, options=options)
    cap = CAPS[run.workload]
    session = UntilMet(spec, budget=Budget(cap))
    name, settings = AGENTS[run.agent]
    built = agent_class(name)
    rng = np.random.default_rng(run.seed)
    built.create(session.space, built.Config.from_options(settings), rng, budget=cap).run(session)
    return (session.met, True) if session.met is not None else (session.calls, False)


def read_lines() -> list[dict[str, str]]:
    """Lines of searches that were made; none before the first."""
    return list(csv.DictReader(RUNS.read_text().splitlines())) if RUNS.is_file() else []


def in_order(found: Mapping[tuple[str, ...], dict[str, str]]) -> list[dict[str, str]]:
    """The lines that there are, in the order of `runs`, whichever were made first."""
    return [found[run.key] for run in runs() if run.key in found]


def is_over(line: Mapping[str, str] | None) -> bool:
    """Whether a search's line says all that the cap allows to know."""
    return line is not None and (line["met"] == "True" or int(line["evaluations"]) >= CAPS[line["workload"]])


def summarised(lines: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Kaplan-Meier medians by rules, workload and agent, and how many times as many as the explorer's."""
    table = []
    medians: dict[tuple[str, str, str], float] = {}
    for rules, workload, agent in dict.fromkeys((line["rules"], line["workload"], line["agent"]) for line in lines):
        own = [line for line in lines if (line["rules"], line["workload"], line["agent"]) == (rules, workload, agent)]
        times = [int(line["evaluations"]) for line in own]
        met = [line["met"] == "True" for line in own]
        curve = kaplan_meier(times, met)
        medians[rules, workload, agent] = curve.median
        reference = medians[rules, workload, next(iter(AGENTS))]
        table.append(
            {
                "rules": rules,
                "workload": workload,
                "agent": agent,
                "runs": len(own),
                "met": sum(met),
                "met_by_150": f"{1.0 - float(curve.waiting([150])[0]):.2f}",
                "median": shown(curve.median, max(times), 0),
                "interval": "..".join(shown(end, max(times), 0) for end in interval_of_median(curve)),
                "earliest": min(times) if any(met) else "",
                "times_the_explorer": shown(curve.median / reference, max(times) / reference, 1),
            }
        )
    order = {agent: position for position, agent in enumerate(AGENTS)}
    places = {name: position for position, name in enumerate((*APPLICATIONS, *UNSEEN))}
    return sorted(table, key=lambda row: (row["rules"], places[row["workload"]], order[row["agent"]]))


def interval_of_median(curve: KaplanMeier) -> tuple[float, float]:
    """The evaluations at which half of the runs may still wait: 95 %, infinite where the runs do not bound it.

    Brookmeyer & Crowley, Biometrics 38, 1982: where the interval of the curve holds one half.
    """
    ends = []
    for bound in (curve.low, curve.high):
        below = curve.times[bound <= 0.5]
        ends.append(float(below[0]) if len(below) else float("inf"))
    return ends[0], ends[1]


def shown(value: float, at_least: float, digits: int) -> str:
    """A median or a ratio, or what it is more than; nothing where the explorer's median is not known."""
    if np.isnan(value) or (np.isinf(value) and at_least == 0.0):
        return ""
    return f"{value:.{digits}f}" if np.isfinite(value) else f">{at_least:.{digits}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--summary", action="store_true", help="make no searches; summarise those that are there")
    parser.add_argument("--agent", choices=AGENTS, help="make the searches of this agent only")
    options = parser.parse_args()
    os.nice(5)
    found = {tuple(line[name] for name in COLUMNS[:4]): line for line in read_lines()}
    wanted = [run for run in runs() if options.agent in (None, run.agent) and not is_over(found.get(run.key))]
    for run in [] if options.summary else wanted:
        evaluations, met = search(run)
        found[run.key] = dict(zip(COLUMNS, (*run.key, str(evaluations), str(met)), strict=True))
        write_table(RUNS, in_order(found))
    table = summarised(in_order(found))
    write_table(SUMMARY, table)
    write_whole(README, _TABLE.sub(lambda _: as_markdown(table), README.read_text()))


def as_markdown(table: Sequence[Mapping[str, Any]]) -> str:
    """The README's table: a line a problem, a column an agent."""
    header = ("rules, budgets", "workload", "explorer", "met by 150", "the same walk, random moves", "annealing")
    text = f"| {' | '.join((*header, 'genetic algorithm'))} |\n|{'---|' * 7}\n"
    for rules, workload in dict.fromkeys((row["rules"], row["workload"]) for row in table):
        own = {row["agent"]: row for row in table if (row["rules"], row["workload"]) == (rules, workload)}
        named = {"farsi": "FARSI's", "realistic": "realistic, tight"}[rules]
        cells = [in_words(own["explorer"]), f"{100 * float(own['explorer']['met_by_150']):.0f} %"]
        for agent in ("the same walk, random moves", "annealing", "genetic algorithm"):
            times = own[agent]["times_the_explorer"]
            cells.append(in_words(own[agent]) + (f", {times} times" if times else ""))
        shown_name = "three-apps" if workload == THREE else workload
        text += f"| {named} | `{shown_name}` | {' | '.join(cells)} |\n"
    return text


def in_words(row: Mapping[str, Any]) -> str:
    """A median with its interval, where that says more than that the cap was reached."""
    return f"{row['median']} ({row['interval']})" if row["met"] else str(row["median"])


def write_table(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write lines as CSV, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, lines[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    write_whole(path, text.getvalue())


if __name__ == "__main__":
    main()
