"""Objectives: how metrics become a reward, relative to a baseline.

The objective language, one line::

    total-time                         a name of the family (or an alias)
    energy_pj * total_time_ns^2        metrics in their own direction, multiplied; exponents are weights in log space
    min:latency_ns    max:bandwidth    metrics with a direction of your choice
    total_time_ns<=60000               a target: the reward rises to 0 and stays there once it is met or exceeded
    pole(power_mw, 1000)               target / |x - target|, ArchGym's published reward, for comparison only

Constraints are comparisons too (``power_mw<=900``). They subtract a graded violation, and a design that breaks one is
never the best.
"""

from __future__ import annotations

__all__ = ["INVALID_REWARD", "Bound", "Objective", "Term", "parse_constraint", "parse_objective"]

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

from archgym_simulators import InputError, Metric, NamedObjective
from archgym_simulators.nearest import did_you_mean

INVALID_REWARD = 30.0
"""Rewards of valid designs lie above -30 (a ratio of 1e-13 to the baseline); an invalid one gets -30 - violation."""

_LARGEST_WEIGHT = 1000.0
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_BOUND = re.compile(rf"^\s*(?P<metric>\w+)\s*(?P<operator><=|>=)\s*(?P<value>{_NUMBER})\s*$")
_TERM = re.compile(rf"^\s*(?:(?P<direction>min|max):)?(?P<metric>\w+)\s*(?:\^\s*(?P<weight>{_NUMBER}))?\s*$")
_POLE = re.compile(rf"^\s*pole\(\s*(?P<metric>\w+)\s*,\s*(?P<target>{_NUMBER})\s*\)\s*$")


@dataclass(frozen=True)
class Bound:
    """``metric <= value`` or ``metric >= value``."""

    metric: str
    operator: str
    value: float

    def __str__(self) -> str:
        return f"{self.metric}{self.operator}{self.value:.10g}"


@dataclass(frozen=True)
class Term:
    """One factor of an objective: a metric with a direction and a weight, or a pole at a target."""

    metric: str
    direction: str
    weight: float = 1.0
    pole: float | None = None


@dataclass(frozen=True)
class Objective:
    """A parsed objective: terms to improve, or targets to meet."""

    name: str
    terms: tuple[Term, ...] = ()
    targets: tuple[Bound, ...] = ()


def parse_objective(
    text: str,
    metrics: Sequence[Metric],
    named: Sequence[NamedObjective] = (),
    constraints: Sequence[Bound] = (),
    *,
    alone: bool = True,
) -> Objective:
    """Parse an objective for a simulator's metrics.

    Args:
        text: in the language of this module.
        metrics: of the simulator.
        named: the objectives that it gives a name.
        constraints: that hold beside it.
        alone: whether it is the only one; beside another objective even "least power" has something to trade.

    Raises:
        InputError: unknown name or metric, malformed expression, or an objective that is degenerate without a
            constraint which is not given.
    """
    known = {alias: objective for objective in named for alias in (objective.name, *objective.aliases)}
    chosen = known.get(text.strip())
    if chosen is not None:
        if alone:
            _require_bound(chosen, metrics, constraints)
        return Objective(chosen.name, *_parse_factors(chosen.expression, metrics, ()))
    parsed = Objective(text.strip(), *_parse_factors(text, metrics, tuple(known)))
    for other in named if alone else ():  # what is degenerate by name is so when spelt out
        if other.requires and parsed.terms and parsed.terms == _parse_factors(other.expression, metrics, ())[0]:
            _require_bound(other, metrics, constraints)
    return parsed


def parse_constraint(text: str, metrics: Sequence[Metric]) -> Bound:
    """Parse ``"power_mw<=900"``.

    Raises:
        InputError: malformed, or an unknown metric.
    """
    found = _BOUND.match(text)
    names = [metric.name for metric in metrics]
    if not found:
        raise InputError(
            f"constraint {text!r} must read METRIC<=NUMBER or METRIC>=NUMBER, METRIC of {', '.join(names)}"
        )
    metric = _metric(found["metric"], metrics, ())
    value = float(found["value"])
    if not isfinite(value):
        raise InputError(f"constraint {text!r}: {found['value']} is too large for a number")
    if metric.scale == "log" and value <= 0:
        raise InputError(f"constraint {text!r}: {metric.name} is positive, so its bound must be above 0")
    return Bound(metric.name, found["operator"], value)


def _parse_factors(
    text: str, metrics: Sequence[Metric], names: Sequence[str]
) -> tuple[tuple[Term, ...], tuple[Bound, ...]]:
    if _BOUND.match(text):
        return (), (parse_constraint(text, metrics),)
    factors = [_parse_term(factor, text, metrics, names) for factor in text.split("*")]
    if len({factor.pole is None for factor in factors}) > 1:
        raise InputError(f"objective {text!r} mixes poles with metrics; poles only multiply poles")
    return tuple(factors), ()


def _parse_term(factor: str, text: str, metrics: Sequence[Metric], names: Sequence[str]) -> Term:
    pole = _POLE.match(factor)
    if pole:
        metric, target = _metric(pole["metric"], metrics, names), float(pole["target"])
        if not 0.0 < target < inf:
            raise InputError(f"objective {text!r}: the target of a pole must be above 0, not {pole['target']}")
        return Term(metric.name, metric.direction, pole=target)
    found = _TERM.match(factor)
    if not found:
        allowed = [*names, *(metric.name for metric in metrics)]
        raise InputError(f"unknown objective {text!r}{did_you_mean(text, allowed)}; allowed: {', '.join(allowed)}")
    metric, weight = _metric(found["metric"], metrics, names), float(found["weight"] or 1.0)
    if not 0.0 < weight <= _LARGEST_WEIGHT:
        raise InputError(
            f"objective {text!r}: the weight of {metric.name} must be above 0 and at most {_LARGEST_WEIGHT:g}, "
            f"not {found['weight']}; turn a metric round with min: or max:"
        )
    return Term(metric.name, found["direction"] or metric.direction, weight)


def _metric(name: str, metrics: Sequence[Metric], names: Sequence[str]) -> Metric:
    for metric in metrics:
        if metric.name == name:
            return metric
    allowed = [*names, *(metric.name for metric in metrics)]
    what = "objective" if names else "metric"
    raise InputError(f"unknown {what} {name!r}{did_you_mean(name, allowed)}; allowed: {', '.join(allowed)}")


def _require_bound(objective: NamedObjective, metrics: Sequence[Metric], constraints: Sequence[Bound]) -> None:
    """Only a bound on the bad side of a required metric keeps the degenerate designs out."""
    helpful = {m.name: "<=" if m.direction == "min" else ">=" for m in metrics if m.name in objective.requires}
    if helpful and not any(helpful.get(bound.metric) == bound.operator for bound in constraints):
        name, operator = next(iter(helpful.items()))
        raise InputError(
            f"objective {objective.name!r} is degenerate alone ({objective.description}); "
            f"constrain {' or '.join(helpful)}, for example by the constraint '{name}{operator}NUMBER'"
        )
