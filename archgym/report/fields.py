"""How runs of many agents are laid side by side: final and anytime regrets of those that stand for each agent."""

from __future__ import annotations

__all__ = ["FLOOR", "curves_of", "default_words", "interval_text", "regret_axis", "regret_text", "setting_names"]

import json
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.report.charts import Axis
from archgym.report.study_data import StudyData
from archgym.statistics import CEILING, values_at
from archgym.wording import number

if TYPE_CHECKING:
    import pandas as pd

FLOOR = 1e-3
"""Regrets below are drawn here: a logarithmic axis has no zero."""


def curves_of(
    data: StudyData, rows: NDArray[np.int64], grid: NDArray[np.int64], *, count: str = "evaluation"
) -> NDArray[np.float64]:
    """Regret after each number of evaluations, or of proposals: rows (R, T) to (R, T, G).

    Args:
        data: the study.
        rows: of its runs.
        grid: (G,) ascending.
        count: "evaluation" or "proposal".
    """
    run, evaluation, proposal, value = data.steps
    chosen = np.unique(rows)
    place = np.full(len(data.runs), -1, dtype=np.int64)
    place[chosen] = np.arange(len(chosen))
    kept = place[run] >= 0
    moments = (evaluation if count == "evaluation" else proposal)[kept]
    run, value = place[run[kept]], value[kept]
    last = np.ones(len(run), dtype=bool)  # of improvements at one and the same proposal the last is the best
    last[:-1] = (run[1:] != run[:-1]) | (moments[1:] != moments[:-1])
    found = values_at(run[last], moments[last], value[last], grid=grid, runs=len(chosen))
    return np.asarray(np.where(np.isnan(found), data.starts[chosen, None], found)[place[rows]])


def regret_axis(label: str = "regret") -> Axis:
    """A logarithmic axis of regrets."""
    return Axis(label, log=True, floor=FLOOR)


def regret_text(value: float) -> str:
    """A regret for people."""
    if value >= CEILING:
        return f"{CEILING:g} (the most)"
    return "0" if value == 0.0 else f"under {FLOOR:g}" if value < FLOOR else number(value, 3)


def interval_text(low: float, high: float) -> str:
    """An interval of regrets for people."""
    return f"{regret_text(low)} to {regret_text(high)}"


def setting_names(runs: pd.DataFrame) -> pd.Series[str]:
    """What each setting of one agent changes, by ``setting_id``: the settings that are not the same everywhere."""
    firsts = runs.drop_duplicates("setting_id").set_index("setting_id")["settings"].map(json.loads)
    names = dict.fromkeys(name for one in firsts for name in one)
    varied = [name for name in names if firsts.map(lambda one, n=name: json.dumps(one.get(n))).nunique() > 1]
    return firsts.map(lambda one: ", ".join(f"{name}={one.get(name)}" for name in varied) or "the only setting")


def default_words(data: StudyData) -> str:
    """Which runs stand for an agent."""
    without = [
        name
        for no, name in enumerate(data.agents)
        if not data.complete.loc[data.complete["agent_no"] == no, "is_default"].any()
    ]
    if not without:
        return "Each agent is represented by its default setting."
    return (
        "Each agent is represented by its default setting; "
        f"{', '.join(without)} {'has' if len(without) == 1 else 'have'} none in this study and "
        f"{'is' if len(without) == 1 else 'are'} represented by all runs."
    )
