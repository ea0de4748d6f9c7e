"""The grammar of generated workloads: `NAME[:ARG,ARG,...][@RATE]`.

ARG is `key=value`, or for the first one a bare value of the workload's main parameter. RATE is the injection
rate in requests per player clock, 0 < RATE <= 1. `stride:4096,n=20000@0.5` reads: workload `stride`, its main
parameter `stride` 4096, 20,000 requests, one every two clocks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean

SLOWEST_RATE = 1e-5

_WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)
_REAL = re.compile(r"([0-9]{1,18}(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a workload; `low..high` inclusive, whole numbers in multiples of `step` where it is > 0."""

    name: str
    default: int | float
    low: int | float
    high: int | float
    description: str
    step: int = 1  # 0: a real number

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.step == 0:
            return f"a number {self.low:g}..{self.high:g}"
        kind = "a whole number" if self.step == 1 else f"a multiple of {self.step},"
        return f"{kind} {self.low}..{self.high}"

    def parse(self, text: str) -> int | float:
        """Read one value.

        Raises:
            InputError: One line: the value and what is allowed.
        """
        real = self.step == 0
        value = None
        if (_REAL if real else _WHOLE).fullmatch(text):
            value = float(text) if real else int(text)
        if value is None or not self.low <= value <= self.high or (not real and value % self.step):
            raise InputError(f"{self.name}={_cut(text)} is not allowed; allowed is {self.allowed}")
        return value


@dataclass(frozen=True, slots=True)
class Grammar:
    """What a workload name accepts: its parameters, the main one first, and its default rate."""

    name: str
    parameters: tuple[Parameter, ...]
    rate: float = 1.0

    def parameter(self, name: str) -> Parameter:
        """Find a parameter by name.

        Raises:
            InputError: One line: the name, what is allowed, the nearest match.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        names = [parameter.name for parameter in self.parameters]
        raise InputError(
            f"unknown argument {_cut(name)!r}; allowed are {allowed_values(names)}{did_you_mean(name, names)}"
        )


@dataclass(frozen=True, slots=True)
class Spec:
    """A parsed spec: every parameter of the workload has a value."""

    grammar: Grammar
    values: Mapping[str, int | float]
    rate: float

    def __str__(self) -> str:
        """The canonical spelling: arguments that differ from their defaults, in declared order."""
        arguments = []
        for position, parameter in enumerate(self.grammar.parameters):
            value = self.values[parameter.name]
            if value != parameter.default:
                arguments.append(number_text(value) if position == 0 else f"{parameter.name}={number_text(value)}")
        text = self.grammar.name + (":" + ",".join(arguments) if arguments else "")
        return text if self.rate == self.grammar.rate else f"{text}@{number_text(self.rate)}"


def parse_spec(text: str, grammars: Mapping[str, Grammar]) -> Spec:
    """Parse a workload spec.

    Args:
        text: See the module's first lines.
        grammars: What each workload name accepts.

    Raises:
        InputError: One line naming the spec, the offending token, what is allowed and the nearest match.
    """
    name, arguments, rate = split_spec(text)
    grammar = grammars.get(name)
    if grammar is None:
        raise InputError(unknown_workload(text, name, list(grammars)))
    try:
        values: dict[str, int | float] = {}
        for position, argument in enumerate(arguments):
            parameter, value = _argument(grammar, argument, first=position == 0)
            if parameter.name in values:
                raise InputError(f"{parameter.name} is given twice")
            values[parameter.name] = value
        complete = {parameter.name: values.get(parameter.name, parameter.default) for parameter in grammar.parameters}
        return Spec(grammar, complete, grammar.rate if rate is None else _rate(rate))
    except InputError as error:
        raise InputError(f"workload {_cut(text)!r}: {error}") from None


def split_spec(text: str) -> tuple[str, list[str], str | None]:
    """Split a spec into name, arguments and rate (None where there is no `@`), unchecked."""
    body, at, rate = text.partition("@")
    name, colon, arguments = body.partition(":")
    return name, arguments.split(",") if colon else [], rate if at else None


def unknown_workload(text: str, name: str, names: list[str]) -> str:
    """Return the one-line message for a text that names neither a workload nor a trace file."""
    return (
        f"unknown workload {_cut(text)!r}; allowed are {allowed_values(names, most=20)}, "
        f"or the path of a trace file{did_you_mean(name, names)}"
    )


def _argument(grammar: Grammar, text: str, *, first: bool) -> tuple[Parameter, int | float]:
    key, equals, value = text.partition("=")
    if equals:
        parameter = grammar.parameter(key)
        return parameter, parameter.parse(value)
    main = grammar.parameters[0]
    if not text:
        raise InputError(f"empty argument; expected KEY=VALUE or {main.name}, {main.allowed}")
    if not first:
        raise InputError(f"{_cut(text)!r} is not KEY=VALUE; only the first argument may omit its key ({main.name})")
    return main, main.parse(text)


def _rate(text: str) -> float:
    rate = float(text) if _REAL.fullmatch(text) else math.nan
    if not SLOWEST_RATE <= rate <= 1.0:
        raise InputError(f"rate @{_cut(text)} is not allowed; allowed is {SLOWEST_RATE:g}..1 requests per player clock")
    return rate


def number_text(value: int | float) -> str:
    """Spell a number the shortest way that reads back the same."""
    return str(int(value)) if value == int(value) else repr(value)


def _cut(text: str, most: int = 60) -> str:
    # repr later or not: no line break of the user's may split a one-line message.
    shown = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return shown if len(shown) <= most else shown[:most] + "..."
