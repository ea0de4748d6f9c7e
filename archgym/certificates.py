"""What an exact result must say of itself, so that it can be found, trusted and made again."""

from __future__ import annotations

__all__ = [
    "IDENTITY",
    "Certificate",
    "Enumerated",
    "command_for",
    "enumerate_problem",
    "identity_of",
    "stored_certificates",
]

import json
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from archgym.enumerations import enumerated, seconds_of
from archgym.options import STAND_IN
from archgym.problem import Problem, ProblemSpec
from archgym_simulators.space import Rows

_CHUNK = 65_536


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A problem whose every design was looked at.

    Attributes:
        env_id: the environment.
        workload: canonical spec.
        objectives: as named.
        constraints: bounds.
        options: of the simulator, complete.
        simulator_version: of the model that was enumerated; another version has no certificate.
        space: digest of the design space.
        workload_digest: content hash of the workload.
        designs: canonical designs that were looked at.
        feasible: those that are valid and meet every constraint.
        method: how they were looked at.
        command: what does it again.
        seconds: that simulating them took, where that was done; 0 where they were in a table.
        peak_mib: peak memory of the process that made the certificate.
    """

    env_id: str
    workload: str
    objectives: tuple[str, ...]
    constraints: tuple[str, ...]
    options: Mapping[str, Any]
    simulator_version: str
    space: str
    workload_digest: str
    designs: int
    feasible: int
    method: str
    command: str
    seconds: float
    peak_mib: float

    @property
    def key(self) -> str:
        """What a certificate is looked up by."""
        return key_of({name: getattr(self, name) for name in IDENTITY})


IDENTITY = (
    "env_id",
    "workload",
    "objectives",
    "constraints",
    "options",
    "simulator_version",
    "space",
    "workload_digest",
)
"""The fields that say what a certificate, or a best known design, is of."""


def identity_of(spec: ProblemSpec, problem: Problem) -> dict[str, Any]:
    """The fields of a certificate that say what it is of."""
    simulator = problem.simulator
    given = {name: value for name, value in spec.options.items() if name != STAND_IN}
    return {
        "env_id": spec.env_id,
        "workload": simulator.workload.name,
        "objectives": tuple(objective.name for objective in problem.objectives),
        "constraints": tuple(str(bound) for bound in problem.constraints),
        "options": simulator.describe_options() or given,
        "simulator_version": simulator.version,
        "space": simulator.space.digest,
        "workload_digest": simulator.workload.digest,
    }


def key_of(identity: Mapping[str, Any]) -> str:
    """A text that is equal for equal identities."""
    return json.dumps(identity, sort_keys=True)


@cache
def stored_certificates() -> Mapping[str, list[dict[str, Any]]]:
    """What ships with the package, as JSON: ``"optima"`` and ``"fronts"`` are certified, ``"best_known"`` are not."""
    stored: dict[str, list[dict[str, Any]]] = {"optima": [], "fronts": [], "best_known": []}
    for file in sorted((files("archgym") / "optima").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".json"):
            for kind, found in json.loads(file.read_text()).items():
                stored[kind] += found
    return stored


@dataclass(frozen=True)
class Enumerated:
    """A problem that answers for every design, and the designs.

    Attributes:
        problem: answers from a table where that is quicker.
        seconds: that simulating took, where that was done.
        method: how the designs were looked at.
    """

    problem: Problem
    seconds: float
    method: str

    def chunks(self) -> Iterator[Rows]:
        """Every canonical design that can be valid, some (N, D) at a time."""
        listed = self.problem.simulator.designs()
        return iter([listed]) if listed is not None else self.problem.space.chunks(_CHUNK, canonical=True)


def enumerate_problem(
    spec: ProblemSpec,
    *,
    afresh: bool = False,
    threads: int = 1,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Enumerated:
    """Look at every design of a problem.

    Args:
        spec: the problem.
        afresh: simulate again even where the enumeration is in the cache.
        threads: that may simulate at once.
        folder: the cache; the user's where None.
        progress: told designs done and designs in all.

    Raises:
        InputError: a space that cannot be enumerated, or a cache that cannot be written.
    """
    problem = spec.bind()
    if problem.simulator.designs() is not None:
        return Enumerated(problem, 0.0, "comparison of every design of the table")
    # A stand-in answers for itself: without this a table would be enumerated from a table.
    given = {name: value for name, value in spec.options.items() if name != STAND_IN}
    model = replace(spec, options=given).bind()
    table = enumerated(model.simulator, spec.options, folder=folder, threads=threads, afresh=afresh, progress=progress)
    answering = Problem(table, list(problem.objectives), list(problem.constraints))
    return Enumerated(answering, round(seconds_of(table), 1), "enumeration of every canonical design")


def command_for(spec: ProblemSpec, problem: Problem) -> str:
    """The command line that makes the certificate of a problem with one objective again."""
    flags = ["--workload", problem.simulator.workload.name, "--objective", problem.objectives[0].name]
    for bound in problem.constraints:
        flags += ["--constraint", str(bound)]
    for name, value in spec.options.items():
        flags += ["--option", f"{name}={value if _reads_as_text(value) else json.dumps(value)}"]
    return shlex.join(["archgym", "optimum", spec.env_id, *flags, "--recompute"])


def peak_mib() -> float:
    """Peak memory of this process in MiB."""
    import resource

    unit = 1024**2 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def _reads_as_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        json.loads(value)
    except ValueError:
        return True
    return False
