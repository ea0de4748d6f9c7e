"""What a conformance check of a simulator looks at."""

from __future__ import annotations

__all__ = ["Subject", "subject_of", "widened"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.registry import environment, simulator_class
from archgym_simulators import FAILED, Baseline, Evaluation, Simulator
from archgym_simulators.space import Rows


@dataclass(frozen=True)
class Subject:
    """A simulator under test.

    Attributes:
        label: how messages call it.
        simulator: bound to a workload.
        build: binds the same class to another workload; None where an instance was given.
        rows: (N, D) sampled rows, not canonical, the baseline first.
        flaky: whether rows may fail at random; these are then left out of comparisons.
    """

    label: str
    simulator: Simulator
    build: Callable[[str], Simulator] | None
    rows: Rows
    flaky: bool

    def require(self, holds: object, sentence: str) -> None:
        """Raise the sentence unless it holds."""
        if not holds:
            raise AssertionError(f"{self.label}: {sentence}")

    @property
    def canonical(self) -> Rows:
        """The sampled rows as a session would pass them."""
        return self.simulator.space.canonical(self.rows)

    def same(self, one: Evaluation, other: Evaluation, sentence: str) -> None:
        """Require equal bits, up to failed rows of a flaky simulator."""
        self.require(len(one) == len(other), sentence)
        known = (one.status != FAILED) & (other.status != FAILED) if self.flaky else np.ones(len(one), dtype=bool)
        for name in ("status", "values", "violation", "reason_code", "reason_detail", "cost", "diagnostics"):
            a, b = getattr(one, name)[known], getattr(other, name)[known]
            if name == "reason_detail":  # as wide as the reasons of its batch need
                a, b = widened(a, b.shape[1]), widened(b, a.shape[1])
            equal = (a == b) | ((a != a) & (b != b)) if a.shape == b.shape else np.zeros(1, dtype=bool)
            if not equal.all():
                row = int(np.flatnonzero(known)[np.argwhere(~equal)[0][0]]) if a.shape == b.shape else 0
                raise AssertionError(f"{self.label}: {sentence}; {name} of row {row} differs")


def subject_of(
    simulator: Simulator | type[Simulator] | str,
    workload: str | None,
    *,
    n: int,
    seed: int,
    flaky: bool,
    options: dict[str, Any],
) -> Subject:
    """Bind what was given to a workload and sample its space."""
    built: type[Simulator] | None = None
    if isinstance(simulator, str):
        workload = workload or environment(simulator).default_workload
        built, label = simulator_class(simulator), simulator
    elif isinstance(simulator, type):
        built, label = simulator, simulator.__name__
    else:
        bound, label = simulator, type(simulator).__name__
    build = None if built is None else _builder(built, options)
    if build is not None and built is not None:
        bound = build(workload) if workload else built(**options)
    if not isinstance(bound, Simulator):
        raise AssertionError(f"{label}: must be a subclass of archgym_simulators.Simulator, not {type(bound).__name__}")
    for attribute in ("space", "metrics", "version", "workload", "baseline"):
        if not hasattr(bound, attribute):
            raise AssertionError(f"{label}: its constructor must set {attribute!r}")
    if not isinstance(bound.baseline, Baseline):
        raise AssertionError(f"{label}: baseline must be a Baseline, not {bound.baseline!r}")
    sampled = bound.space.sample(max(n, 1), np.random.default_rng(seed))
    if len(bound.baseline.row) != bound.space.width or not bound.space.contains([bound.baseline.row]).all():
        raise AssertionError(f"{label}: the baseline {bound.baseline.row} is no row of the design space")
    sampled[0] = bound.baseline.row
    return Subject(label, bound, build, sampled, flaky)


def widened(detail: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Detail numbers (N, K), filled with zeros to at least ``width`` columns."""
    wide = np.zeros((len(detail), max(width, detail.shape[1])))
    wide[:, : detail.shape[1]] = detail
    return wide


def _builder(built: type[Simulator], options: dict[str, Any]) -> Callable[[str], Simulator]:
    return lambda workload: built(workload, **options)  # type: ignore[call-arg]
