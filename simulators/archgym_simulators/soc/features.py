"""What a learner sees of a task graph: a fixed number of values of order one, whatever the graph."""

from __future__ import annotations

__all__ = ["FEATURE_NAMES", "graph_features"]

from math import log10

import numpy as np

from archgym_simulators.soc.graph import TaskGraph
from archgym_simulators.soc.model import PreparedGraph
from archgym_simulators.soc.technology import CPU_RATE

FEATURE_NAMES = (
    "tasks_per_100",
    "applications_per_3",
    "edges_per_task",
    "depth_per_task",
    "parallelism",
    "log_cpu_seconds",
    "log_critical_seconds",
    "work_share_of_heaviest",
    "log_bytes",
    "log_bytes_per_instruction",
    "share_with_accelerator",
    "mean_log_speedup",
    "mean_log_iterations",
    "mean_log_accelerator_um2",
    "log_tightest_latency_budget",
    "log_power_budget",
    "log_area_budget",
)


def graph_features(prepared: PreparedGraph) -> tuple[float, ...]:
    """Values in the order of `FEATURE_NAMES`; logarithms are decimal, divided by 10 where they can be large."""
    graph = prepared.graph
    work = np.array([task.work for task in graph.tasks])
    moved = sum(edge.bytes for edge in graph.edges)
    depth, critical = _longest(graph)
    hardware = [(task.accelerator, task.work) for task in graph.tasks if task.accelerator is not None]
    speedups = [log10(amount / CPU_RATE / (unit.cycles / 1e8)) for unit, amount in hardware]
    return (
        len(graph.tasks) / 100,
        len(graph.applications) / 3,
        len(graph.edges) / len(graph.tasks) / 4,
        depth / len(graph.tasks),
        float(work.sum() / critical) / 16 if critical else 0.0,
        log10(work.sum() / CPU_RATE) / 4,
        log10(max(critical, 1.0) / CPU_RATE) / 4,
        float(work.max() / work.sum()),
        log10(max(moved, 1.0)) / 10,
        log10(max(moved, 1.0) / work.sum()) / 4,
        len(hardware) / len(graph.tasks),
        _mean(speedups),
        _mean([log10(unit.iterations) for unit, _ in hardware]) / 6,
        _mean([log10(unit.area_um2) for unit, _ in hardware]) / 6,
        log10(prepared.latency_budget_s.min()) / 4,
        log10(prepared.power_budget_w) / 4,
        log10(prepared.area_budget_m2 * 1e6) / 4,
    )


def _longest(graph: TaskGraph) -> tuple[int, float]:
    """Tasks on the longest chain, and work on the heaviest."""
    after: dict[str, list[str]] = {task.name: [] for task in graph.tasks}
    waiting = dict.fromkeys(after, 0)
    for edge in graph.edges:
        after[edge.source].append(edge.target)
        waiting[edge.target] += 1
    own = {task.name: task.work for task in graph.tasks}
    count, weight = dict.fromkeys(after, 1), dict(own)
    ready = [name for name, number in waiting.items() if number == 0]
    for name in ready:
        for following in after[name]:
            count[following] = max(count[following], count[name] + 1)
            weight[following] = max(weight[following], weight[name] + own[following])
            waiting[following] -= 1
            if waiting[following] == 0:
                ready.append(following)
    return max(count.values()), max(weight.values())


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
