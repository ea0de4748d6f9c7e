"""Task graphs from TOML files.

::

    name = "radio"                 # optional: the file's name
    last = "decode"                # optional: its end is the latency; else the last end of a task with work

    [budget]                       # optional, each of the three: see `default_budget`
    latency_ms = 20
    power_mw = 3
    area_mm2 = 5

    [[tasks]]
    name = "fft"
    cpu_cycles = 400000            # on the reference processor; 0 for a source, a sink or a join
    [tasks.accelerator]            # optional; a task with an accelerator may leave cpu_cycles out
    cycles = 17503                 # one run at 100 MHz
    energy_fj = 4.4                # one run, in the 40 nm of the library
    area_um2 = 5500                # one copy of the loop body, in the same
    iterations = 64                # optional, 1: most copies of the loop body

    [[edges]]
    from = "fft"
    to = "decode"
    bytes = 4096                   # a run
"""

from __future__ import annotations

__all__ = ["default_budget", "graph_from_description", "read_graph"]

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean
from archgym_simulators.soc.graph import Accelerator, Application, Budget, Edge, Task, TaskGraph
from archgym_simulators.soc.technology import CLOCKS_MHZ, CPU_INSTRUCTIONS_PER_J, CPU_RATE

_BUDGET = ("latency_ms", "power_mw", "area_mm2")
_ACCELERATOR = ("cycles", "energy_fj", "area_um2", "iterations")


def read_graph(path: str | os.PathLike[str]) -> TaskGraph:
    """Read a graph.

    Raises:
        InputError: one line that names the file, and the key, task or edge that is wrong.
    """
    file = Path(path)
    try:
        description = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the task graph {str(path)!r}: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"task graph {str(path)!r} is no TOML: {error}") from None
    try:
        return graph_from_description(description, file.stem)
    except InputError as error:
        raise InputError(f"{str(path)!r}: {error}") from None


def graph_from_description(description: Mapping[str, Any], default_name: str) -> TaskGraph:
    """A graph from what a TOML file holds.

    Raises:
        InputError: one line that names the key, task or edge that is wrong.
    """
    _only("graph", description, ("name", "last", "budget", "published_budget", "tasks", "edges"))
    name = _text("graph", description, "name", default_name)
    tasks = tuple(_task(entry, number) for number, entry in enumerate(_tables(description, "tasks"), start=1))
    edges = tuple(_edge(entry, number) for number, entry in enumerate(_tables(description, "edges"), start=1))
    if all(task.cpu_cycles == 0 for task in tasks):
        raise InputError(f"graph {name!r} has no task with work")
    default = default_budget(tasks)
    budget = _budget("budget", description.get("budget", {}), default)
    published = description.get("published_budget")
    application = Application(
        name,
        tuple(task.name for task in tasks),
        _text("graph", description, "last", ""),
        budget,
        None if published is None else _budget("published_budget", published, default),
    )
    return TaskGraph(name, tasks, edges, (application,))


def default_budget(tasks: Sequence[Task]) -> Budget:
    """Budgets for a graph that comes with none: demanding, yet within reach.

    Tasks that no accelerator more than doubles in speed stay on one processor, with a quarter to spare; the rest get a
    tenth of their time there, or one and a half times that of their fastest accelerators. Power is that processor's
    plus a third of the 8.737 mW, and area a third of the 17.475 mm2, that FARSI grants its three applications together.
    """
    processor, hardware, rest = 0.0, 0.0, 0.0
    for task in tasks:
        own, fastest = _seconds(task)
        if fastest * 2.0 <= own:
            rest, hardware = rest + own, hardware + fastest
        else:
            processor += own
    latency = 1.25 * processor + max(0.1 * rest, 1.5 * hardware)
    power = CPU_RATE / CPU_INSTRUCTIONS_PER_J if processor else 0.0
    return Budget(max(latency, 1e-9) * 1e3, power * 1e3 + 8.737 / 3, 17.475 / 3)


def _seconds(task: Task) -> tuple[float, float]:
    """Time on the processor and on the fastest accelerator; where one is missing, the other's or infinity."""
    fastest = float("inf")
    if task.accelerator:
        fastest = task.accelerator.cycles / (CLOCKS_MHZ[-1] * 1e6 * task.accelerator.iterations)
    if task.cpu_cycles is None:
        return 10.0 * fastest, fastest
    return task.work / CPU_RATE, fastest


def _task(entry: Mapping[str, Any], number: int) -> Task:
    where = f"task {number}"
    _only(where, entry, ("name", "cpu_cycles", "accelerator"))
    name = _text(where, entry, "name", None)
    where = f"task {name!r}"
    cycles = _number(where, entry, "cpu_cycles") if "cpu_cycles" in entry else None
    hardware = entry.get("accelerator")
    if hardware is None:
        return Task(name, cycles)
    where = f"accelerator of task {name!r}"
    if not isinstance(hardware, Mapping):
        raise InputError(f"{where} must be a table with {allowed_values(_ACCELERATOR)}")
    _only(where, hardware, _ACCELERATOR)
    iterations = _number(where, hardware, "iterations") if "iterations" in hardware else 1.0
    if iterations != int(iterations):
        raise InputError(f"{where}: iterations must be a whole number, not {iterations:g}")
    cycles_of, energy, area = (_number(where, hardware, key) for key in _ACCELERATOR[:3])
    return Task(name, cycles, Accelerator(cycles_of, energy, area, int(iterations)))


def _edge(entry: Mapping[str, Any], number: int) -> Edge:
    where = f"edge {number}"
    _only(where, entry, ("from", "to", "bytes"))
    return Edge(_text(where, entry, "from", None), _text(where, entry, "to", None), _number(where, entry, "bytes"))


def _budget(key: str, entry: object, default: Budget) -> Budget:
    if not isinstance(entry, Mapping):
        raise InputError(f"{key} must be a table with {allowed_values(_BUDGET)}")
    _only(key, entry, _BUDGET)
    given = (_number(key, entry, name) if name in entry else getattr(default, name) for name in _BUDGET)
    return Budget(*given)


def _tables(description: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    entries = description.get(key, [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise InputError(f"{key} must be given as [[{key}]] tables")
    if key == "tasks" and not entries:
        raise InputError("the graph has no [[tasks]]")
    return entries


def _only(where: str, entry: Mapping[str, Any], allowed: Sequence[str]) -> None:
    for key in entry:
        if key not in allowed:
            raise InputError(f"{where}: unknown key {key!r}{did_you_mean(key, allowed)}; allowed: {', '.join(allowed)}")


def _text(where: str, entry: Mapping[str, Any], key: str, default: str | None) -> str:
    value = entry.get(key, default)
    if value is None:
        raise InputError(f"{where} has no {key!r}")
    if not isinstance(value, str):
        raise InputError(f"{where}: {key} must be text, not {value!r}")
    return value


def _number(where: str, entry: Mapping[str, Any], key: str) -> float:
    value = entry.get(key)
    if value is None:
        raise InputError(f"{where} has no {key!r}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where}: {key} must be a number, not {value!r}")
    if abs(value) > 1e300 or value != value:
        raise InputError(f"{where}: {key} must be finite, not {value}")
    return float(value)
