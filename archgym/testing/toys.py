"""Toy simulators for conformance suites: easy to reason about, hard on agents and environments.

They are not registered; bind them by entry string, for example ``archgym.register("toy/Bowl-v0",
"archgym.testing.toys:Bowl")``.
"""

from __future__ import annotations

__all__ = ["AlwaysInvalid", "Bowl", "EffortBowl", "EffortHugeSpace", "Flaky", "HugeSpace", "OneDesign", "with_effort"]

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from archgym_simulators import (
    Baseline,
    Categorical,
    Constraint,
    DesignSpace,
    Evaluation,
    Factors,
    InertWhen,
    InputError,
    Integer,
    Metric,
    NamedObjective,
    Ordinal,
    Permutation,
    Reason,
    Simulator,
    Workload,
)
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.space import Rows

_METRICS = (
    Metric("time_ns", "time of the toy workload"),
    Metric("energy_pj", "energy of the toy workload"),
    Metric("speed_mhz", "a maximised metric", direction="max"),
    Metric("slack_ns", "a linear metric that may be negative", direction="max", scale="linear", span=10.0),
)
_WORKLOADS = {"default": 1.0, "large": 4.0}


class Bowl(Simulator):
    """Every parameter kind, a constraint, an inert parameter, and one smooth optimum.

    Squared distances of the indices from a hidden design; energy pulls the other way. 'cache' is inert without caches.
    """

    metrics = _METRICS
    version = "1"
    objectives = (
        NamedObjective("time", "time_ns", "time", aliases=("latency",)),
        NamedObjective("energy-delay", "energy_pj * time_ns", "energy times time", aliases=("edp",)),
        NamedObjective("energy", "energy_pj", "the slowest design wins", requires=("time_ns",)),
    )
    default_objective = "time"
    reasons: ClassVar[tuple[Reason, ...]] = (
        Reason("too-hot", "draws {power:.3g} W, the package takes {limit:.3g} W", ("power", "limit")),
    )
    diagnostic_names = ("distance",)

    def __init__(self, workload: str = "default", *, scale: float = 1.0) -> None:
        if workload not in _WORKLOADS:
            hint = did_you_mean(workload, _WORKLOADS)
            raise InputError(f"unknown workload {workload!r}{hint}; allowed: {', '.join(_WORKLOADS)}")
        self._size = _WORKLOADS[workload] * scale
        self.space = self.make_space()
        self.workload = Workload(workload, (np.log2(_WORKLOADS[workload]) / 4.0,), ("log_size",))
        self.baseline = Baseline("first design", (0,) * self.space.width)
        self._target = (self.space.nvec - 1) // 2

    @classmethod
    def workload_names(cls) -> dict[str, str]:
        return {"default": "one unit of work", "large": "four units of work"}

    @classmethod
    def draw_workload(cls, split: str, rng: np.random.Generator) -> str:
        if split not in ("train", "dev", "test"):
            raise InputError(f"unknown split {split!r}; allowed: train, dev, test")
        return str(rng.choice(list(_WORKLOADS)))

    def make_space(self) -> DesignSpace:
        """The space; toys override it."""
        return DesignSpace(
            [
                Categorical("memory", ["cache", "scratchpad", "none"], description="on-chip memory"),
                Ordinal("size_kib", [1, 2, 4, 8, 16], "KiB", description="its size"),
                Integer("banks", 1, 8, description="number of banks"),
                Permutation("order", ["K", "C", "X"], description="loop order, outermost first"),
                Factors("tile", 24, 3, description="tile sizes of 24 over three levels"),
            ],
            constraints=[
                Constraint(
                    Reason("too-many-banks", "{banks:.0f} banks do not fit {size:.0f} KiB", ("banks", "size")),
                    lambda c: np.where(c["memory"] == "none", 0.0, np.maximum(c["banks"] - 4.0 * c["size_kib"], 0.0)),
                    lambda c: np.stack([c["banks"], c["size_kib"]], axis=1).astype(float),
                )
            ],
            inert=[InertWhen("size_kib", "memory", ("none",))],
        )

    def simulate(self, rows: Rows) -> Evaluation:
        rows = self.space.canonical(rows)  # what is inert has no distance
        distance = (((rows - self._target) / np.maximum(self.space.nvec - 1, 1)) ** 2).sum(axis=1)
        time = self._size * 100.0 * (1.0 + distance)
        energy = self._size * 50.0 * (2.0 - np.minimum(distance, 1.5))
        values = np.stack([time, energy, 1e5 / time, 150.0 - time], axis=1)
        return self._outcome(values, distance)

    def _outcome(self, values: NDArray[np.float64], distance: NDArray[np.float64]) -> Evaluation:
        hot = distance > 1.2
        detail = np.stack([distance, np.full(len(distance), 1.2)], axis=1)
        return Evaluation.of(
            values,
            reasons=self.reasons,
            reason_code=np.where(hot, 0, -1),
            violation=np.maximum(distance - 1.2, 0.0),
            reason_detail=detail,
            diagnostics=distance[:, None],
        )


class HugeSpace(Bowl):
    """About 1e24 designs: keys are bytes, nothing can be enumerated."""

    def make_space(self) -> DesignSpace:
        return DesignSpace([Integer(f"x{i}", 0, 9, description="one digit of a huge number") for i in range(24)])

    def _outcome(self, values: NDArray[np.float64], distance: NDArray[np.float64]) -> Evaluation:
        return Evaluation.of(values, reasons=self.reasons, diagnostics=distance[:, None])


class OneDesign(Bowl):
    """A space with a single design."""

    def make_space(self) -> DesignSpace:
        return DesignSpace([Categorical("only", ["choice"], description="nothing to choose")])


class AlwaysInvalid(Bowl):
    """No design is valid; violations still point the way."""

    def make_space(self) -> DesignSpace:
        return DesignSpace([Integer(f"x{i}", 0, 4, description="one coordinate") for i in range(4)])

    def _outcome(self, values: NDArray[np.float64], distance: NDArray[np.float64]) -> Evaluation:
        detail = np.stack([distance, np.zeros(len(distance))], axis=1)
        return Evaluation.of(
            values,
            reasons=self.reasons,
            reason_code=np.zeros(len(values), dtype=np.int16),
            violation=1.0 + distance,
            reason_detail=detail,
            diagnostics=distance[:, None],
        )


class Flaky(Bowl):
    """About one evaluation in three fails, at random from a seed: a tool that crashes. Not deterministic by design."""

    reasons: ClassVar[tuple[Reason, ...]] = (*Bowl.reasons, Reason("crashed", "the toy tool crashed"))

    def __init__(self, workload: str = "default", *, scale: float = 1.0, seed: int = 0) -> None:
        super().__init__(workload, scale=scale)
        self._rng = np.random.default_rng(seed)

    def simulate(self, rows: Rows) -> Evaluation:
        outcome = super().simulate(rows)
        failed = (self._rng.random(len(rows)) < 1 / 3) & (outcome.status == 0)
        code = np.where(failed, len(Bowl.reasons), outcome.reason_code)
        return Evaluation.of(
            outcome.values,
            reasons=self.reasons,
            reason_code=code,
            violation=outcome.violation,
            reason_detail=outcome.reason_detail,
            failed=failed,
            diagnostics=outcome.diagnostics,
        )


_EFFORTS = (1, 2, 4, 8)


def with_effort(toy: type[Bowl]) -> type[Bowl]:
    """A toy with one more parameter, a fidelity: little effort costs little, and errs by a few per cent."""

    class WithEffort(toy):  # type: ignore[misc, valid-type]
        cost_unit = "efforts"

        def make_space(self) -> DesignSpace:
            plain = super().make_space()
            effort = Ordinal("effort", _EFFORTS, description="how closely the toy is looked at", role="fidelity")
            return DesignSpace([*plain.parameters, effort], constraints=plain.constraints, inert=plain.inert)

        def simulate(self, rows: Rows) -> Evaluation:
            middle = rows.copy()
            middle[:, -1] = self._target[-1]
            found: Evaluation = super().simulate(middle)
            effort = np.array(_EFFORTS)[rows[:, -1]]
            error = 0.1 * np.sin(self.space.canonical(middle) @ (1.0 + np.arange(self.space.width))) / effort
            return replace(found, values=found.values * (1.0 + error[:, None]), cost=effort.astype(np.float64))

    WithEffort.__name__ = WithEffort.__qualname__ = f"Effort{toy.__name__}"
    WithEffort.__doc__ = f"{toy.__name__} with a fidelity."
    return WithEffort


EffortBowl, EffortHugeSpace = with_effort(Bowl), with_effort(HugeSpace)
