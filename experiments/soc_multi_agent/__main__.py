"""One agent or several: ``python -m experiments.soc_multi_agent`` writes ``runs.csv`` and ``summary.csv``.

The same command goes on where it was interrupted.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import archgym
from archgym.core_1.soc import DEV_EASY, SOC, THREE
from archgym.registry import agent_class
from archgym.run_directory import write_whole
from archgym.session import Session, SessionOver
from experiments.soc_multi_agent.learner import Settings, Team, advantages_of

HERE = Path(__file__).parent
RUNS, SUMMARY, README = HERE / "runs.csv", HERE / "summary.csv", HERE / "README.md"
_TABLE = re.compile(r"(?<=<!-- table -->\n).*(?=<!-- end of table -->)", re.DOTALL)
BUDGET, BATCH = 300, 16
SEEDS, DEV_SEEDS = 10, 4
WORKLOADS = ("audio-decoder", "hpvm-cava", THREE)
RATES = (0.03, 0.1, 0.3)
TEAMS = {"one agent": "one", "six agents": "declared", "an agent a parameter": "parameter"}
REFERENCES = {"PPO (Stable-Baselines3), one agent": "ppo", "random search": "random_search"}
COLUMNS = ("workload", "who", "learning_rate", "seed", "reward", "met")


def run_team(session: Session, groups: str, settings: Settings, rng: np.random.Generator) -> None:
    """Let a team design until the session is over: each agent learns from the shared reward alone."""
    space = session.space
    split: Any = {"everything": list(space.names)} if groups == "one" else groups
    env = archgym.parallel_env(session=session, groups=split)
    owner = np.empty(space.width, dtype=np.int64)
    for number, columns in enumerate(env.groups.columns.values()):
        owner[columns] = number
    team = Team(space.nvec, owner, settings, rng)
    try:
        while True:
            batch = [play(env, team) for _ in range(BATCH)]
            rows, rewards = zip(*batch, strict=True)
            team.update(np.stack(rows), advantages_of(np.array(rewards)))
    except SessionOver:
        return


def play(env: Any, team: Team) -> tuple[Any, float]:
    """One design: what all agents chose (D,), and the reward that they share."""
    env.reset()
    row = team.act()
    shares = {agent: share[0] for agent, share in env.groups.actions(row[None]).items()}
    return row, next(iter(env.step(shares)[1].values()))


def search(workload: str, who: str, rate: float, seed: int) -> tuple[float, bool]:
    """Best reward within the budget, and whether all budgets of the chip were met."""
    session = archgym.make_session(SOC, workload=workload, space="tasks", budget=BUDGET)
    rng = np.random.default_rng(seed)
    if who in TEAMS:
        run_team(session, TEAMS[who], Settings(rate), rng)
    else:
        built = agent_class(REFERENCES[who])
        built.create(session.space, built.Config(), rng, budget=BUDGET).run(session)
    assert session.best is not None
    values = dict(zip(session.problem().metric_names, session.best.values, strict=True))
    met = all(values[name] <= 1.0 for name in ("latency_ratio", "power_ratio", "area_ratio"))
    return session.best.reward, met


def chosen_rates(lines: Sequence[Mapping[str, str]]) -> dict[str, float]:
    """For each team, the learning rate with the best median on the graph for tuning."""

    def worth(who: str, rate: float) -> float:
        own = [line for line in lines if (line["workload"], line["who"]) == (DEV_EASY, who)]
        return median(float(line["reward"]) for line in own if float(line["learning_rate"]) == rate)

    return {who: max(RATES, key=lambda rate: worth(who, rate)) for who in TEAMS}


def summarised(lines: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Quartiles of the best reward, and in how many pairs of runs each beats one agent, ties counted half."""
    table = []
    for workload in WORKLOADS:
        rewards = {
            who: np.array(
                [float(line["reward"]) for line in lines if (line["workload"], line["who"]) == (workload, who)]
            )
            for who in (*TEAMS, *REFERENCES)
        }
        single = rewards[next(iter(TEAMS))]
        for who, own in rewards.items():
            better = (own[:, None] > single).mean() + 0.5 * (own[:, None] == single).mean()
            low, middle, high = np.quantile(own, [0.25, 0.5, 0.75])
            found = [line for line in lines if (line["workload"], line["who"]) == (workload, who)]
            table.append(
                {
                    "workload": workload,
                    "who": who,
                    "learning_rate": found[0]["learning_rate"],
                    "runs": len(own),
                    "median": f"{middle:.3f}",
                    "quartiles": f"{low:.3f}..{high:.3f}",
                    "beats_one_agent": f"{better:.2f}",
                    "met": sum(line["met"] == "True" for line in found),
                }
            )
    return table


def main() -> None:
    os.nice(5)
    lines: list[dict[str, str]] = list(csv.DictReader(RUNS.open())) if RUNS.is_file() else []
    done = {tuple(line[name] for name in COLUMNS[:4]) for line in lines}

    def make(workload: str, who: str, rate: float, seeds: int) -> None:
        for seed in range(seeds):
            key = (workload, who, str(rate), str(seed))
            if key not in done:
                reward, met = search(workload, who, rate, seed)
                lines.append(dict(zip(COLUMNS, (*key, repr(reward), str(met)), strict=True)))
                write_table(RUNS, lines)

    for who in TEAMS:
        for rate in RATES:
            make(DEV_EASY, who, rate, DEV_SEEDS)
    rates = chosen_rates(lines)
    for workload in WORKLOADS:
        for who in (*TEAMS, *REFERENCES):
            make(workload, who, rates.get(who, 0.0), SEEDS)
    table = summarised(lines)
    write_table(SUMMARY, table)
    write_whole(README, _TABLE.sub(lambda _: as_markdown(table), README.read_text()))


def as_markdown(table: Sequence[Mapping[str, Any]]) -> str:
    """The README's table."""
    header = ("workload", "who", "median", "quartiles", "beats one agent", "runs that met all budgets")
    text = f"| {' | '.join(header)} |\n|{'---|' * len(header)}\n"
    for row in table:
        name = "three-apps" if row["workload"] == THREE else row["workload"]
        cells = (f"`{name}`", row["who"], row["median"], row["quartiles"], row["beats_one_agent"])
        text += f"| {' | '.join(cells)} | {row['met']} of {row['runs']} |\n"
    return text


def write_table(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write lines as CSV, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, lines[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    write_whole(path, text.getvalue())


if __name__ == "__main__":
    main()
