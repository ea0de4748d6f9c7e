"""Who meets whom, on what: the champion, its rivals, their trials on development tasks, the test tasks."""

from __future__ import annotations

__all__ = [
    "BUDGETS",
    "CHAMPION",
    "DEV_TASKS",
    "RIVALS",
    "TEST_TASKS",
    "Contender",
    "contenders",
    "judge",
    "judged",
    "trial_regrets",
    "tune",
    "tuned_settings",
]

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.registry import agent_class
from archgym.statistics import iqm
from archgym.studies.engine import StudySummary, run_study
from archgym.studies.study_file import parse_study
from experiments.champion.outcomes import outcomes
from experiments.regrets_of_runs import is_run, matrix

CHAMPION = "bayesian"
"""At its defaults, which were chosen on development tasks; the agent has not been changed since."""
RIVALS = ("optuna_tpe", "smac", "optuna_gp")

TRIALS = 6
"""Settings that each rival may try, its defaults among them: as many as Optuna's Gaussian process has."""
TRIAL_CALLS = 100
TRIAL_SEEDS = (100, 101)
BUDGETS = (100, 300)
"""A run has the larger; the smaller is its beginning."""

DEV_TASKS = (
    "attention-dev-edge-edap",
    "dram-dev-p99",
    "dram-extended-dev-edp",
    "maestro-dev-latency",
    "mapping-dev-conv-edp",
    "soc-dev-graph",
    "systolic-dev-edp",
    "tpe-dev-energy",
    "accelerator-dev-edge-latency",
)
TEST_TASKS: Mapping[str, tuple[str, ...]] = {
    "tpe": ("tpe-int8-energy", "tpe-mixed-area-efficiency", "tpe-float-edp"),
    "systolic": ("systolic-mixed-edp", "systolic-edge-latency", "systolic-narrow-edap"),
    "attention": ("attention-long-edp", "attention-edge-latency", "attention-short-edap"),
    "maestro": ("maestro-conv-edp", "maestro-mixed-latency"),
    "dram": ("dram-mixed-time", "dram-mixed-p99", "dram-zipf-time"),
    "mapping": ("mapping-conv-edp", "mapping-gemm-edp", "mapping-small-edp"),
    "soc": ("soc-three-apps", "soc-shared"),
    "dram-extended": ("dram-extended-time", "dram-extended-power"),
    "accelerator": ("accelerator-edge-edp", "accelerator-mobile-edp"),
}
"""By family, cheapest first: a judgement that is stopped has whole families."""


@dataclass(frozen=True)
class Contender:
    """An agent with its settings.

    Attributes:
        name: the agent's, with "tuned" where its settings were chosen.
        agent: the agent's.
        settings: those that are not its defaults.
    """

    name: str
    agent: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def tune(rival: str, out: Path) -> StudySummary:
    """Run a rival's trials on the development tasks, or go on with them."""
    agent = {"name": rival, "samples": TRIALS - 1}
    return _run(f"champion, trials of {rival}", DEV_TASKS, agent, TRIAL_SEEDS, TRIAL_CALLS, _trials(out, rival))


def judge(contender: Contender, family: str, out: Path, *, seeds: int) -> StudySummary:
    """Run a contender on a family's test tasks, or go on with it: more seeds are added."""
    agent = {"name": contender.agent, "settings": dict(contender.settings)}
    name = f"champion, {contender.name} on {family}"
    return _run(name, TEST_TASKS[family], agent, range(seeds), max(BUDGETS), judged(out, family, contender.name))


def judged(out: Path, family: str, name: str) -> Path:
    """Where a contender's runs on a family are."""
    return out / "judge" / family / name.replace(" ", "_")


def _trials(out: Path, rival: str) -> Path:
    return out / "tune" / rival


def _run(
    name: str, tasks: Sequence[str], agent: Mapping[str, Any], seeds: Sequence[int], calls: int, folder: Path
) -> StudySummary:
    content = {"name": name, "tasks": list(tasks), "agents": [agent], "seeds": list(seeds), "budget": calls}
    return run_study(parse_study(content), folder, extend=True, retry_failed=True)


def trial_regrets(rival: str, out: Path) -> dict[str, NDArray[np.float64]]:
    """Regrets (R, T) on the development tasks by settings, as JSON; empty where the trials are not done."""
    folder = _trials(out, rival)
    if not is_run(folder):
        return {}
    rows = outcomes([(rival, folder)], [TRIAL_CALLS])
    tasks, seeds = rows["task"].unique().tolist(), sorted(rows["seed"].unique().tolist())
    return {str(settings): matrix(own, tasks, seeds) for settings, own in rows.groupby("settings", sort=False)}


def tuned_settings(rival: str, out: Path) -> Mapping[str, Any] | None:
    """The settings of the least interquartile mean regret over the trials; None where these are not done."""
    regrets = trial_regrets(rival, out)
    if not regrets:
        return None
    chosen: Mapping[str, Any] = json.loads(min(regrets, key=lambda settings: float(iqm(regrets[settings]))))
    return chosen


def contenders(out: Path) -> Iterator[Contender]:
    """The champion, every rival at its defaults, and every rival that has been tuned to something else."""
    yield Contender(CHAMPION, CHAMPION)
    for rival in RIVALS:
        yield Contender(rival, rival)
        chosen = tuned_settings(rival, out)
        if chosen is not None and chosen != agent_class(rival).Config().to_json():
            yield Contender(f"{rival} tuned", rival, chosen)
