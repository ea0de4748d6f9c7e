"""``archgym list``: what there is."""

from __future__ import annotations

__all__ = ["parser", "run"]

import argparse
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from archgym.cli import text
from archgym.cli.parser import Parser, one_of
from archgym.cli.problem_arguments import environment_id
from archgym.registry import environment, environments, simulator_class
from archgym_simulators import InputError

KINDS = ("envs", "agents", "tasks")
KINDS_OF_ENVIRONMENT = ("workloads", "objectives")

Entries = list[dict[str, Any]]


def parser() -> Parser:
    """Arguments of ``archgym list``."""
    made = Parser(
        "list",
        "List environments, agents and tasks, or what one environment offers.",
        ["list", "list agents --json", "list workloads archgym/DRAM-v0"],
    )
    kinds = (*KINDS, *KINDS_OF_ENVIRONMENT)
    made.add_argument("kind", metavar="KIND", nargs="?", type=one_of(kinds), help=f"{', '.join(kinds)}; all where none")
    made.add_argument("env_id", metavar="ENV_ID", nargs="?", type=environment_id, help="whose workloads or objectives")
    made.add_argument("--json", action="store_true", help="for programs")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Print the list."""
    kind, env_id = arguments.kind, arguments.env_id
    if kind in KINDS_OF_ENVIRONMENT:
        if env_id is None:
            raise InputError(f"list {kind} needs an environment; allowed: {', '.join(sorted(environments()))}")
        entries = _OF_ENVIRONMENT[kind](env_id)
        print(text.as_json(entries) if arguments.json else _as_text(kind, entries))
        return 0
    if env_id is not None:
        raise InputError(f"list {kind} takes no environment, found {env_id!r}")
    listed = {one: _EVERYWHERE[one]() for one in ([kind] if kind else KINDS)}
    if arguments.json:
        print(text.as_json(listed[kind] if kind else listed))
    else:
        print("\n\n".join(_as_text(one, entries, titled=kind is None) for one, entries in listed.items()))
    return 0


def _as_text(kind: str, entries: Entries, *, titled: bool = False) -> str:
    indent = 2 if titled else 0
    rows = [[entry[_NAME.get(kind, "name")], _remark(entry)] for entry in entries]
    body = text.table(rows, indent=indent) if rows else " " * indent + "none"
    return f"{kind}\n{body}" if titled else body


_NAME = {"envs": "id"}


def _remark(entry: dict[str, Any]) -> str:
    remarks = [entry["description"]]
    if "expression" in entry:
        return objective_in_words(entry)
    if entry.get("extra"):
        remarks.append(f"needs archgym[{entry['extra']}]")
    if entry.get("several_objectives"):
        remarks.append("takes several objectives")
    if entry.get("default"):
        remarks.append("the default")
    if "role" in entry:
        remarks.append(f"{entry['role']}, {entry['standing']}")
    return "; ".join(remark.rstrip(".") for remark in remarks if remark)


def objective_in_words(objective: dict[str, Any]) -> str:
    """What an objective means, and how: ``"energy times total time: energy_pj * total_time_ns; also called edp"``."""
    remarks = [objective["description"].rstrip(".")]
    if objective["expression"] != objective["name"]:
        remarks[0] += f": {objective['expression']}"
    if objective["aliases"]:
        remarks.append(f"also called {', '.join(objective['aliases'])}")
    if objective["requires"]:
        remarks.append(f"needs a constraint on {' or '.join(objective['requires'])}")
    if objective["default"]:
        remarks.append("the default")
    return "; ".join(remarks)


def _environments() -> Entries:
    return [
        {
            "id": family.id,
            "description": family.description,
            "default_workload": family.default_workload,
            "extra": family.extra,
        }
        for family in sorted(environments().values(), key=lambda family: family.id)
    ]


def _agents() -> Entries:
    from archgym.agent_listing import describe_agents

    return [asdict(one) for one in describe_agents()]


def _tasks() -> Entries:
    from archgym.tasks import tasks

    return [asdict(one) for one in tasks().values()]


def _workloads(env_id: str) -> Entries:
    default = environment(env_id).default_workload
    names = simulator_class(env_id).workload_names()
    return [{"name": name, "description": about, "default": name == default} for name, about in names.items()]


def _objectives(env_id: str) -> Entries:
    from archgym.cli.description import describe_objectives
    from archgym.problem import ProblemSpec

    return describe_objectives(ProblemSpec(env_id, environment(env_id).default_workload).declaration())


_EVERYWHERE: dict[str, Callable[[], Entries]] = {"envs": _environments, "agents": _agents, "tasks": _tasks}
_OF_ENVIRONMENT: dict[str, Callable[[str], Entries]] = {"workloads": _workloads, "objectives": _objectives}
