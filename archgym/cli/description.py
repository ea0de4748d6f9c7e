"""Everything that can be said about an environment, as JSON-able values."""

from __future__ import annotations

__all__ = ["describe_environment", "describe_objectives", "describe_parameter"]

from inspect import Parameter as Argument
from typing import Any

from archgym.cli.problem_arguments import option_parameters
from archgym.problem import Problem, ProblemSpec
from archgym.registry import environment, simulator_class
from archgym.wording import split_unit
from archgym_simulators import DesignSpace, Factors, Parameter, Permutation, Simulator
from archgym_simulators.parameters import Scalar


def describe_environment(spec: ProblemSpec) -> dict[str, Any]:
    """Describe the environment of a problem, bound to the problem's workload and options.

    Raises:
        InputError: unknown workload or option.
    """
    family, simulator_type = environment(spec.env_id), simulator_class(spec.env_id)
    problem = spec.bind()
    simulator, space = problem.simulator, problem.space
    return {
        "id": family.id,
        "description": family.description,
        "version": simulator.version,
        "workload": simulator.workload.name,
        "default_workload": family.default_workload,
        "size": space.size,
        "canonical_size": space.canonical_size,
        "cost_unit": simulator.cost_unit,
        "parameters": [describe_parameter(parameter) for parameter in space.parameters],
        "constraints": [{"name": c.name, "message": c.reason.template} for c in space.constraints],
        "inert": _describe_inert(space),
        "metrics": _describe_metrics(simulator),
        "diagnostics": list(simulator.diagnostic_names),
        "objectives": describe_objectives(simulator),
        "workloads": dict(simulator_type.workload_names()),
        "workload_features": list(simulator.workload.feature_names),
        "options": _describe_options(simulator_type),
        "baseline": _describe_baseline(problem),
    }


def describe_parameter(parameter: Parameter) -> dict[str, Any]:
    """One parameter: kind, size, values and a sentence."""
    about: dict[str, Any] = {"name": parameter.name, "kind": parameter.kind, "size": parameter.size}
    if isinstance(parameter, Scalar):
        about["values"] = list(parameter.choices)
    elif isinstance(parameter, Permutation):
        about["items"] = list(parameter.items)
    elif isinstance(parameter, Factors):
        about |= {"n": parameter.n, "slots": parameter.slots}
    about["unit"] = getattr(parameter, "unit", "")
    about["role"] = parameter.role
    about["description"] = parameter.description
    return about


def describe_objectives(simulator: Simulator | type[Simulator]) -> list[dict[str, Any]]:
    """The family's named objectives; every metric name is an objective too."""
    default = simulator.default_objective or simulator.metrics[0].name
    named: list[dict[str, Any]] = [
        {
            "name": one.name,
            "expression": one.expression,
            "description": one.description,
            "aliases": list(one.aliases),
            "requires": list(one.requires),
            "default": default in (one.name, *one.aliases),
        }
        for one in simulator.objectives
    ]
    if not any(one["default"] for one in named):
        metric = next(m for m in simulator.metrics if m.name == default)
        about = {"expression": metric.name, "description": metric.description, "aliases": [], "requires": []}
        named.insert(0, {"name": metric.name, **about, "default": True})
    return named


def _describe_inert(space: DesignSpace) -> list[dict[str, Any]]:
    return [{"parameter": f.parameter, "when": f.condition, "is": list(f.values)} for f in space.inert]


def _describe_metrics(simulator: Simulator) -> list[dict[str, Any]]:
    return [
        {
            "name": metric.name,
            "unit": split_unit(metric.name)[1],
            "better": "lower" if metric.direction == "min" else "higher",
            "scale": metric.scale,
            "description": metric.description,
        }
        for metric in simulator.metrics
    ]


def _describe_options(simulator: type[Simulator]) -> list[dict[str, Any]]:
    return [
        {
            "name": option.name,
            "type": _type_of(option),
            "default": None if option.default is Argument.empty else option.default,
            "required": option.default is Argument.empty,
        }
        for option in option_parameters(simulator).values()
    ]


def _type_of(option: Argument) -> str:
    if option.annotation is Argument.empty:
        return "" if option.default in (Argument.empty, None) else type(option.default).__name__
    return option.annotation if isinstance(option.annotation, str) else getattr(option.annotation, "__name__", "")


def _describe_baseline(problem: Problem) -> dict[str, Any]:
    metrics = [metric.name for metric in problem.simulator.metrics]
    return {
        "name": problem.simulator.baseline.name,
        "design": problem.baseline_design,
        "metrics": dict(zip(metrics, problem.baseline_values.tolist(), strict=True)),
    }
