"""Tiny task graphs and systems that a person can compute by hand."""

from __future__ import annotations

import pytest

from archgym_simulators.soc.blocks import Bus, Memory, Processor, SocDesign
from archgym_simulators.soc.graph_files import graph_from_description
from archgym_simulators.soc.model import PreparedGraph, simulate


def description(tasks, edges, **more):
    """``tasks``: name -> cpu cycles, or a whole entry; ``edges``: (from, to, bytes)."""
    entries = [
        {"name": name, **(entry if isinstance(entry, dict) else {"cpu_cycles": entry})} for name, entry in tasks.items()
    ]
    return {"tasks": entries, "edges": [{"from": a, "to": b, "bytes": size} for a, b, size in edges], **more}


@pytest.fixture
def graph():
    return lambda tasks, edges, **more: graph_from_description(description(tasks, edges, **more), "tiny")


@pytest.fixture
def run():
    """Simulate one design of a graph; FARSI's rules unless told."""

    def simulated(graph, design, *, rules="farsi", prune=False):
        return simulate(PreparedGraph.build(graph), [design], rules=rules, prune=prune)

    return simulated


@pytest.fixture
def system():
    """Processors on one bus of 4 bytes at 100 MHz (0.4 GB/s) with one memory of the same speed."""

    def built(graph, runs_on, *, cpus=1, kind="sram", width=4, clock=100, units=()):
        processors = (*(Processor(0) for _ in range(cpus)), *units)
        names = [task.name for task in graph.tasks]
        return SocDesign(
            processors,
            (Memory(0, kind, width, clock),),
            (Bus(width, clock),),
            {name: runs_on.get(name, 0) for name in names},
            dict.fromkeys(names, 0),
        )

    return built
