"""The arguments that name a problem, the same in every command that has one."""

from __future__ import annotations

__all__ = [
    "add_objective",
    "add_options",
    "add_problem",
    "add_workload",
    "key_values",
    "problem_and_task",
    "problem_spec",
]

import argparse
import inspect
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archgym_simulators import InputError, Simulator
from archgym_simulators.splits import SPLITS

if TYPE_CHECKING:
    from archgym.problem import ProblemSpec
    from archgym.tasks import Task


def environment_id(text: str) -> str:
    """A type for the argument that names an environment or a task: ids for several objectives are Gymnasium's only."""
    from archgym.registry import environments, several_objectives_id

    single = next((known for known in environments() if several_objectives_id(known) == text), None)
    if single is not None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is an id for gymnasium.make; here the id is {single!r}, and several objectives are given to "
            "search by repeating --objective"
        )
    return text


def workload(text: str) -> str:
    """A type for ``--workload``: a split holds as many workloads as one cares to draw."""
    if text in SPLITS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is a split, from which an environment draws a workload at each reset: "
            f"gymnasium.make(ENV_ID, workload={text!r}); here name one workload of 'archgym list workloads ENV_ID'"
        )
    return text


def add_problem(parser: argparse.ArgumentParser) -> None:
    """Add the positional environment id or task."""
    parser.add_argument(
        "env_id",
        metavar="ENV_ID|TASK",
        type=environment_id,
        help="an id of 'archgym list envs', path/chip.py:Chip, or a task of 'archgym list tasks', which fixes the rest",
    )


def add_workload(parser: argparse.ArgumentParser) -> None:
    """Add ``--workload``."""
    parser.add_argument(
        "--workload",
        metavar="W",
        type=workload,
        help="of 'archgym list workloads ENV_ID', or a path; the family's default",
    )


class _OneObjective(argparse.Action):
    """Refuses a second ``--objective``, which argparse would silently let win."""

    def __call__(
        self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: str | None = None
    ) -> None:
        given = getattr(namespace, self.dest)
        if given is not None:
            raise InputError(f"--objective is given twice, {given!r} and {values!r}; only search takes several")
        setattr(namespace, self.dest, values)


class _Objectives(argparse.Action):
    """One objective as a text, several as a list."""

    def __call__(
        self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: str | None = None
    ) -> None:
        given = getattr(namespace, self.dest)
        before = [given] if isinstance(given, str) else given
        setattr(namespace, self.dest, [*before, values] if before else values)


def add_objective(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Add ``--objective``, which may be repeated where ``several``, and ``--constraint``."""
    repeatable = "; repeat it for a vector of rewards" if several else ""
    parser.add_argument(
        "--objective",
        metavar="O",
        action=_Objectives if several else _OneObjective,
        help=f"of 'archgym list objectives ENV_ID', or an expression{repeatable}",
    )
    parser.add_argument(
        "--constraint", metavar="C", action="append", default=[], help="a bound such as 'power_mw<=900'; repeatable"
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--option``."""
    parser.add_argument(
        "--option",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="an option of the simulator, see 'archgym describe ENV_ID'; the value is JSON, else text; repeatable",
    )


def key_values(flag: str, texts: Sequence[str]) -> dict[str, Any]:
    """Parse ``KEY=VALUE`` texts; values parse as JSON, else as strings.

    >>> key_values("--option", ["rules=archgym", "scale=2", "note=a=b"])
    {'rules': 'archgym', 'scale': 2, 'note': 'a=b'}

    Raises:
        InputError: no ``=``, an empty key, or a key given twice.
    """
    values: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        key = key.strip()
        if not equals or not key:
            raise InputError(f"{flag} must read KEY=VALUE, not {text!r}")
        if key in values:
            raise InputError(f"{flag} {key} is given twice: {values[key]!r} and {value!r}")
        try:
            values[key] = json.loads(value)
        except ValueError:
            values[key] = value
    return values


def problem_spec(arguments: argparse.Namespace) -> ProblemSpec:
    """The problem that the arguments name.

    Raises:
        InputError: for anything unknown.
    """
    return problem_and_task(arguments)[0]


def problem_and_task(arguments: argparse.Namespace) -> tuple[ProblemSpec, Task | None]:
    """The problem that the arguments name, and the task if they name one.

    Raises:
        InputError: for anything unknown, or a choice that the task has made.
    """
    from archgym.tasks import problem_of

    return problem_of(
        arguments.env_id,
        workload=getattr(arguments, "workload", None),
        objective=getattr(arguments, "objective", None),
        constraints=split_constraints(getattr(arguments, "constraint", [])),
        options=key_values("--option", getattr(arguments, "option", [])),
    )


def split_constraints(texts: Sequence[str]) -> list[str]:
    """Constraints of repeated flags, each of which may hold several, separated by commas."""
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def option_parameters(simulator: type[Simulator]) -> dict[str, inspect.Parameter]:
    """The keyword arguments of a simulator's constructor, without the workload."""
    found = inspect.signature(simulator.__init__).parameters.values()
    fixed = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {p.name: p for p in list(found)[2:] if p.kind not in fixed}
