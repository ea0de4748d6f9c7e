"""What was run, and what regret is measured against."""

from __future__ import annotations

__all__ = ["build"]

from archgym.report.charts import Section, Table, View
from archgym.report.study_data import StudyData
from archgym.report.task_data import TaskData
from archgym.wording import number


def build(data: StudyData) -> Section:
    """Counts, and one row a task."""
    return Section("overview", "What was run", {scope: _view(data, scope) for scope in data.scopes()})


def _view(data: StudyData, scope: str) -> View:
    numbers = data.tasks_in(scope)
    runs = data.runs[data.runs["task_no"].isin(numbers)]
    failed = int((runs["state"] != "complete").sum())
    agents = runs["agent"].nunique()
    settings = runs.groupby("agent")["setting_id"].nunique()
    words = [
        f"{_many(len(runs), 'run')} of {_many(agents, 'agent')} on {_many(len(numbers), 'task')}: "
        f"{_many(int(runs['evaluations'].sum()), 'simulation')} for {int(runs['proposals'].sum()):,} proposals.",
    ]
    if settings.max() > 1:
        words.append(f"Agents have from {settings.min():,} to {settings.max():,} settings.")
    words.append(f"{_many(failed, 'run')} failed; see below why." if failed else "No run failed.")
    if not data.source.is_complete:
        words.append("The study has not ended yet: this is what has been recorded so far.")
    words += _scale_words(data, numbers)
    return View(words, (), (_tasks(data, numbers),))


def _scale_words(data: StudyData, numbers: list[int]) -> list[str]:
    certified = sum(data.tasks[no].reference.is_certified for no in numbers)
    if certified == len(numbers):
        known = "the certified optimum" if len(numbers) == 1 else "the certified optimum of each task"
    elif certified:
        known = f"the certified optimum on {certified} of {len(numbers)} tasks, and the best known on the others"
    else:
        known = "the best known, because no optimum is certified: true regrets may be larger"
    meaning = "Regret is 0 at the best design and 1 at the median random design, in logarithms."
    if any(data.tasks[no].has_front for no in numbers):
        meaning += " With several objectives it is the share of the best hypervolume that is missing."
    return [meaning, f"Here the best is {known}."]


def _tasks(data: StudyData, numbers: list[int]) -> Table:
    rows = [_row(data.tasks[no]) for no in numbers]
    header = ("task", "environment", "objective", "constraints", "budget", "best reward", "median reward")
    return Table(key="tasks", title="Tasks, and the two ends of the scale", header=header, rows=rows, right=(4,))


def _row(one: TaskData) -> tuple[str, ...]:
    scale = one.reference
    return (
        one.name + (f" ({one.role})" if one.role else ""),
        f"{one.env_id.rpartition('/')[2] if '.py:' in one.env_id else one.env_id}, {one.workload}",
        ", ".join(one.objectives) or "default",
        ", ".join(one.constraints) or "none",
        f"{one.budget:,}",
        f"{number(scale.best)} ({'hypervolume, ' if one.has_front else ''}{scale.best_source})",
        f"{number(scale.median)} ({scale.median_source})",
    )


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
