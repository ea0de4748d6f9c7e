"""``archgym describe``: what an environment is made of."""

from __future__ import annotations

__all__ = ["parser", "run"]

import argparse
import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from archgym.cli import text
from archgym.cli.list import objective_in_words
from archgym.cli.optimum import certificate_in_words, stored
from archgym.cli.parser import Parser
from archgym.cli.problem_arguments import add_objective, add_options, add_problem, add_workload, problem_and_task
from archgym.wording import number
from archgym_simulators.nearest import allowed_values

if TYPE_CHECKING:
    from archgym.best_known import BestKnown


def parser() -> Parser:
    """Arguments of ``archgym describe``."""
    made = Parser(
        "describe",
        "Describe an environment: parameters, constraints, metrics, objectives, workloads, options, baseline.",
        ["describe archgym/DRAM-v0", "describe archgym/DRAM-v0 --json", "describe dram-mixed-time --reveal-optimum"],
    )
    add_problem(made)
    add_workload(made)
    add_objective(made)
    add_options(made)
    made.add_argument("--json", action="store_true", help="for programs")
    made.add_argument(
        "--reveal-optimum", action="store_true", help="also show the best design, certified or best known, if stored"
    )
    return made


def run(arguments: argparse.Namespace) -> int:
    """Print the description."""
    spec, task = problem_and_task(arguments)
    from archgym.best_known import best_known
    from archgym.cli.description import describe_environment

    about = describe_environment(spec)
    found = stored(spec, task) if arguments.reveal_optimum else None
    known = best_known(spec) if arguments.reveal_optimum and found is None else None
    if arguments.reveal_optimum:
        about["optimum"] = asdict(found) if found is not None else None
        about["best_known"] = asdict(known) if known is not None else None
    if task is not None:
        about["task"] = asdict(task)
    if arguments.json:
        print(text.as_json(about))
        return 0
    print("\n\n".join(part for part in _sections(about) if part))
    if found is not None:
        print(f"\nCertified optimum\n{certificate_in_words(found, spec)}")
    elif known is not None:
        print(f"\nBest known design (nobody has shown that there is none better)\n{_best_known(known, about)}")
    elif arguments.reveal_optimum:
        print(f"\nNo certified optimum is stored for {about['id']}, workload {about['workload']}.")
    return 0


def _best_known(known: BestKnown, about: dict[str, Any]) -> str:
    baseline = about["baseline"]
    design = [[name, str(baseline["design"][name]), str(value)] for name, value in known.design.items()]
    metrics = [[name, number(baseline["metrics"][name]), number(value)] for name, value in known.metrics.items()]
    how = (
        f"Reward {known.reward:.6f}, found by {known.found_by}; all searches together made {known.calls:,} simulations."
    )
    return "\n\n".join(
        [
            text.paragraph(how),
            text.table(design, ("parameter", "baseline", "best known")),
            text.table(metrics, ("metric", "baseline", "best known"), right=(1, 2)),
            f"To make the searches again:\n  {known.command}",
        ]
    )


def _sections(about: dict[str, Any]) -> list[str]:
    design = about["baseline"]["design"]
    return [
        _task(about["task"]) if "task" in about else "",
        _head(about),
        _section(
            "Parameters", ("name", "kind", "baseline", "values"), [_parameter(p, design) for p in about["parameters"]]
        ),
        _section(
            "What they mean", (), [[p["name"], p["description"]] for p in about["parameters"] if p["description"]]
        ),
        _section("Constraints", (), [[c["name"], _message(c["message"])] for c in about["constraints"]]),
        _section("Inert (changes nothing, for any workload)", (), [_inert(fold) for fold in about["inert"]]),
        _section(
            "Metrics",
            ("name", "better", "baseline", "meaning"),
            [_metric(m, about) for m in about["metrics"]],
            right=(2,),
        ),
        _section("Objectives", (), [[o["name"], objective_in_words(o)] for o in about["objectives"]]),
        _section("Workloads", (), [_workload(w, about) for w in about["workloads"].items()]),
        _section("Options (--option NAME=VALUE)", ("name", "type", "default"), [_option(o) for o in about["options"]]),
        _diagnostics(about["diagnostics"]),
    ]


def _task(task: dict[str, Any]) -> str:
    bounds = f", subject to {', '.join(task['constraints'])}" if task["constraints"] else ""
    units = "calls" if task["budget_unit"] == "calls" else "cost units"
    lines = [
        f"Task {task['name']} of {task['suite']} ({task['role']}, {task['standing']}). {task['description']}",
        f"Objective: {', '.join(task['objectives'])}{bounds}. Budget: {task['budget']:,} {units}.",
        f"Searched on: {task['workload']}. Judged on: {task['judge_workload']}.",
    ]
    return "\n".join(text.paragraph(line) for line in lines)


def _head(about: dict[str, Any]) -> str:
    size, canonical = about["size"], about["canonical_size"]
    designs = f"{size:,} designs"
    if canonical != size:
        designs += f", {canonical:,} that differ (the rest repeat them{': see Inert' if about['inert'] else ''})"
    lines = [
        f"{about['id']}  version {about['version']}",
        about["description"],
        f"{designs}.",
        f"Baseline: {about['baseline']['name']}. Workload: {about['workload']}. Cost unit: {about['cost_unit']}.",
    ]
    return "\n".join(text.paragraph(line) for line in lines if line)


def _section(title: str, header: tuple[str, ...], rows: list[list[str]], *, right: tuple[int, ...] = ()) -> str:
    return f"{title}\n{text.table(rows, header, right=right)}" if rows else ""


def _parameter(parameter: dict[str, Any], design: dict[str, Any]) -> list[str]:
    kind = parameter["kind"] if parameter["role"] == "design" else f"{parameter['kind']}, {parameter['role']}"
    return [parameter["name"], kind, str(design[parameter["name"]]), _values(parameter)]


def _values(parameter: dict[str, Any]) -> str:
    if "items" in parameter:
        return (
            f"orders of {', '.join(parameter['items'])} ({parameter['size']:,}), written {'>'.join(parameter['items'])}"
        )
    if "slots" in parameter:
        ones = "x".join(["1"] * (parameter["slots"] - 1) + [str(parameter["n"])])
        return f"{parameter['slots']} factors of {parameter['n']} ({parameter['size']:,} ways), written {ones}"
    values, unit = parameter["values"], parameter["unit"]
    listed = allowed_values(values)
    if parameter["kind"] == "integer" and len(values) > 2 and values[1] - values[0] == 1:
        listed = f"{values[0]} to {values[-1]}"
    return f"{listed} {unit}".rstrip()


def _message(template: str) -> str:
    return re.sub(r"\{(\w+)[^}]*\}", r"<\1>", template)


def _inert(fold: dict[str, Any]) -> list[str]:
    return [fold["parameter"], f"where {fold['when']} is {' or '.join(map(str, fold['is']))}"]


def _metric(metric: dict[str, Any], about: dict[str, Any]) -> list[str]:
    value = number(about["baseline"]["metrics"][metric["name"]])
    return [metric["name"], metric["better"], value, metric["description"]]


def _workload(workload: tuple[str, str], about: dict[str, Any]) -> list[str]:
    name, meaning = workload
    return [name, meaning + (" (the default)" if name == about["default_workload"] else "")]


def _option(option: dict[str, Any]) -> list[str]:
    return [option["name"], option["type"], "required" if option["required"] else json.dumps(option["default"])]


def _diagnostics(names: list[str]) -> str:
    return f"Diagnostics (archgym evaluate --diagnostics)\n{text.paragraph(', '.join(names), 2)}" if names else ""
