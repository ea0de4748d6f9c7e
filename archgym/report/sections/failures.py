"""Runs that failed and designs that were invalid, with their causes, and why runs stopped."""

from __future__ import annotations

__all__ = ["build", "cause_of"]

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from archgym.report.charts import Axis, Bars, Chart, Section, Table, View
from archgym.report.study_data import StudyData
from archgym.wording import STOP_REASONS
from archgym_simulators import InputError

if TYPE_CHECKING:
    import pandas as pd

_MOST_RUNS_READ = 50
_MOST_CAUSES = 12


def build(data: StudyData) -> Section:
    """Counts by cause."""
    return Section("failures", "Failures and their causes", {scope: _view(data, scope) for scope in data.scopes()})


def cause_of(error: str) -> str:
    r"""The last line of a traceback, with numbers and paths left out, so that equal causes are equal texts.

    >>> cause_of("Traceback ...\nValueError: row 17 of /tmp/x/y.csv")
    'ValueError: row # of ...'
    """
    lines = [line for line in error.strip().splitlines() if line.strip()]
    last = lines[-1].strip() if lines else "no reason given"
    return re.sub(r"-?\d+(\.\d+)?(e[-+]?\d+)?", "#", re.sub(r"(/[\w.+-]+){2,}", "...", last))


def _view(data: StudyData, scope: str) -> View:
    runs = data.runs[data.runs["task_no"].isin(data.tasks_in(scope))]
    failed = runs[runs["state"] != "complete"]
    invalid, simulated = int(runs["invalid"].sum()), int(runs["evaluations"].sum())
    words = [
        f"{len(failed):,} of {len(runs):,} runs failed."
        if len(failed)
        else f"All {len(runs):,} runs ended as they should.",
        f"{invalid:,} of {simulated:,} simulated designs were invalid ({invalid / max(1, simulated):.1%}), and "
        f"{int(runs['failed'].sum()):,} simulations failed.",
    ]
    tables = [_stops(runs)]
    if len(failed):
        causes = failed["error"].map(cause_of).value_counts()
        words.append(f"The commonest cause is: {causes.index[0]}.")
        tables.insert(0, _causes(failed))
    charts = []
    if invalid:
        charts.append(_chart(runs))
        reasons, read = _reasons(data, runs)
        if reasons is None:
            words.append('Why designs were invalid is known only where every evaluation is recorded (record = "all").')
        else:
            tables.insert(0, reasons)
            words.append(f"Reasons are from {read:,} runs.")
    words.append(_stop_words(runs))
    return View(words, charts, tables)


def _causes(failed: pd.DataFrame) -> Table:
    rows = _counted(failed["agent"], failed["error"].map(cause_of))
    return _table("failed", "Runs that failed", ("agent", "cause", "runs"), rows[:_MOST_CAUSES])


def _stops(runs: pd.DataFrame) -> Table:
    rows = _counted(runs["agent"], [STOP_REASONS.get(one, one) or "it did not end" for one in runs["stop_reason"]])
    return _table("stops", "Why runs stopped", ("agent", "because", "runs"), rows)


def _counted(agents: Iterable[object], causes: Iterable[object]) -> list[tuple[str, str, str]]:
    """Agent, cause and how often, commonest first."""
    counted = Counter(zip(map(str, agents), map(str, causes), strict=True))
    return [(agent, cause, f"{times:,}") for (agent, cause), times in counted.most_common()]


def _table(key: str, title: str, header: Sequence[str], rows: Sequence[tuple[str, str, str]]) -> Table:
    return Table(key=key, title=title, header=header, rows=rows, right=(2,), agents=[row[0] for row in rows])


def _stop_words(runs: pd.DataFrame) -> str:
    counted = runs["stop_reason"].value_counts()
    reason = str(counted.index[0])
    said = STOP_REASONS.get(reason, reason or "they did not end")
    if len(counted) == 1:
        return f"Every run stopped for the same reason: {said}."
    return f"{counted.iloc[0] / len(runs):.0%} of the runs stopped because {said}."


def _chart(runs: pd.DataFrame) -> Chart:
    sums = runs.groupby("agent", sort=False)[["invalid", "evaluations"]].sum()
    shares = (sums["invalid"] / sums["evaluations"].clip(lower=1)).to_dict()
    names = [str(name) for name in shares][::-1]
    return Chart(
        key="invalid",
        title="Simulations spent on invalid designs",
        x=Axis("share of simulations", limits=(0.0, 1.0)),
        y=Axis("", ticks=names),
        marks=[Bars(name=name, agent=name, places=[k], lengths=[float(shares[name])]) for k, name in enumerate(names)],
    )


def _reasons(data: StudyData, runs: pd.DataFrame) -> tuple[Table | None, int]:
    """Reasons of invalid designs, from runs of which every evaluation is recorded."""
    chosen = runs[runs["invalid"] > 0].head(_MOST_RUNS_READ)
    agents: list[str] = []
    reasons: list[str] = []
    try:
        for row in chosen.itertuples():
            found = data.source.evaluations(str(row.run_id))
            invalid = found.loc[found["status"] == "invalid", "reason"].astype(str)
            agents += [str(row.agent)] * len(invalid)
            reasons += [cause_of(text) for text in invalid]
    except (InputError, KeyError):
        return None, 0
    rows = _counted(agents, reasons)[:_MOST_CAUSES]
    return _table("reasons", "Why designs were invalid", ("agent", "reason", "designs"), rows), len(chosen)
