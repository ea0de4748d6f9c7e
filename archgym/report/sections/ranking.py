"""Which agent is best, under both counts, and how sure that is."""

from __future__ import annotations

__all__ = ["build"]

import numpy as np
from numpy.typing import NDArray

from archgym.report.charts import Axis, Bars, Chart, Section, Table, View
from archgym.report.fields import curves_of, default_words, interval_text, regret_axis, regret_text
from archgym.report.study_data import StudyData
from archgym.statistics import (
    RankStability,
    bootstrap_interval,
    holm,
    improvement_interval,
    iqm,
    permutation_p_value,
    probability_of_improvement,
    rank_stability,
)
from archgym.wording import number

_SEED = 1
_SIGNIFICANT = 0.05
_P_IN_WORDS = (
    "p is the chance of a difference at least as large if luck alone had dealt the runs to the two agents "
    "(permutation), raised because several agents are compared (Holm)."
)


def build(data: StudyData) -> Section:
    """One table of agents, one of pairs."""
    return Section("ranking", "Which agent is ahead", {scope: _view(data, scope) for scope in data.scopes()})


def _view(data: StudyData, scope: str) -> View:
    rng = np.random.default_rng(_SEED)
    field = data.field(scope)
    if not field:
        return View(("No run has ended as it should, so there is nothing to rank.",))
    finals = {name: data.regrets(rows) for name, rows in field.items()}
    by_proposals = {name: _at_equal_proposals(data, scope, rows) for name, rows in field.items()}
    scores = {name: float(iqm(regrets)) for name, regrets in finals.items()}
    order = sorted(field, key=lambda name: scores[name])
    intervals = {name: bootstrap_interval(finals[name], iqm, rng) for name in order}
    stability = _stability(finals, order, rng)
    table = _agents(data, field, order, intervals, scores, by_proposals, stability)
    words = [_leader(order, scores, intervals, finals), *_counts_words(order, scores, by_proposals)]
    pairs, verdict = _pairs(finals, order, rng) if len(order) > 1 else ([], "")
    words += [verdict] if verdict else []
    words += [_stability_words(stability)] if len(order) > 1 else []
    return View(
        [*words, *_nothing_words(data, field), *_scope_words(data, scope, field), default_words(data)],
        (_chart(order, scores, intervals),) if len(order) > 1 else (),
        (table, *pairs),
    )


def _at_equal_proposals(data: StudyData, scope: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Regrets (R, T) after as many proposals as the budget: as if repeated designs were charged."""
    tasks = data.common_tasks(scope)
    columns = [
        curves_of(data, rows[:, t : t + 1], np.array([data.tasks[no].budget]), count="proposal")[:, 0, 0]
        for t, no in enumerate(tasks)
    ]
    return np.stack(columns, axis=1)


def _stability(finals: dict[str, NDArray[np.float64]], order: list[str], rng: np.random.Generator) -> RankStability:
    fewest = min(len(finals[name]) for name in order)
    scores = np.stack([-finals[name][:fewest] for name in order])
    return rank_stability(scores, rng)


def _agents(
    data: StudyData,
    field: dict[str, NDArray[np.int64]],
    order: list[str],
    intervals: dict[str, tuple[float, float]],
    scores: dict[str, float],
    by_proposals: dict[str, NDArray[np.float64]],
    stability: RankStability,
) -> Table:
    rows = []
    counted = {name: float(iqm(by_proposals[name])) for name in order}
    for place, name in enumerate(order):
        mine = data.runs.loc[field[name].ravel()]
        rows.append(
            (
                f"{place + 1}",
                name,
                regret_text(scores[name]),
                interval_text(*intervals[name]) if len(field[name]) > 1 else "-",
                f"{stability.place_shares[place, 0]:.0%}",
                regret_text(counted[name]),
                f"{1 + sum(other < counted[name] for other in counted.values())}",
                f"{mine['proposals'].sum() / max(1, mine['evaluations'].sum()):.2f}",
                f"{field[name].shape[0]}",
                number(1e3 * mine["agent_seconds"].sum(min_count=1) / max(1, mine["proposals"].sum()), 2),
            )
        )
    header = (
        "place", "agent", "regret", "95 % interval", "first in resamples", "regret at equal proposals",
        "place at equal proposals", "proposals per simulation", "runs per task", "agent ms per proposal",
    )  # fmt: skip
    title = "Agents by interquartile mean of the regret at the whole budget"
    return Table(
        key="agents", title=title, header=header, rows=rows, right=(0, 2, 4, 5, 6, 7, 8, 9), agents=tuple(order)
    )


def _leader(
    order: list[str],
    scores: dict[str, float],
    intervals: dict[str, tuple[float, float]],
    finals: dict[str, NDArray[np.float64]],
) -> str:
    first = order[0]
    if len(order) == 1:
        return _alone(first, scores[first], intervals[first], finals[first])
    text = f"{first} is ahead with a regret of {regret_text(scores[first])} ({interval_text(*intervals[first])})"
    solved = float((finals[first] == 0.0).mean())
    text += f"; {solved:.0%} of its runs end at the best design" if solved else ""
    second = order[1]
    if scores[second] == scores[first]:
        return f"{text}, and {second} is level with it."
    return f"{text}, before {second} with {regret_text(scores[second])} ({interval_text(*intervals[second])})."


def _alone(name: str, score: float, interval: tuple[float, float], regrets: NDArray[np.float64]) -> str:
    if regrets.size == 1:
        return (
            f"{name} ends at a regret of {regret_text(score)}. It is one run of one agent: it says nothing of luck, "
            "and there is nothing to compare it with."
        )
    return (
        f"{name} ends at a regret of {regret_text(score)} ({interval_text(*interval)}); there is no other agent to "
        "compare it with."
    )


def _counts_words(
    order: list[str], scores: dict[str, float], by_proposals: dict[str, NDArray[np.float64]]
) -> list[str]:
    if len(order) < 2:
        return []
    counted = {name: float(iqm(by_proposals[name])) for name in order}
    other = sorted(order, key=lambda name: counted[name])
    if other == order or all(counted[name] == scores[name] for name in order):
        return ["The order is the same whether simulations or proposals are counted."]
    moved = next(a for a, b in zip(order, other, strict=True) if a != b)
    return [
        f"Counting every proposal instead of every simulation changes the order: {moved} moves from place "
        f"{order.index(moved) + 1} to {other.index(moved) + 1}, because it proposes designs that are known already."
        if other.index(moved) > order.index(moved)
        else f"Counting every proposal instead of every simulation changes the order: {moved} moves from place "
        f"{order.index(moved) + 1} to {other.index(moved) + 1}, because others propose designs that are known already."
    ]


def _pairs(
    finals: dict[str, NDArray[np.float64]], order: list[str], rng: np.random.Generator
) -> tuple[list[Table], str]:
    first, others = order[0], order[1:]
    chances = [probability_of_improvement(-finals[first], -finals[name]) for name in others]
    ends = [improvement_interval(-finals[first], -finals[name], rng) for name in others]
    adjusted = holm([permutation_p_value(-finals[first], -finals[name], rng) for name in others]).tolist()
    rows = [
        (name, f"{chance:.0%}", f"{low:.0%} to {high:.0%}", f"{p:.4f}", "yes" if p < _SIGNIFICANT else "no")
        for name, chance, (low, high), p in zip(others, chances, ends, adjusted, strict=True)
    ]
    table = Table(
        key="pairs",
        title=f"How often a run of {first} beats a run of another agent; ties count half",
        header=("agent", f"{first} is better", "95 % interval", "p (permutation, Holm)", "clear at 5 %"),
        rows=rows,
        right=(1, 3),
        agents=tuple(others),
    )
    unclear = [name for name, p in zip(others, adjusted, strict=True) if p >= _SIGNIFICANT]
    if not unclear:
        verdict = f"{first} is clearly better than every other agent (Holm-corrected permutation tests at 5 %)."
        return [table], f"{verdict} {_P_IN_WORDS}"
    return [table], (
        f"The seeds of this study do not tell {first} apart from {_listed(unclear)} (Holm-corrected permutation "
        f"tests at 5 %). {_P_IN_WORDS}"
    )


def _stability_words(stability: RankStability) -> str:
    share = float(stability.place_shares[0, 0])
    firm = "firm" if stability.agreement > 0.9 else "fairly firm" if stability.agreement > 0.7 else "loose"
    return (
        f"With the seeds drawn again, the leader stays first in {share:.0%} of resamples; the order as a whole is "
        f"{firm} (Kendall correlation {stability.agreement:.2f})."
    )


def _nothing_words(data: StudyData, field: dict[str, NDArray[np.int64]]) -> list[str]:
    runs = np.concatenate([rows.ravel() for rows in field.values()])
    empty = runs[~data.runs["feasible"].to_numpy(dtype=bool)[runs]]
    if not len(empty):
        return []
    counted = " or ".join(f"{regret:g}" for regret in np.unique(data.starts[empty])[::-1])
    return [f"{len(empty)} of these {len(runs):,} runs found nothing feasible, which counts as a regret of {counted}."]


def _scope_words(data: StudyData, scope: str, field: dict[str, NDArray[np.int64]]) -> list[str]:
    words = []
    common, tasks = data.common_tasks(scope), data.tasks_in(scope)
    if len(common) < len(tasks):
        words.append(f"Only {len(common)} of {len(tasks)} tasks were run by all agents; the ranking is over these.")
    absent = [name for name in data.agents if name not in field]
    if absent:
        words.append(f"{_listed(absent)} {'has' if len(absent) == 1 else 'have'} no complete run to be ranked by.")
    return words


def _chart(order: list[str], scores: dict[str, float], intervals: dict[str, tuple[float, float]]) -> Chart:
    ticks = order[::-1]
    marks = [
        Bars(
            name=name,
            agent=name,
            places=[ticks.index(name)],
            lengths=[scores[name]],
            low=[intervals[name][0]],
            high=[intervals[name][1]],
        )
        for name in order
    ]
    return Chart(
        key="regret",
        title="Regret at the whole budget",
        x=regret_axis(),
        y=Axis("", ticks=ticks),
        marks=marks,
        note="Interquartile mean with 95 % interval over runs; left is better.",
    )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
