"""Which parameters matter: the variance of the reward that each explains alone."""

from __future__ import annotations

__all__ = ["build", "explained_shares"]

import json
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.report.charts import Axis, Bars, Chart, Section, Table, View
from archgym.report.study_data import StudyData, one_at_a_time
from archgym_simulators import InputError

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS = 20_000
_ENOUGH_ROWS = 50
_UNBIASED = "random_search"
_SHOWN = 20
_SOME = 0.05


def build(data: StudyData) -> Section:
    """Bars, one task at a time."""
    title = "Which parameters matter"
    return Section("importance", title, one_at_a_time(data, _view))


def _view(data: StudyData, no: int) -> View:
    one = data.tasks[no]
    designs, rewards, source, is_even = _designs(data, no)
    if len(designs) < _ENOUGH_ROWS:
        return View(
            (f"{one.name}: {len(designs)} valid designs are on record, too few to tell which parameter matters.",)
        )
    shares = explained_shares(designs, rewards)
    if not shares:
        return View((f"{one.name}: every design on record has the same reward, so no parameter matters.",))
    ordered = sorted(shares, key=lambda name: -shares[name])
    shown = ordered[:_SHOWN][::-1]
    chart = Chart(
        key="explained",
        title=f"Variance of the reward explained by each parameter alone: {one.name}",
        x=Axis("share of the variance", limits=(0.0, 1.0)),
        y=Axis("", ticks=shown),
        marks=[Bars(name="share", places=list(range(len(shown))), lengths=[max(0.0, shares[name]) for name in shown])],
        note="Analysis of variance, one parameter at a time (epsilon squared: corrected for the number of values).",
    )
    table = Table(
        key="explained",
        title="Share of the variance that a parameter explains alone",
        header=("parameter", "share", "values seen"),
        rows=[(name, f"{max(0.0, shares[name]):.1%}", f"{designs[name].nunique()}") for name in ordered],
        right=(1, 2),
    )
    words = [*_words(shares, ordered, is_even=is_even), f"Computed from {len(designs):,} {source}."]
    return View(words, (chart,), (table,))


def explained_shares(designs: pd.DataFrame, rewards: NDArray[np.float64]) -> dict[str, float]:
    """Epsilon squared of each column that varies; empty where rewards do not vary.

    (SS_between - (k - 1) MS_within) / SS_total for k values: unlike eta squared it does not reward a parameter for
    having many values (Kelley, "An unbiased correlation ratio measure", PNAS 1935).
    """
    import pandas as pd

    total = float(((rewards - rewards.mean()) ** 2).sum())
    if total <= 1e-12 * len(rewards):
        return {}
    shares = {}
    for name in designs.columns:
        codes, values = pd.factorize(designs[name].astype(str))
        if len(values) < 2 or len(values) >= len(rewards):
            continue
        counts = np.bincount(codes)
        means = np.bincount(codes, weights=rewards) / counts
        between = float((counts * (means - rewards.mean()) ** 2).sum())
        within = (total - between) / (len(rewards) - len(values))
        shares[str(name)] = (between - (len(values) - 1) * within) / total
    return shares


Designs = tuple["pd.DataFrame", NDArray[np.float64], str, bool]


def _designs(data: StudyData, no: int) -> Designs:
    """Valid designs, their rewards, what they are, and whether every value is as likely as another."""
    recorded = _recorded(data, no)
    if recorded is not None:
        return recorded
    kept = data.improvements[data.improvements["task_no"] == no].head(_MOST_ROWS)
    import pandas as pd

    columns = pd.DataFrame([json.loads(text) for text in kept["design"]], index=kept.index)
    source = (
        "designs that were the best of a run so far, because only those were recorded: good designs are "
        'over-represented; record = "all" with random_search gives an unbiased answer'
    )
    return columns, kept["reward"].to_numpy(dtype=np.float64), source, False


def _recorded(data: StudyData, no: int) -> Designs | None:
    """Every design of random search, else of all agents, where the study recorded them."""
    import pandas as pd

    runs = data.complete[data.complete["task_no"] == no]
    unbiased = runs[runs["agent"] == _UNBIASED]
    chosen = unbiased if len(unbiased) else runs
    names = list(data.tasks[no].baseline)
    parts: list[pd.DataFrame] = []
    try:
        for run_id in chosen["run_id"]:
            found = data.source.evaluations(str(run_id))
            parts.append(found.loc[found["status"] == "ok", [*names, "reward"]])
            if sum(map(len, parts)) >= _MOST_ROWS:
                break
    except (InputError, KeyError):
        return None
    if not parts or not names:
        return None
    together = pd.concat(parts).drop_duplicates(subset=names).head(_MOST_ROWS)
    source = (
        f"valid designs of {_UNBIASED}, which are drawn evenly"
        if len(unbiased)
        else "valid designs of agents that prefer some values, so that parameters are entangled; random_search would "
        "give an unbiased answer"
    )
    return together[names], together["reward"].to_numpy(dtype=np.float64), source, len(unbiased) > 0


def _words(shares: dict[str, float], ordered: list[str], *, is_even: bool) -> list[str]:
    first = ordered[0]
    total = min(1.0, sum(max(0.0, share) for share in shares.values()))
    few = [name for name in ordered if shares[name] >= _SOME]
    share = max(0.0, shares[first])
    words = [
        f"{first} matters most: alone it explains {share:.0%} of the variance of the reward."
        if share >= _SOME
        else f"No parameter explains {_SOME:.0%} of the variance of the reward alone."
    ]
    if len(few) > 1:
        words.append(f"Parameters that explain at least {_SOME:.0%} are {', '.join(few)}.")
    rest = 1.0 - total
    if rest > 0.05 and is_even:  # shares of entangled parameters do not add up
        words.append(f"{rest:.0%} is explained by no parameter alone: it lies in how they act together.")
    idle = [name for name in ordered if shares[name] < 0.001]
    if idle:
        count = len(idle)
        words.append(f"{count} of {len(ordered)} parameters explain{'s' if count == 1 else ''} next to nothing alone.")
    return words
