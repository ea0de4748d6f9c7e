"""A problem: a simulator bound to a workload, with objectives and rules. Pure and batched."""

from __future__ import annotations

__all__ = ["Problem", "ProblemSpec", "ScoredEvaluation"]

import hashlib
import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, fields
from os.path import exists
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.columns import check_names
from archgym.objectives import parse_constraint, parse_objective
from archgym.options import STAND_IN, check_options
from archgym.registry import environment, simulator_class
from archgym.scoring import Scorer
from archgym_simulators import FAILED, Design, Evaluation, InputError, SimulationFailed, Simulator
from archgym_simulators.evaluation import freeze
from archgym_simulators.mean import MeanOverWorkloads
from archgym_simulators.space import Rows

_BASELINE_TRIES = 10


@dataclass(frozen=True, slots=True)
class ScoredEvaluation(Evaluation):
    """An evaluation with what it is worth.

    Attributes:
        rewards: (N, K), one column an objective, all finite.
        feasible: (N,) status ok and every constraint met.
        missed: (N,) how far from feasible: 0 where it is; the sum of missed bounds; more than that where not ok.
    """

    rewards: NDArray[np.float64]  # (N, K)
    feasible: NDArray[np.bool_]  # (N,)
    missed: NDArray[np.float64]  # (N,)

    def __post_init__(self) -> None:
        freeze(self.rewards, self.feasible, self.missed)  # the rest comes read-only from an evaluation

    @property
    def reward(self) -> NDArray[np.float64]:
        """(N,) the reward; where there are several objectives, their mean."""
        if self.rewards.shape[1] == 1:
            return self.rewards[:, 0]
        total = np.zeros(len(self.rewards))
        for column in self.rewards.T:  # one by one: a sum along the row may group differently for another batch size
            total += column
        total /= self.rewards.shape[1]
        return total

    def head(self, n: int) -> ScoredEvaluation:
        """The first ``n`` designs."""
        whole = ("reasons",)
        return ScoredEvaluation(**{f: getattr(self, f) if f in whole else getattr(self, f)[:n] for f in _FIELDS})

    @classmethod
    def concatenate(cls, parts: Sequence[ScoredEvaluation], order: NDArray[np.int64]) -> ScoredEvaluation:
        """The designs of several evaluations, one after the other, then taken in ``order`` (N,)."""
        columns = {f: np.concatenate([getattr(part, f) for part in parts])[order] for f in _FIELDS if f != "reasons"}
        freeze(*columns.values())
        return cls(**columns, reasons=parts[0].reasons)


_FIELDS = tuple(f.name for f in fields(ScoredEvaluation))


@dataclass(frozen=True)
class ProblemSpec:
    """The JSON-able identity of a family of problems: one environment, objectives, constraints and options.

    Attributes:
        env_id: ``"archgym/DRAM-v0"``, or ``"path/chip.py:Chip"``.
        workload: spec of the workload bound first.
        objectives: one or several in the language of `archgym.objectives`; empty for the family's default.
        constraints: bounds such as ``"power_mw<=900"``.
        options: keyword arguments of the simulator, and ``simulator="table"`` to answer from its enumeration.
    """

    env_id: str
    workload: str
    objectives: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def create(
        cls,
        env_id: str,
        *,
        workload: str | None = None,
        objective: str | list[str] | tuple[str, ...] | None = None,
        constraints: str | list[str] | tuple[str, ...] = (),
        options: Mapping[str, Any] | None = None,
    ) -> ProblemSpec:
        """Fill in the family's defaults and normalise lists.

        Raises:
            InputError: for an unknown environment, objective, constraint or option.
        """
        family = environment(env_id)
        bounds = constraints.split(",") if isinstance(constraints, str) else constraints
        spec = cls(
            family.id,
            checked_workload(workload, family.default_workload),
            () if objective is None else _texts("objective", (objective,) if isinstance(objective, str) else objective),
            tuple(bound for bound in _texts("constraints", bounds) if bound.strip()),
            dict(options or {}),
        )
        check_options(env_id, simulator_class(family.id), spec.options)
        spec.parse()
        return spec

    def declaration(self) -> Simulator | type[Simulator]:
        """What declares metrics and objectives: the class, or a bound simulator where they follow the options."""
        declared = simulator_class(self.env_id)
        return declared if hasattr(declared, "metrics") else self._simulator(self.workload)

    def parse(self, bound: Simulator | None = None) -> tuple[list[Any], list[Any]]:
        """Objectives and constraints, parsed against a bound simulator or, without one, the declaration."""
        simulator = bound or self.declaration()
        constraints = [parse_constraint(text, simulator.metrics) for text in self.constraints]
        texts = self.objectives or (simulator.default_objective or simulator.metrics[0].name,)
        metrics, named, alone = simulator.metrics, simulator.objectives, len(texts) == 1
        return [parse_objective(text, metrics, named, constraints, alone=alone) for text in texts], constraints

    def bind(self, workload: str | None = None) -> Problem:
        """The problem for one workload (the spec's own by default); ``"A + B"`` is the mean over two.

        Raises:
            InputError: for an unknown workload or option.
        """
        simulator = self.simulator(workload)
        objectives, constraints = self.parse(simulator)
        return Problem(simulator, objectives, constraints)

    def simulator(self, workload: str | None = None) -> Simulator:
        """The simulator of `bind`, which has not simulated anything yet."""
        return self._simulator(checked_workload(workload, self.workload))

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON-able values."""
        return {
            "env_id": self.env_id,
            "workload": self.workload,
            "objectives": list(self.objectives),
            "constraints": list(self.constraints),
            "options": dict(self.options),
        }

    @property
    def digest(self) -> str:
        """A content hash of the spec."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]

    def _simulator(self, workload: str) -> Simulator:
        parts = [self._bound_to(name) for name in mean_over(workload, simulator_class(self.env_id).workload_names())]
        model = parts[0] if len(parts) == 1 else MeanOverWorkloads(parts)
        kind = self.options.get(STAND_IN, "model")
        if kind == "model":
            return model
        from archgym.enumerations import stand_in

        return stand_in(model, str(kind), self)

    def _bound_to(self, workload: str) -> Simulator:
        built = simulator_class(self.env_id)
        options = {name: value for name, value in self.options.items() if name != STAND_IN}
        check_options(self.env_id, built, options)
        return built(workload, **options)  # type: ignore[call-arg]


def checked_workload(workload: object, default: str) -> str:
    """The workload's spec, or the default where it is None.

    Raises:
        InputError: no text, or empty.
    """
    if workload is None:
        return default
    if not isinstance(workload, str) or not workload.strip():
        raise InputError(f"workload must be a name, spec or path such as {default!r}, not {workload!r}")
    return workload


def mean_over(workload: str, names: Container[str] = ()) -> list[str]:
    """The workloads that a spec names: ``"A + B"`` is the mean over two.

    A built-in name or an existing file that itself holds " + " wins over the mean.
    """
    pieces = workload.split(" + ")
    found, start = [], 0
    while start < len(pieces):
        joins = ((end, " + ".join(pieces[start:end])) for end in range(len(pieces), start, -1))
        start, text = next((end, text) for end, text in joins if end == start + 1 or text in names or exists(text))
        found.append(text.strip())
    return found


class Problem:
    """A simulator with objectives and constraints. `evaluate` is a pure function of its rows.

    Attributes:
        simulator: the cost model, bound to a workload.
        metric_names: of the simulator, (M,).
        bound_names: the constraints as text.
        baseline_values: (M,) metrics of the simulator's baseline; rewards are relative to them.
    """

    def __init__(self, simulator: Simulator, objectives: list[Any], constraints: list[Any]) -> None:
        check_names(simulator)
        self.simulator = simulator
        self.space = simulator.space
        self.objectives = tuple(objectives)
        self.constraints = tuple(constraints)
        self.metric_names = simulator.metric_names()
        self.bound_names = tuple(map(str, constraints))
        self.baseline_values = _baseline_values(simulator)
        self.reasons = simulator.all_reasons
        self._details = max((len(reason.details) for reason in self.reasons), default=0)
        self._diagnostics = len(simulator.diagnostic_names)
        self._scorer = Scorer(simulator.metrics, self.objectives, self.constraints, self.baseline_values)

    @property
    def baseline_design(self) -> Design:
        """The baseline in readable values."""
        return self.space.decode_row(self.simulator.baseline.row)

    def evaluate(self, rows: Rows) -> ScoredEvaluation:
        """Simulate and score canonical index rows (N, D)."""
        return self.score(self.simulator.evaluate(rows))

    def score(self, evaluation: Evaluation) -> ScoredEvaluation:
        """Rewards and feasibility of what a simulator, or a journal, has returned; all columns in full width."""
        rewards, feasible, missed = self._scorer.rewards(evaluation)
        return ScoredEvaluation(
            values=evaluation.values,
            status=evaluation.status,
            violation=evaluation.violation,
            reason_code=evaluation.reason_code,
            reason_detail=_padded(evaluation.reason_detail, self._details, 0.0),
            cost=evaluation.cost,
            reasons=self.reasons,
            diagnostics=_padded(evaluation.diagnostics, self._diagnostics, np.nan),
            rewards=rewards,
            feasible=feasible,
            missed=missed,
        )

    def constraint_violations(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far each design misses each constraint: (N, C)."""
        return self._scorer.violations(values)


def _padded(columns: NDArray[np.float64], width: int, missing: float) -> NDArray[np.float64]:
    """The columns (N, K), filled to ``width``: reasons differ in details, and invalid batches may lack diagnostics."""
    if columns.shape[1] == width:
        return columns
    padded = np.full((len(columns), width), missing)
    padded[:, : columns.shape[1]] = columns
    freeze(padded)
    return padded


def _baseline_values(simulator: Simulator) -> NDArray[np.float64]:
    space = simulator.space
    row = space.canonical(space.as_rows(np.array([simulator.baseline.row], dtype=np.int64)))
    for _ in range(_BASELINE_TRIES):
        outcome = simulator.evaluate(row)
        if outcome.status[0] != FAILED:
            # Without a valid baseline the metrics themselves are the reference (log 1 = 0).
            return np.where(np.isfinite(outcome.values[0]), outcome.values[0], 1.0)
    raise SimulationFailed(
        f"the baseline of {type(simulator).__name__} ({simulator.workload.name}) failed {_BASELINE_TRIES} times: "
        f"{outcome.reason(0) or 'no reason given'}"
    )


def _texts(what: str, given: object) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not all(isinstance(text, str) for text in given):
        raise InputError(f"{what} must be text or a list of texts, not {given!r}")
    return tuple(given)
