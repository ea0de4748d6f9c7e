"""Best known designs: what long searches found where a space is too large to be enumerated.

They are for results, audits and reports, as certified optima are, and are labelled: nobody has shown that there is
nothing better. Agents never see them.
"""

from __future__ import annotations

__all__ = ["BestKnown", "best_known"]

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from archgym.certificates import IDENTITY, identity_of, key_of, stored_certificates
from archgym.problem import ProblemSpec
from archgym_simulators import Design


@dataclass(frozen=True, kw_only=True)
class BestKnown:
    """The best feasible design that searches have found for a problem with one objective.

    Attributes:
        env_id: the environment.
        workload: canonical spec.
        objectives: as named; one.
        constraints: bounds.
        options: of the simulator.
        simulator_version: of the model; designs of another version are not comparable.
        space: digest of the design space.
        workload_digest: content hash of the workload.
        reward: of the design, against the baseline.
        metrics: of the design.
        design: in readable values.
        found_by: what search found it, and with which seed.
        calls: simulations of all searches together.
        command: what does the searches again.
    """

    env_id: str
    workload: str
    objectives: tuple[str, ...]
    constraints: tuple[str, ...]
    options: Mapping[str, Any]
    simulator_version: str
    space: str
    workload_digest: str
    reward: float
    metrics: Mapping[str, float]
    design: Design
    found_by: str
    calls: int
    command: str

    @property
    def key(self) -> str:
        """What it is looked up by."""
        return key_of({name: getattr(self, name) for name in IDENTITY})


def best_known(spec: ProblemSpec) -> BestKnown | None:
    """The stored best known design of a problem with one objective; None where none is stored for this very version."""
    problem = spec.bind()
    return _stored().get(key_of(identity_of(spec, problem))) if len(problem.objectives) == 1 else None


@cache
def _stored() -> dict[str, BestKnown]:
    found = [BestKnown(**_with_tuples(fields)) for fields in stored_certificates()["best_known"]]
    return {one.key: one for one in found}


def _with_tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {**fields, "objectives": tuple(fields["objectives"]), "constraints": tuple(fields["constraints"])}
