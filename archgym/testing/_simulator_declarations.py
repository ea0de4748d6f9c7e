"""Checks of what a simulator declares: metrics, objectives, space, workloads."""

from __future__ import annotations

__all__ = ["check_declarations", "check_objectives", "check_space", "check_workloads"]

import json
from math import isfinite

import numpy as np

from archgym.columns import check_names
from archgym.objectives import Bound, parse_objective
from archgym.testing._simulator_subject import Subject
from archgym_simulators import DesignSpace, InputError, Metric, Reason, Simulator, Workload

# Quantities that mean nothing without a unit; what is counted (cycles) or a share (utilisation) has none.
_UNITS = {
    **dict.fromkeys(("time", "latency", "runtime", "delay"), "ns"),
    "energy": "pj",
    "power": "mw",
    "area": "mm2",
    "bandwidth": "gbps",
    "frequency": "mhz",
}
_COUNTED = 1 << 17
_NEIGHBOURHOODS = 4


def check_declarations(subject: Subject) -> None:
    """Metrics, reasons, version, options, workload and baseline are well-formed."""
    simulator, require = subject.simulator, subject.require
    metrics, reasons = simulator.metrics, simulator.all_reasons
    require(metrics and all(isinstance(m, Metric) for m in metrics), "metrics must be a tuple of Metric, at least one")
    names = [metric.name for metric in metrics]
    require(len(set(names)) == len(names), f"metrics must have distinct names, not {names}")
    for metric in metrics:
        require(_is_line(metric.description), f"metric {metric.name!r} needs a description of one sentence")
        unit = _UNITS.get(metric.name.rpartition("_")[2])
        require(unit is None, f"metric {metric.name!r} must end in its unit, such as {metric.name}_{unit}")
    require(all(isinstance(reason, Reason) for reason in reasons), "reasons must be a tuple of Reason")
    called = [reason.name for reason in reasons]
    require(len(set(called)) == len(called), f"reasons must have distinct names, not {called}")
    require(_is_line(simulator.version), f"version must be text, not {simulator.version!r}")
    require(_is_line(simulator.cost_unit), f"cost_unit must be text, not {simulator.cost_unit!r}")
    require(simulator.rows_per_record >= 1, f"rows_per_record must be at least 1, not {simulator.rows_per_record}")
    require(_is_json(simulator.describe_options()), "describe_options() must be JSON-able")
    check_names(simulator)
    _check_workload(subject, simulator)
    require(_is_line(simulator.baseline.name), "the baseline needs a name")


def _check_workload(subject: Subject, simulator: Simulator) -> None:
    workload, require = simulator.workload, subject.require
    require(type(workload) is Workload, f"workload must be a Workload, not {workload!r}")
    require(_is_line(workload.name), "the workload needs a name")
    require(
        len(workload.features) == len(workload.feature_names),
        f"workload {workload.name!r} has {len(workload.features)} features and {len(workload.feature_names)} names",
    )
    require(all(isfinite(f) for f in workload.features), f"features of workload {workload.name!r} must be finite")


def check_objectives(subject: Subject) -> None:
    """Every named objective parses, and so does the default."""
    simulator, require = subject.simulator, subject.require
    names = [name for o in simulator.objectives for name in (o.name, *o.aliases)]
    require(len(set(names)) == len(names), f"objectives must have distinct names and aliases, not {names}")
    operators = {m.name: "<=" if m.direction == "min" else ">=" for m in simulator.metrics}
    for objective in simulator.objectives:
        for metric in objective.requires:
            require(metric in operators, f"objective {objective.name!r} requires {metric!r}, which is no metric")
        require(_is_line(objective.description), f"objective {objective.name!r} needs a description of one sentence")
        bounds = [Bound(metric, operators[metric], 1.0) for metric in objective.requires]
        parse_objective(objective.name, simulator.metrics, simulator.objectives, bounds)
    if simulator.default_objective:
        parse_objective(simulator.default_objective, simulator.metrics, simulator.objectives)


def check_space(subject: Subject) -> None:
    """Rows, readable values, keys, canonical forms and neighbours agree."""
    space, rows, require = subject.simulator.space, subject.rows, subject.require
    for parameter in space.parameters:
        require(_is_line(parameter.description), f"parameter {parameter.name!r} needs a description of one sentence")
    require(_is_json(space.to_json()), "the space's description must be JSON-able")
    require(
        DesignSpace.from_json(space.to_json()).parameters == space.parameters,
        "the space's description must give the same parameters back",
    )
    require(np.array_equal(space.encode(space.decode(rows)), rows), "encode must undo decode")
    canonical = space.canonical(rows)
    require(np.array_equal(space.canonical(canonical), canonical), "canonical must leave canonical rows as they are")
    require(space.contains(canonical).all(), "canonical rows must lie in the space")
    keys = space.keys(rows)
    require(len(set(keys)) == len(np.unique(rows, axis=0)), "keys must tell rows apart")
    for row in rows[:_NEIGHBOURHOODS]:
        for other in space.neighbours(row)[:_NEIGHBOURHOODS]:
            back = space.neighbours(other)
            require((back == row).all(axis=1).any(), f"{space.decode_row(row)} must be a neighbour of its neighbours")
    if space.size <= _COUNTED:
        counted = sum(len(chunk) for chunk in space.chunks(canonical=True))
        require(counted == space.canonical_size, f"{counted} designs are canonical, not {space.canonical_size}")
    _check_constraints(subject)


def _check_constraints(subject: Subject) -> None:
    violations = subject.simulator.space.violations(subject.rows)
    for column, constraint in zip(violations.T, subject.simulator.space.constraints, strict=True):
        graded = np.isfinite(column).all() and (column >= 0.0).all()
        subject.require(graded, f"violation of constraint {constraint.name!r} must be finite and at least 0")


def check_workloads(subject: Subject) -> None:
    """Built-in workloads bind, have features of one kind, and a wrong name is an error with the nearest match."""
    if subject.build is None:
        return
    simulator, require = subject.simulator, subject.require
    known = simulator.workload_names()
    for name, description in known.items():
        require(_is_line(description), f"workload {name!r} needs a description of one sentence")
        bound = subject.build(name)
        _check_workload(subject, bound)
        same = bound.workload.feature_names == simulator.workload.feature_names
        require(same, f"workload {name!r} has other features than {simulator.workload.name!r}")
    again = subject.build(simulator.workload.name).workload
    require(again == simulator.workload, f"binding to {simulator.workload.name!r} again must give the same workload")
    _check_wrong_workload(subject, next(iter(known), simulator.workload.name))
    for split in ("train", "dev", "test"):
        _check_split(subject, split)


def _check_wrong_workload(subject: Subject, name: str) -> None:
    wrong = f"{name}zz"
    try:
        if subject.build is not None:
            subject.build(wrong)
    except InputError as error:
        subject.require("\n" not in str(error), "the error for an unknown workload must be one line")
        subject.require(
            wrong in str(error) and name in str(error).replace(wrong, ""),
            f"the error for workload {wrong!r} must name it and the nearest match {name!r}, not read {str(error)!r}",
        )
        return
    raise AssertionError(f"{subject.label}: an unknown workload {wrong!r} must raise InputError")


def _check_split(subject: Subject, split: str) -> None:
    try:
        drawn = [subject.simulator.draw_workload(split, np.random.default_rng(7)) for _ in range(2)]
    except InputError:
        return  # the family has no such split
    subject.require(drawn[0] == drawn[1], f"drawing from split {split!r} must be a function of the generator")
    if subject.build is not None:
        _check_workload(subject, subject.build(drawn[0]))


def _is_line(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip()) and "\n" not in text


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
