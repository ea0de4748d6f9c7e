"""The file of a study: TOML, checked whole before anything runs."""

from __future__ import annotations

__all__ = ["parse_study", "read_study"]

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from archgym.registry import agent_class, agent_names, environments
from archgym.run_plan import limits_of, whole_seed
from archgym.studies.definition import AgentSetting, Replicates, StudyDefinition, StudyTask
from archgym.studies.settings import agent_settings
from archgym.tasks import problem_of, tasks
from archgym_simulators import InputError
from archgym_simulators.nearest import did_you_mean

_TASK_LIMITS = ("budget", "budget_unit", "max_proposals")
_STUDY_KEYS = (
    *("name", "description", "tasks", "agents", "seeds", "sampling_seed", "record", "options"),
    *_TASK_LIMITS,
)
_TASK_KEYS = ("name", "env", "workload", "objective", "constraints", "options", "reference_point", *_TASK_LIMITS)
_AGENT_KEYS = ("name", "settings", "grid", "samples", "default")


def read_study(path: Path | str) -> StudyDefinition:
    """Read a study's file.

    Raises:
        InputError: an unreadable file, or whatever `parse_study` refuses, with the file's name.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {file}: {getattr(error, 'strerror', None) or error}") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file} is no TOML: {error}") from error
    try:
        return parse_study(content, name=file.stem, text=text)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error


def parse_study(content: Mapping[str, Any], *, name: str = "study", text: str = "") -> StudyDefinition:
    """Check the content of a study's file; problems are not bound yet.

    Args:
        content: as parsed from TOML.
        name: of the study, where it names none.
        text: of the file.

    Raises:
        InputError: an unknown key, task, environment, agent or setting, a value of the wrong kind, something listed
            twice, or nothing to run.
    """
    _check_keys("study", content, _STUDY_KEYS)
    record = _value(content, "record", "improvements", str, "'all' or 'improvements'")
    if record not in ("all", "improvements"):
        raise InputError(f"record must be 'all' or 'improvements', not {record!r}")
    return StudyDefinition(
        name=_value(content, "name", name, str, "text"),
        description=_value(content, "description", "", str, "text"),
        tasks=_tasks(content),
        settings=_settings(content),
        seeds=_seeds(content.get("seeds")),
        record=record,
        text=text,
    )


def _tasks(content: Mapping[str, Any]) -> tuple[StudyTask, ...]:
    shared = {key: content[key] for key in (*_TASK_LIMITS, "options") if key in content}
    found = [_task(_as_table("tasks", entry, _TASK_KEYS), shared) for entry in _entries(content, "tasks")]
    _refuse_twice("task", [one.spec.digest for one in found], [one.label for one in found])
    return tuple(found)


def _task(entry: Mapping[str, Any], shared: Mapping[str, Any]) -> StudyTask:
    if ("name" in entry) == ("env" in entry):
        raise InputError(f"an entry of tasks needs a name (of a task) or an env, and not both: {dict(entry)!r}")
    named = _value(entry, "name" if "name" in entry else "env", "", str, "text")
    if "name" in entry and named not in tasks() and named not in environments() and ".py" not in named:
        known = [*tasks(), *environments()]
        raise InputError(f"unknown task {named!r}{did_you_mean(named, known)}; allowed: {', '.join(known)}")
    options = {**_mapping(shared, "options"), **_mapping(entry, "options")}
    given = {key: entry[key] for key in ("workload", "objective", "constraints") if key in entry}
    spec, task = problem_of(named, options=options, **given)
    asked, unit, most = (entry.get(key, shared.get(key)) for key in _TASK_LIMITS)
    budgets = [limits_of(task, one, unit or "calls", most) for one in (asked if isinstance(asked, list) else [asked])]
    limits = max(budgets, key=lambda budget: budget.limit or 0, default=limits_of(task, None))
    if limits.limit is None:
        raise InputError(f"{named!r} is no task of a suite, so it needs a budget (for itself, or for the whole study)")
    reference = entry.get("reference_point", task.reference_point if task is not None else ())
    if not isinstance(reference, list | tuple) or not all(_is_number(value) for value in reference):
        raise InputError(f"reference_point must be a list of numbers, one an objective, not {reference!r}")
    ascending = tuple(sorted({budget.limit for budget in budgets if budget.limit is not None} or {limits.limit}))
    return StudyTask(spec, task, limits, ascending, tuple(float(value) for value in reference))


def _settings(content: Mapping[str, Any]) -> tuple[AgentSetting, ...]:
    sampling_seed = whole_seed(content.get("sampling_seed", 0))
    found: dict[str, AgentSetting] = {}
    for entry in _entries(content, "agents"):
        for setting in _settings_of(_as_table("agents", entry, _AGENT_KEYS), sampling_seed):
            found.setdefault(setting.digest, setting)
    return tuple(found.values())


def _settings_of(entry: Mapping[str, Any], sampling_seed: int) -> list[AgentSetting]:
    agent = _value(entry, "name", "", str, "the name of an agent")
    if not agent:
        raise InputError(f"an entry of agents needs a name, one of {', '.join(agent_names())}: {dict(entry)!r}")
    spelt = agent.replace("-", "_")
    agent = spelt if spelt in agent_names() else agent
    fixed, grid = _mapping(entry, "settings"), _mapping(entry, "grid")
    samples = _value(entry, "samples", 0, int, "a whole number of at least 0")
    agent_class(agent)  # unknown, it is named as an agent and not as a setting's owner
    try:
        return agent_settings(
            agent,
            fixed=fixed,
            grid={name: _list_of(f"grid.{name}", values) for name, values in grid.items()},
            samples=samples,
            with_base=_value(entry, "default", not grid, bool, "true or false"),
            sampling_seed=sampling_seed,
        )
    except InputError as error:
        raise InputError(f"agent {agent!r}: {error}") from error


def _seeds(given: object) -> Replicates:
    seeds: tuple[int, ...] = ()
    if isinstance(given, list):
        seeds = tuple(whole_seed(seed) for seed in given)
        _refuse_twice("seed", seeds, [str(seed) for seed in seeds])
    elif not isinstance(given, int) or isinstance(given, bool):
        raise InputError(f"a study needs seeds: how many, or a list of whole numbers, not {given!r}")
    count = given if isinstance(given, int) else len(seeds)
    if count < 1:
        raise InputError(f"nothing to run: seeds is {given!r}; give how many, at least 1, or a list")
    return Replicates(count, seeds)


# ---- checking of values ----------------------------------------------------------------------------------------------


def _check_keys(where: str, table: Mapping[str, Any], allowed: Sequence[str]) -> None:
    for key in table:
        if key not in allowed:
            raise InputError(
                f"unknown key {key!r} in {where}{did_you_mean(key, allowed)}; allowed: {', '.join(allowed)}"
            )


def _entries(content: Mapping[str, Any], key: str) -> list[Any]:
    entries = content.get(key)
    if not isinstance(entries, list):
        raise InputError(f"a study needs {key}: a list of names or tables, not {entries!r}")
    if not entries:
        raise InputError(f"nothing to run: {key} is an empty list")
    return entries


def _as_table(where: str, entry: object, allowed: Sequence[str]) -> Mapping[str, Any]:
    if isinstance(entry, str):
        return {"name": entry}
    if not isinstance(entry, dict):
        raise InputError(f"an entry of {where} must be a name or a table, not {entry!r}")
    _check_keys(where, entry, allowed)
    return entry


def _value(table: Mapping[str, Any], key: str, default: Any, kind: type, what: str) -> Any:
    value = table.get(key, default)
    is_stray = isinstance(value, bool) and kind is not bool
    if not isinstance(value, kind) or is_stray or (isinstance(value, int) and value < 0):
        raise InputError(f"{key} must be {what}, not {value!r}")
    return value


def _mapping(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _value(table, key, {}, dict, "a table")
    return found


def _list_of(name: str, values: object) -> list[Any]:
    if not isinstance(values, list) or not values:
        raise InputError(f"{name} must be a list of at least one value, not {values!r}")
    return values


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refuse_twice(what: str, keys: Iterable[Any], labels: Sequence[str]) -> None:
    seen: set[Any] = set()
    for key, label in zip(keys, labels, strict=True):
        if key in seen:
            raise InputError(f"{what} {label} is listed twice")
        seen.add(key)
