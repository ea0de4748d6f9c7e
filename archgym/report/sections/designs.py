"""What the best designs look like beside the baseline."""

from __future__ import annotations

__all__ = ["build"]

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.report.charts import Section, Table, View
from archgym.report.study_data import StudyData, best_words, one_at_a_time
from archgym.report.task_data import TaskData
from archgym.wording import number
from archgym_simulators import ArchgymError

if TYPE_CHECKING:
    import pandas as pd

_NEAR = 0.01  # of the best, in the logarithm of the objective: about 1 %
_MOST_AGENTS = 6


def build(data: StudyData) -> Section:
    """Tables of designs and their metrics, one task at a time."""
    title = "The best designs beside the baseline"
    return Section("designs", title, one_at_a_time(data, _view))


def _view(data: StudyData, no: int) -> View:
    one = data.tasks[no]
    kept = data.improvements[data.improvements["task_no"] == no]
    if kept.empty:
        return View((f"{one.name}: no run found a feasible design.",))
    best = _best_of_each(data, kept)
    agents = list(best)[:_MOST_AGENTS]
    designs = {name: json.loads(best[name]["design"]) for name in agents}
    near = _near_best(kept)
    tables = [_parameters(one, designs, near), *_metrics(one, designs)]
    return View([*best_words(one), *_words(one, best, agents, near)], (), tables)


def _best_of_each(data: StudyData, kept: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """The best improvement of each agent, best agent first; earliest where several are equal."""
    agent = data.runs["agent_no"].to_numpy()[kept["run_no"].to_numpy()]
    ordered = kept.assign(agent_no=agent).sort_values(["reward", "evaluation"], ascending=[False, True], kind="stable")
    firsts = ordered.drop_duplicates("agent_no")
    return {data.agents[int(row["agent_no"])]: row for _, row in firsts.iterrows()}


def _near_best(kept: pd.DataFrame) -> list[dict[str, Any]]:
    """The best design of every run that came within 1 % of the best; of a front's designs the last need not be it."""
    best = kept.sort_values(["run_no", "reward"], kind="stable").drop_duplicates("run_no", keep="last")
    close = best[best["reward"] >= kept["reward"].max() - _NEAR]
    return [json.loads(text) for text in close["design"]]


def _parameters(one: TaskData, designs: dict[str, dict[str, Any]], near: list[dict[str, Any]]) -> Table:
    names = list(next(iter(designs.values())))
    rows = []
    for name in names:
        counted = Counter(str(design.get(name)) for design in near)
        value, times = counted.most_common(1)[0]
        agreed = f"{value} ({times / len(near):.0%})"
        found = [_marked(design.get(name), one.baseline.get(name)) for design in designs.values()]
        rows.append((name, str(one.baseline.get(name, "-")), *found, agreed))
    header = (
        "parameter",
        "baseline",
        *(f"best of {agent}" for agent in designs),
        f"commonest of {len(near)} near-best",
    )
    return Table(key="designs", title="Designs; a star marks what differs from the baseline", header=header, rows=rows)


def _marked(value: Any, reference: Any) -> str:
    return f"{value}" if value == reference else f"{value} *"


def _metrics(one: TaskData, designs: dict[str, dict[str, Any]]) -> list[Table]:
    """Metrics of the same designs, simulated for the report."""
    if one.problem is None:
        return []
    problem = one.problem
    names = list(problem.simulator.metric_names())
    try:
        rows = np.stack([problem.space.encode_row(design) for design in designs.values()])
        values = problem.evaluate(problem.space.canonical(rows)).values
    except ArchgymError:
        return []
    baseline = dict(zip(names, problem.baseline_values.tolist(), strict=True))
    cells = [
        (name, number(baseline[name]), *(_beside(float(value), baseline[name]) for value in values[:, m]))
        for m, name in enumerate(names)
    ]
    header = ("metric", "baseline", *(f"best of {agent}" for agent in designs))
    right = tuple(range(1, len(header)))
    return [Table(key="metrics", title="What they are worth", header=header, rows=cells, right=right)]


def _beside(value: float, reference: float) -> str:
    return f"{number(value)} ({value / reference:.2f}x)" if reference > 0 and value > 0 else number(value)


def _words(one: TaskData, best: dict[str, pd.Series[Any]], agents: list[str], near: list[dict[str, Any]]) -> list[str]:
    first = best[agents[0]]
    design, words = json.loads(first["design"]), []
    changed = [name for name in design if one.baseline and design[name] != one.baseline.get(name)]
    if one.is_ratio and not one.has_front:
        gain = float(np.exp(first["reward"]))
        words.append(f"The best design, found by {agents[0]}, is {gain:.3g} times as good as the baseline.")
    else:
        words.append(f"The best design, found by {agents[0]}, has a reward of {number(float(first['reward']))}.")
    if one.baseline:
        words.append(f"It differs from {one.baseline_name} in {len(changed)} of {len(design)} parameters.")
    agreed = [name for name in design if len({str(other.get(name)) for other in near}) == 1]
    if len(near) > 1:
        words.append(
            f"{len(near)} runs came within 1 % of the best; they agree on {len(agreed)} of {len(design)} parameters"
            + (f": {', '.join(agreed)}." if agreed else ": there are many ways to be good.")
        )
    return words
