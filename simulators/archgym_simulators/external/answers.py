"""What a program may answer, and the reasons of what goes wrong."""

from __future__ import annotations

__all__ = ["FAILURES", "REJECTED", "Refusal", "ToolFailure", "metric_failures", "metric_value"]

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archgym_simulators.constraints import Reason
from archgym_simulators.errors import SimulationFailed
from archgym_simulators.external.units import name_in_other_unit
from archgym_simulators.simulator import Metric

FAILURES = (
    Reason("timed-out", "the program ran longer than {limit_s:g} s and was killed", ("limit_s",)),
    Reason("crashed", "the program ended with exit status {status:.0f}", ("status",)),
    Reason("killed", "the program was ended by signal {signal:.0f}", ("signal",)),
    Reason("not-started", "the program could not be started (errno {errno:.0f})", ("errno",)),
    Reason("nonsense", "the program's answer could not be read"),
)
REJECTED = Reason("rejected", "the program refuses the design")


@dataclass(frozen=True)
class Refusal:
    """The program's answer that a design is invalid.

    Attributes:
        reason: name of one of the class's ``refusals``, or ``"rejected"``.
        violation: above 0, how far the design is from valid.
        details: numbers for the reason's sentence.
    """

    reason: str = REJECTED.name
    violation: float = 1.0
    details: Mapping[str, float] = field(default_factory=dict)


class ToolFailure(SimulationFailed):
    """One run failed; names the reason and its detail numbers."""

    def __init__(self, reason: str, *numbers: float, note: str = "") -> None:
        super().__init__(f"{reason} {note}".strip())
        self.reason = reason
        self.numbers = numbers


def metric_failures(metrics: Sequence[Metric]) -> Iterator[Reason]:
    """Three reasons a metric: missing, in another unit, not a number that it can be."""
    for metric in metrics:
        name = metric.name
        allowed = "a positive number" if metric.scale == "log" else "a finite number"
        yield Reason(f"no-{name}", f"the program's answer has no {name}")
        yield Reason(f"unit-of-{name}", f"the program's answer has {name} in another unit")
        yield Reason(f"bad-{name}", f"the program's answer has {name} = {{value:g}}, not {allowed}", ("value",))


def metric_value(metric: Metric, answer: Mapping[str, Any]) -> float:
    """One metric of a program's answer.

    Raises:
        ToolFailure: missing, in another unit, no number, not finite, or not positive where compared by ratio.
    """
    if metric.name not in answer:
        raise ToolFailure(f"{'unit-of' if name_in_other_unit(metric.name, answer) else 'no'}-{metric.name}")
    value = answer[metric.name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ToolFailure("nonsense", note=f"{metric.name} is {value!r}")
    number = _as_float(value)
    # A crashed run that reports 0 ns would otherwise be the best design of all.
    if not math.isfinite(number) or (metric.scale == "log" and number <= 0.0):
        raise ToolFailure(f"bad-{metric.name}", number)
    return number


def _as_float(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:  # JSON has whole numbers of any length
        return math.inf if number > 0 else -math.inf
