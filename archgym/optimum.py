"""Certified optima: what the best design of an enumerated space is worth.

They are for results and reports. Agents never see them: no observation, info or message of a session carries one.
"""

from __future__ import annotations

__all__ = ["Optimum", "certified_optimum", "recompute", "stored_optima"]

import json
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from archgym.enumerations import enumerated
from archgym.options import STAND_IN
from archgym.problem import Problem, ProblemSpec
from archgym_simulators import Design, InputError

_CHUNK = 65_536
_TIE = 1e-12


@dataclass(frozen=True)
class Optimum:
    """The best feasible design of one problem, found by enumerating every canonical design.

    Attributes:
        env_id: the environment.
        workload: canonical spec.
        objective: as named.
        constraints: bounds.
        options: of the simulator, complete.
        simulator_version: of the model that was enumerated; another version has no certificate.
        space: digest of the design space.
        workload_digest: content hash of the workload.
        reward: of the optimum, against the baseline.
        median_reward: of all feasible canonical designs; regret is 1 there.
        metrics: of one optimal design.
        design: one optimal design.
        ties: canonical designs whose reward equals the optimum's to 1e-12, that one included.
        designs: canonical designs enumerated.
        feasible: those that are valid and meet every constraint.
        method: how it was found.
        command: what finds it again.
        seconds: wall time of the enumeration, where it was made.
        peak_mib: peak memory of the process that made it.
    """

    env_id: str
    workload: str
    objective: str
    constraints: tuple[str, ...]
    options: Mapping[str, Any]
    simulator_version: str
    space: str
    workload_digest: str
    reward: float
    median_reward: float
    metrics: Mapping[str, float]
    design: Design
    ties: int
    designs: int
    feasible: int
    method: str
    command: str
    seconds: float
    peak_mib: float

    @property
    def key(self) -> tuple[Any, ...]:
        """What an optimum is looked up by."""
        options = json.dumps(dict(self.options), sort_keys=True)
        identity = (self.simulator_version, self.space, self.workload_digest)
        return (self.env_id, self.workload, self.objective, tuple(self.constraints), options, *identity)


def certified_optimum(spec: ProblemSpec) -> Optimum | None:
    """The stored optimum of a problem with one objective; None where none is stored for this very version."""
    problem = spec.bind()
    return _by_key().get(_blank(spec, problem).key) if len(problem.objectives) == 1 else None


@cache
def stored_optima() -> tuple[Optimum, ...]:
    """Every optimum that ships with the package."""
    folder = files("archgym") / "optima"
    found = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".json"):
            found += [_from_json(fields) for fields in json.loads(file.read_text())]
    return tuple(found)


def recompute(
    spec: ProblemSpec, *, progress: Callable[[int, int], None] | None = None, folder: Path | None = None
) -> Optimum:
    """Enumerate a problem's space and find its optimum.

    The enumeration stays in the user's cache, where ``simulator="table"`` answers from it; one that is there already,
    of the same version, is used.

    Raises:
        InputError: a space that cannot be enumerated, several objectives, or no feasible design.
    """
    problem = spec.bind()
    if len(problem.objectives) != 1:
        raise InputError("an optimum belongs to one objective; give one")
    started = time.perf_counter()
    table = enumerated(problem.simulator, spec.options, folder=folder, progress=progress)
    found = _best(spec, Problem(table, list(problem.objectives), list(problem.constraints)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return replace(found, seconds=round(time.perf_counter() - started, 1), peak_mib=round(peak))


def _best(spec: ProblemSpec, problem: Problem) -> Optimum:
    rewards, best, best_row, total = [], -np.inf, None, 0
    for rows in problem.space.chunks(_CHUNK, canonical=True):
        scored = problem.evaluate(rows)
        total += len(rows)
        feasible = np.where(scored.feasible, scored.reward, -np.inf)
        rewards.append(feasible[scored.feasible])
        if len(feasible) and feasible.max() > best:
            best, best_row = float(feasible.max()), rows[int(feasible.argmax())]
    if best_row is None:
        raise InputError(f"no design of {spec.env_id} meets {', '.join(spec.constraints) or 'its rules'}")
    every = np.concatenate(rewards)
    one = problem.evaluate(best_row[None])
    return replace(
        _blank(spec, problem),
        reward=best,
        median_reward=float(np.median(every)),
        metrics=dict(zip(problem.simulator.metric_names(), one.values[0].tolist(), strict=True)),
        design=problem.space.decode_row(best_row),
        ties=int((every >= best - _TIE).sum()),
        designs=total,
        feasible=len(every),
    )


def _blank(spec: ProblemSpec, problem: Problem) -> Optimum:
    simulator = problem.simulator
    options = simulator.describe_options() or {k: v for k, v in spec.options.items() if k != STAND_IN}
    constraints = tuple(str(bound) for bound in problem.constraints)
    return Optimum(
        env_id=spec.env_id,
        workload=simulator.workload.name,
        objective=problem.objectives[0].name,
        constraints=constraints,
        options=options,
        simulator_version=simulator.version,
        space=simulator.space.digest,
        workload_digest=simulator.workload.digest,
        reward=float("nan"),
        median_reward=float("nan"),
        metrics={},
        design={},
        ties=0,
        designs=0,
        feasible=0,
        method="enumeration of every canonical design",
        command=_command(spec, simulator.workload.name, problem.objectives[0].name, constraints),
        seconds=0.0,
        peak_mib=0.0,
    )


def _command(spec: ProblemSpec, workload: str, objective: str, constraints: tuple[str, ...]) -> str:
    options = "".join(f" --option {key}={json.dumps(value)}" for key, value in spec.options.items())
    bounds = "".join(f" --constraint '{bound}'" for bound in constraints)
    return (
        f"archgym optimum {spec.env_id} --workload '{workload}' --objective '{objective}'{bounds}{options} --recompute"
    )


@cache
def _by_key() -> dict[tuple[Any, ...], Optimum]:
    return {one.key: one for one in stored_optima()}


def _from_json(fields: Mapping[str, Any]) -> Optimum:
    return Optimum(**{**fields, "constraints": tuple(fields["constraints"])})


def as_json(optimum: Optimum) -> dict[str, Any]:
    """The optimum as JSON-able values."""
    return asdict(optimum)
