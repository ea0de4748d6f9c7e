"""Seeded random task graphs of 10 to 200 tasks, in layers."""

from __future__ import annotations

__all__ = ["GENERATED", "PARAMETERS", "generate", "generated_spec"]

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import as_number, did_you_mean
from archgym_simulators.soc.graph import Accelerator, Application, Edge, Task, TaskGraph
from archgym_simulators.soc.graph_files import default_budget

GENERATED = "generated"


@dataclass(frozen=True)
class Parameter:
    """One argument of ``generated:...``, ``low..high`` inclusive."""

    default: float
    low: float
    high: float
    description: str
    whole: bool = False


PARAMETERS: Mapping[str, Parameter] = {
    "tasks": Parameter(30, 10, 200, "tasks, source and sink included", whole=True),
    "width": Parameter(3.0, 1.0, 16.0, "mean tasks in a layer; tasks of a layer may run at once"),
    "fan": Parameter(1.5, 1.0, 4.0, "mean inputs of a task"),
    "work": Parameter(5e6, 1e5, 1e9, "median processor cycles of a task"),
    "spread": Parameter(1.0, 0.0, 3.0, "standard deviation of the logarithm of cycles"),
    "traffic": Parameter(0.1, 0.001, 4.0, "bytes of an edge per processor cycle of the task that writes them"),
    "speedup": Parameter(2.0, 0.05, 20.0, "median speed of an accelerator's single copy against the processor"),
    "loops": Parameter(0.7, 0.0, 1.0, "share of accelerators whose loop can be copied"),
    "covered": Parameter(0.9, 0.0, 1.0, "share of tasks with an accelerator"),
    "seed": Parameter(1, 0, 2**53, "seed of every random choice", whole=True),
}

_JOULES_PER_CYCLE = (1e-19, 1e-16)  # range of the built-in accelerators, 40 nm, per cycle of their run
_AREA_UM2 = (5e2, 5e5)
_MOST_BYTES = 60e6  # of all edges together, so that one memory of the library can hold them at once


def generate(spec: str) -> TaskGraph:
    """The graph of ``generated:tasks=40,seed=7``; the same spec gives the same graph.

    A source feeds the first layer and a sink reads the last. Each later task reads from at least one task of the layer
    before it. Cycles are log-normal; accelerators have the ranges of the built-in applications.

    Raises:
        InputError: one line naming the argument, what is allowed and the nearest match.
    """
    values = _parse(spec)
    rng = np.random.default_rng(int(values["seed"]))
    count = int(values["tasks"]) - 2
    layers = _layers(count, values["width"], rng)
    cycles = np.exp(np.log(values["work"]) + values["spread"] * rng.standard_normal(count))
    tasks = [Task("source", 0.0)]
    for number, own in enumerate(np.ceil(cycles).tolist()):
        tasks.append(Task(f"task{number:03d}", own, _accelerator(values, own, rng)))
    tasks.append(Task("sink", 0.0))
    edges = _edges(layers, values, cycles, rng)
    name = generated_spec(spec)
    members = tuple(task.name for task in tasks)
    application = Application(name, members, "", default_budget(tasks))
    return TaskGraph(name, tuple(tasks), tuple(edges), (application,))


def generated_spec(spec: str) -> str:
    """The one spelling of a spec: no default values, arguments in declared order.

    >>> generated_spec("generated:seed=3,tasks=30")
    'generated:seed=3'
    """
    values = _parse(spec)
    given = [f"{name}={_spell(values[name])}" for name, p in PARAMETERS.items() if values[name] != p.default]
    return f"{GENERATED}:{','.join(given)}" if given else GENERATED


def _spell(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _parse(spec: str) -> dict[str, float]:
    values = {name: float(parameter.default) for name, parameter in PARAMETERS.items()}
    _, _, arguments = spec.partition(":")
    for argument in filter(None, arguments.split(",")):
        name, _, text = argument.partition("=")
        if name not in PARAMETERS:
            hint = did_you_mean(name, PARAMETERS)
            raise InputError(f"workload {spec!r}: unknown argument {name!r}{hint}; allowed: {', '.join(PARAMETERS)}")
        parameter, number = PARAMETERS[name], as_number(text)
        wrong = number is None or not parameter.low <= number <= parameter.high
        if number is None or wrong or (parameter.whole and number != int(number)):
            kind = "a whole number" if parameter.whole else "a number"
            raise InputError(
                f"workload {spec!r}: {name} must be {kind} {parameter.low:g}..{parameter.high:g}, not {text!r}"
            )
        values[name] = float(number)
    return values


def _layers(count: int, width: float, rng: np.random.Generator) -> list[list[int]]:
    """Task numbers by layer."""
    layers: list[list[int]] = []
    placed = 0
    while placed < count:
        size = min(count - placed, 1 + int(rng.poisson(width - 1.0)))
        layers.append(list(range(placed, placed + size)))
        placed += size
    return layers


def _edges(
    layers: list[list[int]], values: Mapping[str, float], cycles: NDArray[np.float64], rng: np.random.Generator
) -> list[Edge]:
    amounts = cycles * values["traffic"]
    names = [f"task{t:03d}" for layer in layers for t in layer]
    edges: list[tuple[str, str, float]] = []
    read: set[int] = set()
    for number, layer in enumerate(layers):
        for task in layer:
            if number == 0:
                edges.append(("source", names[task], amounts[task]))
                continue
            earlier = [t for before in layers[:number] for t in before]
            chosen = {int(rng.choice(layers[number - 1]))}
            for _ in range(int(rng.poisson(values["fan"] - 1.0))):
                chosen.add(int(rng.choice(earlier)))
            read |= chosen
            edges += [(names[t], names[task], amounts[t]) for t in sorted(chosen)]
    edges += [(names[t], "sink", amounts[t]) for layer in layers for t in layer if t not in read]
    scale = min(1.0, _MOST_BYTES / sum(amount for _, _, amount in edges))
    return [Edge(a, b, float(max(1.0, np.floor(amount * scale)))) for a, b, amount in edges]


def _accelerator(values: Mapping[str, float], cycles: float, rng: np.random.Generator) -> Accelerator | None:
    covered, loops, gain, energy, area, trips = rng.random(6)
    if covered >= values["covered"]:
        return None
    speedup = values["speedup"] * np.exp(np.log(4.0) * (2.0 * gain - 1.0))
    own = float(np.ceil(cycles / 10.0 / speedup))  # cycles at 100 MHz against cycles at 1 GHz
    per_cycle = _between(_JOULES_PER_CYCLE, energy)
    iterations = int(2 ** np.floor(1.0 + 16.0 * trips)) if loops < values["loops"] else 1
    return Accelerator(own, own * per_cycle * 1e15, _between(_AREA_UM2, area), iterations)


def _between(limits: tuple[float, float], share: float) -> float:
    low, high = limits
    return float(low * (high / low) ** share)
