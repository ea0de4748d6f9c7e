"""What the runs come to: each contender's regret on the test tasks, and the champion's as a share of it."""

from __future__ import annotations

__all__ = ["FAMILIES", "TRIALS_FILE", "VERDICT", "share", "write_tables"]

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.statistics import bootstrap_interval, improvement_interval, iqm, probability_of_improvement
from archgym.statistics.bootstrap import resampled_statistic
from experiments.champion.outcomes import outcomes
from experiments.champion.protocol import (
    BUDGETS,
    CHAMPION,
    RIVALS,
    TEST_TASKS,
    Contender,
    contenders,
    judged,
    trial_regrets,
)
from experiments.multi_agent.csv_table import short, write_csv
from experiments.regrets_of_runs import is_run, matrix

if TYPE_CHECKING:
    import pandas as pd

HERE = Path(__file__).parent
VERDICT, FAMILIES, TRIALS_FILE = HERE / "verdict.csv", HERE / "families.csv", HERE / "trials.csv"

Floats = NDArray[np.float64]


def write_tables(out: Path) -> None:
    """Write the tables from the studies below ``out``: of the families that every contender has finished."""
    trials = [row for rival in RIVALS for row in _trial_rows(rival, out)]
    if trials:
        write_csv(TRIALS_FILE, trials)
    met = list(contenders(out))
    families = [family for family in TEST_TASKS if all(is_run(judged(out, family, one.name)) for one in met)]
    if not families:
        return
    rows = {
        family: outcomes([(one.name, judged(out, family, one.name)) for one in met], BUDGETS) for family in families
    }
    write_csv(FAMILIES, [row for family in families for row in _rows({family: rows[family]}, met)])
    write_csv(VERDICT, list(_rows(rows, met)))


def _trial_rows(rival: str, out: Path) -> Iterator[dict[str, Any]]:
    regrets = trial_regrets(rival, out)
    best = min(regrets, key=lambda settings: float(iqm(regrets[settings])), default="")
    for settings, one in regrets.items():
        yield {
            "agent": rival,
            "settings": settings,
            "iqm_regret": short(float(iqm(one))),
            "runs": one.size,
            "chosen": "yes" if settings == best else "",
        }


def _rows(of_family: dict[str, pd.DataFrame], met: Sequence[Contender]) -> Iterator[dict[str, Any]]:
    """One row a budget and contender, over the tasks of the families."""
    for budget in BUDGETS:
        regrets = _regrets(of_family, met, budget)
        for name, one in regrets.items():
            yield {
                "families": "+".join(of_family) if len(of_family) == 1 else len(of_family),
                "tasks": one.shape[1],
                "seeds": one.shape[0],
                "budget": budget,
                "contender": name,
                **_against(one, regrets[CHAMPION], name),
            }


def _regrets(of_family: dict[str, pd.DataFrame], met: Sequence[Contender], budget: int) -> dict[str, Floats]:
    """Regrets (R, T) of each contender at a budget, over all tasks of the families and the seeds that all have."""
    seeds = set.intersection(
        *(set(own["seed"]) for rows in of_family.values() for _, own in rows.groupby(["contender", "task"]))
    )
    return {
        one.name: np.concatenate(
            [
                matrix(
                    rows[(rows["contender"] == one.name) & (rows["budget"] == budget)],
                    TEST_TASKS[family],
                    sorted(seeds),
                )
                for family, rows in of_family.items()
            ],
            axis=1,
        )
        for one in met
    }


def _against(one: Floats, champion: Floats, name: str) -> dict[str, Any]:
    """A contender's regret with its interval, and how the champion stands to it."""
    low, high = bootstrap_interval(one, iqm, np.random.default_rng(0))
    found: dict[str, Any] = {"iqm_regret": short(float(iqm(one))), "low": short(low), "high": short(high)}
    if name == CHAMPION:
        return found | dict.fromkeys(("share", "share_low", "share_high", "champion_wins", "wins_low", "wins_high"), "")
    ratio, ends = share(champion, one)
    wins = improvement_interval(-champion, -one, np.random.default_rng(0))
    return found | {
        "share": short(ratio),
        "share_low": short(ends[0]),
        "share_high": short(ends[1]),
        "champion_wins": short(probability_of_improvement(-champion, -one)),
        "wins_low": short(wins[0]),
        "wins_high": short(wins[1]),
    }


def share(champion: Floats, rival: Floats) -> tuple[float, tuple[float, float]]:
    """The champion's IQM regret as a share of a rival's, and its 95 % interval; both (R, T)."""
    rng = np.random.default_rng(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = resampled_statistic(champion, iqm, rng) / resampled_statistic(rival, iqm, rng)
        ratio = float(iqm(champion)) / float(iqm(rival)) if float(iqm(rival)) else float("nan")
    low, high = np.nanquantile(drawn, [0.025, 0.975]) if not np.isnan(drawn).all() else (float("nan"),) * 2
    return ratio, (float(low), float(high))
