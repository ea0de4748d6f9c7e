"""What the rows of a dataset mean: one simulator, its version, design space, metrics with units, and workloads."""

from __future__ import annotations

__all__ = ["DatasetWorkload", "Schema", "SourceRun"]

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Self

from archgym.options import STAND_IN
from archgym.wording import split_unit
from archgym_simulators import DesignSpace, InputError, Metric

_EXACT_STAND_INS = ("model", "table")  # they answer as the simulator does; a proxy does not


@dataclass(frozen=True)
class DatasetWorkload:
    """A workload that designs were evaluated on.

    Attributes:
        name: its spec.
        features: as the simulator describes it to agents, (F,); empty where the family has none.
        digest: content hash, so that a file changed under the same name is noticed.
    """

    name: str
    features: tuple[float, ...] = ()
    digest: str = ""


@dataclass(frozen=True)
class SourceRun:
    """Where rows come from: one search.

    Attributes:
        run_id: content hash of all that its evaluations depend on.
        agent: name, or path.
        seed: of the agent's draws.
        settings: of the agent.
        task: of a suite, or "".
        objectives: what it searched for.
        constraints: the bounds that it had to meet.
        archgym: version that recorded it.
    """

    run_id: str
    agent: str
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    task: str = ""
    objectives: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    archgym: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        lists = {name: tuple(fields[name]) for name in ("objectives", "constraints")}
        return cls(**{**fields, **lists})


@dataclass(frozen=True)
class Schema:
    """What makes rows comparable. Rows of different schemas do not belong into one dataset.

    Attributes:
        env_id: the environment.
        options: of the simulator.
        simulator_version: changes whenever a number changes.
        source: content hash of the simulator's file where it was given by path; else "".
        space: the design space, without its constraints, which are code.
        space_digest: of the simulator's own space, constraints included; a proxy is held to it.
        metrics: names with units, directions and scales, in the order of the columns.
        feature_names: of the workloads' features.
    """

    env_id: str
    options: Mapping[str, Any]
    simulator_version: str
    source: str
    space: DesignSpace
    space_digest: str
    metrics: tuple[Metric, ...]
    feature_names: tuple[str, ...] = ()

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Names of the metrics, (M,)."""
        return tuple(metric.name for metric in self.metrics)

    @cached_property
    def units(self) -> dict[str, str]:
        """Unit of each metric by name; "" for counts and ratios."""
        return {name: split_unit(name)[1] for name in self.metric_names}

    def to_json(self) -> dict[str, Any]:
        return {
            "env_id": self.env_id,
            "options": dict(self.options),
            "simulator_version": self.simulator_version,
            "source": self.source,
            "space": self.space.to_json(),
            "space_digest": self.space_digest,
            "metrics": [asdict(metric) for metric in self.metrics],
            "feature_names": list(self.feature_names),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`.

        Raises:
            InputError: a field is missing or makes no sense.
        """
        try:
            return cls(
                env_id=str(fields["env_id"]),
                options=dict(fields["options"]),
                simulator_version=str(fields["simulator_version"]),
                source=str(fields["source"]),
                space=DesignSpace.from_json(fields["space"]),
                space_digest=str(fields["space_digest"]),
                metrics=tuple(Metric(**metric) for metric in fields["metrics"]),
                feature_names=tuple(fields["feature_names"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"the schema of the data makes no sense: {type(error).__name__} {error}") from error

    def check_same(self, other: Schema, here: str, there: str) -> None:
        """Refuse rows that mean something else.

        Args:
            other: the other schema.
            here: where this one comes from.
            there: where the other one comes from.

        Raises:
            InputError: naming what differs.
        """
        _check_units(self, other, here, there)
        pairs: dict[str, tuple[object, object]] = {
            "environment": (self.env_id, other.env_id),
            "simulator version": (self.simulator_version, other.simulator_version),
            "content hash of the simulator's file": (self.source, other.source),
            "options of the simulator": (_lasting(self.options), _lasting(other.options)),
            "content hash of the design space": (self.space_digest, other.space_digest),
            "metrics": (self.metric_names, other.metric_names),
            "scales and directions of the metrics": (_kinds(self), _kinds(other)),
            "names of the workloads' features": (self.feature_names, other.feature_names),
        }
        for what, (ours, theirs) in pairs.items():
            if ours != theirs:
                raise InputError(f"cannot merge: {what} is {ours!r} in {here} and {theirs!r} in {there}")


def _check_units(schema: Schema, other: Schema, here: str, there: str) -> None:
    """The same quantity in another unit is what goes wrong most often, so it has a message of its own."""
    ours = {split_unit(name)[0]: name for name in schema.metric_names}
    for name in other.metric_names:
        mine = ours.get(split_unit(name)[0], name)
        if mine != name and name not in schema.metric_names and split_unit(name)[1] != split_unit(mine)[1]:
            raise InputError(f"cannot merge: mixed units, {mine!r} in {here} and {name!r} in {there}")


def _lasting(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options without a stand-in that answers as the simulator itself does."""
    return {name: value for name, value in options.items() if not (name == STAND_IN and value in _EXACT_STAND_INS)}


def _kinds(schema: Schema) -> list[tuple[str, str]]:
    return [(metric.direction, metric.scale) for metric in schema.metrics]
