"""One agent or several: ``python -m experiments.soc_multi_agent`` writes ``runs.csv`` and ``summary.csv``.

The same command goes on where it was interrupted.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import archgym
from archgym.core_1.soc import DEV_EASY, SOC, THREE
from archgym.envs.agent_groups import AgentGroups
from archgym.registry import agent_class
from archgym.run_directory import write_whole
from archgym.session import Session, SessionOver
from archgym.statistics import (
    bootstrap_interval,
    holm,
    improvement_interval,
    iqm,
    permutation_p_value,
    probability_of_improvement,
)
from experiments.soc_multi_agent.learner import Floats, Settings, Team, advantages_of

HERE = Path(__file__).parent
RUNS, SUMMARY, README = HERE / "runs.csv", HERE / "summary.csv", HERE / "README.md"
_TABLES = re.compile(r"(?<=<!-- table -->\n).*(?=<!-- end of table -->)", re.DOTALL)
BUDGET, BATCH = 300, 16
SEEDS, DEV_SEEDS = range(10), range(100, 104)
WORKLOADS = ("audio-decoder", "hpvm-cava", THREE)
CLIPPED = tuple(Settings(rate, clip=clip) for rate in (0.1, 0.3, 1.0) for clip in (0.2, 0.8))
ON_POLICY = tuple(Settings(rate, epochs=1) for rate in (0.03, 0.1, 0.3, 1.0, 3.0, 10.0))
"""One step a batch: every ratio is 1, nothing is clipped, and it makes no difference who owns what."""
ONE = "one agent"
TEAMS: Mapping[str, tuple[str, tuple[Settings, ...]]] = {
    ONE: ("one", CLIPPED),
    "six agents": ("declared", CLIPPED),
    "an agent a parameter": ("parameter", CLIPPED),
    "any of them, nothing to clip": ("one", ON_POLICY),
}
REFERENCES = {"PPO (Stable-Baselines3), one agent": "ppo", "random search": "random_search"}
COLUMNS = ("workload", "who", "learning_rate", "clip", "epochs", "seed", "reward", "met")
KEY = COLUMNS[:6]


def run_team(session: Session, groups: str, settings: Settings, rng: np.random.Generator) -> None:
    """Let a team design until the session is over: each agent learns from the shared reward alone.

    What the agents of `archgym.parallel_env` choose, and are rewarded with, but a batch of designs at a time.
    """
    space = session.space
    owner = np.zeros(space.width, dtype=np.int64)
    if groups != "one":
        for number, columns in enumerate(AgentGroups(space, groups).columns.values()):
            owner[columns] = number
    team = Team(space.nvec, owner, settings, rng)
    try:
        while True:
            rows = np.stack([team.act() for _ in range(BATCH)])
            team.update(rows, advantages_of(session.evaluate(rows).reward))
    except SessionOver:
        return


def search(workload: str, who: str, settings: Settings | None, seed: int) -> tuple[float, bool]:
    """Best reward within the budget, and whether all budgets of the chip were met."""
    session = archgym.make_session(SOC, workload=workload, space="tasks", budget=BUDGET)
    rng = np.random.default_rng(seed)
    if settings is not None:
        run_team(session, TEAMS[who][0], settings, rng)
    else:
        built = agent_class(REFERENCES[who])
        built.create(session.space, built.Config(), rng, budget=BUDGET).run(session)
    assert session.best is not None
    values = dict(zip(session.problem().metric_names, session.best.values, strict=True))
    met = all(values[name] <= 1.0 for name in ("latency_ratio", "power_ratio", "area_ratio"))
    return session.best.reward, met


def in_cells(settings: Settings | None) -> tuple[str, str, str]:
    """Learning rate, clip and epochs as they stand in a line; references have their own."""
    if settings is None:
        return "", "", ""
    clip = "" if settings.epochs == 1 else str(settings.clip)
    return str(settings.learning_rate), clip, str(settings.epochs)


class Log:
    """Runs that were made; those that are missing are made and added.

    Args:
        path: CSV file, written after every run.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = list(csv.DictReader(path.read_text().splitlines())) if path.is_file() else []
        self._lines = {tuple(line[name] for name in KEY): line for line in lines}

    def runs(self, workload: str, who: str, settings: Settings | None, seeds: Iterable[int]) -> list[Mapping[str, str]]:
        """The lines of some seeds."""
        found: list[Mapping[str, str]] = []
        for seed in seeds:
            key = (workload, who, *in_cells(settings), str(seed))
            if key not in self._lines:
                reward, met = search(workload, who, settings, seed)
                self._lines[key] = dict(zip(COLUMNS, (*key, repr(reward), str(met)), strict=True))
                write_table(self._path, list(self._lines.values()))
            found.append(self._lines[key])
        return found


def rewards_of(lines: Iterable[Mapping[str, str]]) -> Floats:
    """Best rewards, (R,)."""
    return np.array([float(line["reward"]) for line in lines])


def tuned(log: Log, who: str) -> Settings:
    """Of a team's settings, that with the best interquartile mean on the graph for tuning; of equals, the first."""
    worth = [float(iqm(rewards_of(log.runs(DEV_EASY, who, one, DEV_SEEDS))[:, None])) for one in TEAMS[who][1]]
    return TEAMS[who][1][int(np.argmax(worth))]


def summarised(
    chosen: Mapping[str, Settings | None], judged: Mapping[tuple[str, str], Sequence[Mapping[str, str]]]
) -> list[dict[str, Any]]:
    """By workload and over all: interquartile means, and how likely each is to beat one agent, with 95 % intervals."""
    rewards = {key: rewards_of(lines) for key, lines in judged.items()}
    table = []
    for workload in (*WORKLOADS, "all"):
        within = WORKLOADS if workload == "all" else (workload,)
        for who, settings in chosen.items():
            lines = [line for each in within for line in judged[each, who]]
            own, single = (np.stack([rewards[each, one] for each in within], axis=1) for one in (who, ONE))
            table.append(
                {
                    "workload": workload,
                    "who": who,
                    **dict(zip(COLUMNS[2:5], in_cells(settings), strict=True)),
                    "runs": len(lines),
                    **_measured(own, single, who),
                    "met": sum(line["met"] == "True" for line in lines),
                }
            )
    _adjust(table)
    return table


def _measured(own: Floats, single: Floats, who: str) -> dict[str, Any]:
    """Of rewards (R, T), those of one agent beside them. Means are of one workload: their scales differ."""
    rng = np.random.default_rng(0)
    cells: dict[str, Any] = dict.fromkeys(("iqm", "iqm_low", "iqm_high", "beats_one_agent", "low", "high", "p"), "")
    if own.shape[1] == 1:
        cells["iqm"] = f"{float(iqm(own)):.3f}"
        cells["iqm_low"], cells["iqm_high"] = (f"{end:.3f}" for end in bootstrap_interval(own, iqm, rng))
    if who != ONE:
        cells["beats_one_agent"] = f"{probability_of_improvement(own, single):.2f}"
        cells["low"], cells["high"] = (f"{end:.2f}" for end in improvement_interval(own, single, rng))
        cells["p"] = permutation_p_value(own, single, rng)
    return cells


def _adjust(table: Sequence[dict[str, Any]]) -> None:
    """Replace p-values by Holm's: of the comparisons over all workloads, which are the experiment's answer."""
    asked = [row for row in table if row["workload"] == "all" and row["p"] != ""]
    adjusted = iter(holm([row["p"] for row in asked]).tolist())
    for row in table:
        row["p"] = f"{next(adjusted):.4f}" if any(row is one for one in asked) else ""


def main() -> None:
    os.nice(5)
    log = Log(RUNS)
    chosen: dict[str, Settings | None] = {who: tuned(log, who) for who in TEAMS} | dict.fromkeys(REFERENCES)
    judged = {
        (workload, who): log.runs(workload, who, settings, SEEDS)
        for workload in WORKLOADS
        for who, settings in chosen.items()
    }
    table = summarised(chosen, judged)
    write_table(SUMMARY, table)
    write_whole(README, _TABLES.sub(lambda _: as_markdown(table), README.read_text()))


def as_markdown(table: Sequence[Mapping[str, Any]]) -> str:
    """The README's table."""
    header = ("workload", "who", "interquartile mean", "beats one agent", "p (Holm)", "runs that met all budgets")
    text = f"| {' | '.join(header)} |\n|{'---|' * len(header)}\n"
    for row in table:
        name = {THREE: "`three-apps`", "all": "all"}.get(row["workload"], f"`{row['workload']}`")
        middle = f"{row['iqm']} ({row['iqm_low']}..{row['iqm_high']})" if row["iqm"] else ""
        wins = f"{row['beats_one_agent']} ({row['low']}..{row['high']})" if row["beats_one_agent"] else ""
        cells = (name, row["who"], middle, wins, row["p"], f"{row['met']} of {row['runs']}")
        text += f"| {' | '.join(cells)} |\n"
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
